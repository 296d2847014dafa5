//! A browser as the server sees it: requests by hand, and WebSocket by another program's library.

use super::peer::DEADLINE;
use super::tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Error, Message};

/// A key that the browser signs with.
pub struct WebKey {
    pair: EcdsaKeyPair,
    spki: Vec<u8>,
}

impl WebKey {
    pub fn new() -> Self {
        Self::of(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key"))
    }

    /// The same key as one that another client has.
    pub fn of(key: &rcgen::KeyPair) -> Self {
        use rcgen::PublicKeyData as _;
        let der = key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new());
        Self { pair: pair.expect("a key"), spki: key.subject_public_key_info() }
    }

    pub fn fingerprint(&self) -> lanchat::fingerprint::Fingerprint {
        let hash = ring::digest::digest(&ring::digest::SHA256, &self.spki);
        lanchat::fingerprint::Fingerprint::new(hash.as_ref().try_into().expect("32 bytes"))
    }

    /// The packet that proves it, for a page of that origin.
    pub fn proof(&self, challenge: &Value, origin: &str) -> Value {
        let part = |name: &str| challenge[name].as_str().unwrap_or_else(|| panic!("{challenge}")).to_owned();
        let text = format!("lanchat/web/1\n{}\n{}\n{origin}", part("id"), part("nonce"));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        json!({"type": "proof", "key": STANDARD.encode(&self.spki), "sig": STANDARD.encode(signature)})
    }
}

/// A socket, perhaps in TLS.
pub enum WebStream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl WebStream {
    pub fn connect(address: SocketAddr, is_encrypted: bool) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        match is_encrypted {
            true => Self::Tls(Box::new(StreamOwned::new(tls::browser(), stream))),
            false => Self::Plain(stream),
        }
    }

    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The head of an answer.
    pub fn read_head(&mut self) -> String {
        self.try_read_head().expect("a head")
    }

    /// The same; the connection may break.
    pub fn try_read_head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.read_exact(&mut byte)?;
            head.extend(byte);
        }
        String::from_utf8(head).map_err(io::Error::other)
    }

    /// A whole answer to a request that keeps the connection.
    pub fn ask(&mut self, request: &str) -> (String, String) {
        self.write_all(request.as_bytes()).expect("the server reads");
        let head = self.read_head();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.unwrap_or_else(|| panic!("{head}")).parse().expect("a number");
        let mut body = vec![0; if request.starts_with("HEAD") { 0 } else { length }];
        self.read_exact(&mut body).expect("the body");
        (head, String::from_utf8(body).expect("text"))
    }
}

impl Read for WebStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for WebStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The origin of the server's own page.
pub fn origin(address: SocketAddr, is_encrypted: bool) -> String {
    format!("{}://{address}", if is_encrypted { "https" } else { "http" })
}

/// A request to go on as a WebSocket.
pub fn upgrade(address: SocketAddr, path: &str, origin: &str) -> String {
    let protocol = if path == "/file" { "lanchat-file" } else { "lanchat" };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Origin: {origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
}

/// Goes on as a WebSocket; also returns the server's challenge.
///
/// # Errors
/// The server did not agree, or the connection broke.
pub fn enter(mut stream: WebStream, address: SocketAddr) -> io::Result<(WebSocket<WebStream>, Value)> {
    let origin = origin(address, stream.is_encrypted());
    stream.write_all(upgrade(address, "/chat", &origin).as_bytes())?;
    let head = stream.try_read_head()?;
    if !head.starts_with("HTTP/1.1 101 ") {
        return Err(io::Error::other(head));
    }
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    let challenge = socket.read().and_then(Message::into_text).map_err(broken)?;
    Ok((socket, serde_json::from_str(&challenge)?))
}

/// The socket's error, if it was that.
pub fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A browser with a WebSocket.
pub struct Browser {
    pub socket: WebSocket<WebStream>,
    pub origin: String,
    /// Lines that came together.
    unread: VecDeque<Value>,
    /// How many messages came.
    pub messages: usize,
}

impl Browser {
    /// After the upgrade; also returns the server's challenge.
    pub fn open(address: SocketAddr, is_encrypted: bool, path: &str) -> (Self, Value) {
        let origin = origin(address, is_encrypted);
        let mut stream = WebStream::connect(address, is_encrypted);
        stream.write_all(upgrade(address, path, &origin).as_bytes()).expect("the server reads");
        let head = stream.read_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        assert!(!head.contains("Extensions"), "{head}");
        let socket = WebSocket::from_raw_socket(stream, Role::Client, None);
        let mut browser = Self { socket, origin, unread: VecDeque::new(), messages: 0 };
        let challenge = browser.next();
        assert_eq!(challenge["type"], "challenge");
        (browser, challenge)
    }

    /// Over HTTPS with that key; nothing is said yet.
    pub fn with_key(address: SocketAddr, path: &str, key: &WebKey) -> Self {
        let (mut browser, challenge) = Self::open(address, true, path);
        browser.send(key.proof(&challenge, &browser.origin.clone()));
        browser
    }

    /// Over plain HTTP, without a key; nothing is said yet.
    pub fn guest(address: SocketAddr, path: &str) -> Self {
        let (mut browser, _) = Self::open(address, false, path);
        browser.send(json!({"type": "guest"}));
        browser
    }

    pub fn join(mut self, name: &str) -> Self {
        self.send(json!({"type": "hello", "v": 1, "from": {"name": name}, "to": "server", "msg": ""}));
        let welcome = self.next();
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        self
    }

    pub fn send(&mut self, packet: Value) {
        self.send_text(&format!("{packet}\n"));
    }

    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("the server reads");
    }

    pub fn say(&mut self, to: &str, msg: &str) {
        self.send(json!({"to": to, "msg": msg}));
    }

    pub fn next(&mut self) -> Value {
        let deadline = Instant::now() + DEADLINE;
        while self.unread.is_empty() {
            assert!(Instant::now() < deadline, "no packet within {DEADLINE:?}");
            match self.socket.read().expect("a message") {
                Message::Text(text) => {
                    self.messages += 1;
                    assert!(text.ends_with('\n'), "{text}");
                    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a packet"));
                    self.unread.extend(lines.collect::<Vec<_>>());
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} instead of a packet"),
            }
        }
        self.unread.pop_front().expect("a packet")
    }

    pub fn wait_for(&mut self, kind: &str) -> Value {
        self.wait_until(|packet| packet["type"] == kind)
    }

    pub fn wait_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let packet = self.next();
            if wanted(&packet) {
                return packet;
            }
        }
    }

    /// The bytes of the next binary messages, that many.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            match self.socket.read().expect("a message") {
                Message::Binary(part) => bytes.extend_from_slice(&part),
                other => panic!("{other:?} instead of bytes"),
            }
        }
        assert_eq!(bytes.len(), count);
        bytes
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).expect("the server reads");
    }

    /// Reads up to the end. Returns the last packet and the close code.
    pub fn end(mut self) -> (Value, u16) {
        let mut last = self.unread.pop_back().unwrap_or_default();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    last = serde_json::from_str(text.lines().last().expect("a line")).expect("a packet");
                }
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    // Sends the answer, and reads to the end.
                    while self.socket.read().is_ok() {}
                    return (last, code);
                }
                Ok(_) => {}
                Err(Error::ConnectionClosed) => return (last, 1005),
                Err(error) => panic!("{error} instead of a close frame, after {last}"),
            }
        }
    }
}
