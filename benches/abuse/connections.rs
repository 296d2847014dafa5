//! Connections that say nothing, or half of what is needed.

use crate::lan::Lan;
use crate::program::Row;
use crate::stage::{Honest, Stage, addresses, join_time};
use crate::tls;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 2000;

/// Promised: what the server may grow by, in MiB.
const MEMORY: f64 = 64.0;

/// How long the server may take to get rid of them, in s: 5 s to the first byte, 10 s to the end of the
/// handshake.
const GONE_SILENT: f64 = 8.0;
const GONE_HALF: f64 = 13.0;

/// How long an honest message may take during the attack, in ms. Machines are shared; a stall would take
/// seconds.
const LATENCY: f64 = 250.0;

pub fn silent(lan: &Lan) -> Vec<Row> {
    attack(lan, 0, &[], GONE_SILENT)
}

pub fn half_of_one(lan: &Lan) -> Vec<Row> {
    attack(lan, 0, &half_hello(), GONE_HALF)
}

pub fn half_of_many(lan: &Lan) -> Vec<Row> {
    attack(lan, 63, &half_hello(), GONE_HALF)
}

fn half_hello() -> Vec<u8> {
    let mut client = tls::client(None);
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello.truncate(hello.len() / 2);
    hello
}

fn attack(lan: &Lan, further: u8, said: &[u8], gone: f64) -> Vec<Row> {
    let stage = Stage::new(lan, &[]);
    let (attacker, people, newcomer) = (lan.host(), lan.host(), lan.host());
    let from = addresses(&attacker, further);
    let mut honest = Honest::join(&people, stage.address);
    let before = stage.descriptors();
    let start = Instant::now();
    let mut open = attacker.run(|| flood(&stage, &from, said));
    let flooded = start.elapsed();
    let (grown, latency, joined) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| stage.most(Duration::from_secs(6), Stage::grown));
        let joined = scope.spawn(|| join_time(&newcomer, stage.address, "newcomer"));
        let latency = honest.slowest(20);
        (watch.join().unwrap(), latency, joined.join().unwrap())
    });
    let connections = open.len();
    let held = attacker.run(|| wait_for_ends(&mut open, start));
    drop(open);
    let deadline = Instant::now() + Duration::from_secs(5);
    while stage.descriptors() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = stage.descriptors().saturating_sub(before);
    let again = join_time(&newcomer, stage.address, "again");
    vec![
        Row::so(
            "connections made",
            format!("{connections} in {:.1} s", flooded.as_secs_f64()),
            connections > 0,
        ),
        Row::at_most("memory of the server above its start", grown, MEMORY, "MiB"),
        Row::at_most("the last of them is closed after", held, gone, "s"),
        Row::at_most("slowest of 20 honest messages meanwhile", latency, LATENCY, "ms"),
        Row::at_most("an honest newcomer joins meanwhile", joined.unwrap_or(f64::INFINITY), 5000.0, "ms"),
        Row::at_most("and again afterwards", again.unwrap_or(f64::INFINITY), 1000.0, "ms"),
        Row::at_most("descriptors left behind", left as f64, 0.0, ""),
    ]
}

/// Opens the connections, from the addresses in turn. One that is refused is one of them, too.
fn flood(stage: &Stage, from: &[IpAddr], said: &[u8]) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in 0..CONNECTIONS {
        if let Ok(mut stream) = stage.connect_from(from[n % from.len()]) {
            let _ = stream.write_all(said);
            open.push(stream);
        }
    }
    open
}

/// Until the server has ended all of them; seconds since `start`.
fn wait_for_ends(open: &mut [TcpStream], start: Instant) -> f64 {
    for stream in open {
        let left = Duration::from_secs(30).saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        // Its end may come with an alert or a line.
        let mut said = Vec::new();
        if stream.read_to_end(&mut said).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
            return f64::INFINITY;
        }
    }
    start.elapsed().as_secs_f64()
}
