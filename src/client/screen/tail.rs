//! `lanchat tail`: prints messages as they arrive, as text or JSON lines. It survives lost connections and
//! restarts of the server, without gaps and repetitions.

use std::io::{self, Write as _};

use anstream::eprintln;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::output::output_ended;
use super::termination::Termination;
use crate::client::connection::{HistoryPosition, Reconnector, StartFrom, Up, Update, enter};
use crate::client::conversation::{
    IncomingMessage, Novelty, SeenMessages, Stamp, ViewState, WENT_BACK, render,
};
use crate::client::error::Error;
use crate::client::options::ClientOptions;
use crate::client::preferences::Preferences;
use crate::name::RoomName;
use crate::protocol::event::{GAP, HistoryEnd};
use crate::protocol::packet::RoomInfo;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Event, Request, Target};
use crate::text::{is_suspicious, safe_line};

/// The `id` of requests to join a room.
const JOIN_ID: &str = "join";

/// The messages to print.
#[derive(Debug, Clone, Default)]
pub struct TailOptions {
    /// Whether each message is one line of JSON: its packet.
    pub json: bool,
    /// The time to start from; `None`: print only new messages.
    pub since: Option<Timestamp>,
    /// Print only these rooms; if empty, everything including direct messages.
    pub rooms: Vec<String>,
}

/// Prints messages until a signal asks the process to end or nobody reads the output.
///
/// # Errors
/// See [`Error`]: for example if there is no server, or if it refuses.
pub async fn tail(options: ClientOptions, what: TailOptions) -> Result<(), Error> {
    let rooms = what.rooms.iter().map(|room| RoomName::new(room)).collect::<Result<Vec<_>, _>>();
    let rooms = rooms.map_err(|error| Error::Usage(format!("--room: {error}")))?;
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let start = what.since.map_or(StartFrom::Now, |since| StartFrom::Time(since.to_string()));
    let position = HistoryPosition::new(start, None);
    let joined = tokio::select! {
        joined = enter(&options, Mode::Tail, position.clone()) => joined?,
        () = termination.wait() => return Ok(()),
    };
    let mut connection = Reconnector::staying(Mode::Tail, joined);
    let mut printer = TailPrinter::new(what.json, rooms, position, options.color);
    loop {
        let update = tokio::select! {
            update = connection.next() => update.map_err(Error::from)?,
            () = termination.wait() => return Ok(()),
        };
        if let Err(Stop(result)) = printer.take(update) {
            return result;
        }
    }
}

/// Printing ends, with this result.
struct Stop(Result<(), Error>);

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self(output_ended(&error))
    }
}

/// Prints the messages that are wanted.
struct TailPrinter {
    json: bool,
    rooms: Vec<RoomName>,
    view: ViewState,
    seen: SeenMessages,
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    /// Wanted rooms that the user is not in yet.
    missing: Vec<RoomName>,
    was_lost: bool,
}

impl TailPrinter {
    fn new(json: bool, rooms: Vec<RoomName>, position: HistoryPosition, color: bool) -> Self {
        let view = ViewState::new(String::new(), color, Preferences::default(), Stamp::DateTime);
        let seen = SeenMessages::new(position);
        Self { json, rooms, view, seen, outgoing: None, missing: Vec::new(), was_lost: false }
    }

    fn take(&mut self, update: Update) -> Result<(), Stop> {
        self.view.now = Timestamp::now();
        match update {
            Update::Up(up) => self.up(*up),
            Update::Note(line) => eprintln!("{line}"),
            Update::Event(event, id) => return self.event(&event, id.as_deref()),
            Update::Down(loss) => {
                eprintln!("{}; waiting for the server", safe_line(&loss.why));
                self.seen.interrupt();
                (self.was_lost, self.outgoing) = (true, None);
            }
        }
        Ok(())
    }

