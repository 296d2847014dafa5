//! The rules of chat: who is here, under which name, and who receives what.
//!
//! Pure: knows no sockets, no runtime, no clock and no bytes. Each call changes the state and appends the
//! results to a list of [`Delivery`]s, in the order in which they must reach people. The server is the only
//! caller: it holds one `Chat` and turns deliveries into writes.

mod absence;
mod access;
mod account;
mod acquaintances;
mod actor;
mod answer;
mod archive;
mod ask;
mod bans;
mod call;
mod change;
#[cfg(any(test, fuzzing))]
mod check;
mod clock;
mod delivery;
mod farewell;
mod file_shares;
mod intake;
mod join;
mod kept_offers;
mod keys;
mod lineage;
mod lookalikes;
mod mail;
mod moderate;
mod name_use;
mod names;
mod nearest;
mod net;
mod node_set;
mod now;
mod offer_record;
mod offering;
mod offers;
mod operate;
mod operators;
mod owned;
mod paced_sender;
mod paces;
mod peer;
mod places;
mod presence;
mod question;
mod rates;
mod reading;
mod receive;
mod records;
mod register;
mod resume;
mod rooms;
mod sanctions;
mod say;
mod session_record;
mod settings;
mod shared_keys;
mod standing;
mod storing;
mod subject;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod tickets;
mod transfers;
mod unknown;
mod unstored;
mod user;
mod waiting;
mod who;

pub use answer::Answer;
pub use archive::{
    Account, Archive, Arrival, Destination, Entry, Expired, Kind, Lack, Mail, MailView, Member, Message,
    MessageChange, Question, RoomRecord, Scope, Search, Topic, Venue, View, Waits, Wanted,
};
pub use ask::{Asked, Listing};
pub use bans::DoorBans;
#[cfg(any(test, fuzzing))]
pub(crate) use check::StoredRecords;
pub use delivery::{Audience, CatchUp, Delivery, Receipt, TurnedAway, Visit};
pub use intake::{Garbage, Parsed};
#[cfg(test)]
pub(crate) use lineage::ResumeClaim;
pub use lineage::{Incarnation, Lineage};
pub use name_use::NameUse;
pub use net::{InvalidNet, Net};
pub use node_set::NodeSet;
pub use now::Now;
pub use offer_record::OfferRecord;
pub use offers::{FileRules, TokenSource, TokenWay, TransferId, TransferSide};
pub use owned::NewNames;
pub use paced_sender::{PaceNotice, PacedSender, SessionPace};
pub use paces::{Level, Paces};
pub use peer::Peer;
pub use places::Holder;
pub(crate) use rates::{cost, garbage_cost};
pub use records::{
    BanRecord, MemberRecord, NameRecord, OperatorRecord, ReadRecord, Record, RecordKey, Records, Sanction,
};
pub use session_record::{SessionRecord, UserRecord};
pub use shared_keys::OtherNames;
pub use tickets::TicketSource;
pub use transfers::{FileTicket, TransferEnd};
pub use unknown::no_such_message;
pub use waiting::Waited;
pub use who::{SLOT_BITS, SessionId};

use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_JOIN_BUCKETS, MAX_NAME_CHARS};
use crate::name::NameKey;
use crate::pace::{Buckets, Rate};
use crate::protocol::WebAccess;
use crate::protocol::packet::ServerInfo;
use absence::Absences;
use access::Access;
use acquaintances::Acquaintances;
use change::StrangersMessages;
use intake::Prepared;
use lookalikes::Lookalikes;
use moderate::Leaving;
use node_set::ChatNodes;
use offers::Offers;
use operators::OperatorSecrets;
use owned::{At, OwnedNames};
use presence::Presence;
use reading::ReadTable;
use rooms::Rooms;
use shared_keys::SharedKeys;
use smallvec::SmallVec;
use standing::ChangedSessions;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;
use table::{NumberHasher, Table};
use unstored::Unstored;
use user::{Session, User};
use waiting::Waiting;
use who::UserId;

/// Facts about the server for clients.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    pub server: ServerInfo,
    /// Random for each start of the server.
    pub run: Option<String>,
    /// The message of the day; empty for none.
    pub motd: String,
}

