//! The connection that lasts: keeps a link alive, notices when it is dead, and makes a new one to
//! the same server. It tells what happens in [`Update`]s and asks nobody anything.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::backoff::Backoff;
use super::entrance::{Unadmitted, Visitor};
use super::error::Error;
use super::link::{LinkError, Reader, Writer};
use super::locate::Locator;
use super::register::Registered;
use super::trust::Standing;
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::protocol::event::Welcome;
use crate::protocol::request::Mode;
use crate::protocol::{Code, Event, Packet, Request};
use crate::text::safe_line;

/// Silence after which the server is asked whether it is there.
const QUIET: Duration = Duration::from_secs(15);

/// How long it may take to answer before the link counts as dead.
const PING_WAIT: Duration = Duration::from_secs(10);

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
pub(super) enum Update {
    /// It is there.
    Up(Box<Up>),
    /// Something came, in answer to the packet with that id if it has one.
    Event(Event, Option<String>),
    /// It is gone; a new one is being made.
    Down(String),
    /// The server has gone for good, or for so long that another may do. The last update.
    Gone(String),
    /// No connection will be made any more. The last update.
    Failed(Error),
}

/// A connection that is there.
pub(super) struct Up {
    /// What the server said.
    pub(super) welcome: Welcome,
    /// Where it is.
    pub(super) peer: SocketAddr,
    /// Takes packets for as long as this link lasts; what it takes after that is lost.
    pub(super) outgoing: mpsc::Sender<Packet>,
    /// The name that was asked for in vain, if another was given.
    pub(super) taken: Option<Name>,
    /// Whether it is encrypted, and to whom.
    pub(super) standing: Standing,
    /// Whether the server was asked for what was missed.
    pub(super) resumes: bool,
}

/// A connection under way. Dropping it closes it.
pub(super) struct Connection {
    updates: mpsc::Receiver<Update>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Keeps up the connection that was registered.
    pub(super) fn start(registered: Registered, visitor: Visitor, locator: Locator) -> Self {
        Self::start_for(Mode::Chat, registered, visitor, locator)
    }

    /// The same for other purposes than chatting. Who reads along waits for the server as long as it
    /// takes.
    pub(super) fn start_for(mode: Mode, registered: Registered, visitor: Visitor, locator: Locator) -> Self {
        let (sender, updates) = mpsc::channel(QUEUE);
        // The terminal has a prompt by then.
        let visitor = Visitor { can_be_asked: false, ..visitor };
        let keeper = Keeper { mode, visitor, locator, updates: sender };
        let task = tokio::spawn(keeper.run(registered));
        Self { updates, task }
    }

    /// The next update; none after the last. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<Update> {
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
    Lost(String),
    ShuttingDown(String),
    /// There is no use in trying again.
    Final(LinkError),
}

