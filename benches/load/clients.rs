//! The clients: all of them on one thread and one poll, so that they cost little themselves.
//!
//! Each message carries its number and the time it was sent. Each receiver expects every number
//! once and in order; anything else is counted as a fault.

use super::process::Kind;
use super::tls;
use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConnection;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Connections that are being made at a time.
const BURST: usize = 64;

/// A message: `~` number `~` nanoseconds `~` filling, 128 bytes with its line feed.
const PAYLOAD_BYTES: usize = 127;
const HEAD_BYTES: usize = 1 + 8 + 1 + 16 + 1;

/// All connections. The first is the sender.
pub struct Clients {
    kind: Kind,
    poll: Poll,
    events: Events,
    peers: Vec<Peer>,
    buffer: Vec<u8>,
    started: Instant,
    /// Number of the next message.
    next: u32,
    pub tally: Tally,
}

/// What the receivers counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Clients that are in.
    pub welcomed: usize,
    pub deliveries: u64,
    /// Lost, doubled, reordered or damaged.
    pub faults: u64,
    /// From sending to reading, of every delivery since it was last cleared.
    pub latencies: Vec<Duration>,
    pub keep_latencies: bool,
}

struct Peer {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// The beginning of a line.
    carry: Vec<u8>,
    /// Number of the message expected next.
    expected: u32,
}

impl Clients {
    /// Connects and registers `count` clients, a burst at a time.
    pub fn connect(kind: Kind, address: SocketAddr, count: usize) -> Result<Self> {
        let mut clients = Self {
            kind,
            poll: Poll::new()?,
            events: Events::with_capacity(4096),
            peers: Vec::with_capacity(count),
            buffer: vec![0; 1 << 18],
            started: Instant::now(),
            next: 0,
            tally: Tally::default(),
        };
        let deadline = Instant::now() + Duration::from_secs(120);
        while clients.tally.welcomed < count {
            while clients.peers.len() < count && clients.peers.len() - clients.tally.welcomed < BURST {
                clients.add(address)?;
            }
            clients.turn(Duration::from_millis(100))?;
            if Instant::now() > deadline {
                bail!("only {} of {count} clients were welcomed in 120 s", clients.tally.welcomed);
            }
        }
        Ok(clients)
    }

    /// Receivers of each message: everybody; the floor sends a message back to its sender too.
    pub fn receivers(&self) -> usize {
        match self.kind {
            Kind::Floor => self.peers.len(),
            Kind::Plain | Kind::Tls | Kind::Kept => self.peers.len() - 1,
        }
    }

    /// Sends the next message to everybody.
    pub fn send(&mut self) -> Result<()> {
        let nanos = self.started.elapsed().as_nanos() as u64;
        let mut text = format!("~{:08x}~{nanos:016x}~", self.next);
        debug_assert_eq!(text.len(), HEAD_BYTES);
        text.extend(std::iter::repeat_n('x', PAYLOAD_BYTES - HEAD_BYTES));
        let line = match self.kind {
            Kind::Floor => format!("{text}\n"),
            Kind::Plain | Kind::Tls | Kind::Kept => format!("{{\"to\":\"all\",\"msg\":\"{text}\"}}\n"),
        };
        self.next += 1;
        let mut rest = line.as_bytes();
        while !rest.is_empty() || self.peers[0].has_more() {
            match self.peers[0].write(rest) {
                Ok(length) => rest = &rest[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.turn(Duration::from_millis(10))?
                }
                Err(error) => return Err(error).context("the sender's connection broke"),
            }
        }
        Ok(())
    }

    /// Messages that are sent and, at the mean, not delivered yet.
    pub fn in_flight(&self) -> u64 {
        u64::from(self.next).saturating_sub(self.tally.deliveries / self.receivers().max(1) as u64)
    }