    fn up(&mut self, up: Up) {
        let Up { welcome, outgoing, taken, resumes, .. } = up;
        if std::mem::take(&mut self.was_lost) {
            eprintln!("connected again");
        }
        if let Some(taken) = taken {
            eprintln!("the name {taken} is taken, so you are {}", welcome.name);
        }
        let back = self.seen.welcomed(&welcome, resumes);
        if back.rewound {
            eprintln!("{WENT_BACK}");
        }
        if resumes && welcome.log.is_none() {
            eprintln!("this server keeps no history, so earlier messages are missing");
        }
        self.view.me = welcome.name;
        self.outgoing = Some(outgoing);
        let is_in =
            |room: &RoomName, info: &RoomInfo| RoomName::new(&info.name).is_ok_and(|name| name == *room);
        let missing = self.rooms.iter().filter(|room| !room.is_lobby());
        let missing = missing.filter(|room| !welcome.rooms.iter().any(|info| is_in(room, info)));
        self.missing = missing.cloned().collect();
        if !self.seen.is_catching_up() {
            self.join();
        }
    }

    /// Joins the wanted rooms.
    fn join(&mut self) {
        for room in std::mem::take(&mut self.missing) {
            self.send(&Request::Act(Act::Join { room: room.to_string() }), Some(JOIN_ID));
        }
    }

    fn send(&self, request: &Request, id: Option<&str>) {
        if let Some(outgoing) = &self.outgoing {
            // A full queue means that the link is about to be given up.
            let _ = outgoing.try_send(request.to_frame(id));
        }
    }

    fn event(&mut self, event: &Event, id: Option<&str>) -> Result<(), Stop> {
        match event {
            Event::Chat { to, seq, history, .. } => {
                let target = Target::parse(to);
                let is_direct = !matches!(target, Target::All | Target::Room(_));
                self.message(event, &target, IncomingMessage { seq: *seq, is_direct, history: *history })
            }
            Event::Edited { to, seq, history, .. } | Event::Deleted { to, seq, history, .. } => {
                let target = Target::parse(to);
                let is_direct = !matches!(target, Target::All | Target::Room(_));
                self.message(event, &target, IncomingMessage { seq: *seq, is_direct, history: *history })
            }
            Event::Alert { seq, history, .. } => {
                let message = IncomingMessage { seq: *seq, is_direct: false, history: *history };
                self.message(event, &Target::All, message)
            }
            Event::Delivered { seq, history, .. } => {
                self.seen.take(IncomingMessage { seq: *seq, is_direct: true, history: *history }, false);
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
                Err(Stop(Err(Error::Refused(format!("the server refused: {}", safe_line(msg))))))
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, event: &Event, target: &Target, message: IncomingMessage) -> Result<(), Stop> {
        let is_wanted = self.wants(target);
        if self.seen.take(message, is_wanted) == Novelty::Known || !is_wanted {
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
        let Some((missed, receipt)) = self.seen.caught_up(end) else { return };
        if end.gap && !missed.back.rewound {
            eprintln!("you missed messages{GAP}");
        }
        if let Some(receipt) = receipt {
            self.send(&receipt, None);
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

/// Escapes characters that could control a terminal. Programs read the same JSON.
fn escaped(json: &str) -> String {
    let is_safe = |c: char| match c.is_ascii() {
        // JSON itself escapes the other control characters, and the line feed is ours.
        true => c != '\u{7f}',
        false => !is_suspicious(c),
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
        let printer = |rooms: &[&str]| {
            let rooms = rooms.iter().map(|room| RoomName::new(room).unwrap()).collect();
            TailPrinter::new(false, rooms, HistoryPosition::new(StartFrom::Now, None), false)
        };
        let all = printer(&[]);
        assert!(["all", "#games", "alice"].iter().all(|to| all.wants(&Target::parse(to))));
        let games = printer(&["#Games"]);
        assert!(games.wants(&Target::parse("#games")));
        assert!(["all", "#other", "alice"].iter().all(|to| !games.wants(&Target::parse(to))));
        assert!(printer(&["#lobby"]).wants(&Target::All));
    }
}
