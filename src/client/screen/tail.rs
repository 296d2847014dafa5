//! `lanchat tail`: prints messages as they arrive, as text or JSON lines. It survives lost connections and
//! restarts of the server, without gaps and repetitions.

use std::io::{self, Write as _};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::latest::LatestMessages;
use super::output::{json_line, output_ended};
use super::termination::Termination;
use crate::client::connection::{HistoryPosition, Reconnector, StartFrom, Up, Update, enter};
use crate::client::conversation::{
    IncomingMessage, Novelty, SeenMessages, Stamp, ViewState, WENT_BACK, render,
};
use crate::client::error::Error;
use crate::client::options::ClientOptions;
use crate::name::RoomName;
use crate::protocol::event::{GAP, HistoryEnd};
use crate::protocol::packet::RoomInfo;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Event, Request, Target};
use crate::text::safe_line;

/// The `id` of requests to join a room.
const JOIN_ID: &str = "join";

/// The `id` of requests for the last messages.
const LAST_ID: &str = "last";

/// The messages to print.
#[derive(Debug, Clone, Default)]
pub struct TailOptions {
    /// Whether each message is one line of JSON: its packet.
    pub json: bool,
    /// The time to start from; `None`: print only new messages.
    pub since: Option<Timestamp>,
    /// How many of the last messages to start with.
    pub last: Option<u64>,
    /// Print only these rooms; if empty, everything including direct messages.
    pub rooms: Vec<RoomName>,
}

/// Prints messages until a signal asks the process to end or nobody reads the output.
///
/// # Errors
/// See [`Error`]: for example if there is no server, or if it refuses.
pub async fn tail(options: ClientOptions, what: TailOptions) -> Result<(), Error> {
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let start = what.since.as_ref().map_or(StartFrom::Now, |since| StartFrom::Time(since.to_string()));
    let position = HistoryPosition::new(start, None);
    let joined = tokio::select! {
        joined = enter(&options, Mode::Tail, position.clone()) => joined?,
        () = termination.wait() => return Ok(()),
    };
    let mut connection = Reconnector::staying(Mode::Tail, joined);
    let mut printer = TailPrinter::new(options, what, position);
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
    options: ClientOptions,
    what: TailOptions,
    view: ViewState,
    seen: SeenMessages,
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    /// Wanted rooms that the user is not in yet.
    missing: Vec<RoomName>,
    /// The last messages, while they come.
    latest: Option<LatestMessages>,
    was_lost: bool,
}

impl TailPrinter {
    fn new(options: ClientOptions, what: TailOptions, position: HistoryPosition) -> Self {
        let view = ViewState::new(String::new(), options.color, options.preferences.clone(), Stamp::DateTime);
        let seen = SeenMessages::new(position);
        let (missing, latest) = (Vec::new(), None);
        Self { options, what, view, seen, outgoing: None, missing, latest, was_lost: false }
    }

    fn take(&mut self, update: Update) -> Result<(), Stop> {
        self.view.now = Timestamp::now();
        match update {
            Update::Up(up) => self.up(*up),
            Update::Note(line) => self.options.note(&line),
            Update::Event(event, id) => return self.event(&event, id.as_deref()),
            Update::Down(loss) => {
                if !loss.goes_on {
                    self.options.note(&format!("{}; waiting for the server", safe_line(&loss.why)));
                }
                self.seen.interrupt();
                (self.was_lost, self.outgoing) = (true, None);
                self.end_latest()?;
            }
        }
        Ok(())
    }

