//! People who join and never read.

use crate::lan::Lan;
use crate::peer::Peer;
use crate::program::Row;
use crate::stage::{Honest, LOOK, Stage};
use crate::tls::{self, Key};
use rustls::Stream;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const READERS: usize = 200;

/// Promised: what the kernel may hold for them, in MiB.
const KERNEL: f64 = 40.0;

/// How much longer an honest message may take than before, in ms.
const LATENCY: f64 = 100.0;

/// How long a reader may be stuck until it is closed, in s: 20 s, and the grace to read the reason.
const CLOSED: f64 = 26.0;

pub fn stuck(lan: &Lan) -> Vec<Row> {
    let stage = Stage::new(lan, &["--rate-limit", "off"]);
    let (attacker, people, talkers) = (lan.host(), lan.host(), lan.host());
    let mut honest = Honest::join(&people, stage.address);
    let before = honest.slowest(10);
    let stuck = attacker.run(|| (0..READERS).map(|n| reader(stage.address, n)).collect::<Vec<_>>());
    let start = Instant::now();
    let (kernel, grown, during, closed) = std::thread::scope(|scope| {
        let talk = scope.spawn(|| talkers.run(|| talk(stage.address, start)));
        let kernel = scope.spawn(|| stage.most(Duration::from_secs(20), Stage::sockets));
        let grown = scope.spawn(|| stage.most(Duration::from_secs(20), Stage::grown));
        let during = honest.slowest(20);
        talk.join().unwrap();
        let closed = all_closed(&stage, start);
        (kernel.join().unwrap(), grown.join().unwrap(), during, closed)
    });
    drop(stuck);
    vec![
        Row::at_most("kernel memory of the server's sockets", kernel, KERNEL, "MiB"),
        Row::at_most("memory of the server above its start", grown, 64.0, "MiB"),
        Row::so("slowest of 10 honest messages before", format!("{before:.1} ms"), true),
        Row::at_most("slowest of 20 honest messages meanwhile", during, before + LATENCY, "ms"),
        Row::at_most("all of them are closed after", closed, CLOSED, "s"),
    ]
}

/// Joins with a small window, and reads no more than its welcome.
fn reader(address: SocketAddr, number: usize) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let mut tls = tls::client(Some(&Key::new()));
    let hello =
        json!({"type": "hello", "from": {"name": format!("stuck-{number}")}, "to": "server", "msg": ""});
    let mut wire = Stream::new(&mut tls, &mut stream);
    wire.write_all(format!("{hello}\n").as_bytes()).unwrap();
    let mut byte = [0];
    wire.read_exact(&mut byte).unwrap();
    stream
}

/// Somebody says 200 kB a second to all, for ten seconds: more than any of them stays behind by.
fn talk(address: SocketAddr, start: Instant) {
    let mut peer = Peer::join_with(address, "talker", &Key::new());
    let text = "x".repeat(4000);
    while start.elapsed() < Duration::from_secs(10) {
        peer.say("all", &text);
        peer.settle();
        std::thread::sleep(LOOK);
    }
}

/// Seconds until only the honest are left.
fn all_closed(stage: &Stage, start: Instant) -> f64 {
    while start.elapsed() < Duration::from_secs(60) {
        let mut command = stage.server.command("ss");
        command.args(["-tnH", "state", "established", &format!("sport = :{}", stage.address.port())]);
        let text = String::from_utf8(command.output().expect("ss").stdout).expect("text");
        if text.lines().count() <= 2 {
            return start.elapsed().as_secs_f64();
        }
        std::thread::sleep(LOOK * 5);
    }
    f64::INFINITY
}
