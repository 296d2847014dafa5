//! The rules of chat: who is here, under which name, and who gets what.
//!
//! Pure: knows no sockets, no runtime, no clock and no bytes. Each call changes the state and
//! appends what follows to a list of [`Delivery`]s, in the order in which it must reach people.
//! The server is its only caller, holds it in one place, and turns deliveries into writes.

mod acquaintances;
mod answer;
mod archive;
mod ask;
#[cfg(any(test, fuzzing))]
mod check;
mod clock;
mod delivery;
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
mod operate;
mod operators;
mod owned;
mod paces;
mod places;
mod presence;
mod question;
mod rates;
mod records;
mod register;
mod resume;
mod rooms;
mod sanctions;
mod say;
mod standing;
mod storing;
mod table;
#[cfg(test)]
mod tests;
mod unknown;
mod unstored;
mod user;
mod waiting;

pub use answer::Answer;
pub use archive::{
    Account, Archive, Arrival, Destination, Entry, Expired, Kind, Lack, Mail, MailView, Member, Message,
    Question, RoomRecord, Scope, Search, Topic, Venue, View, Waits, Wanted,
};
pub use ask::Listing;
#[cfg(any(test, fuzzing))]
pub(crate) use check::Books;
pub use delivery::{Audience, CatchUp, Delivery, Receipt};
pub use intake::{Garbage, Parsed};
#[cfg(test)]
pub(crate) use lineage::Claim;
pub use lineage::{Incarnation, Lineage};
pub use net::{Net, NoNet};
pub use places::Holder;
pub(crate) use rates::{cost, garbage_cost};
pub use records::{
    BanRecord, MemberRecord, NameRecord, OperatorRecord, Record, RecordKey, Records, Sanction,
};
pub use user::{Peer, SessionId};
pub use waiting::Waited;

use crate::clock::Reading;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_FRAME_BYTES, MAX_JOIN_BUCKETS, MAX_NAME_CHARS, MAX_QUOTE_CHARS, MAX_TEXT_BYTES};
use crate::name::NameKey;
use crate::pace::{Buckets, Rate};
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::packet::{Limits, ServerInfo, stamp};
use crate::protocol::request::{Refusal, Span};
use crate::protocol::target::LOBBY;
use crate::protocol::{Code, Event, Request, Target};
use acquaintances::Acquaintances;
use answer::Told;
use intake::Terms;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, ZonedDateTime};
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
use user::{Session, User, UserId};
use waiting::Waiting;

/// The instant of a call: the chat reads no clock.
#[derive(Debug, Clone)]
pub struct Now {
    /// The server's clock, with its time zone: what people are told.
    pub clock: ZonedDateTime,
    /// What can't be undone goes by this, as the clock may be wrong: names that lapse.
    pub settled: Timestamp,
    /// The same, and it never jumps: bans and mutes.
    pub steady: Timestamp,
    /// Since the server started; never goes back.
    pub uptime: Duration,
}

impl Now {
    /// An instant of a clock that is right.
    pub fn new(clock: ZonedDateTime, uptime: Duration) -> Self {
        let at = clock.timestamp();
        Self { clock, settled: at, steady: at, uptime }
    }

    /// What a clock says, in a time zone.
    pub fn of(reading: &Reading, zone: TimeZone) -> Self {
        let Reading { wall, settled, steady, uptime, .. } = *reading;
        Self { clock: wall.to_zoned_datetime(zone), settled, steady, uptime }
    }

    /// What people are told of an instant of [`steady`](Self::steady).
    fn shown(&self, steady: Timestamp) -> Timestamp {
        let apart = self.clock.timestamp().duration_since(self.steady);
        let shown = steady.checked_add(apart).unwrap_or(steady);
        shown.round(Unit::Second).unwrap_or(shown)
    }

    /// UTC with milliseconds, as RFC 3339 writes it.
    pub fn stamp(&self) -> String {
        stamp(self.clock.timestamp())
    }

    /// The full second, for what is kept.
    fn second(&self) -> Timestamp {
        self.steady.round(Unit::Second).unwrap_or(self.steady)
    }

