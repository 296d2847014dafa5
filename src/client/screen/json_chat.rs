//! `lanchat --json`: a program takes part in the chat. Its standard input has one packet a line, and so has its
//! standard output: whatever the server sends, and what happens to the connection and to the program's lines.

mod order;
mod outstanding;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::input_lines::read_lines;
use super::output::output_error;
use super::termination::Termination;
use crate::client::background::next_of;
use crate::client::connection::{HistoryPosition, Loss, Reconnector, StartFrom, Up, Update, enter};
use crate::client::conversation::{IncomingMessage, Novelty, SeenMessages};
use crate::client::error::Error;
use crate::client::options::ClientOptions;
use crate::limits::MAX_FRAME_BYTES;
use crate::name::RoomName;
use crate::protocol::event::HistoryEnd;
use crate::protocol::request::{Act, Mode, Operate, Refusal};
use crate::protocol::{Code, Event, Request};
use crate::text::{escape_json, safe_line};
use order::{BadLine, Order};
use outstanding::{LineOrigin, OpenRequest, Outstanding};

/// Requests without an answer at which reading stops: no more than the connection's queue holds.
const WINDOW: usize = 100;

/// How long the server may answer nothing after the end of the input. The total depends on its pace.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// The fate of a request whose answer cannot come any more.
const UNKNOWN: &str = "the connection broke before the server answered; it may have carried the line out";

/// Joins the chat, carries out the lines of standard input, and prints what happens, until the input ends and
/// every line has its answer.
///
/// # Errors
/// See [`Error`]. A program gets each as a line of its own, too.
pub async fn json_chat(options: ClientOptions) -> Result<(), Error> {
    let talked = talk(options).await;
    if let Err(error) = &talked {
        let told = json!({ "type": "error", "code": error.code(), "msg": error.to_string() });
        // The status and standard error say it, even if nobody reads this.
        let _ = print(&format!("{told}\n"));
    }
    talked
}

async fn talk(options: ClientOptions) -> Result<(), Error> {
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let position = HistoryPosition::new(StartFrom::Now, None);
    let joined = tokio::select! {
        joined = enter(&options, Mode::Chat, position.clone()) => joined?,
        () = termination.wait() => return Ok(()),
    };
    let connection = Reconnector::staying(Mode::Chat, joined);
    let chat = JsonChat {
        options,
        me: String::new(),
        seen: SeenMessages::new(position),
        outstanding: Outstanding::new(),
        outgoing: None,
        keeps: false,
        rooms: BTreeSet::new(),
        line: 0,
        refused: 0,
        is_leaving: false,
    };
    match chat.run(connection, termination).await {
        Ok(()) => Ok(()),
        Err(Stop(result)) => result,
    }
}

/// The program ends, with this result.
struct Stop(Result<(), Error>);

impl From<io::Error> for Stop {
    /// A closed output is an error here: nobody learns what becomes of the program's lines.
    fn from(error: io::Error) -> Self {
        Self(Err(match error.kind() {
            io::ErrorKind::BrokenPipe => Error::Local(
                "nobody reads standard output any more; lines without an answer may not have been carried out"
                    .into(),
            ),
            _ => output_error(&error),
        }))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self(Err(error))
    }
}

/// A program in the chat.
struct JsonChat {
    options: ClientOptions,
    /// The user's name.
    me: String,
    seen: SeenMessages,
    outstanding: Outstanding,
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    /// Whether the server recognises messages that it has.
    keeps: bool,
    /// The rooms that the user is in.
    rooms: BTreeSet<RoomName>,
    /// How many lines were read.
    line: u64,
    /// How many of them came to nothing.
    refused: usize,
    /// Whether the server has said goodbye at the program's request.
    is_leaving: bool,
}

impl JsonChat {
    async fn run(mut self, mut connection: Reconnector, mut termination: Termination) -> Result<(), Stop> {
        let mut lines = Some(read_lines(MAX_FRAME_BYTES)?);
        let mut deadline: Option<Instant> = None;
        loop {
            let awaited = self.outstanding.len();
            if lines.is_none() && awaited == 0 {
                self.hand(Request::Act(Act::Quit).to_frame(None));
                return Ok(self.all_done()?);
            }
            let mut goes_on = true;
            tokio::select! {
                line = next_of(&mut lines, mpsc::Receiver::recv), if awaited < WINDOW => match line {
                    Some(line) => goes_on = self.take_line(line)?,
                    None => goes_on = false,
                },
                update = connection.next() => match update {
                    Ok(update) => self.take(update)?,
                    Err(ended) => return self.ended(ended.into()),
                },
                () = termination.wait() => match lines {
                    Some(_) => goes_on = false,
                    None => deadline = Some(Instant::now()),
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return self.not_answered();
                }
            }
            if !goes_on {
                lines = None;
            }
            if lines.is_none() && (deadline.is_none() || self.outstanding.len() < awaited) {
                deadline = Some(Instant::now() + LAST_WAIT);
            }
        }
    }

