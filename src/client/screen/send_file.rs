//! `lanchat send --file`: offers files, and stays until their receiver has them. If a connection breaks, or the
//! server restarts, it offers again, and the receiver resumes.

mod outcome;

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::file_display::{FileDisplay, GoesOn, TICK};
use super::send::for_command_line;
use super::termination::Termination;
use outcome::is_unsure;

use crate::client::connection::{HistoryPosition, Reconnector, StartFrom, Up, Update, enter};
use crate::client::conversation::described;
use crate::client::error::Error;
use crate::client::link::Channel;
use crate::client::options::ClientOptions;
use crate::client::transfer::{
    Cancel, Door, FileProgress, Parcel, Pipe, Sent, TransferError, checking_time, send,
};
use crate::protocol::packet::FileInfo;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Code, Event, Request, Target};
use crate::text::{brief_line, safe_line};

/// The `id` of the offer's packet.
const OFFER_ID: &str = "offer";

/// The name of a stream, unless the user gives another.
const STREAM_NAME: &str = "stream";

/// The pause before it offers again to a recipient who has not returned yet.
const AGAIN: Duration = Duration::from_secs(1);

/// Files, and their receiver.
#[derive(Debug, Clone)]
pub struct SendFileOptions {
    /// A name, a room or `all`.
    pub to: String,
    /// The files and folders; `-` alone is standard input.
    pub paths: Vec<PathBuf>,
    /// The name to offer them under; `None`: their own.
    pub name: Option<String>,
    /// Whether to print events as lines of JSON.
    pub json: bool,
    /// How long to wait while nothing happens; `None`: for ever.
    pub wait: Option<Duration>,
}

/// Offers files, and sends them to those who accept: to a user once, to a room until a signal asks it to end.
///
/// # Errors
/// See [`Error`]: for example if the receiver does not want them, or if nobody accepts in time.
pub async fn send_file(options: ClientOptions, what: SendFileOptions) -> Result<(), Error> {
    let display = FileDisplay::new(&options, what.json);
    let sent = offer(&options, what).await;
    if let Err(error) = &sent {
        let event = json!({ "type": "error", "code": error.code(), "msg": error.to_string() });
        if display.is_json() {
            display.tell("", &event)?;
        }
    }
    sent
}

async fn offer(options: &ClientOptions, what: SendFileOptions) -> Result<(), Error> {
    let to = Target::parse(&what.to);
    let is_stream = what.paths.iter().any(|path| path == Path::new("-"));
    check(&to, &what, is_stream)?;
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let (paths, name) = (what.paths.clone(), what.name.clone());
    let collected = tokio::task::spawn_blocking(move || collect(&paths, name, is_stream));
    let parcel = tokio::select! {
        parcel = collected => parcel.map_err(|error| Error::Local(error.to_string()))??,
        () = termination.wait() => return Err(interrupted()),
    };
    parcel.notes().iter().for_each(|note| options.note(note));
    let joined = tokio::select! {
        joined = enter(options, Mode::Send, HistoryPosition::new(StartFrom::Now, None)) => joined?,
        () = termination.wait() => return Err(interrupted()),
    };
    let (own, channel) = (joined.credentials.own, joined.credentials.channel.clone());
    let mut connection = Reconnector::staying(Mode::Send, joined);
    let mut sender = FileSender {
        display: FileDisplay::new(options, what.json),
        info: parcel.info(&own),
        parcel: Arc::new(parcel),
        to,
        channel,
        wait: what.wait,
        up: None,
        offer: None,
        was_offered: false,
        offer_at: None,
        running: JoinSet::new(),
        received: 0,
        since: Instant::now(),
        under_way: Vec::new(),
        moved: 0,
        confirmed: HashSet::new(),
        is_in_doubt: false,
        taken_back_until: None,
        doubt: None,
    };
    let mut ticks = interval(TICK);
    loop {
        let end = tokio::select! {
            update = connection.next() => sender.take(update.map_err(Error::from)?)?,
            Some(done) = sender.running.join_next() => match done {
                Ok((name, progress, sent)) => sender.ended(&name, &progress, sent)?,
                Err(error) => return Err(Error::Local(error.to_string())),
            },
            _ = ticks.tick() => sender.tick()?,
            () = termination.wait() => return sender.interrupted(),
        };
        if let GoesOn::No = end {
            return Ok(());
        }
    }
}

/// Refuses what cannot be offered.
fn check(to: &Target, what: &SendFileOptions, is_stream: bool) -> Result<(), Error> {
    let why = match to {
        Target::Server | Target::Address(_) => "files go to a user, a #room or all; check --to",
        _ if is_stream && what.paths.len() > 1 => "- must be the only --file: it is a stream",
        Target::All | Target::Room(_) if is_stream => {
            "a stream can be sent only once, so it goes to one user; give a name with --to"
        }
        _ if is_stream && std::io::stdin().is_terminal() => {
            "standard input is this terminal; pipe something into it, or give a file with --file"
        }
        _ => return Ok(()),
    };
    Err(Error::Usage(why.into()))
}