    /// Reads until everybody has everything, or nothing came for `patience`.
    pub fn settle(&mut self, patience: Duration) -> Result<()> {
        let expected = u64::from(self.next) * self.receivers() as u64;
        let mut last = (self.tally.deliveries, Instant::now());
        while self.tally.deliveries < expected {
            self.turn(Duration::from_millis(50))?;
            if self.tally.deliveries > last.0 {
                last = (self.tally.deliveries, Instant::now());
            } else if last.1.elapsed() > patience {
                self.tally.faults += expected - self.tally.deliveries;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads for that long, whatever comes.
    pub fn idle(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Reads what there is, waiting at most that long for something.
    pub fn turn(&mut self, patience: Duration) -> Result<()> {
        self.poll.poll(&mut self.events, Some(patience))?;
        let now = self.started.elapsed();
        for event in &self.events {
            let Token(n) = event.token();
            let Some(peer) = self.peers.get_mut(n) else { continue };
            if !peer.read(&mut self.buffer, now, &mut self.tally) {
                bail!("the server closed the connection of client {n}");
            }
        }
        Ok(())
    }

    fn add(&mut self, address: SocketAddr) -> Result<()> {
        // Blocking: on loopback the handshake is over when the kernel returns.
        let mut blocking = std::net::TcpStream::connect(address).context("a client can't connect")?;
        blocking.set_nodelay(true)?;
        let n = self.peers.len();
        let hello =
            format!("{{\"type\":\"hello\",\"v\":1,\"from\":{{\"name\":\"user{n}\"}},\"to\":\"server\"}}\n");
        // Each has a key of its own, as people have.
        let mut tls = (self.kind == Kind::Tls).then(|| Box::new(tls::client(Some(&tls::Key::new()))));
        match &mut tls {
            // Goes out with the end of the handshake.
            Some(tls) => tls.writer().write_all(hello.as_bytes())?,
            None if self.kind != Kind::Floor => blocking.write_all(hello.as_bytes())?,
            None => {}
        }
        blocking.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(blocking);
        self.poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
        let mut peer = Peer { stream, tls, carry: Vec::new(), expected: self.next };
        peer.write(&[])?;
        self.peers.push(peer);
        Ok(())
    }
}

impl Peer {
    /// Whether the connection is still there.
    fn read(&mut self, buffer: &mut [u8], now: Duration, tally: &mut Tally) -> bool {
        loop {
            let (length, is_all) = match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(length) => (length, length < buffer.len()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            };
            if self.tls.is_none() {
                self.take(&buffer[..length], now, tally);
            } else if self.unseal(&buffer[..length], now, tally).is_err() {
                return false;
            }
            if is_all {
                return true;
            }
        }
    }

    fn unseal(&mut self, mut bytes: &[u8], now: Duration, tally: &mut Tally) -> io::Result<()> {
        let mut plain = [0; 16 * 1024];
        while !bytes.is_empty() {
            let Some(tls) = &mut self.tls else { return Ok(()) };
            tls.read_tls(&mut bytes)?;
            tls.process_new_packets().map_err(io::Error::other)?;
            while let Some(tls) = &mut self.tls {
                match tls.reader().read(&mut plain) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(length) => self.take(&plain[..length], now, tally),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        self.write(&[]).map(drop)
    }

    /// Writes what the socket takes of `bytes`; with TLS, of what is sealed too.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return if bytes.is_empty() { Ok(0) } else { self.stream.write(bytes) };
        };
        let taken = tls.writer().write(bytes)?;
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                written => written?,
            };
        }
        Ok(taken)
    }

    /// Whether something is sealed and not written.
    fn has_more(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    fn take(&mut self, mut bytes: &[u8], now: Duration, tally: &mut Tally) {
        if !self.carry.is_empty() {
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.carry.extend_from_slice(bytes);
                return;
            };
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(&bytes[..end]);
            self.line(&line, now, tally);
            bytes = &bytes[end + 1..];
        }
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line(&bytes[..end], now, tally);
            bytes = &bytes[end + 1..];
        }
        self.carry.extend_from_slice(bytes);
    }

    fn line(&mut self, line: &[u8], now: Duration, tally: &mut Tally) {
        let Some((number, sent)) = head(line) else {
            // Presence, or the welcome.
            tally.welcomed += usize::from(line.windows(9).any(|window| window == b"\"welcome\""));
            return;
        };
        tally.deliveries += 1;
        if number != self.expected {
            tally.faults += 1;
        }
        self.expected = number + 1;
        if tally.keep_latencies {
            tally.latencies.push(now.saturating_sub(sent));
        }
    }
}

/// Number and time of a message; `None` for other lines.
fn head(line: &[u8]) -> Option<(u32, Duration)> {
    let start = line.iter().position(|byte| *byte == b'~')?;
    let head = line.get(start..start + HEAD_BYTES)?;
    let hex = |bytes: &[u8]| u64::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok();
    Some((hex(&head[1..9])? as u32, Duration::from_nanos(hex(&head[10..26])?)))
}