    /// Takes a line; false if it ends the input.
    fn take_line(&mut self, line: Result<String, String>) -> io::Result<bool> {
        self.line += 1;
        let asker = |id| LineOrigin { line: Some(self.line), id };
        let order = match &line {
            Ok(line) if line.trim().is_empty() => return Ok(true),
            Ok(line) => order::read(line),
            Err(why) => Err(BadLine { refusal: Refusal::new(Code::BadPacket, why.clone()), id: None }),
        };
        match order {
            Ok(Order { request: Request::Act(Act::Quit), .. }) => return Ok(false),
            Ok(Order { request, id }) => {
                self.outstanding.add(request, asker(id));
                self.flush();
            }
            Err(BadLine { refusal: Refusal { code, msg }, id }) => {
                let asker = asker(id);
                self.refuse(code.as_str(), &msg, &asker)?;
            }
        }
        Ok(true)
    }

    fn take(&mut self, update: Update) -> Result<(), Stop> {
        match update {
            Update::Up(up) => self.up(*up)?,
            Update::Note(line) => self.options.note(&line),
            Update::Event(event, id) => self.event(&event, id.as_deref())?,
            Update::Down(loss) => self.down(&loss)?,
        }
        Ok(())
    }

    fn up(&mut self, up: Up) -> io::Result<()> {
        let Up { welcome, outgoing, taken, resumes, moved, .. } = up;
        if let Some(line) = moved {
            self.options.note(&line);
        }
        if let Some(taken) = taken {
            self.options.note(&format!("the name {taken} is taken, so you are {}", welcome.name));
        }
        self.me.clone_from(&welcome.name);
        self.keeps = welcome.log.is_some();
        self.seen.welcomed(&welcome, resumes);
        self.outgoing = Some(outgoing);
        let before = std::mem::take(&mut self.rooms);
        self.rooms = welcome.rooms.iter().filter_map(|room| RoomName::new(&room.name).ok()).collect();
        for room in before.into_iter().filter(|room| !self.rooms.contains(room) && !room.is_lobby()) {
            // A server that keeps no rooms has forgotten this one.
            let join = Request::Act(Act::Join { room: room.to_string() });
            self.outstanding.add_first(join, LineOrigin { line: None, id: None });
        }
        self.print(&Event::Welcome(Box::new(welcome)), None)?;
        self.flush();
        Ok(())
    }

    fn down(&mut self, loss: &Loss) -> io::Result<()> {
        self.outgoing = None;
        self.seen.interrupt();
        let msg = format!("{}; lanchat reconnects", safe_line(&loss.why));
        print_object(&json!({ "type": "disconnected", "msg": msg }))?;
        let lost = self.outstanding.rewind(self.keeps);
        lost.iter().try_for_each(|request| self.refuse("disconnected", UNKNOWN, &request.asker))
    }

    /// Hands waiting requests to the connection until its queue is full. Sends nothing before all missed messages
    /// have come, because the server may already have some of these.
    fn flush(&mut self) {
        while let Some(frame) = self.outstanding.first_waiting().filter(|_| !self.seen.is_catching_up()) {
            if !self.hand(frame) {
                return;
            }
            self.outstanding.note_sent();
        }
    }

    /// Hands a frame to the connection; false without a connection or with a full queue.
    fn hand(&self, frame: Vec<u8>) -> bool {
        self.outgoing.as_ref().is_some_and(|outgoing| outgoing.try_send(frame).is_ok())
    }

    fn event(&mut self, event: &Event, id: Option<&str>) -> io::Result<()> {
        self.note(event);
        match id.filter(|id| self.outstanding.find(id).is_some()) {
            Some(id) => self.answer(event, id)?,
            None => self.news(event)?,
        }
        self.flush();
        Ok(())
    }

