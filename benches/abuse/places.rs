//! One person who wants all places.

use crate::lan::{Host, Lan};
use crate::peer::Peer;
use crate::program::Row;
use crate::stage::{LOOK, Stage, addresses, join_time, join_time_with, near_addresses};
use crate::tls::Key;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

const PLACES: usize = 2000;

/// How long a user may take to join during the attack, in ms. Machines are shared; being kept out would take
/// forever.
const JOIN: f64 = 5000.0;

/// One IPv4 address and 40 of a local IPv6 network: strangers still come in.
pub fn of_one_host(lan: &Lan) -> Vec<Row> {
    let stage = Stage::new(lan, &["--allow-plaintext", "--max-clients", &PLACES.to_string()]);
    let (attacker, newcomer, owner) = (lan.host(), lan.host(), lan.host());
    let key = Key::new();
    owner.run(|| drop(Peer::join_with(stage.address, "owner", &key)));
    let from: Vec<IpAddr> = [attacker.v4().into()].into_iter().chain(near_addresses(&attacker, 40)).collect();
    // By turns in which each takes what it gets: first the one, then the others.
    let mut held = attacker.run(|| take(&stage, &from[..1]));
    held.extend(attacker.run(|| take(&stage, &from[1..])));
    let joined = join_time(&newcomer, stage.address, "newcomer");
    vec![
        Row::so("places taken", format!("{} of {PLACES}", held.len()), held.len() > PLACES / 2),
        Row::at_most("an honest newcomer joins", joined.unwrap_or(f64::INFINITY), JOIN, "ms"),
        Row::at_most("somebody who owns a name joins", owner_joins(&stage, &owner, &key), JOIN, "ms"),
    ]
}

/// All that a server has which bounds no address, and knocking without end: owners of names still come in.
pub fn of_many(lan: &Lan) -> Vec<Row> {
    let stage =
        Stage::new(lan, &["--allow-plaintext", "--max-per-ip", "off", "--max-clients", &PLACES.to_string()]);
    let (attacker, newcomer, owner) = (lan.host(), lan.host(), lan.host());
    let key = Key::new();
    owner.run(|| drop(Peer::join_with(stage.address, "owner", &key)));
    let mut from = addresses(&attacker, 63);
    from.extend(near_addresses(&attacker, 100));
    let held = attacker.run(|| take(&stage, &from));
    let stop = Instant::now() + Duration::from_secs(8);
    let (knocks, stranger, joined) = std::thread::scope(|scope| {
        let knocks = scope.spawn(|| attacker.run(|| knock(&stage, &from, stop)));
        std::thread::sleep(LOOK * 50);
        let stranger = join_time(&newcomer, stage.address, "newcomer");
        let mut slowest = 0.0_f64;
        for _ in 0..8 {
            slowest = slowest.max(owner_joins(&stage, &owner, &key));
            std::thread::sleep(LOOK * 15);
        }
        (knocks.join().unwrap(), stranger, slowest)
    });
    vec![
        Row::so("places taken", format!("{} of {PLACES}", held.len()), held.len() > PLACES * 8 / 10),
        Row::so("connections that knock meanwhile", knocks.to_string(), knocks > 0),
        Row::so(
            "a stranger is told that the server is full",
            stranger.is_none().to_string(),
            stranger.is_none(),
        ),
        Row::at_most("somebody who owns a name joins, the slowest of 8", joined, JOIN, "ms"),
    ]
}

/// Opens connections from these addresses in turn until none of them gets any more; returns those that the
/// server answers.
fn take(stage: &Stage, from: &[IpAddr]) -> Vec<TcpStream> {
    let mut held = Vec::new();
    let mut refused = 0;
    for n in 0..2 * PLACES {
        if refused > from.len() + 20 {
            break;
        }
        match stage.connect_from(from[n % from.len()]).ok().and_then(answered) {
            Some(stream) => {
                held.push(stream);
                refused = 0;
            }
            None => refused += 1,
        }
    }
    held
}

/// Whether a ping over it is answered with a pong.
fn answered(mut stream: TcpStream) -> Option<TcpStream> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"{\"type\":\"ping\",\"to\":\"server\"}\n").ok()?;
    let mut said = [0; 512];
    let length = stream.read(&mut said).ok()?;
    String::from_utf8_lossy(&said[..length]).contains("\"pong\"").then_some(stream)
}

/// Opens connections that say half of what is needed, until `stop`.
fn knock(stage: &Stage, from: &[IpAddr], stop: Instant) -> usize {
    let mut open = std::collections::VecDeque::new();
    let mut count = 0;
    while Instant::now() < stop {
        if let Ok(mut stream) = stage.connect_from(from[count % from.len()]) {
            let _ = stream.write_all(&[0x16, 3, 1]);
            open.push_back(stream);
        }
        if open.len() > 500 {
            open.pop_front();
        }
        count += 1;
    }
    count
}

fn owner_joins(stage: &Stage, owner: &Host, key: &Key) -> f64 {
    join_time_with(owner, stage.address, "owner", key).unwrap_or(f64::INFINITY)
}