    fn up(&mut self, up: Up) {
        let Up { welcome, outgoing, taken, resumes, moved, .. } = up;
        if std::mem::take(&mut self.was_lost) {
            self.options.note(moved.as_deref().unwrap_or("connected again"));
        }
        if let Some(taken) = taken {
            self.options.note(&format!("the name {taken} is taken, so you are {}", welcome.name));
        }
        let back = self.seen.welcomed(&welcome, resumes);
        if back.rewound {
            self.options.note(WENT_BACK);
        }
        if resumes && welcome.log.is_none() {
            self.options.note("this server keeps no history, so earlier messages are missing");
        }
        self.view.me = welcome.name;
        self.outgoing = Some(outgoing);
        let is_in =
            |room: &RoomName, info: &RoomInfo| RoomName::new(&info.name).is_ok_and(|name| name == *room);
        let missing = self.what.rooms.iter().filter(|room| !room.is_lobby());
        let missing = missing.filter(|room| !welcome.rooms.iter().any(|info| is_in(room, info)));
        self.missing = missing.cloned().collect();
        if !self.seen.is_catching_up() {
            self.join();
        }
        if let Some(limit) = self.what.last.take() {
            let latest = LatestMessages::new(limit, &self.what.rooms);
            latest.requests().for_each(|request| self.send(&request, Some(LAST_ID)));
            self.latest = Some(latest);
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
        if let Some(latest) = self.latest.as_mut().filter(|_| id == Some(LAST_ID)) {
            if let Event::Error { msg, .. } = event {
                self.options.note(&format!("the last messages are missing: {}", safe_line(msg)));
            }
            if latest.answer(event) {
                self.end_latest()?;
            }
            return Ok(());
        }
        match event {
            Event::Chat { to, .. } | Event::Edited { to, .. } | Event::Deleted { to, .. } => {
                self.message(event, Some(&Target::parse(to)))
            }
            Event::Alert { .. } => self.message(event, Some(&Target::All)),
            Event::Delivered { .. } => self.message(event, None),
            Event::Offer { to, .. } if self.wants(&Target::parse(to)) => Ok(self.print(event)?),
            Event::History(end) => {
                self.history_end(end);
                Ok(())
            }
            Event::Renamed { old, name } if *old == self.view.me => {
                self.view.me.clone_from(name);
                Ok(())
            }
            Event::Room(room) if id == Some(JOIN_ID) && room.joined => {
                let others = match room.members {
                    0 | 1 => "nobody else is in it".to_owned(),
                    members => format!("{members} members"),
                };
                let before =
                    if self.what.since.is_some() { ", so its earlier messages are missing" } else { "" };
                let name = safe_line(&room.name);
                self.options.note(&format!("you were not in {name}{before}; joined it ({others})"));
                Ok(())
            }
            Event::Error { code, msg, .. } if id == Some(JOIN_ID) => {
                let text = format!("the server refused: {}", safe_line(msg));
                Err(Stop(Err(Error::Refused(text, *code))))
            }
            _ => Ok(()),
        }
    }

    /// Notes a message, and prints or holds it if it is wanted; without a target, it never is.
    fn message(&mut self, event: &Event, target: Option<&Target>) -> Result<(), Stop> {
        let Some(message) = IncomingMessage::of(event) else { return Ok(()) };
        let is_wanted = target.is_some_and(|target| self.wants(target));
        if self.seen.take(message, is_wanted) == Novelty::Known || !is_wanted {
            return Ok(());
        }
        if let Some(latest) = &mut self.latest {
            if latest.hold(event) {
                return Ok(());
            }
            self.end_latest()?;
        }
        Ok(self.print(event)?)
    }

    /// Prints the last messages, as many as have come.
    fn end_latest(&mut self) -> Result<(), Stop> {
        let messages = self.latest.take().map(LatestMessages::into_messages).unwrap_or_default();
        Ok(messages.iter().try_for_each(|event| self.print(event))?)
    }

    fn wants(&self, target: &Target) -> bool {
        let is_listed = |room: &RoomName| self.what.rooms.contains(room);
        self.what.rooms.is_empty()
            || match target {
                Target::All => is_listed(&RoomName::lobby()),
                Target::Room(room) => RoomName::new(room).is_ok_and(|room| is_listed(&room)),
                _ => false,
            }
    }

    fn history_end(&mut self, end: &HistoryEnd) {
        let Some((missed, receipt)) = self.seen.caught_up(end) else { return };
        if end.gap && !missed.back.rewound {
            self.options.note(&format!("you missed messages{GAP}"));
        }
        if let Some(receipt) = receipt {
            self.send(&receipt, None);
        }
        self.join();
    }

    fn print(&self, event: &Event) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.what.json {
            stdout.write_all(json_line(event, &Target::All.to_string()).as_bytes())?;
        } else {
            for line in render(event, &self.view) {
                writeln!(stdout, "{line}")?;
            }
        }
        stdout.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_that_are_named_leave_everything_else_out() {
        let printer = |rooms: &[&str]| {
            let rooms = rooms.iter().map(|room| RoomName::new(room).unwrap()).collect();
            let what = TailOptions { rooms, ..TailOptions::default() };
            TailPrinter::new(ClientOptions::in_test(), what, HistoryPosition::new(StartFrom::Now, None))
        };
        let all = printer(&[]);
        assert!(["all", "#games", "alice"].iter().all(|to| all.wants(&Target::parse(to))));
        let games = printer(&["#Games"]);
        assert!(games.wants(&Target::parse("#games")));
        assert!(["all", "#other", "alice"].iter().all(|to| !games.wants(&Target::parse(to))));
        assert!(printer(&["#lobby"]).wants(&Target::All));
    }
}
