//! From an accepted socket to a session: which protocol the peer speaks, and the TLS handshake.
//!
//! One byte tells. A TLS record begins with 0x16 and a packet with `{`; what begins otherwise, such
//! as a web page's request, never gets further. Until the first byte a connection costs no more than
//! its task.

mod knocking;

use super::desk::{Desk, Early, Newcomer, Tickets};
use super::gate::{Cut, Doubt, Handshaking, Offence, Pass};
use super::hub::Hub;
use super::wire::Wire;
use crate::chat::Peer;
use crate::limits::{
    CLOSE_GRACE, FIRST_BYTE_TIMEOUT, HANDSHAKES_IN_PROGRESS, KNOCK_TIMEOUT, MAX_FAREWELLS, TLS_LINE,
    TLS_TIMEOUT, TLS_TIMEOUT_CROWDED,
};
use crate::protocol::{Code, Event};
use crate::security::{ChannelError, ServerChannel, ServerTls, Status};
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{timeout, timeout_at};

/// The first byte of a TLS record that holds a handshake (RFC 8446 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// How often an address whose share of handshakes is under way is looked at again.
const SHARE_PAUSE: Duration = Duration::from_millis(20);

/// The same after a while: thousands may wait.
const SHARE_PAUSE_MAX: Duration = Duration::from_millis(160);

/// How often a handshake that takes long looks whether others wait.
const CROWD_PAUSE: Duration = Duration::from_millis(250);

/// Bytes taken at a time during a handshake.
const READ_BYTES: usize = 4 * 1024;

/// Bytes discarded, so that a last line arrives: closing over unread bytes would take it from the
/// peer.
const DRAIN_BYTES: u64 = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
}

/// See the module.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) hub: Arc<Hub>,
    pub(super) tls: ServerTls,
    /// Whether plaintext may come in.
    pub(super) plaintext: bool,
    pub(super) desk: Arc<Desk>,
    /// How long a plaintext client may take to its first byte.
    pub(super) registration: Duration,
    /// Handshakes under way.
    permits: Semaphore,
    /// Of those who are being told why they may not come in.
    farewells: Semaphore,
    /// Held by who looks for a connection that gives way, so that two do not find the same.
    room: tokio::sync::Mutex<()>,
    /// Whether nobody comes in any more.
    closed: watch::Sender<bool>,
}

/// What a connection speaks.
struct Opened {
    /// Absent in the clear.
    channel: Option<ServerChannel>,
    early: Early,
}

/// Why a connection comes to nothing.
#[derive(Debug)]
enum Failure {
    /// The peer is gone, or was silent, or is not worth an answer.
    Gone,
    /// What it said is refused, with an answer that it can read.
    Refused(Code, String),
    /// What it said costs its address something.
    Offence(Offence),
}

impl Door {
    pub(super) fn new(
        hub: Arc<Hub>,
        tls: ServerTls,
        plaintext: bool,
        desk: Arc<Desk>,
        registration: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            hub,
            tls,
            plaintext,
            desk,
            registration,
            permits: Semaphore::new(HANDSHAKES_IN_PROGRESS),
            farewells: Semaphore::new(MAX_FAREWELLS),
            room: tokio::sync::Mutex::default(),
            closed: watch::Sender::new(false),
        })
    }

    /// Nobody comes in any more; those who are about to are cut off.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// Takes a connection from its first byte to the desk, unless it is told to end before.
pub(super) async fn serve(
    door: Arc<Door>,
    mut stream: TcpStream,
    address: SocketAddr,
    mut tickets: Tickets,
    cut: Cut,
) {
    let mut closed = door.closed.subscribe();
    let opened = tokio::select! {
        opened = open(&door, &mut stream, &mut tickets.pass) => opened,
        _ = closed.wait_for(|closed| *closed) => None,
        Ok(()) = cut => None,
    };
    let Some(Opened { channel, early }) = opened else { return };
    let wire = channel.map_or(Wire::Plain, Wire::sealed);
    let ip = address.ip().to_canonical();
    let local = ip.is_loopback() || stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == ip);
    let peer = Peer { ip, key: wire.peer_key(), encrypted: wire.is_sealed(), local };
    match stream.into_std() {
        // It may have been cut just now.
        Ok(stream) if tickets.pass.come_in() => {
            door.desk.adopt(Newcomer { stream, wire, peer, early, tickets });
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "a connection can't be handed on"),
    }
}

