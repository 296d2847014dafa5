//! The connection that lasts: keeps a link alive, notices when it is dead, and makes a new one to
//! the same server. It tells what happens in [`Update`]s and asks nobody anything.

mod follow;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::address_watch::{AddressWatch, Sign};
use super::backoff::Backoff;
use super::credentials::{Credentials, JoinTerms};
use super::entry::Joined;
use super::register::Registered;
use super::returning::LostServer;
use crate::client::background::Background;
use crate::client::error::Error;
use crate::client::find::Locator;
use crate::client::link::{LinkError, PacketReader, PacketWriter};
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::protocol::event::Welcome;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Connect, Mode};
use crate::protocol::{Code, Event, Request, ServerPacket};
use crate::text::safe_line;

/// Silence after which the server is asked whether it is there.
const QUIET: Duration = Duration::from_secs(15);

/// How long it may take to answer before the link counts as dead.
const PING_WAIT: Duration = Duration::from_secs(10);

/// The same if there is a sign that it is dead: a LAN answers in a thousandth of it, and a mistake costs a
/// handshake.
const DOUBT_WAIT: Duration = Duration::from_millis(700);

/// What the user reads when no further attempt is made.
const ENDED: &str = "the connection has ended";

/// The `id` of our own pings; sessions number theirs.
const PING_ID: &str = "keep-alive";

/// How long a server may stay away before another one is looked for.
const AWAY: Duration = Duration::from_secs(30);

/// A link that held this long was a good one: the next loss starts with short pauses again.
const STEADY: Duration = Duration::from_secs(5);

/// Packets and updates that may wait. A full queue of packets is refused to the sender; a full
/// queue of updates stops the reading, and TCP slows the server down.
const QUEUE: usize = 256;

/// What happens to a connection.
pub(crate) enum Update {
    /// It is there.
    Up(Box<Up>),
    /// An event, with the id of the packet that it answers.
    Event(Event, Option<String>),
    /// A line for the user, safe for the terminal.
    Note(String),
    /// It is lost, and a new one is being made.
    Down(Loss),
}

/// Why no new connection to the server is made.
pub(crate) enum Ended {
    /// The server has gone for good, or for so long that another may do.
    Gone(Loss),
    /// No further attempt would succeed.
    Failed(Error),
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Gone(loss) => Self::Disconnected(safe_line(&loss.why)),
            Ended::Failed(error) => error,
        }
    }
}

/// The end of a connection.
pub(crate) struct Loss {
    /// Why.
    pub(crate) why: String,
    /// Since when there is none, as far as is known: this may be noticed late.
    pub(crate) since: std::time::Instant,
}

/// A connection that is there.
pub(crate) struct Up {
    /// What the server said.
    pub(crate) welcome: Welcome,
    /// Where it is.
    pub(crate) peer: SocketAddr,
    /// Takes frames for as long as this link lasts; what it takes after that is lost.
    pub(crate) outgoing: mpsc::Sender<Vec<u8>>,
    /// The name that was asked for in vain, if another was given.
    pub(crate) taken: Option<Name>,
    /// The server's key; none without encryption.
    pub(crate) key: Option<Fingerprint>,
    /// Whether the server was asked for what was missed.
    pub(crate) resumes: bool,
    /// Whether the server before gave way to this one, so that its people are here.
    pub(crate) follows: bool,
}

/// A connection under way. Dropping it closes it.
pub(crate) struct Reconnector(Background<Result<Update, Ended>>);

impl Reconnector {
    /// Keeps up the connection of a prompt, which may go to another server when this one is gone.
    pub(crate) fn start(joined: Joined) -> Self {
        let may_move = joined.locator.searches();
        Self::begin(Mode::Chat, may_move, joined)
    }

    /// The same for programs, which wait for this server as long as it takes.
    pub(crate) fn staying(mode: Mode, joined: Joined) -> Self {
        Self::begin(mode, false, joined)
    }

    fn begin(mode: Mode, may_move: bool, joined: Joined) -> Self {
        let Joined { registered, credentials, locator } = joined;
        Self(Background::start(QUEUE, |updates| {
            ReconnectTask { mode, may_move, follows: false, credentials, locator, updates }.run(registered)
        }))
    }