fn collect(paths: &[PathBuf], name: Option<String>, is_stream: bool) -> Result<Parcel, Error> {
    if is_stream {
        return Ok(Parcel::stdin(name.as_deref().unwrap_or(STREAM_NAME)));
    }
    let parcel = Parcel::collect(paths).map_err(|error| Error::Usage(error.to_string()))?;
    Ok(match name {
        Some(name) => parcel.named(&name),
        None => parcel,
    })
}

struct FileSender {
    display: FileDisplay,
    info: FileInfo,
    parcel: Arc<Parcel>,
    to: Target,
    channel: Channel,
    wait: Option<Duration>,
    up: Option<Up>,
    /// The present number of the offer.
    offer: Option<u64>,
    /// Whether the server has taken it once.
    was_offered: bool,
    /// When to offer again.
    offer_at: Option<Instant>,
    running: JoinSet<(String, Arc<FileProgress>, Result<Sent, TransferError>)>,
    /// How many users have it.
    received: usize,
    /// When something happened last.
    since: Instant,
    /// The transfers that run, and how far all of them were.
    under_way: Vec<Arc<FileProgress>>,
    moved: u64,
    /// Receivers who have it, although their transfers may end with an error here.
    confirmed: HashSet<String>,
    /// Whether all was sent to a receiver who may have it, although the connection broke.
    is_in_doubt: bool,
    /// Until when the server may take the offer back, which is over.
    taken_back_until: Option<Instant>,
    /// Why a stream may have failed, and how long the server may take to say that it has not.
    doubt: Option<(Error, Instant)>,
}

impl FileSender {
    fn is_direct(&self) -> bool {
        matches!(self.to, Target::User(_))
    }

    fn receiver(&self) -> String {
        match &self.to {
            Target::All => "everyone".into(),
            to => safe_line(&to.to_string()),
        }
    }

    fn take(&mut self, update: Update) -> Result<GoesOn, Error> {
        match update {
            Update::Up(up) => {
                up.moved.iter().for_each(|line| self.display.note(line));
                if let Some(taken) = &up.taken {
                    let name = &up.welcome.name;
                    self.display.note(&format!("the name {taken} is taken; the offer is from {name}"));
                }
                self.up = Some(*up);
                self.make_offer();
            }
            Update::Down(_) if self.taken_back_until.is_some() => return Ok(GoesOn::No),
            Update::Down(_) if self.doubt.is_some() => return self.settle_doubt(),
            Update::Down(loss) => {
                (self.up, self.offer) = (None, None);
                self.display.lost(&loss.why)?;
            }
            Update::Note(line) => self.display.note(&line),
            Update::Event(event, id) => return self.event(event, id.as_deref()),
        }
        Ok(GoesOn::Yes)
    }

    fn event(&mut self, event: Event, id: Option<&str>) -> Result<GoesOn, Error> {
        match event {
            _ if self.taken_back_until.is_some() => Ok(self.after_end(id)),
            // The recipient was there before, and returns to a server that has restarted at their own pace.
            Event::Error { code: Some(Code::NoSuchUser | Code::RateLimited), .. }
                if id == Some(OFFER_ID) && self.was_offered =>
            {
                self.offer_at = Some(Instant::now() + AGAIN);
                Ok(GoesOn::Yes)
            }
            Event::Error { code, msg, .. } if id == Some(OFFER_ID) => {
                let msg = brief_line(&msg);
                let msg = code.map_or(msg.clone(), |code| for_command_line(&msg, code));
                Err(Error::Refused(format!("the server refused: {msg}"), code))
            }
            Event::Offered { offer, waits } if id == Some(OFFER_ID) => {
                (self.offer, self.was_offered) = (Some(offer), true);
                self.offered(offer, waits.is_some())
            }
            Event::Accepted { offer, name, token, send: true } if self.offer == Some(offer) => {
                self.begin(name, token);
                Ok(GoesOn::Yes)
            }
            Event::Ended { offer, name, code: Some(Code::Declined), reason, .. }
                if self.offer == Some(offer) =>
            {
                self.declined(name.as_deref().unwrap_or_default(), reason)
            }
            Event::Ended { offer, name: Some(name), code: Some(Code::Received), .. }
                if self.offer == Some(offer) =>
            {
                self.confirmed(name)
            }
            Event::Ended { offer, name, code, msg, .. } if self.offer == Some(offer) => {
                self.offer_ended(name, code, &msg)
            }
            _ => Ok(GoesOn::Yes),
        }
    }

    fn offered(&self, offer: u64, waits: bool) -> Result<GoesOn, Error> {
        let to = self.receiver();
        let line = match (self.is_direct(), waits) {
            (true, true) if self.is_to_oneself() => {
                format!("{to} is you, and has no other session here; the offer waits for one while this runs")
            }
            (true, true) => format!("{to} is offline; the offer waits while this runs"),
            (true, false) => format!("waiting for {to} to accept {}", described(&self.info)),
            (false, _) => format!("{} is offered to {to}; Ctrl-C ends that", described(&self.info)),
        };
        let event =
            json!({ "type": "offered", "offer": offer, "to": self.to.to_string(), "file": self.info });
        self.display.tell(&line, &event)?;
        Ok(GoesOn::Yes)
    }

