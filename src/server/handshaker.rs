//! From an accepted socket to a session: recognises the protocol and does the TLS handshake.
//!
//! The first byte tells: 0x16 starts a TLS record, `{` a packet, and `G`, `H`, `P` or `O` a browser's request (`web/`). Anything else
//! is refused. Until the first byte, a connection costs no more than its task.

mod known_keys;
mod stun;
mod tls_handshake;

use super::gate::{CutSignal, HandshakePermit, Offence, Pass, Restriction};
use super::hub::{Hub, NO_FIRST_PACKET};
use super::journal::ServerJournal;
use super::reactor_inbox::{HandshakeLeftover, NewConnection, Permits, ReactorInbox};
use super::refusal_reason::RefusalReason;
use super::transport::Transport;
use super::web::{self, WebCaller, WebDoor, WebEnd};
use crate::chat::Peer;
use crate::limits::{
    CLOSE_GRACE, FIRST_BYTE_TIMEOUT, HANDSHAKES_IN_PROGRESS, MAX_FAREWELLS, RESTRICTED_TIMEOUT, TLS_LINE,
    TLS_TIMEOUT, TLS_TIMEOUT_CROWDED,
};
use crate::protocol::{Code, Event};
use crate::security::{ServerChannel, ServerTls, TlsProtocol};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tls_handshake::handshake;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{timeout, timeout_at};

/// The first byte of a TLS handshake record (RFC 8446 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// How often to retry when an address has its share of handshakes under way.
const SHARE_PAUSE: Duration = Duration::from_millis(20);

/// The same after a while, as thousands may wait.
const SHARE_PAUSE_MAX: Duration = Duration::from_millis(160);

/// How often a long handshake checks whether others wait.
const CROWD_PAUSE: Duration = Duration::from_millis(250);

/// Bytes to discard at most before closing: closing over unread bytes would take the last line from the peer.
const DRAIN_BYTES: u64 = 64 * 1024;

#[derive(Debug)]
pub(super) struct Handshaker {
    pub(super) hub: Arc<Hub>,
    pub(super) tls: ServerTls,
    /// Whether to accept plaintext.
    pub(super) plaintext: bool,
    pub(super) web: Arc<WebDoor>,
    pub(super) inbox: Arc<ReactorInbox>,
    /// How long a plaintext client has to send its first byte.
    pub(super) registration: Duration,
    /// One for each handshake under way.
    permits: Semaphore,
    /// One for each refused client that is still reading why.
    farewells: Semaphore,
    /// Held while choosing a connection to evict, so that two searches do not choose the same one.
    evicting: tokio::sync::Mutex<()>,
    /// Whether the server is shutting down.
    closed: watch::Sender<bool>,
    journal: Arc<ServerJournal>,
}

/// A connection after its handshake.
struct Opened {
    transport: Transport,
    leftover: HandshakeLeftover,
}

/// Why a connection was not accepted.
#[derive(Debug)]
enum Failure {
    /// The peer left, was silent, or deserves no answer.
    Gone,
    /// The peer gets an answer.
    Refused(Code, String),
    /// The same for a browser after its upgrade.
    RefusedWeb(Transport, Code, String),
    /// The peer's address gets a penalty.
    Offence(Offence),
}

impl Handshaker {
    pub(super) fn new(
        hub: Arc<Hub>,
        tls: ServerTls,
        (plaintext, web): (bool, Arc<WebDoor>),
        (inbox, journal): (Arc<ReactorInbox>, Arc<ServerJournal>),
        registration: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            hub,
            tls,
            plaintext,
            web,
            inbox,
            registration,
            permits: Semaphore::new(HANDSHAKES_IN_PROGRESS),
            farewells: Semaphore::new(MAX_FAREWELLS),
            evicting: tokio::sync::Mutex::default(),
            closed: watch::Sender::new(false),
            journal,
        })
    }

    /// Handshakes under way.
    pub(super) fn in_progress(&self) -> usize {
        HANDSHAKES_IN_PROGRESS - self.permits.available_permits()
    }

    /// Tells the journal, unless the gate will.
    fn note_refusal(&self, pass: &Pass, reason: RefusalReason) {
        if !pass.is_told_of_at_end() {
            self.journal.refused(reason, pass.host());
        }
    }

    /// Stops accepting connections, and drops those that are in their handshake.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// Takes a connection from its first byte to the reactor's inbox, unless it is cut before.
pub(super) async fn serve(
    handshaker: Arc<Handshaker>,
    mut stream: TcpStream,
    address: SocketAddr,
    mut permits: Permits,
    cut: CutSignal,
) {
    let mut closed = handshaker.closed.subscribe();
    let opened = tokio::select! {
        opened = open(&handshaker, &mut stream, &mut permits.pass) => opened,
        _ = closed.wait_for(|closed| *closed) => None,
        Ok(()) = cut => None,
    };
    let Some(Opened { transport, leftover }) = opened else { return };
    let ip = address.ip().to_canonical();
    let web = transport.web_purpose().is_some();
    let local = ip.is_loopback() || stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == ip);
    let (key, encrypted) = (transport.peer_key(), transport.is_encrypted());
    let peer = Peer { ip, key, encrypted, local: local && !web, web };
    match stream.into_std() {
        // The gate may have cut it just now.
        Ok(stream) if permits.pass.admit() => {
            handshaker.inbox.adopt(NewConnection { stream, transport, peer, leftover, permits });
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(event = "connection_lost", %error, "cannot hand over a connection"),
    }
}

