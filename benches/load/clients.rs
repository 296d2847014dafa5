//! The clients: all of them on one thread and one poll, so that they cost little themselves.
//!
//! Each message carries its number and the time it was sent. Each receiver expects every number
//! once and in order; anything else is counted as a fault.

use super::process::Kind;
use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
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
            Kind::Lanchat => self.peers.len() - 1,
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
            Kind::Lanchat => format!("{{\"to\":\"all\",\"msg\":\"{text}\"}}\n"),
        };
        self.next += 1;
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.peers[0].stream.write(rest) {
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
        if self.kind == Kind::Lanchat {
            let hello = format!(
                "{{\"type\":\"hello\",\"v\":1,\"from\":{{\"name\":\"user{n}\"}},\"to\":\"server\"}}\n"
            );
            blocking.write_all(hello.as_bytes())?;
        }
        blocking.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(blocking);
        self.poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
        self.peers.push(Peer { stream, carry: Vec::new(), expected: self.next });
        Ok(())
    }
}

impl Peer {
    /// Whether the connection is still there.
    fn read(&mut self, buffer: &mut [u8], now: Duration, tally: &mut Tally) -> bool {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(length) => {
                    self.take(&buffer[..length], now, tally);
                    if length < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
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
