//! Keeps a link to a server alive, notices when it is dead, and makes a new one. It reports what happens as
//! [`Update`]s and never asks the user.

mod follow;
mod go_on;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::address_watch::{AddressWatch, MOVED, Sign};
use super::backoff::Backoff;
use super::credentials::{Credentials, JoinTerms};
use super::entry::Joined;
use super::join_error::JoinError;
use super::register::Registered;
use super::returning::LostServer;
use crate::client::background::Background;
use crate::client::error::Error;
use crate::client::find::Locator;
use crate::client::link::{LinkError, LinkReader, PacketWriter};
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::protocol::event::Welcome;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Connect, Mode};
use crate::protocol::{Code, Event, Nodes, Request, ServerPacket};
use crate::text::safe_line;
use go_on::Farewell;

/// How long to wait in silence before pinging the server.
const QUIET: Duration = Duration::from_secs(15);

/// How long the answer may take before the link counts as dead.
const PING_WAIT: Duration = Duration::from_secs(10);

/// The same after a sign that the link is dead. A LAN answers in a thousandth of that, and a mistake costs
/// one handshake.
const DOUBT_WAIT: Duration = Duration::from_millis(700);

const ENDED: &str = "the connection has ended";

/// The `id` of keep-alive pings; conversations number theirs.
const PING_ID: &str = "keep-alive";

/// How long a server may be away before the client looks for another one.
const AWAY: Duration = Duration::from_secs(30);

/// After a link that lasted this long, the pauses start short again.
const STEADY: Duration = Duration::from_secs(5);

/// Packets and updates that may wait. If the queue of packets is full, the sender notices; if the queue of
/// updates is full, reading stops, and TCP slows the server down.
const QUEUE: usize = 256;

pub(crate) enum Update {
    /// There is a connection.
    Up(Box<Up>),
    /// An event, with the id of the packet that it answers.
    Event(Event, Option<String>),
    /// A line for the user, safe for the terminal.
    Note(String),
    /// The connection is lost, and the client makes a new one.
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

#[derive(Clone)]
pub(crate) struct Loss {
    pub(crate) why: String,
    /// When the connection was lost, which may be noticed later.
    pub(crate) since: std::time::Instant,
    /// Whether the chat has other servers, which the client tries first. It reports how that ends.
    pub(crate) goes_on: bool,
}

pub(crate) struct Up {
    pub(crate) welcome: Welcome,
    pub(crate) peer: SocketAddr,
    /// Takes frames while this link lasts; later ones are lost.
    pub(crate) outgoing: mpsc::Sender<Vec<u8>>,
    /// The wanted name, if it was taken and another was given.
    pub(crate) taken: Option<Name>,
    /// The server's key; none without encryption.
    pub(crate) key: Option<Fingerprint>,
    /// Whether the hello asked for missed messages.
    pub(crate) resumes: bool,
    /// Whether the previous server gave way to this one, so that its users are here.
    pub(crate) follows: bool,
    /// Another server of the same chat has taken the previous one's place: a line for the user.
    pub(crate) moved: Option<String>,
}

/// The connection to a server, over one link after the other. Dropping it closes it.
pub(crate) struct Reconnector(Background<Result<Update, Ended>>);

impl Reconnector {
    /// For the prompt: if the server stays away, another one may take its place.
    pub(crate) fn start(joined: Joined) -> Self {
        let may_move = joined.locator.searches();
        Self::begin(Mode::Chat, may_move, joined)
    }

    /// For programs: waits for the same server as long as it takes.
    pub(crate) fn staying(mode: Mode, joined: Joined) -> Self {
        Self::begin(mode, false, joined)
    }