    /// The next update. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Result<Update, Ended> {
        self.0.next().await.unwrap_or_else(|| Err(Ended::Gone(Loss::now(ENDED.into()))))
    }
}

/// Why a link ended.
enum End {
    Lost(Loss),
    /// The server ends; it may have named another one to go to.
    ShuttingDown(String, Option<ServerInfo>),
    /// There is no use in trying again.
    Final(LinkError),
}

/// Keeps the user's name up to date, so that a new link asks for the present one.
struct ReconnectTask {
    mode: Mode,
    /// Whether another server may do in place of this one.
    may_move: bool,
    /// The present server is one to which the one before gave way.
    follows: bool,
    credentials: Credentials,
    locator: Locator,
    updates: mpsc::Sender<Result<Update, Ended>>,
}

impl ReconnectTask {
    /// Ends with the last update, or when nobody takes them any more.
    async fn run(mut self, mut registered: Registered) {
        let mut backoff = Backoff::default();
        loop {
            let lost = LostServer::of(&registered, self.may_move.then_some(AWAY));
            let start = Instant::now();
            let Some(end) = self.keep(registered).await else { return };
            if let End::ShuttingDown(why, Some(to)) = &end
                && self.locator.searches()
            {
                self.tell(Update::Down(Loss::now(why.clone()))).await;
                if let Some(next) = self.follow(to).await {
                    (registered, self.follows) = (next, true);
                    continue;
                }
            }
            self.follows = false;
            let loss = match end {
                End::Final(error) => {
                    return self.end(Ended::Failed(Error::from_link(ENDED, &error))).await;
                }
                End::ShuttingDown(why, _) if self.may_move => {
                    return self.end(Ended::Gone(Loss::now(why))).await;
                }
                End::ShuttingDown(why, _) => Loss::now(why),
                End::Lost(loss) => loss,
            };
            let why = loss.why.clone();
            let since = loss.since;
            self.tell(Update::Down(loss)).await;
            if start.elapsed() >= STEADY {
                backoff = Backoff::default();
            }
            let terms = JoinTerms::returning(self.mode);
            match lost.come_back(&self.locator, &self.credentials, terms, &mut backoff).await {
                Ok(Some(next)) => registered = next,
                Ok(None) => return self.end(Ended::Gone(Loss { why, since })).await,
                Err(error) => {
                    let error = error.explain(ENDED, &self.credentials.trust.lock());
                    return self.end(Ended::Failed(error)).await;
                }
            }
        }
    }

    async fn tell(&self, update: Update) {
        // Without a receiver, the task is about to be dropped.
        let _ = self.updates.send(Ok(update)).await;
    }

    async fn end(&self, ended: Ended) {
        let _ = self.updates.send(Err(ended)).await;
    }

    /// Keeps one link until it ends; none when nobody takes the updates any more.
    async fn keep(&mut self, registered: Registered) -> Option<End> {
        let Registered { link, welcome, taken, resumes, .. } = registered;
        let (outgoing, frames) = mpsc::channel(QUEUE);
        let (peer, key) = (link.peer(), link.key());
        let mut moves = AddressWatch::start(link.local(), peer, &welcome.server.id, self.locator.searches());
        if let Ok(name) = Name::new(&welcome.name) {
            self.credentials.identity.rename(name);
        }
        let up = Up { welcome, peer, outgoing: outgoing.clone(), taken, key, resumes, follows: self.follows };
        self.updates.send(Ok(Update::Up(Box::new(up)))).await.ok()?;
        let (reader, writer) = link.split();
        let writing = tokio::spawn(write(writer, frames));
        let end = self.read(reader, &outgoing, &mut moves).await;
        // What is still queued goes nowhere: its senders are told that the link is down.
        writing.abort();
        end
    }

