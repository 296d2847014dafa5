//! `lanchat tail`: what is said, as lines for people and programs, for as long as it takes. It goes on
//! over lost connections and restarts of the server, without a gap and with nothing twice.

use std::io::{self, Write as _};

use anstream::eprintln;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::termination::Termination;
use crate::client::connection::{Connection, Up, Update};
use crate::client::connection::{Entry, enter};
use crate::client::connection::{Progress, Start};
use crate::client::conversation::Seen;
use crate::client::conversation::WENT_BACK;
use crate::client::conversation::{Stamp, ViewState, render};
use crate::client::error::Error;
use crate::client::options::Options;
use crate::client::trust::Standing;
use crate::name::RoomName;
use crate::protocol::event::{GAP, HistoryEnd};
use crate::protocol::packet::RoomInfo;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Event, Request, Target};
use crate::text::safe_line;

/// The `id` of requests to join a room.
const JOIN_ID: &str = "join";

/// What to print.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    /// Whether each message is one line of JSON: its packet.
    pub json: bool,
    /// From when on; from now on if there is none.
    pub since: Option<Timestamp>,
    /// What is said in these rooms only; everything, direct messages too, if there are none.
    pub rooms: Vec<String>,
}

/// Prints what is said, until the process is asked to end or nobody reads it any more.
///
/// # Errors
/// See [`Error`]: no server to begin with, or one that refuses.
pub async fn tail(options: Options, what: Tail) -> Result<(), Error> {
    let rooms = what.rooms.iter().map(|room| RoomName::new(room)).collect::<Result<Vec<_>, _>>();
    let rooms = rooms.map_err(|error| Error::Usage(format!("--room: {error}")))?;
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let start = what.since.map_or(Start::Now, |since| Start::Time(since.to_string()));
    let progress = Progress::new(start, None);
    let entry = tokio::select! {
        entry = enter(&options, Mode::Tail, progress.clone()) => entry?,
        () = termination.wait() => return Ok(()),
    };
    let Entry { registered, visitor, locator, .. } = entry;
    let mut connection = Connection::staying(Mode::Tail, registered, visitor, locator);
    let mut reader = Reader::new(what.json, rooms, progress, options.color);
    loop {
        let update = tokio::select! {
            update = connection.next() => update,
            () = termination.wait() => return Ok(()),
        };
        match reader.take(update) {
            Ok(()) => {}
            // Whoever read our output has what they wanted.
            Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(Stop::Output(error)) => {
                return Err(Error::Local(format!("cannot write to standard output: {error}")));
            }
            Err(Stop::Error(error)) => return Err(error),
        }
    }
}