/// Owns the visitor's identity, whose name follows renames, so that a new link asks for the present name.
struct Keeper {
    mode: Mode,
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
            let why = match end {
                End::Final(error) => return self.tell(Update::Failed(ended(&error))).await,
                End::ShuttingDown(why) if self.may_move() => {
                    return self.tell(Update::Gone(why)).await;
                }
                End::ShuttingDown(why) | End::Lost(why) => why,
            };
            self.tell(Update::Down(why.clone())).await;
            if start.elapsed() >= STEADY {
                backoff = Backoff::default();
            }
            match self.again(&server.id, key, &mut backoff).await {
                Ok(Some(next)) => registered = next,
                Ok(None) => return self.tell(Update::Gone(why)).await,
                Err(error) => return self.tell(Update::Failed(error)).await,
            }
        }
    }

    /// Whether another server may do in place of this one.
    fn may_move(&self) -> bool {
        self.mode == Mode::Chat && self.locator.searches()
    }

    async fn tell(&self, update: Update) {
        // Nobody there to be told: the task is about to be dropped.
        let _ = self.updates.send(update).await;
    }

    /// Keeps one link until it ends; none when nobody takes the updates any more.
    async fn keep(&mut self, registered: Registered) -> Option<End> {
        let Registered { link, welcome, taken, resumes, .. } = registered;
        let standing = self.visitor.trust.standing(link.key());
        let (outgoing, packets) = mpsc::channel(QUEUE);
        let peer = link.peer();
        if let Ok(name) = Name::new(&welcome.name) {
            self.visitor.identity.name = name;
        }
        let up = Up { welcome, peer, outgoing: outgoing.clone(), taken, standing, resumes };
        self.updates.send(Update::Up(Box::new(up))).await.ok()?;
        let (reader, writer) = link.split();
        let writing = tokio::spawn(write(writer, packets));
        let end = self.read(reader, &outgoing).await;
        // What is still queued goes nowhere: its senders are told that the link is down.
        writing.abort();
        end
    }

    async fn read(&mut self, mut reader: Reader, outgoing: &mpsc::Sender<Packet>) -> Option<End> {
        let mut deadline = Instant::now() + QUIET;
        let mut pinged = false;
        let mut refused = None;
        loop {
            tokio::select! {
                packet = reader.next() => match packet {
                    Ok(packet) => {
                        (deadline, pinged) = (Instant::now() + QUIET, false);
                        if let Some(end) = self.take(packet, &mut refused).await? {
                            return Some(end);
                        }
                    }
                    Err(LinkError::Protocol(why)) => return Some(End::Final(LinkError::Protocol(why))),
                    Err(error) => return Some(End::Lost(refused.unwrap_or_else(|| error.to_string()))),
                },
                () = sleep_until(deadline) => {
                    if pinged {
                        return Some(End::Lost("the server has stopped answering".into()));
                    }
                    // No room means that nothing gets out: the same as no answer.
                    let _ = outgoing.try_send(Request::Ping.to_packet(Some(PING_ID.into())));
                    (deadline, pinged) = (Instant::now() + PING_WAIT, true);
                }
            }
        }
    }

    /// Hands a packet on; gives the link's end if it is one.
    async fn take(&mut self, packet: Packet, refused: &mut Option<String>) -> Option<Option<End>> {
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
            Event::Bye { code, msg } | Event::Error { code, msg, .. } => end_of(*code, msg, refused),
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
            sleep(backoff.next_pause()).await;
            let error = match self.attempt(id, key).await {
                Ok(registered) => return Ok(Some(registered)),
                Err(error) => error,
            };
            tracing::debug!("no new connection yet: {}", safe_line(&error.to_string()));
            if error.is_final() {
                return Err(match error {
                    Unadmitted::Link(error) => ended(&error),
                    Unadmitted::Here(error) => error,
                });
            }
            if self.may_move() && start.elapsed() >= AWAY {
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

/// Why no connection will be made any more.
fn ended(error: &LinkError) -> Error {
    Error::from_link("the connection has ended", error)
}

/// What a goodbye or an error means for the link: most errors answer a request, some end it.
fn end_of(code: Option<Code>, msg: &str, refused: &mut Option<String>) -> Option<End> {
    match code? {
        Code::ShuttingDown => Some(End::ShuttingDown("the server is shutting down".into())),
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

/// Writes packets until the link or the queue ends.
async fn write(mut writer: Writer, mut packets: mpsc::Receiver<Packet>) {
    while let Some(packet) = packets.recv().await {
        if let Err(error) = writer.send(&packet).await {
            // The reading side notices too, and tells.
            tracing::debug!("cannot send: {error}");
            return;
        }
    }
    writer.finish().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    /// A server that answers each packet with what `answer` makes of its type. It runs in the
    /// test's own runtime, so that time that is paused does not pass while it answers.
    async fn server(answer: fn(&str) -> Option<&'static str>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.split();
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let packet = Packet::parse(line.as_bytes()).unwrap();
                if let Some(text) = answer(packet.kind.as_deref().unwrap_or_default()) {
                    let id = serde_json::to_string(&packet.id).unwrap();
                    let answer = format!("{{{text},\"id\":{id}}}\n");
                    write.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        addr
    }

    async fn connect(addr: SocketAddr) -> Connection {
        let visitor = Visitor::in_the_open("alice");
        let link = super::super::link::Link::connect(addr, visitor.trust.channel()).await.unwrap();
        let registered = visitor.admit(link, "", false, Mode::Chat).await.unwrap();
        let locator = Locator::at(addr);
        // From here on time passes only while nothing else happens.
        tokio::time::pause();
        Connection::start(registered, visitor, locator)
    }

    const WELCOME: &str = r#""type":"welcome","name":"alice""#;

    #[tokio::test]
    async fn a_server_that_stops_answering_is_noticed_in_25_seconds() {
        let addr = server(|kind| (kind == "hello").then_some(WELCOME)).await;
        let mut connection = connect(addr).await;
        assert!(matches!(connection.next().await, Some(Update::Up(_))));
        let start = Instant::now();
        let Some(Update::Down(why)) = connection.next().await else { panic!("no end") };
        assert_eq!(why, "the server has stopped answering");
        assert_eq!(start.elapsed().as_secs(), 25);
    }

    #[tokio::test]
    async fn a_kick_is_final() {
        let kicked = server(|kind| match kind {
            "hello" => Some(WELCOME),
            "ping" => Some(r#""type":"bye","code":"kicked","msg":"out""#),
            _ => None,
        })
        .await;
        let mut connection = connect(kicked).await;
        assert!(matches!(connection.next().await, Some(Update::Up(_))));
        assert!(matches!(connection.next().await, Some(Update::Event(Event::Bye { .. }, _))));
        let last = connection.next().await;
        assert!(matches!(last, Some(Update::Failed(Error::Refused(why))) if why == "out"));
        assert!(connection.next().await.is_none());
    }

    #[tokio::test]
    async fn an_idle_server_that_answers_pings_is_kept() {
        let addr = server(|kind| match kind {
            "hello" => Some(WELCOME),
            "ping" => Some(r#""type":"pong""#),
            _ => None,
        })
        .await;
        let mut connection = connect(addr).await;
        assert!(matches!(connection.next().await, Some(Update::Up(_))));
        let quiet = tokio::time::timeout(Duration::from_secs(600), connection.next()).await;
        assert!(quiet.is_err(), "something happened on an idle connection");
    }
}
