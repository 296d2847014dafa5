//! Packets read as far as that needs nobody's state: before the server's lock is taken, as names that
//! somebody made costly take a while.
//!
//! The rules do not depend on it: what was not found before is found when it is needed.

use super::rates;
use crate::name::{Name, NameError, NameKey, RoomName, RoomNameError, Stem};
use crate::protocol::command::{self, Action, Line, Place, Talk};
use crate::protocol::request::{Act, Ask, ClientPacket, Connect, Refusal, SearchRequest, Span};
use crate::protocol::target::LOBBY;
use crate::protocol::{Code, Request, Target};
use std::sync::LazyLock;

/// A packet and what can be read of it.
#[derive(Debug)]
pub struct Parsed {
    pub(super) packet: Box<ClientPacket>,
    pub(super) request: Result<Request, Refusal>,
    pub(super) terms: Terms,
    /// How many messages it counts as.
    pub(super) cost: u64,
}

/// What a connection sent that is no packet.
#[derive(Debug)]
pub struct Garbage {
    pub(super) why: String,
    pub(super) echo: Option<String>,
    /// How much it was.
    pub bytes: usize,
}

impl Garbage {
    /// A frame, and why it is none. If it tells an `id`, whoever waits for an answer to that gets it.
    pub fn of(frame: &[u8], error: &serde_json::Error) -> Self {
        Self { why: error.to_string(), echo: ClientPacket::id_in(frame), bytes: frame.len() }
    }

    /// What is not even a frame.
    pub fn unframed() -> Self {
        Self { why: "not a JSON object on one line".into(), echo: None, bytes: 0 }
    }
}

/// What the words of a request come to. Those of ASCII are as quickly found as they are looked up here.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The request in a chat to `server`.
    pub(super) words: Option<Box<Result<Request, Refusal>>>,
    /// What there is to say of the command that is asked about.
    pub(super) help: Option<Box<Result<String, Refusal>>>,
    candidate: Option<Box<(String, Candidate)>>,
    key: Option<Box<(String, NameKey)>>,
    room: Option<Box<(String, Result<RoomName, RoomNameError>)>>,
}

/// A name that somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) name: Result<Name, NameError>,
    stems: Option<Stems>,
}

/// Of alternatives to it: with one digit, and with [`DIGITS`].
type Stems = [Option<Stem>; 2];

const DIGITS: usize = 5;

impl Parsed {
    /// Reads a packet. `is_first`: its connection has no name yet.
    pub fn new(packet: Box<ClientPacket>, is_first: bool) -> Self {
        let request = Request::from_packet(&packet);
        let mut terms = Terms::default();
        match &request {
            Ok(Request::Act(Act::Chat { to: Target::Server, msg, .. })) => {
                let words = words(msg);
                words.iter().for_each(|request| terms.note(request));
                terms.words = Some(Box::new(words));
            }
            Ok(Request::Connect(Connect::Hello(_))) => {
                terms.note_target(&Target::parse(packet.to.as_deref().unwrap_or_default()))
            }
            request => request.iter().for_each(|request| terms.note(request)),
        }
        let is_registering = is_first && request.as_ref().is_ok_and(|request| !request.needs_no_name());
        if is_registering {
            let claimed = packet.from.as_ref().and_then(|from| from.name.as_deref());
            terms.note_candidate(claimed.unwrap_or_default());
        }
        let cost = rates::cost(&packet);
        Self { packet, request, terms, cost }
    }
}

impl Terms {
    /// Finds what the request mentions.
    pub(super) fn note(&mut self, request: &Request) {
        match request {
            Request::Connect(_) => {}
            Request::Act(act) => self.note_act(act),
            Request::Ask(Ask::Users { room, after }) => {
                room.iter().for_each(|room| self.note_room(room));
                after.iter().for_each(|after| self.note_name(after));
            }
            Request::Ask(Ask::Rooms { after: Some(name) } | Ask::Whois { name }) => self.note_name(name),
            Request::Ask(Ask::Rooms { after: None } | Ask::Time) => {}
            Request::Operate(command) => command.about().into_iter().for_each(|name| self.note_name(name)),
        }
    }

    fn note_act(&mut self, act: &Act) {
        match act {
            Act::Nick { name } => self.note_candidate(name),
            Act::Help { command: Some(command) } => self.help = Some(Box::new(help(command))),
            Act::Chat { to, .. } => self.note_target(to),
            Act::Join { room } | Act::Part { room } | Act::Topic { room, .. } => self.note_room(room),
            Act::History { room, name, .. } => {
                room.iter().for_each(|room| self.note_room(room));
                name.iter().for_each(|name| self.note_name(name));
            }
            Act::Search(SearchRequest { room, .. }) => room.iter().for_each(|room| self.note_room(room)),
            Act::Help { command: None } | Act::Received { .. } | Act::OpByToken { .. } | Act::Quit => {}
        }
    }

