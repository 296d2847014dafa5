//! The cheap part of what `cargo bench --bench abuse` measures in full: bounds that hold under attack.

use crate::support::lan::Lan;
use crate::support::peer::{DEADLINE, Peer};
use crate::support::server::TestServer;
use crate::support::soon;
use crate::support::terminal::LANCHAT;
use crate::support::tls::Key;
use lanchat::chat::NewNames;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

fn encrypted() -> TestServer {
    TestServer::with(|options| {
        options.plaintext = false;
        options.rules.rate = None;
    })
}

#[test]
fn of_many_names_from_one_address_few_are_reserved_and_all_can_be_used() {
    let server = TestServer::with(|options| {
        options.rules.rate = None;
        options.rules.new_names = NewNames::PerHour(5);
    });
    let keys: Vec<Key> = (0..30).map(|_| Key::new()).collect();
    for (n, key) in keys.iter().enumerate() {
        Peer::join_with(server.address, &format!("squatter-{n}"), key);
    }
    soon::until(|| (server.handle.users() == 0).then_some(()));
    // What was reserved is refused to another key, and what was not is not.
    let stranger = Key::new();
    let reserved = (0..keys.len()).filter(|n| {
        let mut peer = Peer::connect_tls(server.address, Some(&stranger));
        peer.hello(json!({"from": {"name": format!("squatter-{n}")}}))["code"] == "name_taken"
    });
    assert_eq!(reserved.count(), 5);
}

/// Connections that end in every way, at every point.
#[test]
fn nothing_is_left_of_those_who_come_and_go() {
    let server = encrypted();
    let key = Key::new();
    let mut watcher = Peer::join_with(server.address, "watcher", &Key::new());
    for n in 0..200 {
        match n % 6 {
            0 => drop(TcpStream::connect(server.address).unwrap()),
            1 => TcpStream::connect(server.address).unwrap().write_all(&[0x16, 3, 1]).unwrap(),
            2 => TcpStream::connect(server.address).unwrap().write_all(b"GET / HTTP/1.1\r\n").unwrap(),
            3 => {
                let mut peer = Peer::connect_tls(server.address, None);
                peer.send(json!({"type": "ping", "to": "server"}));
            }
            4 => Peer::join_with(server.address, "again", &key).send_raw(br#"{"to":"all","msg":"never fini"#),
            _ => {
                let mut peer = Peer::join_with(server.address, "again", &key);
                peer.say("all", "hello");
                peer.end_tls();
            }
        }
    }
    soon::until(|| (server.handle.users() == 1 && server.handle.connections() == 1).then_some(()));
    // It is still of use, and the name is free for its owner.
    Peer::join_with(server.address, "again", &key).say("all", "the last");
    watcher.wait_until(|packet| packet["msg"] == "the last");
}

/// What the server answers to a connection that says `bytes`; empty: it is cut off.
fn answer(address: SocketAddr, bytes: &[u8]) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut said = Vec::new();
    let _ = stream.write_all(bytes).and_then(|()| stream.read_to_end(&mut said));
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn who_sends_garbage_is_kept_out_and_nobody_else_is() {
    let Some(lan) = Lan::new() else { return };
    let (server, attacker, friend) = (lan.host(), lan.host(), lan.host());
    let files = tempfile::tempdir().unwrap();
    let mut command = server.command(LANCHAT);
    command.args(["serve", "--no-discovery", "--port", "7700", "--data-dir"]).arg(files.path());
    command.env("HOME", files.path()).env("XDG_CONFIG_HOME", files.path());
    let _running = server.spawn(command.stdin(Stdio::null()).stderr(Stdio::null()));
    let key = Key::new();
    for address in [SocketAddr::from((server.v4(), 7700)), SocketAddr::from((server.v6(), 7700))] {
        friend.run(|| soon::until(|| TcpStream::connect(address).ok()));
        // Refused with a line at first, and without one soon.
        let heard: Vec<String> =
            attacker.run(|| (0..10).map(|_| answer(address, b"SSH-2.0-x\r\n")).collect());
        let told = heard.iter().take_while(|line| line.contains("bad_protocol")).count();
        assert!((1..=5).contains(&told), "{heard:?}");
        assert!(heard[told..].iter().all(String::is_empty), "{heard:?}");
        // A neighbour is served, whatever their addresses have in common.
        let welcome: Value =
            friend.run(|| Peer::connect_tls(address, Some(&key)).hello(json!({"from": {"name": "friend"}})));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
    }
}
