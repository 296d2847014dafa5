//! One hostile client: where it comes from, and its connections, which block.

use crate::rig::keys::Keys;
use rustls::{ClientConnection, Stream};
use socket2::{Domain, SockRef, Socket, Type};
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long one attack goes on, unless the server ends it.
const BOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether all is over.
const LOOK: Duration = Duration::from_millis(100);

/// How long anything may block.
const BLOCKED: Duration = Duration::from_millis(500);

/// See the module.
pub struct Foe {
    server: SocketAddr,
    pub number: usize,
    /// Addresses of honest people, the first of which ends in 2.
    honest: u8,
    from: Ipv4Addr,
    keys: Keys,
    is_over: Arc<AtomicBool>,
    begun: Cell<usize>,
}

/// A connection, encrypted or not. Whatever it reads is discarded.
pub struct Line {
    pub stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Foe {
    pub fn new(server: SocketAddr, number: usize, honest: u8, is_over: Arc<AtomicBool>) -> Self {
        // Not of those that honest people have; no more than one comes from each.
        let from = Ipv4Addr::new(127, 66, (number / 250) as u8, (number % 250) as u8 + 1);
        Self { server, number, honest, from, keys: Keys::default(), is_over, begun: Cell::new(0) }
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Waits so long, or until all is over.
    pub fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_over() && Instant::now() < end {
            std::thread::sleep(LOOK.min(end.saturating_duration_since(Instant::now())));
        }
    }

    /// Does something at that pace, until the attack has gone on for long enough.
    pub fn bout(&self, pace: Duration, mut act: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        let begun = Instant::now();
        for n in 0.. {
            if self.is_over() || begun.elapsed() > BOUT {
                break;
            }
            act(n)?;
            self.wait(pace);
        }
        Ok(())
    }

    /// How many connections it has begun: so that ways take turns.
    pub fn turn(&self) -> usize {
        self.begun.get()
    }

    /// An address of honest people.
    pub fn victims(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 0, 2 + (self.turn() % usize::from(self.honest)) as u8)
    }

    /// A connection on which nothing is said.
    pub fn connect(&self) -> io::Result<TcpStream> {
        self.begun.set(self.begun.get() + 1);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((self.from, 0)).into())?;
        socket.connect(&self.server.into())?;
        socket.set_tcp_nodelay(true)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(BLOCKED))?;
        stream.set_write_timeout(Some(BLOCKED))?;
        Ok(stream)
    }

    /// The first words of a handshake.
    pub fn client_hello(&self) -> io::Result<Vec<u8>> {
        let mut tls = self.keys.connection(0).map_err(io::Error::other)?;
        let mut hello = Vec::new();
        tls.write_tls(&mut hello)?;
        Ok(hello)
    }

    /// A user without a key, in plaintext.
    pub fn join(&self, name: &str) -> io::Result<Line> {
        self.hello(Line { stream: self.connect()?, tls: None }, name, "")
    }

    /// A user with this client's key.
    pub fn join_with(&self, key: usize, name: &str) -> io::Result<Line> {
        self.join_since(key, name, "")
    }

    /// The same, who says with further members of the hello what they have.
    pub fn join_since(&self, key: usize, name: &str, members: &str) -> io::Result<Line> {
        let tls = self.keys.connection(key).map_err(io::Error::other)?;
        self.hello(Line { stream: self.connect()?, tls: Some(tls) }, name, members)
    }

    fn hello(&self, mut line: Line, name: &str, members: &str) -> io::Result<Line> {
        let from = format!("{{\"name\":\"{name}\"}}");
        line.send(&format!(
            "{{\"type\":\"hello\",\"v\":1,\"from\":{from},\"to\":\"server\",\"msg\":\"\"{members}}}\n"
        ))?;
        // The welcome, or why there is none; then the server ends it.
        line.read(64 * 1024)?;
        Ok(line)
    }

    /// A name that nobody else has.
    pub fn name(&self, what: &str) -> String {
        format!("foe{}-{what}", self.number)
    }
}

impl Line {
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        match &mut self.tls {
            None => self.stream.write_all(text.as_bytes()),
            Some(tls) => Stream::new(tls.as_mut(), &mut self.stream).write_all(text.as_bytes()),
        }
    }

    /// Reads at most so much of what there is, waiting for something.
    pub fn read(&mut self, bytes: usize) -> io::Result<()> {
        let mut buffer = vec![0; bytes];
        let read = match &mut self.tls {
            None => self.stream.read(&mut buffer),
            Some(tls) => Stream::new(tls.as_mut(), &mut self.stream).read(&mut buffer),
        };
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes as little from the network as it can.
    pub fn narrow(&self) -> io::Result<()> {
        SockRef::from(&self.stream).set_recv_buffer_size(4096)
    }
}