    fn begin(mode: Mode, may_move: bool, joined: Joined) -> Self {
        let Joined { registered, credentials, locator } = joined;
        Self(Background::start(QUEUE, |updates| {
            let (follows, moved) = (false, None);
            ReconnectTask { mode, may_move, follows, moved, credentials, locator, updates }.run(registered)
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
    /// The server had no place for this client any more.
    TurnedAway(Loss),
    /// The server stops; it may name another one to go to.
    ShuttingDown(String, Option<ServerInfo>),
    /// No further attempt would succeed.
    Final(LinkError),
}

/// Keeps the user's name up to date, so that a new link asks for the present one.
struct ReconnectTask {
    mode: Mode,
    /// Whether another server may take this one's place.
    may_move: bool,
    /// Whether the previous server gave way to the present one.
    follows: bool,
    /// Which server of the chat took the previous one's place.
    moved: Option<String>,
    credentials: Credentials,
    locator: Locator,
    updates: mpsc::Sender<Result<Update, Ended>>,
}

impl ReconnectTask {
    /// Runs until the connection ends for good, or nobody receives the updates.
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
            let farewell = Farewell::of(&end, &lost, self.may_move);
            let loss = match end {
                End::Final(error) => {
                    return self.end(Ended::Failed(Error::from_link(ENDED, &error))).await;
                }
                End::ShuttingDown(why, _) if self.may_move && !farewell.goes_on => {
                    return self.end(Ended::Gone(Loss::now(why))).await;
                }
                End::ShuttingDown(why, _) => Loss::now(why),
                End::Lost(loss) | End::TurnedAway(loss) => loss,
            };
            let gone = loss.clone();
            self.tell(Update::Down(Loss { goes_on: farewell.goes_on, ..loss })).await;
            if start.elapsed() >= STEADY {
                backoff = Backoff::default();
            }
            match self.next_link(&lost, &farewell, &mut backoff).await {
                Ok(Some(next)) => registered = next,
                Ok(None) => return self.end(Ended::Gone(gone)).await,
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

    /// Uses one link until it ends; none if nobody receives the updates.
    async fn keep(&mut self, registered: Registered) -> Option<End> {
        let Registered { link, welcome, taken, resumes, .. } = registered;
        let (outgoing, frames) = mpsc::channel(QUEUE);
        let (peer, key) = (link.peer(), link.key());
        let mut moves = {
            let node = welcome.nodes.as_ref().map(Nodes::node);
            let searches = self.locator.searches();
            AddressWatch::start((link.local(), peer), (&welcome.server.id, node), searches)
        };
        if let Ok(name) = Name::new(&welcome.name) {
            self.credentials.identity.rename(name);
        }
        let (follows, moved) = (self.follows, self.moved.take());
        let up = Up { welcome, peer, outgoing: outgoing.clone(), taken, key, resumes, follows, moved };
        self.updates.send(Ok(Update::Up(Box::new(up)))).await.ok()?;
        let (reader, writer) = link.split();
        let writing = tokio::spawn(write(writer, frames));
        let end = self.read(reader, &outgoing, &mut moves).await;
        // Frames in the queue are lost: their senders hear that the link is down.
        writing.abort();
        end
    }

    async fn read(
        &mut self,
        mut reader: LinkReader,
        outgoing: &mpsc::Sender<Vec<u8>>,
        moves: &mut AddressWatch,
    ) -> Option<End> {
        // The time of a loss is that of the last packet, or of a later sign.
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
                        let since = doubt.unwrap_or_else(Instant::now).into();
                        return Some(match refused {
                            Some(why) => End::TurnedAway(Loss { since, ..Loss::now(why) }),
                            None => End::Lost(Loss { since, ..Loss::now(error.to_string()) }),
                        });
                    }
                },
                () = sleep_until(deadline) => {
                    if pinged {
                        let why = moves.silence().to_owned();
                        let since = doubt.unwrap_or(heard).into();
                        return Some(End::Lost(Loss { since, ..Loss::now(why) }));
                    }
                    // A full queue means that nothing gets out, as if there were no answer.
                    let _ = outgoing.try_send(Request::Connect(Connect::Ping).to_frame(Some(PING_ID)));
                    (deadline, pinged) = (Instant::now() + PING_WAIT, true);
                }
                sign = moves.next() => match sign {
                    Sign::Moved(since) => {
                        return Some(End::Lost(Loss { since: since.into(), ..Loss::now(MOVED.into()) }));
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

    /// Reports a packet. Returns the link's end if the packet is one.
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
        Self { why, since: std::time::Instant::now(), goes_on: false }
    }
}

/// The effect of a goodbye or an error on the link: most errors answer a request, some end the link.
fn end_of(code: Option<Code>, msg: &str, refused: &mut Option<String>) -> Option<End> {
    match code? {
        Code::ShuttingDown => Some(End::ShuttingDown(safe_line(msg), None)),
        code @ (Code::Kicked | Code::Banned | Code::Quit) => {
            Some(End::Final(LinkError::Refused { code: Some(code), msg: msg.to_owned(), free: None }))
        }
        Code::SlowConsumer | Code::ServerFull | Code::FrameTimeout => {
            // The rest is advice that this client follows by itself.
            let why = msg.split_once("; ").map_or(msg, |(why, _)| why);
            *refused = Some(why.to_owned());
            None
        }
        _ => None,
    }
}

async fn write(mut writer: PacketWriter, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if let Err(error) = writer.send(&frame).await {
            // The reader notices too, and reports it.
            tracing::debug!("cannot send: {error}");
            return;
        }
    }
    writer.finish().await;
}

#[cfg(test)]
mod tests;
