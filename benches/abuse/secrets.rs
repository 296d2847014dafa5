//! Guesses at a closed server's passphrase.

use crate::lan::{Host, Lan};
use crate::program::Row;
use crate::stage::{Stage, addresses, near_addresses};
use crate::tls::{self, Key};
use lanchat::fingerprint::Fingerprint;
use lanchat::protocol::binary;
use lanchat::security::{Binding, Keypair, PakeResponse, Passphrase};
use lanchat::server::{KEY_FILE, PASSPHRASE_FILE};
use rustls::Stream;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

const GUESSES: usize = 10_000;

/// An attack ends after this, however many guesses are left.
const TIME: Duration = Duration::from_secs(60);

/// Promised: guesses of one address, and of all, in `minutes`. A bucket that is full at the start adds
/// one minute's.
fn bound(each: f64, minutes: f64) -> f64 {
    each * (minutes + 1.0)
}

pub fn of_one(lan: &Lan) -> Vec<Row> {
    attack(lan, 0, 5.0)
}

pub fn of_many(lan: &Lan) -> Vec<Row> {
    attack(lan, 199, 60.0)
}

/// Tries begun and broken off, five from each of 14 addresses of a network: newcomers still get theirs.
pub fn of_neighbours(lan: &Lan) -> Vec<Row> {
    let stage = Stage::new(lan, &["--closed"]);
    let (attacker, near, far) = (lan.host(), lan.host(), lan.host());
    let from = near_addresses(&attacker, 14);
    let key = Keypair::load(&stage.files.path().join(KEY_FILE)).unwrap().fingerprint();
    let right = Passphrase::read(&stage.files.path().join(PASSPHRASE_FILE)).unwrap();
    let begun = attacker.run(|| {
        let asks = from.iter().flat_map(|from| (0..5).map(|_| begin(&stage, *from)));
        asks.filter(Option::is_some).count()
    });
    let comes = |host: &Host, from: IpAddr| {
        host.run(|| matches!(attempt(&stage, from, &Key::new(), &key, &right), Outcome::In))
    };
    let (near, far) = (comes(&near, near.v6().into()), comes(&far, far.v4().into()));
    vec![
        Row::at_most("tries that the attacker began", begun as f64, 30.0, ""),
        Row::so("a newcomer of the same network comes in", near.to_string(), near),
        Row::so("a newcomer of another network comes in", far.to_string(), far),
    ]
}

/// Whether the server asks for the passphrase.
fn begin(stage: &Stage, from: IpAddr) -> Option<()> {
    let mut stream = stage.connect_from(from).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut tls = tls::client(Some(&Key::new()));
    let mut wire = BufReader::new(Stream::new(&mut tls, &mut stream));
    say(&mut wire, &json!({"type": "hello", "from": {"name": "eve"}, "to": "server", "msg": ""}))?;
    (hear(&mut wire)?["type"] == "pake").then_some(())
}

/// The result of an attempt.
enum Outcome {
    /// The server has judged a guess.
    Judged,
    /// The server wanted no guess.
    Refused,
    /// In.
    In,
}

fn attack(lan: &Lan, further: u8, each: f64) -> Vec<Row> {
    let stage = Stage::new(lan, &["--closed"]);
    let (attacker, friend) = (lan.host(), lan.host());
    let from = addresses(&attacker, further);
    let key = Keypair::load(&stage.files.path().join(KEY_FILE)).unwrap().fingerprint();
    let right = Passphrase::read(&stage.files.path().join(PASSPHRASE_FILE)).unwrap();
    let member = Key::new();
    let joined = friend.run(|| attempt(&stage, friend.v4().into(), &member, &key, &right));
    let start = Instant::now();
    let (mut tried, mut judged, mut inside) = (0, 0, 0);
    let mut still_in = true;
    attacker.run(|| {
        let own = Key::new();
        while tried < GUESSES && start.elapsed() < TIME {
            let guess = Passphrase::new(&format!("a guess, number {tried}")).unwrap();
            match attempt(&stage, from[tried % from.len()], &own, &key, &guess) {
                Outcome::Judged => judged += 1,
                Outcome::In => inside += 1,
                Outcome::Refused => {}
            }
            tried += 1;
            // Seldom enough for the pace of comings.
            if tried % 2500 == 0 {
                still_in &= is_let_in(&stage, &friend, &member, &key, &right);
            }
        }
    });
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    still_in &= is_let_in(&stage, &friend, &member, &key, &right);
    vec![
        Row::so("attempts", format!("{tried} in {:.0} s", minutes * 60.0), matches!(joined, Outcome::In)),
        Row::at_most("guesses that the server judged", f64::from(judged), bound(each, minutes), ""),
        Row::at_most("guesses that were let in", f64::from(inside), 0.0, ""),
        Row::so("a member comes and goes meanwhile", format!("{still_in}"), still_in),
        Row::at_most("memory of the server above its start", stage.grown(), 64.0, "MiB"),
    ]
}

fn is_let_in(stage: &Stage, friend: &Host, member: &Key, key: &Fingerprint, right: &Passphrase) -> bool {
    friend.run(|| matches!(attempt(stage, friend.v4().into(), member, key, right), Outcome::In))
}

fn attempt(stage: &Stage, from: IpAddr, own: &Key, server: &Fingerprint, guess: &Passphrase) -> Outcome {
    try_attempt(stage, from, own, server, guess).unwrap_or(Outcome::Refused)
}

/// One connection. `None`: it is cut off.
fn try_attempt(
    stage: &Stage,
    from: IpAddr,
    own: &Key,
    server: &Fingerprint,
    guess: &Passphrase,
) -> Option<Outcome> {
    let mut stream = stage.connect_from(from).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut tls = tls::client(Some(own));
    let mut wire = BufReader::new(Stream::new(&mut tls, &mut stream));
    say(&mut wire, &json!({"type": "hello", "from": {"name": "eve"}, "to": "server", "msg": ""}))?;
    let question = hear(&mut wire)?;
    match question["type"].as_str() {
        Some("welcome") => return Some(Outcome::In),
        Some("pake") => {}
        _ => return Some(Outcome::Refused),
    }
    let element = binary::from_text(question["pake"].as_str()?)?;
    let binding = Binding::new(server, Some(&own.fingerprint()));
    let answer = PakeResponse::new(guess, binding, &element).ok()?;
    let (pake, mac) = (binary::to_text(answer.element()), binary::to_text(answer.mac()));
    say(&mut wire, &json!({"type": "pake", "to": "server", "pake": pake, "mac": mac}))?;
    match hear(&mut wire)?["type"].as_str() {
        Some("pake_ok") => Some(Outcome::In),
        _ => Some(Outcome::Judged),
    }
}

fn say<S: std::io::Read + Write>(wire: &mut BufReader<S>, packet: &Value) -> Option<()> {
    let wire = wire.get_mut();
    wire.write_all(format!("{packet}\n").as_bytes()).and_then(|()| wire.flush()).ok()
}

fn hear(wire: &mut impl BufRead) -> Option<Value> {
    let mut line = String::new();
    wire.read_line(&mut line).ok().filter(|length| *length > 0)?;
    serde_json::from_str(&line).ok()
}
