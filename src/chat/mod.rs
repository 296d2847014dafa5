//! The rules of chat: who is here, under which name, and who gets what.
//!
//! Pure: knows no sockets, no runtime, no clock and no bytes. Each call changes the state and
//! appends what follows to a list of [`Delivery`]s, in the order in which it must reach people.
//! The server is its only caller, holds it in one place, and turns deliveries into writes.

mod acquaintances;
mod actor;
mod answer;
mod archive;
mod ask;
mod call;
#[cfg(any(test, fuzzing))]
mod check;
mod clock;
mod delivery;
mod farewell;
mod intake;
mod join;
mod keys;
mod lineage;
mod lookalikes;
mod mail;
mod moderate;
mod names;
mod nearest;
mod net;
mod now;
mod operate;
mod operators;
mod owned;
mod paces;
mod places;
mod presence;
mod question;
mod rates;
mod receive;
mod records;
mod register;
mod resume;
mod rooms;
mod sanctions;
mod say;
mod standing;
mod storing;
mod subject;
mod table;
#[cfg(test)]
mod tests;
mod unknown;
mod unstored;
mod user;
mod waiting;
mod who;

pub use answer::Answer;
pub use archive::{
    Account, Archive, Arrival, Destination, Entry, Expired, Kind, Lack, Mail, MailView, Member, Message,
    Question, RoomRecord, Scope, Search, Topic, Venue, View, Waits, Wanted,
};
pub use ask::{Asked, Listing};
#[cfg(any(test, fuzzing))]
pub(crate) use check::Books;
pub use delivery::{Audience, CatchUp, Delivery, Receipt};
pub use intake::{Garbage, Parsed};
#[cfg(test)]
pub(crate) use lineage::Claim;
pub use lineage::{Incarnation, Lineage};
pub use net::{Net, NoNet};
pub use now::Now;
pub use places::Holder;
pub(crate) use rates::{cost, garbage_cost};
pub use records::{
    BanRecord, MemberRecord, NameRecord, OperatorRecord, Record, RecordKey, Records, Sanction,
};
pub use user::Peer;
pub use waiting::Waited;
pub use who::SessionId;

use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_JOIN_BUCKETS, MAX_NAME_CHARS};
use crate::name::NameKey;
use crate::pace::{Buckets, Rate};
use crate::protocol::packet::ServerInfo;
use acquaintances::Acquaintances;
use intake::Terms;
use lookalikes::Lookalikes;
use moderate::Leaving;
use operators::Offer;
use owned::{At, OwnedNames};
use paces::Paces;
use presence::Presence;
use rooms::Rooms;
use smallvec::SmallVec;
use standing::Standing;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;
use table::{Numbers, Table};
use unstored::Unstored;
use user::{Session, User};
use waiting::Waiting;
use who::UserId;

/// What the chat tells about its server.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Id, name and version.
    pub server: ServerInfo,
    /// The message of the day; empty for none.
    pub motd: String,
}

/// What the administrator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How fast a user may send; `None`: nothing is limited by rate.
    pub rate: Option<Rate>,
    /// Whether names hold ASCII alone.
    pub ascii_names: bool,
    /// Whether clients are told that only members come in. Whom the server lets in is its own
    /// business; it asks [`Chat::is_member`].
    pub closed: bool,
    /// Whether clients are told that the server gives way to others.
    pub interim: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rate: Some(Rate::default()), ascii_names: false, closed: false, interim: false }
    }
}

/// Everybody who is here.
#[derive(Debug)]
pub struct Chat {
    profile: Profile,
    rules: Rules,
    sessions: Table<SessionId, Session>,
    users: Table<UserId, User>,
    /// Every registered name, in alphabetical order. Invariant: one entry a user.
    names: BTreeMap<NameKey, UserId>,
    /// The same by how they look. Invariant: no two look alike.
    looks: Lookalikes<UserId>,
    /// Names that belong to keys, whether these are here or not.
    owned: OwnedNames,
    standing: Standing,
    /// Ways to become an operator that need no other one.
    offer: Option<Box<Offer>>,
    /// What people did that is news to others.
    news: Buckets,
    paces: Paces,
    acquaintances: Acquaintances,
    /// Users with a chat session. Invariant: equals what counting them would give.
    present: usize,
    presence: Presence,
    next_user: NonZeroU64,
    rooms: Rooms,
    /// Users who are here, by who they are over all their sessions. Invariant: no empty entries.
    accounts: HashMap<Arc<Account>, SmallVec<[UserId; 2]>>,
    waiting: Waiting,
    /// Mail that has arrived, of which its authors are still to be told.
    untold: VecDeque<Arrival>,
    /// Sessions that say nothing of what they have got, while they are given their mail: up to which
    /// number.
    greeted: HashMap<SessionId, u64, Numbers>,
    /// Which history there is; `None`: nothing is kept.
    log: Option<Lineage>,
    /// Why what is to be kept is not, and what to do.
    failure: Option<Arc<str>>,
    unstored: Unstored,
    /// Number of the latest message.
    seq: u64,
    /// The server is shutting down.
    is_over: bool,
    /// The server to which this one gives way.
    successor: Option<ServerInfo>,
    /// Sessions that a ban or a kick ends, as far as they are not ended yet.
    leaving: VecDeque<Leaving>,
    /// A list that is asked for and not gathered yet.
    listing: Option<Listing>,
    /// Why the machine's clock is doubtful, if so.
    doubt: Option<Arc<str>>,
    /// Whether mail that waits takes all the room that it may.
    is_mail_full: bool,
    /// What the words of the request that is dealt with come to.
    terms: Terms,
}

