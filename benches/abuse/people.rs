//! Many names, and many who come and go.

use crate::lan::Lan;
use crate::peer::Peer;
use crate::program::Row;
use crate::stage::{Stage, join_time};
use crate::tls::Key;
use lanchat::server::SECRET_FILE;
use serde_json::json;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const NAMES: usize = 5000;
const COMINGS: usize = 5000;

/// How long one of the two may take.
const TIME: Duration = Duration::from_secs(90);

pub fn crowd(lan: &Lan) -> Vec<Row> {
    let stage = Stage::new(lan, &["--rate-limit", "off"]);
    let newcomer = lan.host();
    let before = stage.descriptors();
    // The server's own machine is exempt from the limits of handshakes, and not from this.
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, stage.address.port()));
    let start = Instant::now();
    let names = stage.server.run(|| take_names(own));
    let rate = names as f64 / start.elapsed().as_secs_f64();
    let joined = join_time(&newcomer, stage.address, "newcomer");
    let kept = kept(&stage);
    let comings = stage.server.run(|| come_and_go(own));
    let deadline = Instant::now() + Duration::from_secs(15);
    while stage.descriptors() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    vec![
        Row::so("names used, each by a key of its own", format!("{names}, {rate:.0}/s"), names > 0),
        Row::at_most("of which were reserved", kept as f64, 6.0, ""),
        Row::at_most("a newcomer gets in and a name", joined.unwrap_or(f64::INFINITY), 1000.0, "ms"),
        Row::so("comings and goings of all kinds", comings.to_string(), comings > 0),
        Row::at_most("descriptors left behind", stage.descriptors().saturating_sub(before) as f64, 0.0, ""),
        Row::at_most("memory of the server above its start", stage.grown(), 64.0, "MiB"),
    ]
}

fn take_names(address: SocketAddr) -> usize {
    let start = Instant::now();
    (0..NAMES)
        .take_while(|_| start.elapsed() < TIME)
        .map(|n| drop(Peer::join_with(address, &format!("squatter-{n}"), &Key::new())))
        .count()
}

/// Lists the owned names, as a user who can read the server's files may do.
fn kept(stage: &Stage) -> u64 {
    let secret = std::fs::read(stage.files.path().join(SECRET_FILE)).unwrap();
    let secret: serde_json::Value = serde_json::from_slice(&secret).unwrap();
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, stage.address.port()));
    stage.server.run(|| {
        let mut peer = Peer::join_with(own, "auditor", &Key::new());
        peer.send(json!({"type": "op", "token": secret["secret"], "to": "server"}));
        peer.send(json!({"type": "owners", "to": "server"}));
        peer.wait_for("owners")["total"].as_u64().unwrap()
    })
}

/// Each ends in another way, at another point.
fn come_and_go(address: SocketAddr) -> usize {
    let start = Instant::now();
    let key = Key::new();
    (0..COMINGS)
        .take_while(|_| start.elapsed() < TIME)
        .map(|n| match n % 5 {
            0 => drop(TcpStream::connect(address)),
            1 => drop(TcpStream::connect(address).and_then(|mut stream| stream.write_all(&[0x16, 3, 1]))),
            2 => {
                let mut peer = Peer::connect_tls(address, Some(&key));
                peer.send(json!({"type": "ping", "to": "server"}));
            }
            3 => {
                let mut peer = Peer::join_with(address, "again", &key);
                peer.send_raw(br#"{"to":"all","msg":"never fini"#);
            }
            _ => {
                let mut peer = Peer::join_with(address, "again", &key);
                peer.say("all", "hello");
                peer.end_tls();
            }
        })
        .count()
}