    async fn read(
        &mut self,
        mut reader: PacketReader,
        outgoing: &mpsc::Sender<Vec<u8>>,
        moves: &mut AddressWatch,
    ) -> Option<End> {
        // Since when the link may be dead: since it was last heard of, unless there is a later sign.
        let (mut heard, mut doubt) = (Instant::now(), None);
        let mut deadline = Instant::now() + QUIET;
        let mut pinged = false;
        let mut refused = None;
        loop {
            tokio::select! {
                packet = reader.next() => match packet {
                    Ok(packet) => {
                        (heard, doubt) = (Instant::now(), None);
                        (deadline, pinged) = (heard + QUIET, false);
                        if let Some(end) = self.take(packet, &mut refused).await? {
                            return Some(end);
                        }
                    }
                    Err(LinkError::Protocol(why)) => return Some(End::Final(LinkError::Protocol(why))),
                    Err(error) => {
                        let why = refused.unwrap_or_else(|| error.to_string());
                        return Some(End::Lost(Loss { since: doubt.unwrap_or_else(Instant::now).into(), why }));
                    }
                },
                () = sleep_until(deadline) => {
                    if pinged {
                        let why = match moves.is_away() {
                            true => "this machine has no network",
                            false => "the server has stopped answering",
                        };
                        let why = why.to_owned();
                        return Some(End::Lost(Loss { why, since: doubt.unwrap_or(heard).into() }));
                    }
                    // No room means that nothing gets out: the same as no answer.
                    let _ = outgoing.try_send(Request::Connect(Connect::Ping).to_frame(Some(PING_ID)));
                    (deadline, pinged) = (Instant::now() + PING_WAIT, true);
                }
                sign = moves.next() => match sign {
                    Sign::Moved(since) => {
                        let why = "this machine's address has changed".to_owned();
                        return Some(End::Lost(Loss { why, since: since.into() }));
                    }
                    Sign::Doubt(since) if doubt.is_none() => {
                        let _ = outgoing.try_send(Request::Connect(Connect::Ping).to_frame(Some(PING_ID)));
                        (doubt, deadline, pinged) = (Some(since), Instant::now() + DOUBT_WAIT, true);
                    }
                    Sign::Doubt(_) => {}
                },
            }
        }
    }

    /// Hands a packet on; gives the link's end if it is one.
    async fn take(&mut self, packet: ServerPacket, refused: &mut Option<String>) -> Option<Option<End>> {
        let id = packet.id.clone();
        let event = Event::from_packet(packet);
        if matches!(event, Event::Pong { .. }) && id.as_deref() == Some(PING_ID) {
            return Some(None);
        }
        let end = match &event {
            Event::Renamed { old, name } if *old == self.credentials.identity.name().as_str() => {
                if let Ok(name) = Name::new(name) {
                    self.credentials.identity.rename(name);
                }
                None
            }
            Event::Bye { code: Some(Code::ShuttingDown), msg, server: Some(to) } => {
                Some(End::ShuttingDown(safe_line(msg), Some(to.clone())))
            }
            Event::Bye { code, msg, .. } | Event::Error { code, msg, .. } => end_of(*code, msg, refused),
            _ => None,
        };
        self.updates.send(Ok(Update::Event(event, id))).await.ok()?;
        Some(end)
    }
}

impl Loss {
    fn now(why: String) -> Self {
        Self { why, since: std::time::Instant::now() }
    }
}

/// What a goodbye or an error means for the link: most errors answer a request, some end it.
fn end_of(code: Option<Code>, msg: &str, refused: &mut Option<String>) -> Option<End> {
    match code? {
        Code::ShuttingDown => Some(End::ShuttingDown("the server is shutting down".into(), None)),
        code @ (Code::Kicked | Code::Banned | Code::Quit) => {
            Some(End::Final(LinkError::Refused { code: Some(code), msg: msg.to_owned(), free: None }))
        }
        Code::SlowConsumer | Code::ServerFull | Code::FrameTimeout => {
            // What to do about it follows, and this client does it by itself.
            let why = msg.split_once("; ").map_or(msg, |(why, _)| why);
            *refused = Some(why.to_owned());
            None
        }
        _ => None,
    }
}

/// Writes frames until the link or the queue ends.
async fn write(mut writer: PacketWriter, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if let Err(error) = writer.send(&frame).await {
            // The reading side notices too, and tells.
            tracing::debug!("cannot send: {error}");
            return;
        }
    }
    writer.finish().await;
}

#[cfg(test)]
mod tests;