/// Why nothing more is printed.
enum Stop {
    Output(io::Error),
    Error(Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What was missed, as it comes.
struct CatchUp {
    /// Whether mail was among it.
    mail: bool,
    /// Whether the user was told that the server went back, so that something is missing.
    rewound: bool,
}

/// Prints what it is to print.
struct Reader {
    json: bool,
    rooms: Vec<RoomName>,
    view: ViewState,
    seen: Seen,
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    /// Rooms that the user is not in yet.
    missing: Vec<RoomName>,
    /// What was missed is coming.
    catching_up: Option<CatchUp>,
    was_lost: bool,
}

impl Reader {
    fn new(json: bool, rooms: Vec<RoomName>, progress: Progress, color: bool) -> Self {
        let view = ViewState {
            me: String::new(),
            color,
            zone: TimeZone::system(),
            now: Timestamp::now(),
            standing: Standing::Plaintext,
            room: None,
            stamp: Stamp::DateTime,
        };
        let (seen, missing) = (Seen::new(progress), Vec::new());
        Self { json, rooms, view, seen, outgoing: None, missing, catching_up: None, was_lost: false }
    }

    fn take(&mut self, update: Option<Update>) -> Result<(), Stop> {
        self.view.now = Timestamp::now();
        match update {
            Some(Update::Up(up)) => self.up(*up),
            Some(Update::Note(line)) => eprintln!("{line}"),
            Some(Update::Event(event, id)) => return self.event(&event, id.as_deref()),
            Some(Update::Down(loss)) => {
                eprintln!("{}; waiting for the server", safe_line(&loss.why));
                (self.was_lost, self.catching_up, self.outgoing) = (true, None, None);
            }
            Some(Update::Gone(loss)) => {
                return Err(Stop::Error(Error::Disconnected(safe_line(&loss.why))));
            }
            Some(Update::Failed(error)) => return Err(Stop::Error(error)),
            None => return Err(Stop::Error(Error::Disconnected("the connection has ended".into()))),
        }
        Ok(())
    }

    fn up(&mut self, up: Up) {
        let Up { welcome, outgoing, taken, resumes, .. } = up;
        if std::mem::take(&mut self.was_lost) {
            eprintln!("connected again");
        }
        if let Some(taken) = taken {
            eprintln!("the name {taken} is taken; you are {}", welcome.name);
        }
        let back = self.seen.welcomed(&welcome, resumes);
        if back.rewound {
            eprintln!("{WENT_BACK}");
        }
        if resumes && welcome.log.is_none() {
            eprintln!("this server keeps no history: what was said before now is missing");
        }
        self.catching_up =
            (resumes && welcome.log.is_some()).then_some(CatchUp { mail: false, rewound: back.rewound });
        self.view.me = welcome.name;
        self.outgoing = Some(outgoing);
        let is_in =
            |room: &RoomName, info: &RoomInfo| RoomName::new(&info.name).is_ok_and(|name| name == *room);
        let missing = self.rooms.iter().filter(|room| !room.is_lobby());
        let missing = missing.filter(|room| !welcome.rooms.iter().any(|info| is_in(room, info)));
        self.missing = missing.cloned().collect();
        if self.catching_up.is_none() {
            self.join();
        }
    }

    /// Becomes a member of the rooms that are to be read.
    fn join(&mut self) {
        for room in std::mem::take(&mut self.missing) {
            self.send(&Request::Act(Act::Join { room: room.to_string() }), Some(JOIN_ID));
        }
    }

    fn send(&self, request: &Request, id: Option<&str>) {
        if let Some(outgoing) = &self.outgoing {
            // A queue that is full belongs to a link that is about to be given up.
            let _ = outgoing.try_send(request.to_frame(id));
        }
    }

    fn event(&mut self, event: &Event, id: Option<&str>) -> Result<(), Stop> {
        match event {
            Event::Chat { to, seq, history, .. } => {
                let target = Target::parse(to);
                let is_direct = !matches!(target, Target::All | Target::Room(_));
                self.message(event, &target, *seq, is_direct, *history)
            }
            Event::Alert { seq, history, .. } => self.message(event, &Target::All, *seq, false, *history),
            Event::Delivered { seq, history, .. } => {
                self.seen.is_new(*seq, true, *history);
                Ok(())
            }
            Event::History(end) => {
                self.history_end(end);
                Ok(())
            }
            Event::Renamed { old, name } if *old == self.view.me => {
                self.view.me.clone_from(name);
                Ok(())
            }
            Event::Error { msg, .. } if id == Some(JOIN_ID) => {
                Err(Stop::Error(Error::Refused(format!("the server refused: {}", safe_line(msg)))))
            }
            _ => Ok(()),
        }
    }

    fn message(
        &mut self,
        event: &Event,
        target: &Target,
        seq: Option<u64>,
        is_direct: bool,
        history: bool,
    ) -> Result<(), Stop> {
        let is_wanted = self.wants(target);
        if let Some(catching_up) = self.catching_up.as_mut().filter(|_| history) {
            catching_up.mail |= is_direct && is_wanted;
        }
        if !self.seen.is_new(seq, is_direct, history) || !is_wanted {
            return Ok(());
        }
        Ok(self.print(event)?)
    }

    fn wants(&self, target: &Target) -> bool {
        let is_listed = |room: &RoomName| self.rooms.contains(room);
        self.rooms.is_empty()
            || match target {
                Target::All => is_listed(&RoomName::lobby()),
                Target::Room(room) => RoomName::new(room).is_ok_and(|room| is_listed(&room)),
                _ => false,
            }
    }

    fn history_end(&mut self, end: &HistoryEnd) {
        let Some(CatchUp { mail, rewound }) = self.catching_up.take() else { return };
        self.seen.caught_up(end.seq);
        if end.gap && !rewound {
            eprintln!("you missed messages{GAP}");
        }
        if mail {
            self.send(&Request::Act(Act::Received { seq: end.seq }), None);
        }
        self.join();
    }

    fn print(&self, event: &Event) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.json {
            let packet = String::from_utf8_lossy(&event.to_packet(&Target::All.to_string(), None).to_frame())
                .into_owned();
            stdout.write_all(escaped(&packet).as_bytes())?;
        } else {
            for line in render(event, &self.view) {
                writeln!(stdout, "{line}")?;
            }
        }
        stdout.flush()
    }
}

/// The same JSON, with everything escaped that could drive a terminal.
fn escaped(json: &str) -> String {
    let is_safe = |c: char| match c.is_ascii() {
        // JSON escapes the other control characters itself, and the line feed is ours.
        true => c != '\u{7f}',
        false => safe_line(c.encode_utf8(&mut [0; 4])).starts_with(c),
    };
    if json.chars().all(is_safe) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match is_safe(c) {
            true => text.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text += &format!("\\u{unit:04x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_for_programs_and_drives_no_terminal() {
        let msg = "plain, José, 山田 \u{9b}31m \u{202e} \u{10ffff} \u{7f}";
        let json = serde_json::to_string(msg).unwrap();
        let safe = escaped(&json);
        assert!(
            safe.contains("山田") && !safe.contains(['\u{9b}', '\u{202e}', '\u{10ffff}', '\u{7f}']),
            "{safe}"
        );
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), msg);
    }

    #[test]
    fn rooms_that_are_named_leave_everything_else_out() {
        let reader = |rooms: &[&str]| {
            let rooms = rooms.iter().map(|room| RoomName::new(room).unwrap()).collect();
            Reader::new(false, rooms, Progress::new(Start::Now, None), false)
        };
        let all = reader(&[]);
        assert!(["all", "#games", "alice"].iter().all(|to| all.wants(&Target::parse(to))));
        let games = reader(&["#Games"]);
        assert!(games.wants(&Target::parse("#games")));
        assert!(["all", "#other", "alice"].iter().all(|to| !games.wants(&Target::parse(to))));
        assert!(reader(&["#lobby"]).wants(&Target::All));
    }
}