/// The administrator's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How fast a user may send; `None`: no rate limits.
    pub rate: Option<Rate>,
    pub ascii_names: bool,
    /// Whether to tell clients that only members may enter. The server enforces it and asks
    /// [`Chat::is_member`].
    pub closed: bool,
    /// Whether to tell clients that the server gives way to others.
    pub interim: bool,
    /// Whether the log has the begin and the end of each session.
    pub log_visits: bool,
    /// How many names may become owned.
    pub new_names: NewNames,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rate: Some(Rate::default()),
            ascii_names: false,
            closed: false,
            interim: false,
            log_visits: false,
            new_names: NewNames::default(),
        }
    }
}

#[derive(Debug)]
pub struct Chat {
    profile: Profile,
    rules: Rules,
    sessions: Table<SessionId, Session>,
    users: Table<UserId, User>,
    /// Every registered name, in alphabetical order. Invariant: one entry per user.
    names: BTreeMap<NameKey, UserId>,
    /// The same by appearance. Invariant: no two look alike.
    looks: Lookalikes<UserId>,
    /// Names that belong to keys, online or offline.
    owned: OwnedNames,
    access: Access,
    secrets: Option<Box<OperatorSecrets>>,
    /// Counts actions that others are notified of.
    news: Buckets,
    paces: Paces,
    acquaintances: Acquaintances,
    /// Users with a chat session. Invariant: equals the result of counting them.
    present: usize,
    presence: Presence,
    next_user: NonZeroU64,
    rooms: Rooms,
    /// Connected users by account. Invariant: no empty entries.
    accounts: HashMap<Arc<Account>, SmallVec<[UserId; 2]>>,
    waiting: Waiting,
    reading: ReadTable,
    absences: Absences,
    shared_keys: SharedKeys,
    strangers_messages: StrangersMessages,
    /// Mail that has arrived without its authors knowing yet.
    untold: VecDeque<Arrival>,
    /// Sessions that never confirm mail, while they receive it: up to which number.
    greeted: HashMap<SessionId, u64, NumberHasher>,
    /// The history's incarnations; `None`: the server stores no messages.
    lineage: Option<Lineage>,
    /// `None`: nobody else goes on with the sessions.
    changed_sessions: Option<ChangedSessions>,
    /// Why the store fails and what to do; `None` while it works.
    failure: Option<Arc<str>>,
    unstored: Unstored,
    seq: u64,
    /// Messages since the start, as the server's numbers have them.
    accepted: u64,
    is_over: bool,
    /// The server to which this one gives way.
    successor: Option<ServerInfo>,
    /// Sessions that a ban or a kick has yet to end.
    leaving: VecDeque<Leaving>,
    /// A requested list that is not complete yet.
    listing: Option<Listing>,
    /// Why the machine's clock is doubtful.
    doubt: Option<Arc<str>>,
    /// Whether waiting mail fills all its space.
    is_mail_full: bool,
    /// Offered files; `None`: the server passes none on.
    offers: Option<Box<Offers>>,
    /// For browsers; `None`: the server serves none.
    tickets: Option<tickets::Tickets>,
    /// How browsers join; `None`: not at all.
    web: Option<WebAccess>,
    /// The chat's servers; `None`: there is only this one.
    nodes: Option<ChatNodes>,
    /// Computed for the current request before the lock was taken.
    prepared: Prepared,
}

/// The list that calls append to.
pub type Deliveries = Vec<Delivery>;

