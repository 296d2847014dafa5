//! A raw client for connections that carry files, and the steps that lead to one.

use super::peer::{DEADLINE, Peer};
use super::tls::{self, Key};
use rustls::ClientConnection;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

pub struct FilePeer {
    pub stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    unread: Vec<u8>,
}

/// Offers 12 bytes, and returns the offer's number.
pub fn offer(peer: &mut Peer, to: &str) -> u64 {
    offer_sized(peer, to, 12)
}

pub fn offer_sized(peer: &mut Peer, to: &str, size: u64) -> u64 {
    let file = json!({"name": "plan.pdf", "size": size, "id": "c1"});
    peer.send(json!({"type": "offer", "to": to, "file": file}));
    let offered = peer.wait_until(|packet| packet["type"] == "offered" || packet["type"] == "error");
    offered["offer"].as_u64().unwrap_or_else(|| panic!("{offered}"))
}

/// Accepts an offer, and returns the tokens of its sender and its receiver.
pub fn accept(sender: &mut Peer, receiver: &mut Peer, offer: u64) -> [String; 2] {
    receiver.send(json!({"type": "accept", "offer": offer}));
    let token = |packet: Value| packet["token"].as_str().unwrap_or_else(|| panic!("{packet}")).to_owned();
    let receives = receiver.wait_until(|packet| packet["type"] == "accepted" || packet["type"] == "error");
    let sends = sender.wait_until(|packet| packet["type"] == "accepted" && packet["offer"] == offer);
    assert_eq!((&sends["send"], &receives["send"]), (&json!(true), &Value::Null));
    [token(sends), token(receives)]
}

impl FilePeer {
    /// Connects, and presents a token; with that key, or in plaintext.
    pub fn open(address: SocketAddr, key: Option<&Key>, token: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        stream.set_write_timeout(Some(DEADLINE)).expect("an option");
        let tls = key.map(|key| Box::new(tls::client(Some(key))));
        let mut peer = Self { stream, tls, unread: Vec::new() };
        let hello = json!({
            "type": "hello", "v": 1, "mode": "file", "token": token, "from": {"name": "x"}, "to": "server", "msg": "",
        });
        peer.write(format!("{hello}\n").as_bytes());
        peer
    }

    /// Both sides of an accepted offer, connected.
    pub fn pair(address: SocketAddr, keys: [Option<&Key>; 2], tokens: &[String; 2]) -> [Self; 2] {
        let mut sides = [Self::open(address, keys[0], &tokens[0]), Self::open(address, keys[1], &tokens[1])];
        sides.iter_mut().for_each(Self::go);
        sides
    }

    /// Waits until both sides are connected.
    pub fn go(&mut self) {
        let line = self.line();
        assert_eq!(line["type"], "go", "{line}");
    }

    /// The next line, which is a packet.
    pub fn line(&mut self) -> Value {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return serde_json::from_slice(&line).expect("a packet");
            }
            assert!(self.read_some().expect("a line"), "ended before a line came");
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).expect("the server reads");
    }

    pub fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).write_all(bytes),
        }
    }

    /// Writes until the server takes nothing for a while. Returns how many bytes it wrote, of which some may need a
    /// [`Self::flush`].
    pub fn write_until_full(&mut self, chunk: &[u8]) -> usize {
        // TLS looks for something to read as well.
        let set = |stream: &TcpStream, time| {
            stream.set_write_timeout(Some(time)).and(stream.set_read_timeout(Some(time))).expect("an option");
        };
        set(&self.stream, Duration::from_millis(200));
        let mut sent = 0;
        while self.try_write(chunk).is_ok() {
            sent += chunk.len();
            assert!(sent < 256 << 20, "nothing stops the sender");
        }
        set(&self.stream, DEADLINE);
        sent
    }

    /// Sends what an attempt to write has left over.
    pub fn flush(&mut self) {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            tls.write_tls(&mut self.stream).expect("the server reads");
        }
    }

    /// Reads that many bytes.
    pub fn read(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            let length = self.unread.len();
            assert!(self.read_some().expect("bytes"), "ended after {length} of {count} bytes");
        }
        self.unread.drain(..count).collect()
    }

    /// Reads to the end; `false`: it was cut.
    pub fn read_to_end(&mut self) -> (Vec<u8>, bool) {
        loop {
            match self.read_some() {
                Ok(true) => {}
                Ok(false) => return (std::mem::take(&mut self.unread), true),
                Err(error) => {
                    assert!(error.kind() != ErrorKind::WouldBlock, "no end within {DEADLINE:?}");
                    return (std::mem::take(&mut self.unread), false);
                }
            }
        }
    }

    /// Says that nothing more follows.
    pub fn end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() {
                tls.write_tls(&mut self.stream).expect("the server reads");
            }
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// `false`: the end.
    fn read_some(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 65536];
        let length = match &mut self.tls {
            None => self.stream.read(&mut buffer),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut buffer),
        }?;
        self.unread.extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    }
}