async fn open(door: &Door, stream: &mut TcpStream, pass: &mut Pass) -> Option<Opened> {
    let mut opened = match try_open(door, stream, pass).await {
        Ok(opened) => opened,
        Err(failure) => {
            // Boxed: most connections never fail, and their tasks need not have room for it.
            Box::pin(fail(door, stream, None, pass, failure)).await;
            return None;
        }
    };
    if pass.doubt(door.hub.uptime()).is_some()
        && let Err(failure) = Box::pin(knocking::prove(door, pass, &opened)).await
    {
        Box::pin(fail(door, stream, opened.channel.as_mut(), pass, failure)).await;
        return None;
    }
    Some(opened)
}

/// Ends a connection as it deserves. Where somebody has misbehaved, nothing is said in the clear.
async fn fail(
    door: &Door,
    stream: &mut TcpStream,
    channel: Option<&mut ServerChannel>,
    pass: &Pass,
    failure: Failure,
) {
    match failure {
        Failure::Gone => {}
        Failure::Offence(offence) => pass.punish(offence, door.hub.uptime()),
        Failure::Refused(..) if channel.is_none() && pass.is_boxed(door.hub.uptime()) => {}
        Failure::Refused(code, why) => {
            if code == Code::BadProtocol {
                pass.punish(Offence::Garbage, door.hub.uptime());
            }
            let mut line = Event::error(code, why).into_packet("", None).to_frame();
            if let Some(channel) = channel {
                let mut sealed = Vec::new();
                if channel.send(&line, &mut sealed).is_err() {
                    return;
                }
                channel.close(&mut sealed);
                line = sealed;
            }
            // It holds a descriptor for a while, and a flood of those who are turned away is told and closed.
            match door.farewells.try_acquire() {
                Ok(_permit) => farewell(stream, &line).await,
                Err(_) => drop(stream.try_write(&line)),
            }
        }
    }
}

async fn try_open(door: &Door, stream: &mut TcpStream, pass: &Pass) -> Result<Opened, Failure> {
    let start = Instant::now();
    let doubt = pass.doubt(door.hub.uptime());
    if doubt == Some(Doubt::Memory) {
        return Err(knocking::refusal(Doubt::Memory));
    }
    let patience = match doubt {
        Some(_) => KNOCK_TIMEOUT,
        None if door.plaintext => door.registration,
        None => FIRST_BYTE_TIMEOUT,
    };
    let mut first = [0];
    match timeout(patience, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        Err(_) => {
            return Err(match doubt {
                Some(doubt) => knocking::refusal(doubt),
                None if door.plaintext => Failure::Refused(Code::HandshakeTimeout, too_late()),
                None => Failure::Gone,
            });
        }
        _ => return Err(Failure::Gone),
    }
    match first[0] {
        // Boxed: its state would make every connection's task four times as big, also of those in the clear.
        TLS_HANDSHAKE => Box::pin(try_handshake(door, stream, pass, start)).await,
        // White space is what people type before a packet.
        b'{' | b' ' | b'\t' | b'\r' | b'\n' if door.plaintext => {
            Ok(Opened { channel: None, early: Early::default() })
        }
        b'{' => Err(Failure::Refused(Code::TlsRequired, tls_required())),
        _ => Err(Failure::Refused(Code::BadProtocol, "lanchat: expected TLS".into())),
    }
}