async fn open(handshaker: &Handshaker, stream: &mut TcpStream, pass: &mut Pass) -> Option<Opened> {
    let opened = match try_open(handshaker, stream, pass).await {
        Ok(opened) => opened,
        Err(failure) => {
            // Boxed: most connections never fail, so their tasks need no room for this.
            Box::pin(fail(handshaker, stream, None, pass, failure)).await;
            return None;
        }
    };
    if pass.restriction(handshaker.hub.uptime()).is_some()
        && let Err(failure) = Box::pin(known_keys::prove(handshaker, pass, &opened)).await
    {
        Box::pin(fail(handshaker, stream, Some(opened.transport), pass, failure)).await;
        return None;
    }
    Some(opened)
}

/// Ends a connection. A client from a penalized address gets no answer in plaintext.
async fn fail(
    handshaker: &Handshaker,
    stream: &mut TcpStream,
    mut transport: Option<Transport>,
    pass: &Pass,
    mut failure: Failure,
) {
    if let Failure::RefusedWeb(web, code, why) = failure {
        (transport, failure) = (Some(web), Failure::Refused(code, why));
    }
    match &failure {
        Failure::Gone => {}
        Failure::Offence(Offence::Timeout) => handshaker.note_refusal(pass, RefusalReason::Timeout),
        Failure::Offence(_) => handshaker.note_refusal(pass, RefusalReason::BadHandshake),
        Failure::Refused(code, _) | Failure::RefusedWeb(_, code, _) => {
            handshaker.note_refusal(pass, (*code).into());
        }
    }
    let is_plain = transport
        .as_ref()
        .is_none_or(|transport| !transport.is_encrypted() && transport.web_purpose().is_none());
    match failure {
        Failure::Gone | Failure::RefusedWeb(..) => {}
        Failure::Offence(offence) => pass.punish(offence, handshaker.hub.uptime()),
        Failure::Refused(..) if is_plain && pass.is_penalized(handshaker.hub.uptime()) => {}
        Failure::Refused(code, why) => {
            match code {
                Code::BadProtocol => pass.punish(Offence::Garbage, handshaker.hub.uptime()),
                Code::BadTicket => pass.punish(Offence::FailedAuth, handshaker.hub.uptime()),
                _ => {}
            }
            let line = Event::error(code, why).into_packet("", None).to_frame();
            let Some(line) = transport.unwrap_or(Transport::Plain).last_words(line) else { return };
            // The answer keeps a descriptor open for a while; in a flood, clients get one write and no wait.
            match handshaker.farewells.try_acquire() {
                Ok(_permit) => farewell(stream, &line).await,
                Err(_) => drop(stream.try_write(&line)),
            }
        }
    }
}

async fn try_open(handshaker: &Handshaker, stream: &mut TcpStream, pass: &Pass) -> Result<Opened, Failure> {
    let start = Instant::now();
    let restriction = pass.restriction(handshaker.hub.uptime());
    if restriction == Some(Restriction::Memory) {
        return Err(known_keys::refusal(Restriction::Memory));
    }
    let patience = match restriction {
        Some(_) => RESTRICTED_TIMEOUT,
        None if handshaker.plaintext => handshaker.registration,
        None => FIRST_BYTE_TIMEOUT,
    };
    let mut first = [0];
    match timeout(patience, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        Err(_) => {
            return Err(match restriction {
                Some(restriction) => known_keys::refusal(restriction),
                None if handshaker.plaintext => {
                    Failure::Refused(Code::HandshakeTimeout, NO_FIRST_PACKET.into())
                }
                None => Failure::Gone,
            });
        }
        _ => return Err(Failure::Gone),
    }
    match first[0] {
        // Boxed: its state would make every connection's task four times as big, even in plaintext.
        TLS_HANDSHAKE => Box::pin(try_handshake(handshaker, stream, pass, start)).await,
        // People type white space before a packet.
        b'{' | b' ' | b'\t' | b'\r' | b'\n' if handshaker.plaintext => {
            Ok(Opened { transport: Transport::Plain, leftover: HandshakeLeftover::default() })
        }
        // GET and HEAD; POST and OPTIONS, which any page can make a browser send, get their answer too.
        b'G' | b'H' | b'P' | b'O' => Box::pin(browse(handshaker, stream, pass, None, Vec::new())).await,
        b'{' => Err(Failure::Refused(Code::TlsRequired, tls_required())),
        _ if stun::is_next(stream).await => Err(Failure::Gone),
        _ => Err(Failure::Refused(Code::BadProtocol, "lanchat: expected TLS".into())),
    }
}