    /// Notes the effect of an event on this user.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Sent { seq: Some(seq), .. } => self.seen.reach(*seq),
            Event::Renamed { old, name } if *old == self.me => self.me.clone_from(name),
            Event::Room(room) => {
                if let Ok(name) = RoomName::new(&room.name) {
                    let _ = if room.joined { self.rooms.insert(name) } else { self.rooms.remove(&name) };
                }
            }
            Event::Bye { code: Some(Code::Quit), .. } => self.is_leaving = true,
            _ => {}
        }
    }

    /// Prints an event that answers nothing, unless it has come before.
    fn news(&mut self, event: &Event) -> io::Result<()> {
        if IncomingMessage::of(event).is_some_and(|message| self.seen.take(message, true) == Novelty::Known) {
            return Ok(());
        }
        self.print(event, None)?;
        if let Event::History(end) = event {
            self.caught_up(end);
        }
        Ok(())
    }

    fn caught_up(&mut self, end: &HistoryEnd) {
        if let Some((_, Some(receipt))) = self.seen.caught_up(end) {
            self.hand(receipt.to_frame(None));
        }
    }

    /// Prints an event that answers a request.
    fn answer(&mut self, event: &Event, id: &str) -> io::Result<()> {
        let Some(open) = self.outstanding.find(id) else { return Ok(()) };
        let asker = open.asker.clone();
        let Some(message) = IncomingMessage::of(event) else {
            self.outstanding.take(id);
            self.refused += usize::from(matches!(event, Event::Error { .. }) && asker.line.is_some());
            return self.print(event, Some(&asker));
        };
        if open.is_message() {
            // The message itself is in the history: the broken link has lost its receipt.
            self.seen.take_own(message);
            self.outstanding.take(id);
            let ts = event.ts().unwrap_or_default().to_owned();
            let receipt = Event::Sent { seq: message.seq, ts, stored: true, waits: None, away: None };
            return self.print(&receipt, Some(&asker));
        }
        if matches!(open.request, Request::Operate(Operate::Alert { .. })) {
            self.seen.take(message, true);
            self.outstanding.take(id);
        }
        // One of the messages that the request asked for; the event `history` ends them.
        self.print(event, Some(&asker))
    }

    fn refuse(&mut self, code: &str, msg: &str, asker: &LineOrigin) -> io::Result<()> {
        self.refused += 1;
        print_object(&refusal(code, msg, asker))
    }

    fn print(&self, event: &Event, asker: Option<&LineOrigin>) -> io::Result<()> {
        let id = asker.and_then(|asker| asker.id.clone());
        let mut text = String::from_utf8_lossy(&event.to_packet(&self.me, id).to_frame()).into_owned();
        if let Some(line) = asker.and_then(|asker| asker.line) {
            text.truncate(text.trim_end().len() - 1);
            text += &format!(",\"line\":{line}}}\n");
        }
        print(&escape_json(&text))
    }

    /// Says that the rest of the program's lines came to nothing.
    fn give_up(&mut self, msg: &str) -> io::Result<usize> {
        let rest = self.outstanding.take_all();
        rest.iter().try_for_each(|OpenRequest { asker, .. }| self.refuse("disconnected", msg, asker))?;
        Ok(rest.len())
    }

    /// The connection has ended for good.
    fn ended(mut self, error: Error) -> Result<(), Stop> {
        let lost = self.give_up(UNKNOWN)?;
        match self.is_leaving && lost == 0 {
            true => Ok(self.all_done()?),
            false => Err(error.into()),
        }
    }

    /// The server is silent after the end of the input.
    fn not_answered(mut self) -> Result<(), Stop> {
        let lost = self.give_up("the server did not answer in time; it may have carried the line out")?;
        Err(Error::Disconnected(format!("the input ended, and {lost} of its last lines have no answer"))
            .into())
    }

    fn all_done(&self) -> Result<(), Error> {
        let what = match self.refused {
            0 => return Ok(()),
            1 => "1 line was refused".to_owned(),
            n => format!("{n} lines were refused"),
        };
        Err(Error::Refused(format!("{what}; the output says which and why"), None))
    }
}

/// An error about a line.
fn refusal(code: &str, msg: &str, asker: &LineOrigin) -> Value {
    let mut object = json!({ "type": "error", "code": code, "msg": msg });
    if let Some(id) = &asker.id {
        object["id"] = json!(id);
    }
    if let Some(line) = asker.line {
        object["line"] = json!(line);
    }
    object
}

fn print_object(object: &Value) -> io::Result<()> {
    print(&escape_json(&format!("{object}\n")))
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
