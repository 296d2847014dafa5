//! One host makes the server keep as much as it can: 9,000 connections, next to 100 honest people, on a
//! server that may use what the systemd unit grants.

use crate::lan::Lan;
use crate::program::Row;
use crate::stage::{Crowd, Stage};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 9000;
const PEOPLE: usize = 100;

/// Without paces, as the honest people here are newcomers behind one address, and it is memory that counts.
const ARGS: [&str; 7] =
    ["--memory", "512MiB", "--allow-plaintext", "--max-clients", "20000", "--rate-limit", "off"];

/// The memory limit of the unit, in MiB: `MemoryMax=` in dist/lanchat.service.
const GRANTED: f64 = 512.0;

/// How long an attack goes on.
const TIME: Duration = Duration::from_secs(30);

/// How much longer an honest message may take than before, in ms. A stall would take seconds.
const LATENCY: f64 = 250.0;

/// How much more memory than at the start may stay resident once all have gone, in MiB.
const LEFT: f64 = 16.0;

/// 64 KiB of a frame that never ends, each.
pub fn unfinished(lan: &Lan) -> Vec<Row> {
    let frame = format!("{{\"a\":\"{}", "x".repeat(65_400));
    attack(lan, frame.into_bytes(), false)
}

/// Lists of everybody, each twenty, read at 300 bytes a second.
pub fn unread(lan: &Lan) -> Vec<Row> {
    attack(lan, b"{\"type\":\"users\"}\n".repeat(20), true)
}

fn attack(lan: &Lan, said: Vec<u8>, reads: bool) -> Vec<Row> {
    let stage = Stage::new(lan, &ARGS);
    let (attacker, people) = (lan.host(), lan.host());
    let mut crowd = Crowd::join(&people, stage.address, PEOPLE);
    let before = crowd.slowest_round();
    let (most, during, made) = std::thread::scope(|scope| {
        let attack = scope.spawn(|| attacker.run(|| hoard(stage.address, &said, reads)));
        let watch = scope.spawn(|| stage.most(TIME, Stage::resident));
        let mut during = 0.0_f64;
        while !attack.is_finished() {
            during = during.max(crowd.slowest_round());
        }
        (watch.join().unwrap(), during, attack.join().unwrap())
    });
    let here = crowd.present();
    let deadline = Instant::now() + Duration::from_secs(20);
    while stage.grown() > LEFT && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    vec![
        Row::so("connections made", made.to_string(), made > 0),
        Row::at_most("memory of the server, at most", most, GRANTED, "MiB"),
        Row::so("slowest of 100 honest messages before", format!("{before:.1} ms"), true),
        Row::at_most("slowest of all of them meanwhile", during, before + LATENCY, "ms"),
        Row::at_most("honest people who were closed", (PEOPLE - here) as f64, 0.0, ""),
        Row::at_most("memory above the start when all have gone", stage.grown(), LEFT, "MiB"),
    ]
}

/// Opens the connections, sends it on each while the server accepts it, and holds them. Returns how many
/// were made.
fn hoard(address: SocketAddr, said: &[u8], reads: bool) -> usize {
    let start = Instant::now();
    let mut open: Vec<(TcpStream, usize)> = (0..CONNECTIONS)
        .filter_map(|n| {
            let mut stream = connect(address, reads)?;
            let hello =
                format!("{{\"from\":{{\"name\":\"{:-<28}{n:04}\"}},\"to\":\"server\",\"msg\":\"\"}}\n", "x");
            stream.write_all(hello.as_bytes()).ok()?;
            stream.set_nonblocking(true).ok()?;
            Some((stream, 0))
        })
        .collect();
    let made = open.len();
    let mut buffer = [0; 1200];
    while start.elapsed() < TIME && !open.is_empty() {
        open.retain_mut(|(stream, said_up_to)| {
            let is_read = !reads || goes_on(stream.read(&mut buffer).map(|length| length > 0));
            let written = stream.write(&said[*said_up_to..]);
            *said_up_to += written.as_ref().copied().unwrap_or(0);
            is_read && goes_on(written.map(|_| true))
        });
        std::thread::sleep(Duration::from_secs(if reads { 4 } else { 1 }));
    }
    made
}

/// A connection whose peer keeps little of what comes, if that is to fill up.
fn connect(address: SocketAddr, is_narrow: bool) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    if is_narrow {
        socket.set_recv_buffer_size(2048).ok()?;
    }
    socket.connect(&address.into()).ok()?;
    Some(socket.into())
}

fn goes_on(result: std::io::Result<bool>) -> bool {
    result.unwrap_or_else(|error| error.kind() == ErrorKind::WouldBlock)
}
