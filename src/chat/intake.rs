//! Parses packets and computes names before the server's lock is taken, as hostile names can be slow.
//!
//! The rules do not depend on it: they compute whatever is missing.

use super::rates;
use crate::name::{Name, NameError, NameKey, RoomName, RoomNameError, Stem};
use crate::protocol::command::{self, Action, Line, Place, Talk};
use crate::protocol::request::{Act, ClientPacket, Connect, Refusal, Span};
use crate::protocol::target::LOBBY;
use crate::protocol::{Code, Request, Target};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A parsed packet, with all that can be computed without the chat's state.
#[derive(Debug)]
pub struct Parsed {
    pub(super) packet: Box<ClientPacket>,
    pub(super) request: Result<Request, Refusal>,
    pub(super) prepared: Prepared,
    /// The number of messages that it counts as.
    pub(super) cost: u64,
}

/// Input that is not a packet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Garbage {
    pub(super) why: String,
    pub(super) echo: Option<String>,
    pub bytes: usize,
}

impl Garbage {
    /// A frame that does not parse. Its answer echoes the frame's `id`, if one can be read.
    pub fn of(frame: &[u8], error: &serde_json::Error) -> Self {
        Self { why: error.to_string(), echo: ClientPacket::id_in(frame), bytes: frame.len() }
    }

    pub fn unframed() -> Self {
        Self { why: "not a JSON object on one line".into(), echo: None, bytes: 0 }
    }
}

/// Results computed for a request in advance. ASCII names are not in here: computing them is as fast as a
/// lookup.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// The command in a chat to `server`.
    pub(super) command: Option<Box<Result<Request, Refusal>>>,
    /// The help for the requested command.
    pub(super) help: Option<Box<Result<String, Refusal>>>,
    candidate: Option<Box<(String, Candidate)>>,
    key: Option<Box<(String, NameKey)>>,
    room: Option<Box<(String, Result<RoomName, RoomNameError>)>>,
}

/// A name that a user asks for.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) name: Result<Name, NameError>,
    stems: Option<Stems>,
}

/// The stems of alternative names: for one digit, and for [`DIGITS`].
type Stems = [Option<Stem>; 2];

const DIGITS: usize = 5;

impl Parsed {
    /// Parses a packet. `is_first`: its connection has no name yet.
    pub fn new(packet: Box<ClientPacket>, is_first: bool) -> Self {
        let request = Request::from_packet(&packet);
        let mut prepared = Prepared::default();
        match &request {
            Ok(Request::Act(Act::Chat { to: Target::Server, msg, .. })) => {
                let command = typed_command(msg);
                command.iter().for_each(|request| prepared.note(request));
                prepared.command = Some(Box::new(command));
            }
            Ok(Request::Connect(Connect::Hello(_))) => {
                prepared.note_mentioned(Target::parse(packet.to.as_deref().unwrap_or_default()).mentions())
            }
            request => request.iter().for_each(|request| prepared.note(request)),
        }
        let is_registering = is_first && request.as_ref().is_ok_and(|request| !request.needs_no_name());
        if is_registering {
            let claimed = packet.from.as_ref().and_then(|from| from.name.as_deref());
            prepared.note_candidate(claimed.unwrap_or_default());
        }
        let cost = rates::cost(&packet);
        Self { packet, request, prepared, cost }
    }
}

impl Prepared {
    pub(super) fn note(&mut self, request: &Request) {
        match request {
            Request::Act(Act::Nick { name } | Act::Read { name: Some(name), .. }) => {
                self.note_candidate(name)
            }
            Request::Act(Act::Help { command: Some(command) }) => self.help = Some(Box::new(help(command))),
            request => self.note_mentioned(request.mentions()),
        }
    }

    fn note_mentioned(&mut self, (name, room): (Option<&str>, Option<&str>)) {
        name.iter().for_each(|name| self.note_name(name));
        room.iter().for_each(|room| self.note_room(room));
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

    /// Suggests alternatives: the first numbers, and two of many at random.
    pub(super) fn alternatives(&self, chance: u128) -> Vec<Name> {
        let Ok(name) = &self.name else { return Vec::new() };
        let [short, long] = self.stems.clone().unwrap_or_else(|| stems(name));
        let mut names: Vec<Name> = short.iter().flat_map(|stem| (2..=9).map(|n| stem.name(n))).collect();
        let numbers = [chance, chance / 90_000].map(|chance| u32::try_from(10_000 + chance % 90_000));
        names.extend(long.iter().flat_map(|stem| numbers.iter().flatten().map(|n| stem.name(*n))));
        names
    }
}

pub(super) fn help(command: &str) -> Result<String, Refusal> {
    let help = command::help(Some(command), Place::Wire, true);
    help.map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))
}

pub(super) fn commands(is_operator: bool) -> &'static str {
    static ALL: LazyLock<[String; 2]> = LazyLock::new(|| {
        [false, true].map(|is_operator| command::help(None, Place::Wire, is_operator).unwrap_or_default())
    });
    &ALL[usize::from(is_operator)]
}

fn stems(name: &Name) -> Stems {
    [1, DIGITS].map(|digits| Stem::new(name, digits))
}

/// Parses the command in a chat to `server`.
pub(super) fn typed_command(msg: &str) -> Result<Request, Refusal> {
    let bad = |msg: String| Refusal::new(Code::BadCommand, msg);
    let line = msg.trim();
    match command::read_line(line, Place::Wire).map_err(|error| bad(error.to_string()))? {
        Line::Command(Action::Request(request)) => Ok(request),
        Line::Command(Action::Talk(talk)) => in_lobby(talk).map(Request::Act),
        Line::Command(Action::Help(command)) => Ok(Act::Help { command }.into()),
        Line::Command(Action::Quit) => Ok(Act::Quit.into()),
        Line::Command(Action::Prompt(_) | Action::Status | Action::Web) | Line::Text(_) => {
            Err(bad("the server takes commands, which start with a slash; try /help".into()))
        }
    }
}

/// Resolves commands that need a current target: here it is always the lobby.
fn in_lobby(talk: Talk) -> Result<Act, Refusal> {
    match talk {
        Talk::Me(msg) => Ok(Act::Chat { to: Target::All, msg, action: true, reply: None }),
        Talk::Topic(topic) => Ok(Act::Topic { room: LOBBY.into(), topic }),
        Talk::History(limit) => {
            Ok(Act::History { room: None, name: None, span: Span { before: None, limit } })
        }
        Talk::Part => Err(Refusal::new(Code::BadCommand, "name the room: /part #games")),
    }
}
