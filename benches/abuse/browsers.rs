//! Harm that a browser, or a program that says it is one, may try on a server for browsers.

use crate::connections::{Attack, attack, half};
use crate::lan::Lan;
use crate::program::Row;
use crate::tls;

pub const SERVER: &[&str] = &["--allow-plaintext", "--web=plaintext"];

/// Promised: how long the server may take to end all of them, in s: 10 s for a head or an identity.
const GONE: f64 = 16.0;

/// The same of a handshake.
const GONE_HALF: f64 = 13.0;

/// The same of a message that never ends: 30 s, and the flood itself.
const GONE_ENDLESS: f64 = 45.0;

/// Promised: CPU for 60 floods of pings, in percent of a core.
const PINGS_CPU: f64 = 25.0;

/// Frames that a connection sends together in a flood.
const FRAMES: usize = 2000;

/// Bytes of a long request.
const LONG: usize = 20_000_000;

pub fn upgrades(lan: &Lan) -> Vec<Row> {
    attack(lan, &from_many(10_000, upgrade("http://192.0.2.1")))
}

pub fn slow_heads(lan: &Lan) -> Vec<Row> {
    attack(lan, &from_many(2000, b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nX-Slow: ".to_vec()))
}

/// The pages of another site.
pub fn cross_site(lan: &Lan) -> Vec<Row> {
    let attack_of_site = from_many(10_000, upgrade("http://elsewhere.example"));
    attack(lan, &Attack { agreed: Some(0), ..attack_of_site })
}

pub fn half_https(lan: &Lan) -> Vec<Row> {
    attack(lan, &Attack { gone: Some(GONE_HALF), ..from_many(10_000, half(tls::browser())) })
}

/// A guest, then a frame that is not masked.
pub fn broken_frames(lan: &Lan) -> Vec<Row> {
    attack(lan, &from_many(2000, [entry(), vec![0x81, 2, b'{', b'}']].concat()))
}

/// Each sends as many pings as the server reads, and reads no answer.
pub fn pings(lan: &Lan) -> Vec<Row> {
    let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
    attack(lan, &Attack { cpu: Some(PINGS_CPU), ..flood_of(&[], &ping, None) })
}

/// A message in fragments without content, of which none is the last.
pub fn endless(lan: &Lan) -> Vec<Row> {
    attack(lan, &flood_of(&[0x01, 0x80, 0, 0, 0, 0], &[0x00, 0x80, 0, 0, 0, 0], Some(GONE_ENDLESS)))
}

/// The same with a byte in each.
pub fn single_bytes(lan: &Lan) -> Vec<Row> {
    let (first, next) = ([0x01, 0x81, 0, 0, 0, 0, b' '], [0x00, 0x81, 0, 0, 0, 0, b' ']);
    attack(lan, &flood_of(&first, &next, Some(GONE_ENDLESS)))
}

pub fn long_heads(lan: &Lan) -> Vec<Row> {
    long(lan, "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nX-Long: ")
}

pub fn long_bodies(lan: &Lan) -> Vec<Row> {
    long(lan, &format!("POST / HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: {LONG}\r\n\r\n"))
}

fn long(lan: &Lan, start: &str) -> Vec<Row> {
    attack(lan, &from_many(200, [start.as_bytes(), &vec![b'x'; LONG]].concat()))
}

/// Guests with that first frame, and then others without end.
fn flood_of(first: &[u8], frame: &[u8], gone: Option<f64>) -> Attack {
    let said = [&entry()[..], first].concat();
    Attack { gone, flood: frame.repeat(FRAMES), ..from_many(60, said) }
}

fn from_many(connections: usize, said: Vec<u8>) -> Attack {
    let (gone, flood) = (Some(GONE), Vec::new());
    Attack { args: SERVER, connections, further: 63, said, flood, gone, agreed: None, cpu: None }
}

/// A request of a page of that origin. The host is an address, as the server demands.
fn upgrade(origin: &str) -> Vec<u8> {
    format!(
        "GET /chat HTTP/1.1\r\nHost: 192.0.2.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Origin: {origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: lanchat\r\n\r\n"
    )
    .into_bytes()
}

/// A guest's way in.
fn entry() -> Vec<u8> {
    let line = b"{\"type\":\"guest\"}\n";
    let head = [0x81, 0x80 | line.len() as u8, 0, 0, 0, 0];
    [&upgrade("http://192.0.2.1")[..], &head, line].concat()
}