    fn make_offer(&mut self) {
        self.offer_at = None;
        let Some(up) = &self.up else { return };
        let file = Box::new(self.info.clone());
        let request = Request::Act(Act::Offer { to: self.to.clone(), file });
        // A full queue means that the link is stuck; a new one brings the offer again.
        let _ = up.outgoing.try_send(request.to_frame(Some(OFFER_ID)));
    }

    /// Starts a transfer to a user who accepted.
    fn begin(&mut self, name: String, token: String) {
        let Some(up) = &self.up else { return };
        let door = Door::new(up.peer, self.channel.to(up.key));
        let progress = Arc::new(FileProgress::new(self.info.size));
        self.display.begin(&name, progress.clone());
        self.since = Instant::now();
        self.under_way.push(progress.clone());
        let parcel = self.parcel.clone();
        self.running.spawn(async move {
            let sent = match Pipe::open(&door, &token).await {
                Ok(pipe) => send(pipe, parcel, progress.clone(), Cancel::new()).await,
                Err(error) => Err(error),
            };
            (name, progress, sent)
        });
    }

    /// Takes the end of a transfer.
    fn ended(
        &mut self,
        name: &str,
        progress: &Arc<FileProgress>,
        sent: Result<Sent, TransferError>,
    ) -> Result<GoesOn, Error> {
        self.display.end(progress);
        self.under_way.retain(|other| !Arc::ptr_eq(other, progress));
        self.since = Instant::now();
        let shown = safe_line(name);
        let error = match sent {
            Ok(sent) => return self.sent(name, sent),
            Err(_) if self.confirmed.remove(name) => return Ok(GoesOn::Yes),
            Err(error) => error,
        };
        self.is_in_doubt |= is_unsure(progress, &error);
        if self.is_doubtful(progress, &error) {
            return Ok(self.doubt(self.failure(&shown, &error)));
        }
        let is_over = !error.may_resume() || self.parcel.is_begun();
        if is_over && self.is_direct() {
            return Err(self.failure(&shown, &error));
        }
        let again = if is_over { String::new() } else { format!("; it goes on when {shown} is back") };
        let line = format!("{shown}: {error}{again}");
        let event = json!({ "type": "failed", "name": name, "code": error.code(), "msg": error.to_string() });
        self.display.tell(&line, &event)?;
        Ok(GoesOn::Yes)
    }

    /// Takes the end of the offer, or of a transfer that the server knows of.
    fn offer_ended(&mut self, name: Option<String>, code: Option<Code>, msg: &str) -> Result<GoesOn, Error> {
        let who = name.as_deref().map_or_else(|| "the server".to_owned(), safe_line);
        let refused = |text: String| Err(Error::Refused(text, code));
        match code {
            Some(Code::Cancelled) if self.is_direct() => refused(format!("{who} ended the transfer")),
            Some(Code::FileTooBig | Code::Withdrawn) => refused(brief_line(msg)),
            Some(Code::Cut) if self.doubt.is_some() => self.settle_doubt(),
            // The transfer itself tells the rest, unless it did not come about.
            Some(Code::Cut) if self.running.is_empty() => {
                self.display.note(&brief_line(msg));
                Ok(GoesOn::Yes)
            }
            _ => Ok(GoesOn::Yes),
        }
    }

    /// How long a receiver may work on the files while no bytes move.
    fn work_of_receiver(&self) -> Duration {
        checking_time(self.info.size.unwrap_or(self.moved))
    }

    fn tick(&mut self) -> Result<GoesOn, Error> {
        if self.offer_at.is_some_and(|at| at <= Instant::now()) {
            self.make_offer();
        }
        self.display.tick()?;
        if self.taken_back_until.is_some_and(|until| until <= Instant::now()) {
            return Ok(GoesOn::No);
        }
        if self.is_doubt_over() {
            return self.settle_doubt();
        }
        let moved = self.under_way.iter().map(|progress| progress.now().done).fold(0, u64::wrapping_add);
        if std::mem::replace(&mut self.moved, moved) != moved {
            self.since = Instant::now();
        }
        // A receiver may read what it has, and stores what has come.
        let work = if self.running.is_empty() { Duration::ZERO } else { self.work_of_receiver() };
        let is_late = self.wait.is_some_and(|wait| self.since.elapsed() >= wait + work);
        if !is_late {
            return Ok(GoesOn::Yes);
        }
        match self.received {
            0 => {
                let wait = self.wait.unwrap_or_default().as_secs();
                Err(Error::Refused(self.not_taken(wait), None))
            }
            _ => Ok(GoesOn::No),
        }
    }

    /// A room's offer ends when the user wants it to; a user's offer then has failed.
    fn interrupted(&self) -> Result<(), Error> {
        self.display.stopped();
        match self.received {
            0 => Err(interrupted()),
            _ => Ok(()),
        }
    }
}

fn interrupted() -> Error {
    Error::Local("interrupted; nobody has the file".into())
}
