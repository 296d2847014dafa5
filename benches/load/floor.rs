//! The floor: a relay on raw epoll that passes every line on to all, one write a receiver and turn,
//! and does nothing else. No chat server can cost less.
//!
//! With TLS each receiver has the library's own connection: what is sealed can't be shared. With routes
//! it passes a line on only to those who joined what the line is addressed to (see [`turn`]). With frames of
//! WebSocket, what it writes is one message; it does without the upgrade.

use super::turn::{Routes, Turn};
use crate::rig::web::{self, Frames};
use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use rustls::{ServerConfig, ServerConnection};
use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The arguments that make this program the floor, with TLS, with routes, with frames of
/// WebSocket.
pub const FLAG: &str = "--floor-server";
pub const TLS: &str = "tls";
pub const ROUTES: &str = "routes";
pub const WEB: &str = "web";

/// No run is longer.
const MAX_LIFE: Duration = Duration::from_secs(1800);

/// The first line of a connection: the shortest possible login, so that an answer paces it as elsewhere.
const WELCOME: &[u8] = b"{\"type\":\"welcome\"}\n";

const LISTENER: Token = Token(usize::MAX);

/// Runs until it is killed.
pub fn serve(options: &[String]) -> ExitCode {
    let has = |option: &str| options.iter().any(|given| given == option);
    match Relay::new(has(TLS), has(ROUTES), has(WEB)).and_then(|mut relay| relay.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Relay {
    poll: Poll,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    web: bool,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    buffer: Vec<u8>,
    plain: Vec<u8>,
    turn: Turn,
}

struct Peer {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    frames: Option<Frames>,
    /// The beginning of a line.
    carry: Vec<u8>,
    /// Data that a full socket did not accept.
    backlog: Vec<u8>,
}

impl Relay {
    fn new(tls: bool, routes: bool, web: bool) -> Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        eprintln!("floor on {}", listener.local_addr()?);
        let tls = tls.then(config).transpose()?;
        let (buffer, plain) = (vec![0; 65_536], vec![0; if tls.is_some() { 65_536 } else { 0 }]);
        let turn = if routes { Turn::Routed(Routes::default()) } else { Turn::All(Vec::new()) };
        Ok(Self { poll, listener, tls, web, peers: Vec::new(), free: Vec::new(), buffer, plain, turn })
    }

    fn run(&mut self) -> Result<()> {
        let mut events = Events::with_capacity(256);
        let started = Instant::now();
        while started.elapsed() < MAX_LIFE {
            self.poll.poll(&mut events, Some(Duration::from_secs(10)))?;
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let Token(place) = event.token();
                let Some(Some(peer)) = self.peers.get_mut(place) else { continue };
                let written = if event.is_writable() { peer.drain() } else { Ok(()) };
                let read = written.and_then(|()| {
                    peer.read(&mut self.buffer, &mut self.plain, |lines| self.turn.take(place, lines))
                });
                if read.is_err() {
                    self.peers[place] = None;
                    self.free.push(place);
                    self.turn.forget(place);
                }
            }
            let (peers, web) = (&mut self.peers, self.web);
            self.turn.hand_out(
                peers.len(),
                |bytes| framed(web, bytes),
                |place, bytes| {
                    // An event reports a closed connection.
                    peers[place].as_mut().map(|peer| peer.write(bytes));
                },
            );
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let place = self.free.pop().unwrap_or(self.peers.len());
                    let mut peer = Peer::new(stream, self.tls.as_ref(), self.poll.registry(), place)?;
                    // With TLS it goes out with the handshake's end.
                    let _ = peer.write(&framed(self.web, WELCOME));
                    peer.frames = self.web.then(Frames::default);
                    if place == self.peers.len() {
                        self.peers.push(None);
                    }
                    self.peers[place] = Some(peer);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accept"),
            }
        }
    }
}

impl Peer {
    fn new(
        mut stream: TcpStream,
        tls: Option<&Arc<ServerConfig>>,
        registry: &Registry,
        place: usize,
    ) -> Result<Self> {
        stream.set_nodelay(true)?;
        registry.register(&mut stream, Token(place), Interest::READABLE | Interest::WRITABLE)?;
        let mut tls = tls.map(|config| ServerConnection::new(Arc::clone(config))).transpose()?.map(Box::new);
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
        }
        Ok(Self { stream, tls, frames: None, carry: Vec::new(), backlog: Vec::new() })
    }

    /// Adds the whole lines that came to the turn.
    fn read(&mut self, buffer: &mut [u8], plain: &mut [u8], mut take: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            match self.tls {
                None => self.take(&buffer[..length], &mut take),
                Some(_) => self.unseal(&buffer[..length], plain, &mut take)?,
            }
        }
    }

    fn unseal(&mut self, mut bytes: &[u8], plain: &mut [u8], mut take: impl FnMut(&[u8])) -> io::Result<()> {
        while let Some(tls) = self.tls.as_mut().filter(|_| !bytes.is_empty()) {
            tls.read_tls(&mut bytes)?;
            tls.process_new_packets().map_err(io::Error::other)?;
            if let Ok(length) = tls.reader().read(plain) {
                self.take(&plain[..length], &mut take);
            }
        }
        self.write(&[])
    }

    fn take(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let Some(mut frames) = self.frames.take() else { return self.cut(bytes, take) };
        frames.open(bytes, |content| self.cut(content, &mut take));
        self.frames = Some(frames);
    }

    fn cut(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let Some(mut end) = memchr::memrchr(b'\n', bytes).map(|end| end + 1) else {
            return self.carry.extend_from_slice(bytes);
        };
        if !self.carry.is_empty() {
            let first = memchr::memchr(b'\n', bytes).map_or(end, |first| first + 1);
            self.carry.extend_from_slice(&bytes[..first]);
            take(&std::mem::take(&mut self.carry));
            (bytes, end) = (&bytes[first..], end - first);
        }
        if end > 0 {
            take(&bytes[..end]);
        }
        self.carry.extend_from_slice(&bytes[end..]);
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let was_full = !self.backlog.is_empty();
        let Some(tls) = &mut self.tls else {
            let done = if was_full { 0 } else { write(&mut self.stream, bytes)? };
            self.backlog.extend_from_slice(&bytes[done..]);
            return Ok(());
        };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.backlog)?;
        }
        if was_full { Ok(()) } else { self.drain() }
    }

    fn drain(&mut self) -> io::Result<()> {
        let done = write(&mut self.stream, &self.backlog)?;
        self.backlog.drain(..done);
        if self.backlog.is_empty() {
            self.backlog = Vec::new();
        }
        Ok(())
    }
}

/// Writes what the socket takes.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match stream.write(&bytes[done..]) {
            Ok(length) => done += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Puts a header in front, if wanted.
fn framed(web: bool, bytes: &[u8]) -> Cow<'_, [u8]> {
    if web { Cow::Owned([&web::header(bytes.len(), 0), bytes].concat()) } else { Cow::Borrowed(bytes) }
}

/// As the server has it: TLS 1.3, the same cryptography, no resumption.
fn config() -> Result<Arc<ServerConfig>> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = rcgen::CertificateParams::new(vec!["floor".into()])?.self_signed(&pair)?;
    let key = pair.serialize_der().try_into().map_err(anyhow::Error::msg)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"lanchat/1".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