async fn try_handshake(
    door: &Door,
    stream: &mut TcpStream,
    pass: &Pass,
    start: Instant,
) -> Result<Opened, Failure> {
    // Who waits in vain for a turn has done nothing wrong, and who gets one has time left.
    let (whole, line) = match pass.doubt(door.hub.uptime()) {
        Some(_) => (KNOCK_TIMEOUT, KNOCK_TIMEOUT / 2),
        None => (TLS_TIMEOUT, TLS_LINE),
    };
    let turn = timeout_at((start + line).into(), turn(door, pass, line));
    let (permit, share) = turn.await.unwrap_or(Err(Failure::Gone))?;
    let patience = whole.saturating_sub(start.elapsed()).min(whole / 2);
    let done = in_time(door, &share, patience, handshake(door, stream)).await;
    drop((permit, share));
    done
}

fn too_late() -> String {
    "no first packet came in time; connect again and send one with your name".into()
}

fn tls_required() -> String {
    "This lanchat server only accepts TLS 1.3 on this port. Use the lanchat client, or: \
     openssl s_client -connect HOST:PORT -alpn lanchat/1. The administrator can allow plaintext with \
     --allow-plaintext."
        .into()
}

/// Waits until there is room for a handshake, which is taken for as long as the result lives.
async fn turn<'a>(
    door: &'a Door,
    pass: &Pass,
    patience: Duration,
) -> Result<(SemaphorePermit<'a>, Handshaking), Failure> {
    let wait = pass.handshake_turn(patience, door.hub.uptime()).ok_or(Failure::Gone)?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    // A room of people behind one router comes at once, and is through in no time.
    let mut pause = SHARE_PAUSE;
    let share = loop {
        match pass.begin_handshake(door.hub.uptime()) {
            Some(share) => break share,
            None => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(SHARE_PAUSE_MAX);
    };
    let permit = door.permits.acquire().await.map_err(|_| Failure::Gone)?;
    Ok((permit, share))
}

/// Waits for a handshake, for less time while others wait for its place.
async fn in_time<T>(
    door: &Door,
    share: &Handshaking,
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
        // Who has to go for a crowd of others has done nothing wrong.
        if time >= TLS_TIMEOUT_CROWDED && (door.permits.available_permits() == 0 || share.is_crowded()) {
            return Err(Failure::Gone);
        }
    }
}

/// The TLS handshake.
async fn handshake(door: &Door, stream: &mut TcpStream) -> Result<Opened, Failure> {
    let mut channel = ServerChannel::new(&door.tls).map_err(|error| {
        tracing::error!(%error, "no TLS session could be made");
        Failure::Gone
    })?;
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    loop {
        stream.readable().await.map_err(|_| Failure::Gone)?;
        let step = BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
            Ok(0) => Err(Failure::Gone),
            Ok(length) => Ok(channel.receive(&buffer[..length], &mut plain, &mut out)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Ok(Status::Handshaking)),
            Err(_) => Err(Failure::Gone),
        })?;
        let written = stream.write_all(&out).await;
        out.clear();
        match step {
            Ok(Status::Handshaking) => written.map_err(|_| Failure::Gone)?,
            Ok(status) => {
                let early = Early { plain, is_all: status == Status::Closed };
                let opened = Opened { channel: Some(channel), early };
                return written.map(|()| opened).map_err(|_| Failure::Gone);
            }
            // As a client does to which this server is not the one it knows.
            Err(ChannelError::GivenUp(alert)) => {
                tracing::debug!(%alert, "a client gave up the handshake");
                return Err(Failure::Gone);
            }
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                // The alert has been written; let it arrive.
                drain(stream).await;
                return Err(Failure::Offence(Offence::Garbage));
            }
        }
    }
}

/// Writes a last line and makes sure that it arrives.
async fn farewell(stream: &mut TcpStream, line: &[u8]) {
    let _ = timeout(CLOSE_GRACE, async {
        if stream.write_all(line).await.is_ok() {
            drain(stream).await;
        }
    })
    .await;
}

/// Says that nothing more comes and discards what the peer still sends, within bounds.
async fn drain(stream: &mut TcpStream) {
    let _ = timeout(Duration::from_secs(1), async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(DRAIN_BYTES), &mut tokio::io::sink()).await
    })
    .await;
}