    fn note_target(&mut self, to: &Target) {
        match to {
            Target::User(name) => self.note_name(name),
            Target::Room(room) => self.note_room(room),
            Target::All | Target::Server | Target::Address(_) => {}
        }
    }

    fn note_name(&mut self, name: &str) {
        self.key = (!name.is_ascii()).then(|| Box::new((name.to_owned(), NameKey::of(name))));
    }

    fn note_room(&mut self, room: &str) {
        self.room = (!room.is_ascii()).then(|| Box::new((room.to_owned(), RoomName::new(room.trim()))));
    }

    fn note_candidate(&mut self, wanted: &str) {
        self.candidate = Some(Box::new((wanted.to_owned(), Candidate::new(wanted))));
    }

    pub(super) fn key(&self, name: &str) -> NameKey {
        let known = self.key.as_ref().filter(|key| key.0 == name);
        known.map_or_else(|| NameKey::of(name), |key| key.1.clone())
    }

    pub(super) fn room(&self, room: &str) -> Result<RoomName, RoomNameError> {
        let known = self.room.as_ref().filter(|known| known.0 == room);
        known.map_or_else(|| RoomName::new(room.trim()), |known| known.1.clone())
    }

    pub(super) fn candidate(&self, wanted: &str) -> Candidate {
        let known = self.candidate.as_ref().filter(|known| known.0 == wanted);
        known.map_or_else(|| Candidate::new(wanted), |known| known.1.clone())
    }
}

impl Candidate {
    fn new(wanted: &str) -> Self {
        let name = Name::new(wanted);
        let stems = name.as_ref().ok().filter(|name| !name.is_ascii()).map(stems);
        Self { name, stems }
    }

    /// Some names that may be had instead of it: the first numbers, and two of many by chance.
    pub(super) fn alternatives(&self, chance: u128) -> Vec<Name> {
        let Ok(name) = &self.name else { return Vec::new() };
        let [short, long] = self.stems.clone().unwrap_or_else(|| stems(name));
        let mut names: Vec<Name> = short.iter().flat_map(|stem| (2..=9).map(|n| stem.name(n))).collect();
        let numbers = [chance, chance / 90_000].map(|chance| u32::try_from(10_000 + chance % 90_000));
        names.extend(long.iter().flat_map(|stem| numbers.iter().flatten().map(|n| stem.name(*n))));
        names
    }
}

/// What there is to say of a command.
pub(super) fn help(command: &str) -> Result<String, Refusal> {
    let help = command::help(Some(command), Place::Wire, true);
    help.map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))
}

/// All commands that one may use.
pub(super) fn commands(is_operator: bool) -> &'static str {
    static ALL: LazyLock<[String; 2]> = LazyLock::new(|| {
        [false, true].map(|is_operator| command::help(None, Place::Wire, is_operator).unwrap_or_default())
    });
    &ALL[usize::from(is_operator)]
}

fn stems(name: &Name) -> Stems {
    [1, DIGITS].map(|digits| Stem::new(name, digits))
}

/// The request in a chat to `server`.
pub(super) fn words(msg: &str) -> Result<Request, Refusal> {
    let bad = |msg: String| Refusal::new(Code::BadCommand, msg);
    let line = msg.trim();
    match command::read_line(line, Place::Wire).map_err(|error| bad(error.to_string()))? {
        Line::Command(Action::Request(request)) => Ok(request),
        Line::Command(Action::Talk(talk)) => in_lobby(talk).map(Request::Act),
        Line::Command(Action::Help(command)) => Ok(Act::Help { command }.into()),
        Line::Command(Action::Quit) => Ok(Act::Quit.into()),
        Line::Command(Action::Prompt(_) | Action::Status) | Line::Text(_) => {
            Err(bad("the server takes commands, which start with a slash; try /help".into()))
        }
    }
}

/// Whoever types here has no current target but the lobby.
fn in_lobby(talk: Talk) -> Result<Act, Refusal> {
    match talk {
        Talk::Me(msg) => Ok(Act::Chat { to: Target::All, msg, action: true }),
        Talk::Topic(topic) => Ok(Act::Topic { room: LOBBY.into(), topic }),
        Talk::History(limit) => {
            Ok(Act::History { room: None, name: None, span: Span { before: None, limit } })
        }
        Talk::Part => Err(Refusal::new(Code::BadCommand, "name the room: /part #games")),
    }
}
