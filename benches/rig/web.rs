//! A browser's side of a connection: the upgrade, its identity, and frames of WebSocket.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::PublicKeyData as _;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;

/// The key of a browser, with which it signs.
#[derive(Debug)]
pub struct WebKey {
    pair: EcdsaKeyPair,
    /// In base64.
    public: String,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Web {
    frames: Frames,
    /// Until the server knows who it is.
    entry: Option<Box<Entry>>,
}

/// What the door needs.
#[derive(Debug)]
struct Entry {
    origin: String,
    /// `None`: a guest.
    key: Option<Arc<WebKey>>,
    hello: String,
    /// The head of the answer, then the challenge.
    came: Vec<u8>,
    is_up: bool,
}

/// Takes frames apart: of a server, or of [`frame`].
#[derive(Debug, Default)]
pub struct Frames {
    head: [u8; 14],
    head_bytes: usize,
    missing: u64,
}

impl WebKey {
    pub fn new() -> Result<Self> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let (der, algorithm) = (key.serialize_der(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new()).ok().context("a key")?;
        Ok(Self { pair, public: STANDARD.encode(key.subject_public_key_info()) })
    }

    fn sign(&self, text: &str) -> String {
        // The system has random numbers.
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        signature.map(|signature| STANDARD.encode(signature)).unwrap_or_default()
    }
}

impl Web {
    /// One that asks for the upgrade first, and says hello when it is in. Returns what it asks.
    pub fn enter(
        server: SocketAddr,
        key: Option<Arc<WebKey>>,
        over_tls: bool,
        hello: String,
    ) -> (Self, String) {
        let origin = format!("{}://{server}", if over_tls { "https" } else { "http" });
        let request = format!(
            "GET /chat HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Origin: {origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: lanchat\r\n\r\n"
        );
        let entry = Entry { origin, key, hello, came: Vec::new(), is_up: false };
        (Self { frames: Frames::default(), entry: Some(Box::new(entry)) }, request)
    }

    /// Takes the content out of what came. Returns what to answer.
    pub fn open(&mut self, bytes: &[u8], mut on_content: impl FnMut(&[u8])) -> Option<Vec<u8>> {
        let Some(entry) = &mut self.entry else {
            self.frames.open(bytes, on_content);
            return None;
        };
        let mut rest = bytes;
        let came;
        if !entry.is_up {
            entry.came.extend_from_slice(bytes);
            let end = memchr::memmem::find(&entry.came, b"\r\n\r\n")? + 4;
            came = entry.came.split_off(end);
            if !entry.came.starts_with(b"HTTP/1.1 101 ") {
                // Whoever counts the errors sees it.
                on_content(b"{\"type\":\"error\",\"msg\":\"no upgrade\"}\n");
                return None;
            }
            (entry.is_up, rest) = (true, &came);
            entry.came.clear();
        }
        let mut kept = std::mem::take(&mut entry.came);
        self.frames.open(rest, |content| kept.extend_from_slice(content));
        entry.came = kept;
        let line = entry.came.strip_suffix(b"\n")?;
        let answer = entry.answer(&serde_json::from_slice(line).unwrap_or_default());
        self.entry = None;
        Some(frame(answer.as_bytes()))
    }
}

impl Entry {
    fn answer(&self, challenge: &Value) -> String {
        let Some(key) = &self.key else { return format!("{{\"type\":\"guest\"}}\n{}", self.hello) };
        let part = |name: &str| challenge[name].as_str().unwrap_or_default();
        let signature =
            key.sign(&format!("lanchat/web/1\n{}\n{}\n{}", part("id"), part("nonce"), self.origin));
        let public = &key.public;
        format!("{{\"type\":\"proof\",\"key\":\"{public}\",\"sig\":\"{signature}\"}}\n{}", self.hello)
    }
}

impl Frames {
    /// Hands on the content of what came, in pieces.
    pub fn open(&mut self, mut bytes: &[u8], mut on_content: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.missing == 0 {
                // The shortest header first; it says how long it is.
                let wanted = if self.head_bytes < 2 { 2 } else { self.head_length() };
                let now = (wanted - self.head_bytes).min(bytes.len());
                self.head[self.head_bytes..self.head_bytes + now].copy_from_slice(&bytes[..now]);
                (self.head_bytes, bytes) = (self.head_bytes + now, &bytes[now..]);
                if self.head_bytes >= 2 && self.head_bytes == self.head_length() {
                    (self.missing, self.head_bytes) = (self.content_length(), 0);
                }
                continue;
            }
            let now = usize::try_from(self.missing).map_or(bytes.len(), |missing| missing.min(bytes.len()));
            // Text alone has lines.
            if self.head[0] & 0x0f < 8 {
                on_content(&bytes[..now]);
            }
            (self.missing, bytes) = (self.missing - now as u64, &bytes[now..]);
        }
    }

    fn head_length(&self) -> usize {
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        mask + match self.head[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }

    fn content_length(&self) -> u64 {
        match self.head[1] & 0x7f {
            126 => u16::from_be_bytes([self.head[2], self.head[3]]).into(),
            127 => self.head[2..10].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            short => short.into(),
        }
    }
}

/// A client's message. Its mask is 0, which costs the server the same and a client nothing.
pub fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = header(content.len(), 0x80);
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(content);
    frame
}

/// The header of a text message; `mask`: the bit of a client's.
pub fn header(length: usize, mask: u8) -> Vec<u8> {
    match u16::try_from(length) {
        Ok(length) if length < 126 => vec![0x81, mask | length.to_be_bytes()[1]],
        Ok(length) => [&[0x81, mask | 126][..], &length.to_be_bytes()].concat(),
        Err(_) => [&[0x81, mask | 127][..], &(length as u64).to_be_bytes()].concat(),
    }
}
