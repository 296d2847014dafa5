//! The rules of chat: who is here, under which name, and who gets what.
//!
//! Pure: knows no sockets, no runtime, no clock and no bytes. Each call changes the state and
//! appends what follows to a list of [`Delivery`]s, in the order in which it must reach people.
//! The server is its only caller, holds it in one place, and turns deliveries into writes.

mod delivery;
mod operate;
mod presence;
mod register;
mod say;
#[cfg(test)]
mod tests;
mod user;

pub use delivery::{Audience, Delivery};
pub use user::{Peer, SessionId};

use crate::limits::{MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_QUOTE_CHARS, MAX_TEXT_BYTES};
use crate::name::NameKey;
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::packet::{Limits, ServerInfo};
use crate::protocol::request::{ClientPacket, Refusal};
use crate::protocol::{Code, Event, Request, Target};
use jiff::Zoned;
use jiff::tz::TimeZone;
use presence::Presence;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use user::{Session, User, UserId};

/// The instant of a call: the chat reads no clock.
#[derive(Debug, Clone)]
pub struct Now {
    /// The server's clock, with its time zone.
    pub clock: Zoned,
    /// Since the server started; never goes back.
    pub uptime: Duration,
}

impl Now {
    /// UTC with milliseconds, as RFC 3339 writes it.
    pub fn stamp(&self) -> String {
        format!("{:.3}", self.clock.timestamp())
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

/// Everybody who is here.
#[derive(Debug)]
pub struct Chat {
    profile: Profile,
    sessions: HashMap<SessionId, Session>,
    users: HashMap<UserId, User>,
    /// Every registered name, in alphabetical order. Invariant: one entry a user.
    names: BTreeMap<NameKey, UserId>,
    /// Users with a chat session. Invariant: equals what counting them would give.
    present: usize,
    presence: Presence,
    next_user: u64,
    /// Number of the latest message.
    seq: u64,
}

/// The list that calls append to.
pub type Deliveries = Vec<Delivery>;

impl Chat {
    /// A chat with nobody in it.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            sessions: HashMap::new(),
            users: HashMap::new(),
            names: BTreeMap::new(),
            present: 0,
            presence: Presence::default(),
            next_user: 0,
            seq: 0,
        }
    }

    /// A connection came; it is nobody until its first packet.
    pub fn connect(&mut self, id: SessionId, peer: Peer) {
        self.sessions.insert(id, Session::new(peer));
    }

