//! A raw connection that may break at any moment, which is no failure here: a program's, or a browser's.

use super::super::browser::{WebKey, WebStream, broken, enter, origin};
use super::super::tls::{self, Key};
use rustls::StreamOwned;
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::Message;
use tungstenite::protocol::WebSocket;

/// Longest wait for a server that may be cut off.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// Longest wait for a socket that takes nothing, and for an answer to an upgrade.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

pub struct Line {
    wire: Wire,
    unread: Vec<u8>,
}

/// How packets travel.
enum Wire {
    Lines(WebStream),
    Messages(Box<WebSocket<WebStream>>),
}

impl Line {
    /// A program's, with TLS if there is a key.
    pub fn open(address: SocketAddr, key: Option<&Key>) -> io::Result<Self> {
        let wire = connect(address, || key.map(|key| tls::client(Some(key))))?;
        Ok(Self { wire: Wire::Lines(wire), unread: Vec::new() })
    }

    /// A browser's, over https if there is a key.
    pub fn browse(address: SocketAddr, key: Option<&Key>) -> io::Result<Self> {
        let (socket, challenge) = enter(connect(address, || key.map(|_| tls::browser()))?, address)?;
        let mut line = Self { wire: Wire::Messages(Box::new(socket)), unread: Vec::new() };
        line.send(&match key {
            Some(key) => WebKey::of(key.pair()).proof(&challenge, &origin(address, true)),
            None => json!({"type": "guest"}),
        })?;
        Ok(line)
    }

    pub fn send(&mut self, packet: &Value) -> io::Result<()> {
        let frame = format!("{packet}\n");
        // A handshake reads, too.
        self.socket().set_read_timeout(Some(WRITE_DEADLINE))?;
        match &mut self.wire {
            Wire::Lines(stream) => stream.write_all(frame.as_bytes()),
            Wire::Messages(socket) => socket.send(Message::text(frame)).map_err(broken),
        }
    }

    /// What comes within that time; nothing is no error, the end is one.
    pub fn read(&mut self, wait: Duration) -> io::Result<Vec<Value>> {
        self.socket().set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let read = match &mut self.wire {
            Wire::Lines(stream) => {
                let mut buffer = [0; 65536];
                stream.read(&mut buffer).map(|length| buffer[..length].to_vec())
            }
            Wire::Messages(socket) => match socket.read().map_err(broken) {
                Ok(Message::Text(text)) => Ok(text.as_bytes().to_vec()),
                Ok(_) => return Ok(Vec::new()),
                Err(error) => Err(error),
            },
        };
        match read {
            Ok(bytes) if bytes.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => Ok(self.take(&bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.wire {
            Wire::Lines(stream) => stream.socket(),
            Wire::Messages(socket) => socket.get_ref().socket(),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.unread.extend_from_slice(bytes);
        let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.unread.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a packet, however the wire split it")).collect()
    }
}

fn connect(
    address: SocketAddr,
    tls: impl FnOnce() -> Option<rustls::ClientConnection>,
) -> io::Result<WebStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT_DEADLINE)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_DEADLINE))?;
    stream.set_read_timeout(Some(WRITE_DEADLINE))?;
    Ok(match tls() {
        Some(tls) => WebStream::Tls(Box::new(StreamOwned::new(tls, stream))),
        None => WebStream::Plain(stream),
    })
}