/// The list that calls append to.
pub type Deliveries = Vec<Delivery>;

impl Chat {
    /// A chat with nobody in it, which remembers what the archive says.
    pub fn new(profile: Profile, rules: Rules, archive: Archive) -> Self {
        let mut records = archive.records;
        let (standing, owned) = (Standing::new(&mut records), OwnedNames::new(records.names));
        // Of names whose time is over meanwhile too.
        let then = At { second: 0, uptime: Duration::ZERO };
        let is_new = |author: Option<&Account>| match author {
            Some(Account::Key(key)) => !owned.is_established(key, then) && !standing.is_operator(Some(key)),
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
            standing,
            owned,
            offer: None,
            news: Buckets::new(MAX_JOIN_BUCKETS),
            paces: Paces::new(),
            acquaintances: Acquaintances::default(),
            present: 0,
            presence: Presence::default(),
            next_user: NonZeroU64::MIN,
            rooms: Rooms::new(archive.rooms),
            accounts: HashMap::new(),
            waiting,
            untold: archive.arrivals.into(),
            greeted: HashMap::default(),
            log: archive.lineage,
            failure: None,
            unstored: Unstored::new(archive.lacks),
            seq: archive.seq,
            is_over: false,
            leaving: VecDeque::new(),
            listing: None,
            doubt: None,
            is_mail_full: false,
            terms: Terms::default(),
            successor: None,
        }
    }

    /// A connection came; it is nobody until its first packet.
    pub fn connect(&mut self, id: SessionId, peer: Peer) {
        self.sessions.insert(id, Session::new(peer));
    }

    /// Whether users have a pace, so that packets may have to wait.
    pub fn is_paced(&self) -> bool {
        self.rules.rate.is_some()
    }

    /// Whether the connection has a name.
    pub fn is_registered(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.user.is_some())
    }

    /// Whether the connection is here and has none yet.
    pub fn is_waited_for(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.user.is_none())
    }

    /// Users who are present.
    pub fn present(&self) -> usize {
        self.present
    }

    /// Connections there are, registered or not.
    pub fn connections(&self) -> usize {
        self.sessions.len()
    }

    /// The number of the latest message; 0 before the first.
    pub fn latest(&self) -> u64 {
        self.seq
    }

    /// Which server this is.
    pub fn server(&self) -> &ServerInfo {
        &self.profile.server
    }

    /// Whether the key may enter a closed server without the passphrase.
    pub fn is_member(&self, key: &Fingerprint) -> bool {
        self.standing.is_member(key)
    }

    /// The key has proved to know the passphrase. `name` is the one it asks for.
    pub fn add_member(&mut self, key: Fingerprint, ip: IpAddr, name: &str, now: &Now, out: &mut Deliveries) {
        let (name, rest) = (name.chars().take(MAX_NAME_CHARS).collect(), serde_json::Map::new());
        let row = MemberRecord { key, name, ip: Some(ip), since: now.second(), rest };
        self.standing.add_member(row, out);
    }

    /// Writes down what is left to be of names, once nobody comes any more: a portion of it. `false`: that
    /// was all.
    pub fn keep_rest(&mut self, now: &Now, out: &mut Deliveries) -> bool {
        self.owned.keep_rest(now.at(), out)
    }

    /// Does a portion of what a call has left to do, as nobody else is served meanwhile. To be called after
    /// each until it says that there is no more: `false`.
    pub fn proceed(&mut self, now: &Now, out: &mut Deliveries) -> bool {
        if self.leaving.is_empty() {
            self.go_on_listing(out);
        } else {
            self.expel_some(now, out);
        }
        self.has_more()
    }

    /// Whether a call has left something to do.
    pub fn has_more(&self) -> bool {
        !self.leaving.is_empty() || self.listing.is_some()
    }

    fn is_operator(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| self.standing.is_operator(session.key()))
    }

    fn user_of(&self, id: SessionId) -> Option<&User> {
        self.users.get(&self.sessions.get(&id)?.user?)
    }

    fn find(&self, name: &str) -> Option<(UserId, &User)> {
        let id = *self.names.get(&self.terms.key(name))?;
        Some((id, self.users.get(&id)?))
    }
}