impl Chat {
    /// A chat without sessions, with the state from the archive.
    pub fn new(profile: Profile, rules: Rules, archive: Archive) -> Self {
        let mut records = archive.records;
        let latest = archive.lineage.as_ref().map(|_| archive.seq);
        let reading = ReadTable::new(std::mem::take(&mut records.reads), latest);
        let (access, mut owned) = (Access::new(&mut records), OwnedNames::new(records.names));
        owned.limit_newcomers(rules.new_names, rules.closed);
        // At time zero no name has expired, so expired ones count too.
        let then = At { second: 0, uptime: Duration::ZERO };
        let is_new = |author: Option<&Account>| match author {
            Some(Account::Key(key)) => !owned.is_established(key, then) && !access.is_operator(Some(key)),
            Some(Account::Token(_)) | None => true,
        };
        let waiting = Waiting::new(archive.waiting, archive.seq, is_new);
        Self {
            profile,
            rules,
            sessions: Table::default(),
            users: Table::default(),
            names: BTreeMap::new(),
            looks: Lookalikes::default(),
            access,
            owned,
            secrets: None,
            news: Buckets::new(MAX_JOIN_BUCKETS),
            paces: Paces::default(),
            acquaintances: Acquaintances::default(),
            present: 0,
            presence: Presence::default(),
            next_user: NonZeroU64::MIN,
            rooms: Rooms::new(archive.rooms),
            accounts: HashMap::new(),
            waiting,
            reading,
            absences: Absences::default(),
            shared_keys: SharedKeys::default(),
            strangers_messages: StrangersMessages::default(),
            untold: archive.arrivals.into(),
            greeted: HashMap::default(),
            lineage: archive.lineage,
            changed_sessions: None,
            failure: None,
            unstored: Unstored::new(archive.lacks),
            seq: archive.seq,
            accepted: 0,
            is_over: false,
            leaving: VecDeque::new(),
            listing: None,
            doubt: None,
            is_mail_full: false,
            offers: None,
            tickets: None,
            web: None,
            nodes: None,
            prepared: Prepared::default(),
            successor: None,
        }
    }

    /// Adds a connection. It has no name until its first packet.
    pub fn connect(&mut self, id: SessionId, peer: Peer) {
        self.sessions.insert(id, Session::new(peer));
        self.note_session(id);
    }

    pub fn is_registered(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.user.is_some())
    }

    /// Whether the connection exists and has no name yet.
    pub fn is_waited_for(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.user.is_none())
    }

    pub fn present(&self) -> usize {
        self.present
    }

    pub fn connections(&self) -> usize {
        self.sessions.len()
    }

    /// The number of the latest message; 0 before the first.
    pub fn latest(&self) -> u64 {
        self.seq
    }

    /// Messages that it has accepted since its start.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    pub fn server(&self) -> &ServerInfo {
        &self.profile.server
    }

    /// Whether the key may enter a closed server without the passphrase.
    pub fn is_member(&self, key: &Fingerprint) -> bool {
        self.access.is_member(key)
    }

    /// Makes a key a member once it has proven the passphrase. `name` is the name it asks for.
    pub fn add_member(&mut self, key: Fingerprint, ip: IpAddr, name: &str, now: &Now, out: &mut Deliveries) {
        let (name, rest) = (name.chars().take(MAX_NAME_CHARS).collect(), serde_json::Map::new());
        let row = MemberRecord { key, name, ip: Some(ip), since: now.second(), rest };
        self.access.add_member(row, out);
    }

    /// Stores pending records of names and read positions after the last client has left, a portion per call.
    /// `false`: done.
    pub fn keep_rest(&mut self, now: &Now, out: &mut Deliveries) -> bool {
        let has_more = self.reading.keep_portion(now.second(), out);
        self.owned.keep_rest(now.at(), out) || has_more
    }

    /// Continues unfinished work of an earlier call, a portion at a time, because no other session can use
    /// the chat during a call. Call it after every other call until it returns `false`.
    pub fn proceed(&mut self, now: &Now, out: &mut Deliveries) -> bool {
        if self.leaving.is_empty() {
            self.go_on_listing(out);
        } else {
            self.expel_some(now, out);
        }
        self.has_more()
    }

    pub fn has_more(&self) -> bool {
        !self.leaving.is_empty() || self.listing.is_some()
    }

    fn is_operator(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| self.access.is_operator(session.key()))
    }

    fn user_of(&self, id: SessionId) -> Option<&User> {
        self.users.get(&self.sessions.get(&id)?.user?)
    }

    fn find(&self, name: &str) -> Option<(UserId, &User)> {
        let id = *self.names.get(&self.prepared.key(name))?;
        Some((id, self.users.get(&id)?))
    }
}
