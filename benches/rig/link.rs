//! One connection of a client: a socket that never waits, encrypted or not, cut into lines.

use super::web::{self, Web};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::ClientConnection;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Receive buffer and segment size as on a LAN, where loopback would swallow megabytes, in bytes.
const LAN_RECEIVE_BUFFER: usize = 32 * 1024;
const LAN_SEGMENT: u32 = 1460;

/// How a connection is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Route {
    /// Another address of loopback to come from: one has 28,000 ports.
    pub from: Option<Ipv4Addr>,
    /// Whether the kernel buffers as little as for a peer on a LAN.
    pub lan: bool,
}

/// The buffers that all connections read into.
pub struct Buffers {
    raw: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { raw: vec![0; 256 * 1024], plain: vec![0; 64 * 1024] }
    }
}

/// See the module. Closed with a reset, so that no port stays taken.
pub struct Link {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    web: Option<Box<Web>>,
    /// The beginning of a line.
    carry: Vec<u8>,
    /// Data that the socket has not accepted yet.
    out: Vec<u8>,
}

impl Link {
    /// Begins to connect; the socket is writable when that is done.
    pub fn open(address: SocketAddr, route: Route, tls: Option<Box<ClientConnection>>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_linger(Some(Duration::ZERO))?;
        if route.lan {
            socket.set_recv_buffer_size(LAN_RECEIVE_BUFFER)?;
            socket.set_tcp_mss(LAN_SEGMENT)?;
        }
        if let Some(from) = route.from {
            socket.bind(&SocketAddr::from((from, 0)).into())?;
        }
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => Err(error),
            _ => {
                let stream = TcpStream::from_std(socket.into());
                Ok(Self { stream, tls, web: None, carry: Vec::new(), out: Vec::new() })
            }
        }
    }

    /// Has its events told under this number.
    pub fn watch(&mut self, registry: &Registry, number: usize) -> io::Result<()> {
        registry.register(&mut self.stream, Token(number), Interest::READABLE | Interest::WRITABLE)
    }

    /// Will be closed in good order, behind all that was sent, and not with a reset.
    pub fn part(&mut self) -> io::Result<()> {
        socket2::SockRef::from(&self.stream).set_linger(None)
    }

    /// Has none told any more.
    pub fn ignore(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    /// Why it could not connect, if it could not.
    pub fn refusal(&self) -> Option<io::Error> {
        self.stream.take_error().ok().flatten()
    }

    /// Is a browser's from now on.
    pub fn speak(&mut self, web: Web) {
        self.web = Some(Box::new(web));
    }

    /// Sends this in the connection's own frames, at once or when the socket takes it.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.web.is_some() && !bytes.is_empty() {
            return self.send_raw(&web::frame(bytes));
        }
        self.send_raw(bytes)
    }

    /// Sends this as it is.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes)?,
            None => self.out.extend_from_slice(bytes),
        }
        self.flush()
    }

    /// Writes what the socket takes.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            tls.write_tls(&mut self.out)?;
        }
        let mut done = 0;
        let result = loop {
            if done == self.out.len() {
                break Ok(());
            }
            match self.stream.write(&self.out[done..]) {
                Ok(length) => done += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.out.drain(..done);
        if self.out.is_empty() {
            // Thousands of idle clients keep none.
            self.out = Vec::new();
        }
        result
    }

    /// Whether the socket has not taken all yet.
    pub fn is_behind(&self) -> bool {
        !self.out.is_empty()
    }

    /// Reads what there is, to the end of the stream if that has `ended`. Returns the bytes read and
    /// whether the connection goes on.
    pub fn read(
        &mut self,
        buffers: &mut Buffers,
        ended: bool,
        mut on_line: impl FnMut(&[u8]),
    ) -> (usize, bool) {
        let mut total = 0;
        loop {
            let length = match self.stream.read(&mut buffers.raw) {
                Ok(0) => return (total, false),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return (total, true),
                Err(_) => return (total, false),
            };
            total += length;
            let raw = &buffers.raw[..length];
            if self.tls.is_none() {
                let answer = take(self.web.as_deref_mut(), &mut self.carry, raw, &mut on_line);
                if answer.is_some_and(|answer| self.send_raw(&answer).is_err()) {
                    return (total, false);
                }
            } else if self.unseal(raw, &mut buffers.plain, &mut on_line).is_err() {
                return (total, false);
            }
            if length < buffers.raw.len() && !ended {
                return (total, true);
            }
        }
    }

    fn unseal(
        &mut self,
        mut bytes: &[u8],
        plain: &mut [u8],
        on_line: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut answer = None;
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes)?;
            tls.process_new_packets().map_err(io::Error::other)?;
            loop {
                match tls.reader().read(plain) {
                    // The peer said that nothing more comes; its socket says so too.
                    Ok(0) => return Ok(()),
                    Ok(length) => {
                        let plain = &plain[..length];
                        answer = answer.or(take(self.web.as_deref_mut(), &mut self.carry, plain, on_line));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        if let Some(answer) = answer {
            return self.send_raw(&answer);
        }
        if self.tls.as_ref().is_some_and(|tls| tls.wants_write()) { self.flush() } else { Ok(()) }
    }
}

/// Cuts what came into lines. Returns what a browser answers.
fn take(
    web: Option<&mut Web>,
    carry: &mut Vec<u8>,
    bytes: &[u8],
    on_line: &mut impl FnMut(&[u8]),
) -> Option<Vec<u8>> {
    match web {
        Some(web) => web.open(bytes, |content| cut(carry, content, on_line)),
        None => {
            cut(carry, bytes, on_line);
            None
        }
    }
}

fn cut(carry: &mut Vec<u8>, mut bytes: &[u8], on_line: &mut impl FnMut(&[u8])) {
    while let Some(end) = memchr::memchr(b'\n', bytes) {
        if carry.is_empty() {
            on_line(&bytes[..end]);
        } else {
            let mut line = std::mem::take(carry);
            line.extend_from_slice(&bytes[..end]);
            on_line(&line);
        }
        bytes = &bytes[end + 1..];
    }
    carry.extend_from_slice(bytes);
}
