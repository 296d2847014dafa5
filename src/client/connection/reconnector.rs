//! The connection that lasts: keeps a link alive, notices when it is dead, and makes a new one to
//! the same server. It tells what happens in [`Update`]s and asks nobody anything.

mod follow;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::address_watch::{Moves, Sign, addresses_change};
use super::backoff::Backoff;
use super::credentials::{Unadmitted, Visitor};
use super::register::Registered;
use crate::client::error::Error;
use crate::client::find::Locator;
use crate::client::link::{LinkError, Reader, Writer};
use crate::client::trust::Standing;
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
    /// Something came, in answer to the packet with that id if it has one.
    Event(Event, Option<String>),
    /// Something that the user has to know, safe for the terminal.
    Note(String),
    /// It is gone; a new one is being made.
    Down(Loss),
    /// The server has gone for good, or for so long that another may do. The last update.
    Gone(Loss),
    /// No connection will be made any more. The last update.
    Failed(Error),
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
    /// Whether it is encrypted, and to whom.
    pub(crate) standing: Standing,
    /// Whether the server was asked for what was missed.
    pub(crate) resumes: bool,
    /// Whether the server before gave way to this one, so that its people are here.
    pub(crate) follows: bool,
}

/// A connection under way. Dropping it closes it.
pub(crate) struct Connection {
    updates: mpsc::Receiver<Update>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Keeps up the connection that was registered.
    pub(crate) fn start(registered: Registered, visitor: Visitor, locator: Locator) -> Self {
        let may_move = locator.searches();
        Self::begin(Mode::Chat, may_move, registered, visitor, locator)
    }

    /// The same for programs, which wait for this server as long as it takes.
    pub(crate) fn staying(mode: Mode, registered: Registered, visitor: Visitor, locator: Locator) -> Self {
        Self::begin(mode, false, registered, visitor, locator)
    }

    fn begin(mode: Mode, may_move: bool, registered: Registered, visitor: Visitor, locator: Locator) -> Self {
        let (sender, updates) = mpsc::channel(QUEUE);
        // The terminal has a prompt by then.
        let visitor = Visitor { can_be_asked: false, ..visitor };
        let keeper = Keeper { mode, may_move, follows: false, visitor, locator, updates: sender };
        let task = tokio::spawn(keeper.run(registered));
        Self { updates, task }
    }

    /// The next update; none after the last. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
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

/// Owns the visitor's identity, whose name follows renames, so that a new link asks for the present name.
struct Keeper {
    mode: Mode,
    /// Whether another server may do in place of this one.
    may_move: bool,
    /// The present server is one to which the one before gave way.
    follows: bool,
    visitor: Visitor,
    locator: Locator,
    updates: mpsc::Sender<Update>,
}

impl Keeper {
    /// Ends with the last update, or when nobody takes them any more.
    async fn run(mut self, mut registered: Registered) {
        let mut backoff = Backoff::default();
        loop {
            let (server, key) = (registered.welcome.server.clone(), registered.link.key());
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
                End::Final(error) => return self.tell(Update::Failed(ended(&error))).await,
                End::ShuttingDown(why, _) if self.may_move => {
                    return self.tell(Update::Gone(Loss::now(why))).await;
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
            match self.again(&server.id, key, &mut backoff).await {
                Ok(Some(next)) => registered = next,
                Ok(None) => return self.tell(Update::Gone(Loss { why, since })).await,
                Err(error) => return self.tell(Update::Failed(error)).await,
            }
        }
    }

    async fn tell(&self, update: Update) {
        // Nobody there to be told: the task is about to be dropped.
        let _ = self.updates.send(update).await;
    }

    /// Keeps one link until it ends; none when nobody takes the updates any more.
    async fn keep(&mut self, registered: Registered) -> Option<End> {
        let Registered { link, welcome, taken, resumes, .. } = registered;
        let standing = self.visitor.trust.standing(link.key());
        let (outgoing, frames) = mpsc::channel(QUEUE);
        let peer = link.peer();
        let mut moves = Moves::watch(link.local(), peer, &welcome.server.id, self.locator.searches());
        if let Ok(name) = Name::new(&welcome.name) {
            self.visitor.identity.name = name;
        }
        let up =
            Up { welcome, peer, outgoing: outgoing.clone(), taken, standing, resumes, follows: self.follows };
        self.updates.send(Update::Up(Box::new(up))).await.ok()?;
        let (reader, writer) = link.split();
        let writing = tokio::spawn(write(writer, frames));
        let end = self.read(reader, &outgoing, &mut moves).await;
        // What is still queued goes nowhere: its senders are told that the link is down.
        writing.abort();
        end
    }

    async fn read(
        &mut self,
        mut reader: Reader,
        outgoing: &mpsc::Sender<Vec<u8>>,
        moves: &mut Moves,
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
                        let why = "this machine has another address".to_owned();
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
            Event::Renamed { old, name } if *old == self.visitor.identity.name.as_str() => {
                if let Ok(name) = Name::new(name) {
                    self.visitor.identity.name = name;
                }
                None
            }
            Event::Bye { code: Some(Code::ShuttingDown), msg, server: Some(to) } => {
                Some(End::ShuttingDown(safe_line(msg), Some(to.clone())))
            }
            Event::Bye { code, msg, .. } | Event::Error { code, msg, .. } => end_of(*code, msg, refused),
            _ => None,
        };
        self.updates.send(Update::Event(event, id)).await.ok()?;
        Some(end)
    }

    /// Makes a new link to the same server; none when it has been away too long and another
    /// server may be looked for.
    async fn again(
        &mut self,
        id: &str,
        key: Option<Fingerprint>,
        backoff: &mut Backoff,
    ) -> Result<Option<Registered>, Error> {
        let start = Instant::now();
        loop {
            tokio::select! {
                () = sleep(backoff.next_pause()) => {}
                () = addresses_change() => {}
            }
            let attempt = tokio::select! {
                attempt = self.attempt(id, key) => attempt,
                // It began on another network.
                () = addresses_change() => continue,
            };
            let error = match attempt {
                Ok(registered) => return Ok(Some(registered)),
                Err(error) => error,
            };
            if matches!(error, Unadmitted::Link(LinkError::Refused { .. } | LinkError::Handshake(_))) {
                backoff.slow_down();
            }
            tracing::debug!("no new connection yet: {}", safe_line(&error.to_string()));
            if error.is_final() {
                return Err(match error {
                    Unadmitted::Link(error) => ended(&error),
                    Unadmitted::Here(error) => error,
                });
            }
            if self.may_move && start.elapsed() >= AWAY {
                return Ok(None);
            }
        }
    }

    async fn attempt(&mut self, id: &str, key: Option<Fingerprint>) -> Result<Registered, Unadmitted> {
        let trust = &self.visitor.trust;
        let link = self.locator.again(id).await.map_err(|error| match error {
            // Where the host was named, nobody else can be the server.
            LinkError::WrongKey { presented, addr } if self.locator.has_host() => {
                Unadmitted::Here(trust.changed(presented, addr, key))
            }
            error => Unadmitted::Link(error),
        })?;
        // On a return any name is better than none: the user is told, and can change it.
        let mut visitor = self.visitor.clone();
        visitor.identity.chosen = false;
        visitor.admit(link, "", false, self.mode).await
    }
}

impl Loss {
    fn now(why: String) -> Self {
        Self { why, since: std::time::Instant::now() }
    }
}

/// Why no connection will be made any more.
fn ended(error: &LinkError) -> Error {
    Error::from_link("the connection has ended", error)
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
async fn write(mut writer: Writer, mut frames: mpsc::Receiver<Vec<u8>>) {
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