async fn try_handshake(
    handshaker: &Handshaker,
    stream: &mut TcpStream,
    pass: &Pass,
    start: Instant,
) -> Result<Opened, Failure> {
    // A client whose turn does not come has done nothing wrong, and one whose turn comes has time left.
    let (whole, line) = match pass.restriction(handshaker.hub.uptime()) {
        Some(_) => (RESTRICTED_TIMEOUT, RESTRICTED_TIMEOUT / 2),
        None => (TLS_TIMEOUT, TLS_LINE),
    };
    let slot = timeout_at((start + line).into(), wait_for_slot(handshaker, pass, line));
    let (permit, share) = slot.await.unwrap_or(Err(Failure::Gone))?;
    let patience = whole.saturating_sub(start.elapsed()).min(whole / 2);
    let done = in_time(handshaker, &share, patience, handshake(handshaker, stream)).await;
    drop((permit, share));
    let (channel, protocol, leftover) = done?;
    match protocol {
        TlsProtocol::Chat => Ok(Opened { transport: Transport::encrypted(channel), leftover }),
        TlsProtocol::Web => browse(handshaker, stream, pass, Some(channel), leftover.plain).await,
    }
}

/// Serves a browser until it has a session, or ends. `early`: bytes that came with the end of the handshake.
async fn browse(
    handshaker: &Handshaker,
    stream: &mut TcpStream,
    pass: &Pass,
    channel: Option<ServerChannel>,
    early: Vec<u8>,
) -> Result<Opened, Failure> {
    let entry = web::enter((&handshaker.web, &handshaker.hub, pass), stream, channel, early);
    let served = match pass.restriction(handshaker.hub.uptime()) {
        Some(_) => timeout(RESTRICTED_TIMEOUT, entry).await.unwrap_or(Err(WebEnd::Done)),
        None => entry.await,
    };
    match served {
        Ok(WebCaller { transport, rest, is_all }) => {
            Ok(Opened { transport, leftover: HandshakeLeftover { plain: rest, is_all } })
        }
        Err(WebEnd::Done) => Err(Failure::Gone),
        Err(WebEnd::Slow) => Err(Failure::Offence(Offence::Timeout)),
        Err(WebEnd::Busy) => {
            handshaker.note_refusal(pass, RefusalReason::Rate);
            Err(Failure::Gone)
        }
        Err(WebEnd::Garbage) => {
            drain(stream).await;
            Err(Failure::Offence(Offence::Garbage))
        }
        Err(WebEnd::Refused(transport, code, why)) => Err(Failure::RefusedWeb(transport, code, why)),
    }
}

fn tls_required() -> String {
    "This lanchat server only accepts TLS 1.3 on this port. Use the lanchat client, or: \
     openssl s_client -connect HOST:PORT -alpn lanchat/1. The administrator can allow plaintext with \
     --allow-plaintext."
        .into()
}

/// Waits until a handshake may start; it counts until the results are dropped.
async fn wait_for_slot<'a>(
    handshaker: &'a Handshaker,
    pass: &Pass,
    patience: Duration,
) -> Result<(SemaphorePermit<'a>, HandshakePermit), Failure> {
    let wait = pass.handshake_delay(patience, handshaker.hub.uptime()).ok_or_else(|| {
        handshaker.note_refusal(pass, RefusalReason::Rate);
        Failure::Gone
    })?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    // People behind one router often come at once, and are through quickly.
    let mut pause = SHARE_PAUSE;
    let share = loop {
        match pass.begin_handshake(handshaker.hub.uptime()) {
            Some(share) => break share,
            None => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(SHARE_PAUSE_MAX);
    };
    let permit = handshaker.permits.acquire().await.map_err(|_| Failure::Gone)?;
    Ok((permit, share))
}

/// Waits for a handshake, for less time while others wait to start theirs.
async fn in_time<T>(
    handshaker: &Handshaker,
    share: &HandshakePermit,
    patience: Duration,
    handshake: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let (start, mut handshake) = (Instant::now(), pin!(handshake));
    loop {
        if let Ok(done) = timeout(CROWD_PAUSE, &mut handshake).await {
            return done;
        }
        let time = start.elapsed();
        if time >= patience || time >= TLS_TIMEOUT_CROWDED && share.is_own_crowd() {
            return Err(Failure::Offence(Offence::Timeout));
        }
        // A client that must make room for others has done nothing wrong.
        if time >= TLS_TIMEOUT_CROWDED && (handshaker.permits.available_permits() == 0 || share.is_crowded())
        {
            return Err(Failure::Gone);
        }
    }
}

/// Sends a last line and waits until it has arrived.
async fn farewell(stream: &mut TcpStream, line: &[u8]) {
    let _ = timeout(CLOSE_GRACE, async {
        if stream.write_all(line).await.is_ok() {
            drain(stream).await;
        }
    })
    .await;
}

/// Closes the sending side and discards what the peer still sends, within limits.
async fn drain(stream: &mut TcpStream) {
    let _ = timeout(Duration::from_secs(1), async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(DRAIN_BYTES), &mut tokio::io::sink()).await
    })
    .await;
}
