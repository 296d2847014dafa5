//! People who join and never read.

use crate::browser::{WebKey, WebStream, enter, origin};
use crate::lan::Lan;
use crate::peer::Peer;
use crate::program::Row;
use crate::stage::{Honest, LOOK, Stage};
use crate::tls::{self, Key};
use rustls::{Stream, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::Message;
use tungstenite::protocol::WebSocket;

const READERS: usize = 200;

/// Promised: what the kernel may hold for them, in MiB.
const KERNEL: f64 = 40.0;

/// How much longer an honest message may take than before, in ms.
const LATENCY: f64 = 100.0;

/// How long a reader may be stuck until it is closed, in s: 20 s, and the grace to read the reason.
const CLOSED: f64 = 26.0;

pub fn stuck(lan: &Lan) -> Vec<Row> {
    // They stay to the end.
    attack(lan, &[], reader, |_, stuck| (stuck, Vec::new()))
}

/// Half of them over http, half over https.
pub fn stuck_browsers(lan: &Lan) -> Vec<Row> {
    attack(lan, &["--allow-plaintext", "--web=plaintext"], browser, |stage, stuck| {
        let told = told(stage, stuck);
        let row = "told why, at the end of a message";
        (Vec::new(), vec![Row::so(row, format!("{told} of {READERS}"), told == READERS)])
    })
}

/// They join, and somebody talks. `end` returns those that stay.
fn attack<T: Send>(
    lan: &Lan,
    args: &[&str],
    join: fn(SocketAddr, usize) -> T,
    end: impl FnOnce(&Stage, Vec<T>) -> (Vec<T>, Vec<Row>) + Send,
) -> Vec<Row> {
    let stage = Stage::new(lan, &[&["--rate-limit", "off"], args].concat());
    let (attacker, people, talkers) = (lan.host(), lan.host(), lan.host());
    let mut honest = Honest::join(&people, stage.address);
    let before = honest.slowest(10);
    let stuck = attacker.run(|| (0..READERS).map(|n| join(stage.address, n)).collect::<Vec<_>>());
    let start = Instant::now();
    let (kernel, grown, during, closed, rows) = std::thread::scope(|scope| {
        let talk = scope.spawn(|| talkers.run(|| talk(stage.address, start)));
        let kernel = scope.spawn(|| stage.most(Duration::from_secs(20), Stage::sockets));
        let grown = scope.spawn(|| stage.most(Duration::from_secs(20), Stage::grown));
        let end = scope.spawn(|| end(&stage, stuck));
        let during = honest.slowest(20);
        talk.join().unwrap();
        let (stay, rows) = end.join().unwrap();
        let closed = all_closed(&stage, start);
        drop(stay);
        (kernel.join().unwrap(), grown.join().unwrap(), during, closed, rows)
    });
    let common = vec![
        Row::at_most("kernel memory of the server's sockets", kernel, KERNEL, "MiB"),
        Row::at_most("memory of the server above its start", grown, 64.0, "MiB"),
        Row::so("slowest of 10 honest messages before", format!("{before:.1} ms"), true),
        Row::at_most("slowest of 20 honest messages meanwhile", during, before + LATENCY, "ms"),
        Row::at_most("all of them are closed after", closed, CLOSED, "s"),
    ];
    common.into_iter().chain(rows).collect()
}

/// Joins as a browser with a small window, and reads no more than its welcome.
fn browser(address: SocketAddr, number: usize) -> WebSocket<WebStream> {
    let stream = narrow(address);
    let (stream, key) = match number % 2 {
        0 => (WebStream::Plain(stream), None),
        _ => (WebStream::Tls(Box::new(StreamOwned::new(tls::browser(), stream))), Some(WebKey::new())),
    };
    let (mut socket, challenge) = enter(stream, address).unwrap();
    let identity = match key {
        Some(key) => key.proof(&challenge, &origin(address, true)),
        None => json!({"type": "guest"}),
    };
    let hello =
        json!({"type": "hello", "from": {"name": format!("stuck-{number}")}, "to": "server", "msg": ""});
    socket.send(Message::text(format!("{identity}\n{hello}\n"))).unwrap();
    assert!(socket.read().unwrap().into_text().unwrap().contains("\"welcome\""));
    socket
}

/// Reads on once the server has given up all of them. Returns how many learn why.
fn told(stage: &Stage, stuck: Vec<WebSocket<WebStream>>) -> usize {
    let start = Instant::now();
    let mut first = None;
    loop {
        let given_up = stage.logged("closing a client that does not read");
        first = first.or_else(|| (given_up > 0).then(Instant::now));
        // The server gives them 2 s to read why.
        let is_time = first.is_some_and(|first| first.elapsed() > Duration::from_millis(1500));
        if given_up >= READERS || is_time || start.elapsed() > Duration::from_secs(40) {
            break;
        }
        std::thread::sleep(LOOK / 2);
    }
    let parts = stuck.into_iter().map(|socket| std::thread::spawn(move || usize::from(is_told(socket))));
    parts.collect::<Vec<_>>().into_iter().map(|part| part.join().unwrap()).sum()
}

/// Whether whole packets come up to an error, and then the close frame.
fn is_told(mut socket: WebSocket<WebStream>) -> bool {
    socket.get_ref().socket().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut last = Value::Null;
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                for line in text.lines() {
                    let Ok(packet) = serde_json::from_str(line) else { return false };
                    last = packet;
                }
            }
            Ok(Message::Close(frame)) => {
                let code = frame.map_or(0, |frame| u16::from(frame.code));
                return code == 1008 && last["code"] == "slow_consumer";
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn narrow(address: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// Joins with a small window, and reads no more than its welcome.
fn reader(address: SocketAddr, number: usize) -> TcpStream {
    let mut stream = narrow(address);
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