    /// Whether the connection has a name.
    pub fn is_registered(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.user.is_some())
    }

    /// Users who are present.
    pub fn present(&self) -> usize {
        self.present
    }

    /// Connections there are, registered or not.
    pub fn connections(&self) -> usize {
        self.sessions.len()
    }

    /// Which server this is.
    pub fn server(&self) -> &ServerInfo {
        &self.profile.server
    }

    /// A packet came in.
    pub fn receive(&mut self, id: SessionId, packet: &ClientPacket, now: &Now, out: &mut Deliveries) {
        if !self.sessions.contains_key(&id) {
            // Closed from here already; what it still sends counts no more.
            return;
        }
        let echo = packet.id.clone().filter(|id| id.len() <= crate::limits::MAX_ID_BYTES);
        let registered = self.is_registered(id);
        let request = Request::from_packet(packet);
        let result = match request {
            Err(refusal) if !registered => return self.turn_away(id, echo, refusal, now, out),
            Err(refusal) => Err(refusal),
            // Answered without a name: whoever looks for a server asks this first.
            Ok(Request::Ping) => self.pong(id, echo.clone(), out),
            Ok(request) if !registered => return self.register(id, packet, request, echo, now, out),
            Ok(request) => self.request(id, request, echo.clone(), now, out),
        };
        if let Err(refusal) = result {
            self.refuse(id, echo, refusal, out);
        }
    }

    /// Something came in that is no packet.
    pub fn receive_garbage(&mut self, id: SessionId, why: &str, out: &mut Deliveries) {
        let refusal = Refusal::new(
            Code::BadPacket,
            format!(
                "that is no packet ({why}); send one JSON object a line, such as \
                 {{\"from\":{{\"name\":\"alice\"}},\"to\":\"all\",\"msg\":\"hello\"}}"
            ),
        );
        self.refuse(id, None, refusal, out);
    }

    /// Ends a connection after telling it why.
    pub fn expel(&mut self, id: SessionId, code: Code, why: &str, now: &Now, out: &mut Deliveries) {
        if self.sessions.contains_key(&id) {
            self.turn_away(id, None, Refusal::new(code, why), now, out);
        }
    }

    /// Tells everybody that the server goes away, and ends all connections.
    pub fn shut_down(&mut self, out: &mut Deliveries) {
        let bye = Event::Bye { code: Some(Code::ShuttingDown), msg: "the server is shutting down".into() };
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        out.push(Delivery::to(Audience::Sessions(sessions.clone()), bye.to_packet("all", None)));
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
                let request = words(&msg)?;
                self.request(id, request, echo, now, out)
            }
            Request::Chat { to, msg, action } => self.say(id, to, msg, action, echo, now, out),
            Request::Nick { name } => self.rename(id, &name, echo, out),
            Request::Alert { msg } => {
                let by = self.operator_name(id, "alert")?;
                self.alert(&by, msg, now, out)?;
                self.receipt(id, echo, now, out);
                Ok(())
            }
            Request::Kick { name, reason } => {
                let by = self.operator_name(id, "kick")?;
                let done = self.kick(&by, &name, &reason, now, out)?;
                self.answer(id, echo, &done, out);
                Ok(())
            }
            Request::Quit => {
                let bye = Event::Bye { code: Some(Code::Quit), msg: "goodbye".into() };
                self.answer(id, echo, &bye, out);
                self.close(id, now, out);
                Ok(())
            }
            Request::Ping => self.pong(id, echo, out),
            Request::Help { command } => {
                let operator = self.sessions.get(&id).is_some_and(|s| s.peer.operator);
                let text = command::help(command.as_deref(), Place::Wire, operator)
                    .map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))?;
                self.answer(id, echo, &Event::Notice(text), out);
                Ok(())
            }
            Request::Hello(_) => Err(Refusal::new(
                Code::BadPacket,
                "this connection is registered already; use nick for another name",
            )),
            question @ (Request::Users { .. } | Request::Time | Request::Whois { .. }) => {
                let event = self.ask(&question, now)?;
                self.answer(id, echo, &event, out);
                Ok(())
            }
        }
    }

    fn pong(&mut self, id: SessionId, echo: Option<String>, out: &mut Deliveries) -> Result<(), Refusal> {
        let pong = Event::Pong { server: self.profile.server.clone(), total: self.present };
        self.answer(id, echo, &pong, out);
        Ok(())
    }

    /// An event for one session.
    fn answer(&self, id: SessionId, echo: Option<String>, event: &Event, out: &mut Deliveries) {
        let to = self.user_of(id).map_or("", |user| user.name.as_str());
        out.push(Delivery::one(id, event.to_packet(to, echo)));
    }

    fn refuse(&self, id: SessionId, echo: Option<String>, refusal: Refusal, out: &mut Deliveries) {
        // It may quote what the client sent; the frame's bound holds for the answer too.
        let msg = refusal.msg.chars().take(MAX_QUOTE_CHARS).collect::<String>();
        self.answer(id, echo, &Event::error(refusal.code, msg), out);
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

    fn user_of(&self, id: SessionId) -> Option<&User> {
        self.users.get(&self.sessions.get(&id)?.user?)
    }

    fn find(&self, name: &str) -> Option<(UserId, &User)> {
        let id = *self.names.get(&NameKey::of(name))?;
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
        Self { clock: Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC), uptime: Duration::ZERO }
    }
}
