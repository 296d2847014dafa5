//! A raw client with an encoder and a decoder of its own, so that faults of ours can't cancel out.

use super::tls::{self, Key};
use rustls::ClientConnection;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long anything may take here. Generous: it only bounds a failure.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Peer {
    pub stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    unread: Vec<u8>,
    packets: VecDeque<Value>,
}

impl Peer {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self { stream, tls: None, unread: Vec::new(), packets: VecDeque::new() }
    }

    /// Connected with TLS, and with that key if any; nothing is said yet.
    pub fn connect_tls(address: SocketAddr, key: Option<&Key>) -> Self {
        Self { tls: Some(Box::new(tls::client(key))), ..Self::connect(address) }
    }

    /// The same over a connection that is there.
    pub fn over_tls(stream: TcpStream, key: Option<&Key>) -> Self {
        let tls = Some(Box::new(tls::client(key)));
        Self { stream, tls, unread: Vec::new(), packets: VecDeque::new() }
    }

    /// Connected with TLS and that key, registered and welcomed.
    pub fn join_with(address: SocketAddr, name: &str, key: &Key) -> Self {
        let mut peer = Self::connect_tls(address, Some(key));
        let welcome = peer.hello(json!({"from": {"name": name}}));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        peer
    }

    /// Connected, registered and welcomed.
    pub fn join(address: SocketAddr, name: &str) -> Self {
        let mut peer = Self::connect(address);
        let welcome = peer.hello(json!({"from": {"name": name}}));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        peer
    }

    /// Says hello with these members and returns the answer.
    pub fn hello(&mut self, members: Value) -> Value {
        let mut packet = json!({"type": "hello", "v": 1, "to": "server", "msg": ""});
        for (key, value) in members.as_object().expect("members") {
            packet[key] = value.clone();
        }
        self.send(packet);
        self.next()
    }

    pub fn send(&mut self, packet: Value) {
        self.send_raw(format!("{packet}\n").as_bytes());
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).write_all(bytes),
        }
        .expect("the server reads");
    }

    pub fn say(&mut self, to: &str, msg: &str) {
        self.send(json!({"to": to, "msg": msg}));
    }

    /// The next packet, whatever it is.
    pub fn next(&mut self) -> Value {
        self.read_packet(Instant::now() + DEADLINE)
            .unwrap_or_else(|| panic!("the server closed the connection"))
    }

    /// The next packet of that type; others are passed over.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        self.wait_until(|packet| packet["type"] == kind)
    }

    pub fn wait_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let packet =
                self.read_packet(deadline).unwrap_or_else(|| panic!("closed before the packet came"));
            if wanted(&packet) {
                return packet;
            }
        }
    }

    /// Waits until the coming of `name` is told: who leaves before was never there.
    pub fn sees_join(&mut self, name: &str) {
        self.wait_until(|packet| {
            packet["type"] == "joined"
                && packet["names"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
        });
    }

    /// The next chat's text; presence is passed over.
    pub fn text(&mut self) -> String {
        self.wait_for("chat")["msg"].as_str().expect("a text").to_owned()
    }

    /// Everything up to the end of the connection.
    pub fn read_to_end(&mut self) -> Vec<Value> {
        let deadline = Instant::now() + DEADLINE;
        std::iter::from_fn(|| self.read_packet(deadline)).collect()
    }

    /// The answers to a ping show that all that was sent before has been dealt with; whatever
    /// came meanwhile is returned.
    pub fn settle(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping", "id": "settle", "to": "server"}));
        let mut before = Vec::new();
        loop {
            let packet = self.next();
            if packet["type"] == "pong" && packet["id"] == "settle" {
                return before;
            }
            before.push(packet);
        }
    }

    /// Says in TLS that nothing more is sent.
    pub fn end_tls(&mut self) {
        let tls = self.tls.as_mut().expect("a TLS connection");
        tls.send_close_notify();
        while tls.wants_write() {
            tls.write_tls(&mut self.stream).expect("the server reads");
        }
    }

    pub fn close_sending(&self) {
        self.stream.shutdown(Shutdown::Write).expect("an open connection");
    }

    fn read_packet(&mut self, deadline: Instant) -> Option<Value> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Some(packet);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no packet within {DEADLINE:?}");
            self.stream.set_read_timeout(Some(left)).expect("an option");
            let mut buffer = [0; 65536];
            let read = match &mut self.tls {
                None => self.stream.read(&mut buffer),
                Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut buffer),
            };
            match read {
                Ok(0) => {
                    assert!(self.unread.is_empty(), "the connection ended inside a packet");
                    return None;
                }
                Ok(length) => self.take(&buffer[..length]),
                // A signal's handler ran in this thread: the tests of terminals have some.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no packet within {DEADLINE:?}: {error}"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            assert!(line.len() <= 65_537, "a frame of {} bytes", line.len() - 1);
            let packet: Value = serde_json::from_slice(&line)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&line)));
            for member in ["from", "to", "msg"] {
                assert!(!packet[member].is_null(), "no {member:?} in {packet}");
            }
            self.packets.push_back(packet);
        }
    }
}
