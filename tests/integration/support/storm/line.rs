//! A raw connection that may break at any moment, which is no failure here.

use super::super::tls::{self, Key};
use rustls::ClientConnection;
use serde_json::Value;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a socket that takes nothing.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

pub struct Line {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    unread: Vec<u8>,
}

impl Line {
    /// With TLS if there is a key.
    pub fn open(address: SocketAddr, key: Option<&Key>) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_DEADLINE))?;
        let tls = key.map(|key| Box::new(tls::client(Some(key))));
        Ok(Self { stream, tls, unread: Vec::new() })
    }

    pub fn send(&mut self, packet: &Value) -> io::Result<()> {
        let frame = format!("{packet}\n");
        match &mut self.tls {
            None => self.stream.write_all(frame.as_bytes()),
            Some(tls) => {
                // The handshake reads, too.
                self.stream.set_read_timeout(Some(WRITE_DEADLINE))?;
                rustls::Stream::new(tls.as_mut(), &mut self.stream).write_all(frame.as_bytes())
            }
        }
    }

    /// What comes within that time; nothing is no error, the end is one.
    pub fn read(&mut self, wait: Duration) -> io::Result<Vec<Value>> {
        self.stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let mut buffer = [0; 65536];
        let read = match &mut self.tls {
            None => self.stream.read(&mut buffer),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut buffer),
        };
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => Ok(self.take(&buffer[..length])),
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

    fn take(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.unread.extend_from_slice(bytes);
        let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.unread.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a packet, however the wire split it")).collect()
    }
}