    fn at(&self) -> At {
        At { second: self.settled.as_second(), uptime: self.uptime }
    }
}

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

    /// Ends a new connection at once if nobody may come in, or its peer may not.
    pub fn screen(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        let Some(peer) = self.sessions.get(&id).map(|session| session.peer()) else { return };
        if self.is_over {
            out.push(Delivery::one(id, self.going_away().to_packet("all", None)));
            self.close(id, now, out);
        } else if let Some(why) = self.ban_text(&peer, now) {
            self.turn_away(id, None, Refusal::new(Code::Banned, why), now, out);
        }
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

    /// A packet came in.
    pub fn receive(&mut self, id: SessionId, parsed: Parsed, now: &Now, out: &mut Deliveries) {
        if !self.sessions.contains_key(&id) || self.leaves(id, now, out) {
            // Closed from here already; what it still sends counts no more.
            return;
        }
        let Parsed { packet, request, terms, cost } = parsed;
        self.terms = terms;
        self.charge(id, cost, now, out);
        let echo = packet.echo();
        let registered = self.is_registered(id);
        let result = match request {
            Err(refusal) if !registered => return self.turn_away(id, echo, refusal, now, out),
            Err(refusal) => Err(refusal),
            // Answered without a name: whoever looks for a server asks this first.
            Ok(Request::Ping) => self.pong(id, echo.clone(), out),
            // So does who looks into why none is found.
            Ok(Request::Multicast { token }) => {
                out.push(Delivery::Multicast { session: id, echo: echo.clone(), token });
                Ok(())
            }
            // The server takes these itself, when it has asked for one.
            Ok(Request::Pake { .. }) => {
                Err(Refusal::new(Code::BadPacket, "nobody has asked for the passphrase"))
            }
            Ok(request) if !registered => return self.register(id, &packet, request, echo, now, out),
            Ok(request) => self.request(id, request, echo.clone(), now, out),
        };
        if let Err(refusal) = result {
            self.refuse(id, echo, refusal, out);
        }
    }

    /// Something came in that is no packet.
    pub fn receive_garbage(&mut self, id: SessionId, garbage: Garbage, now: &Now, out: &mut Deliveries) {
        let Garbage { why, echo, bytes } = garbage;
        self.charge(id, rates::garbage_cost(bytes), now, out);
        let refusal = Refusal::new(
            Code::BadPacket,
            format!(
                "that is no packet ({why}); send one JSON object a line, such as \
                 {{\"from\":{{\"name\":\"alice\"}},\"to\":\"all\",\"msg\":\"hello\"}}"
            ),
        );
        self.refuse(id, echo, refusal, out);
    }

    /// Ends a connection after telling it why.
    pub fn expel(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        refusal: Refusal,
        now: &Now,
        out: &mut Deliveries,
    ) {
        if self.sessions.contains_key(&id) {
            self.turn_away(id, echo, refusal, now, out);
        }
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

    /// From now on everybody who is told that the server goes away is told to where: another server.
    pub fn hand_over(&mut self, to: ServerInfo) {
        self.successor = Some(to);
    }

    fn going_away(&self) -> Event {
        let msg = match &self.successor {
            Some(to) => format!("the server gives way to {}", to.name),
            None => "the server is shutting down".into(),
        };
        Event::Bye { code: Some(Code::ShuttingDown), msg, server: self.successor.clone() }
    }

    /// Tells everybody that the server goes away, and ends all connections.
    pub fn shut_down(&mut self, out: &mut Deliveries) {
        self.is_over = true;
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        out.push(Delivery::to(
            Audience::Sessions(sessions.clone()),
            self.going_away().to_packet("all", None),
        ));
        out.extend(sessions.into_iter().map(Delivery::Close));
    }

    /// One request of a registered session.
    fn request(
        &mut self,
        id: SessionId,
        request: Request,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        match request {
            Request::Chat { to: Target::Server, msg, .. } => {
                let request = self.terms.words.take().map_or_else(|| words(&msg), |words| *words)?;
                self.request(id, request, echo, now, out)
            }
            Request::Chat { to, msg, action } => self.say(id, to, msg, action, echo, now, out),
            Request::Nick { name } => self.rename(id, &name, echo, now, out),
            Request::Op { name } if operators::is_code(&name) => self.op_by_code(id, &name, echo, now, out),
            Request::OpByToken { token } => self.op_by_token(id, &token, echo, now, out),
            Request::Quit => {
                let bye = Event::Bye { code: Some(Code::Quit), msg: "goodbye".into(), server: None };
                self.answer(id, echo, bye, out);
                self.close(id, now, out);
                Ok(())
            }
            Request::Ping => self.pong(id, echo, out),
            Request::Help { command } => {
                let text = match command {
                    None => intake::commands(self.is_operator(id)).to_owned(),
                    Some(command) => {
                        self.terms.help.take().map_or_else(|| intake::help(&command), |help| *help)?
                    }
                };
                self.answer(id, echo, Event::Notice(text), out);
                Ok(())
            }
            Request::Hello(_) => Err(Refusal::new(
                Code::BadPacket,
                "this connection is registered already; use nick for another name",
            )),
            Request::Join { room } => self.join(id, &room, echo, now, out),
            Request::Part { room } => self.part(id, &room, echo, now, out),
            Request::Topic { room, topic } => self.topic(id, &room, topic, echo, now, out),
            Request::Received { seq } => {
                self.received(id, seq, now, out);
                Ok(())
            }
            asked @ (Request::History { .. } | Request::Search { .. }) => {
                self.ask_history(id, asked, echo, now, out)
            }
            question @ (Request::Users { .. }
            | Request::Rooms { .. }
            | Request::Time
            | Request::Whois { .. }) => self.ask_for(id, &question, echo, now, out),
            command => self.command_of(id, &command, echo, now, out),
        }
    }

    fn pong(&mut self, id: SessionId, echo: Option<String>, out: &mut Deliveries) -> Result<(), Refusal> {
        let pong = Event::Pong {
            server: self.profile.server.clone(),
            total: self.present,
            closed: self.rules.closed,
            interim: self.rules.interim,
        };
        self.answer(id, echo, pong, out);
        Ok(())
    }

    /// An event for one session.
    fn answer(&self, id: SessionId, echo: Option<String>, event: Event, out: &mut Deliveries) {
        self.tell(id, echo, Told::Event(event), out);
    }

    fn tell(&self, session: SessionId, echo: Option<String>, told: Told, out: &mut Deliveries) {
        let to = self.user_of(session).map(|user| user.name.clone());
        out.push(Delivery::Answer(Box::new(Answer { session, to, echo, told })));
    }

    fn refuse(&self, id: SessionId, echo: Option<String>, refusal: Refusal, out: &mut Deliveries) {
        // It may quote what the client sent; the frame's bound holds for the answer too.
        let mut msg = refusal.msg;
        if let Some((end, _)) = msg.char_indices().nth(MAX_QUOTE_CHARS) {
            msg.truncate(end);
        }
        self.answer(id, echo, Event::error(refusal.code, msg), out);
    }

    fn turn_away(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        refusal: Refusal,
        now: &Now,
        out: &mut Deliveries,
    ) {
        self.refuse(id, echo, refusal, out);
        self.close(id, now, out);
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

/// The request in a chat to `server`.
fn words(msg: &str) -> Result<Request, Refusal> {
    let bad = |msg: String| Refusal::new(Code::BadCommand, msg);
    let line = msg.trim();
    match command::read_line(line, Place::Wire).map_err(|error| bad(error.to_string()))? {
        Line::Command(Action::Request(request)) => Ok(request),
        Line::Command(Action::Me(msg)) => Ok(Request::Chat { to: Target::All, msg, action: true }),
        Line::Command(Action::Help(command)) => Ok(Request::Help { command }),
        Line::Command(Action::Quit) => Ok(Request::Quit),
        // Whoever types here has no current target but the lobby.
        Line::Command(Action::Topic(topic)) => Ok(Request::Topic { room: LOBBY.into(), topic }),
        Line::Command(Action::History(limit)) => {
            Ok(Request::History { room: None, name: None, span: Span { before: None, limit } })
        }
        Line::Command(Action::Part) => Err(bad("name the room: /part #games".into())),
        Line::Command(_) | Line::Text(_) => {
            Err(bad("the server takes commands, which start with a slash; try /help".into()))
        }
    }
}

/// The bounds told in a welcome.
fn limits() -> Limits {
    Limits { frame_bytes: MAX_FRAME_BYTES, text_bytes: MAX_TEXT_BYTES, name_chars: MAX_NAME_CHARS }
}

/// A clock for tests and for a chat whose caller has none yet.
impl Default for Now {
    fn default() -> Self {
        Self::new(ZonedDateTime::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC), Duration::ZERO)
    }
}
