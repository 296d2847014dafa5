//! What is sent again with the same id is shown once: by whatever name somebody is written to, on a full disk,
//! and where nothing is kept.

use crate::support::one_node;
use crate::support::peer::{DEADLINE, Peer};
use crate::support::process::Serve;
use crate::support::small_disk::SmallDisk;
use crate::support::storm::server::Mortal;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// Says it, and returns what the server answers.
fn say(peer: &mut Peer, to: &str, msg: &str, id: &str) -> Value {
    peer.send(json!({"to": to, "msg": msg, "id": id}));
    peer.wait_until(|packet| packet["id"] == id)
}

/// What `reader` is shown up to a message that `author` says now.
fn shown(author: &mut Peer, reader: &mut Peer, mark: &str) -> Vec<String> {
    say(author, "all", mark, mark);
    let mut shown = Vec::new();
    loop {
        let packet = reader.wait_until(|packet| packet["type"] == "chat");
        match packet["msg"].as_str().expect("a text") {
            msg if msg == mark => return shown,
            msg => shown.push(msg.to_owned()),
        }
    }
}

fn join(address: SocketAddr, name: &str) -> Peer {
    Peer::join_with(address, name, &Key::new())
}

#[test]
fn a_direct_message_is_known_again_however_its_reader_is_called() {
    let server = Serve::start(&[]);
    let key = Key::new();
    drop(Peer::join_with(server.address, "bob", &key));
    let mut alice = join(server.address, "alice");
    let mut bob = Peer::join_with(server.address, "Bob", &key);
    let first = say(&mut alice, "bob", "pay 100", "x-1");
    assert_eq!(bob.text(), "pay 100");
    bob.send(json!({"type": "nick", "name": "robert", "id": "n"}));
    bob.wait_until(|packet| packet["type"] == "renamed");
    alice.send(json!({"type": "nick", "name": "alicia", "id": "n"}));
    alice.wait_until(|packet| packet["type"] == "renamed" && packet["id"] == "n");
    for name in ["Bob", "bob", "robert"] {
        assert_eq!(say(&mut alice, name, "pay 100", "x-1")["seq"], first["seq"], "{name}");
    }
    assert_eq!(shown(&mut alice, &mut bob, "mark"), Vec::<String>::new());
}

#[test]
fn where_nothing_is_kept_a_repeat_is_known_all_the_same() {
    let server = Serve::start(&["--no-history"]);
    let (mut alice, mut bob) = (join(server.address, "alice"), join(server.address, "bob"));
    let mut nobody = Peer::join(server.address, "nobody");
    for to in ["all", "bob", "BOB", "127.0.0.1"] {
        let first = say(&mut alice, to, &format!("to {to}"), "x-1");
        let again = say(&mut alice, to, &format!("to {to}"), "x-1");
        assert_eq!((first["type"].as_str(), &first), (Some("sent"), &again));
        say(&mut nobody, to, &format!("nobody to {to}"), "x-1");
    }
    say(&mut nobody, "all", "nobody to all", "x-1");
    let shown = shown(&mut alice, &mut bob, "mark");
    let of_alice: Vec<_> = shown.iter().filter(|msg| !msg.starts_with("nobody")).collect();
    assert_eq!(of_alice, ["to all", "to bob", "to BOB", "to 127.0.0.1"]);
    assert_eq!(shown.iter().filter(|msg| *msg == "nobody to all").count(), 2, "who can't be known again");
}

#[test]
fn on_a_full_disk_and_after_it_a_repeat_is_shown_to_nobody() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let Some(disk) = SmallDisk::new(3 * 1024) else { return };
    let disk = Arc::new(disk);
    let (data_dir, inside) = (disk.path.to_str().expect("a path").to_owned(), Arc::clone(&disk));
    let wrap = Box::new(move |command: &Command| inside.command(command));
    let mut server = Mortal::start_as(&["--rate-limit", "off", "--data-dir", &data_dir], Some(wrap));
    let address = server.address();
    let (mut alice, mut bob) = (join(address, "alice"), join(address, "bob"));
    let carol = Key::new();
    drop(Peer::join_with(address, "carol", &carol));
    let kept = say(&mut alice, "all", "kept", "kept");
    let waits = say(&mut alice, "carol", "waits", "waits");
    assert_eq!(waits["waits"], true, "{waits}");

    disk.fill();
    let start = Instant::now();
    let mut filled = 0;
    while say(&mut alice, "all", &"x".repeat(4_000), &format!("fill-{filled}"))["stored"] != false {
        assert!(start.elapsed() < DEADLINE, "the disk is full, and everything is kept");
        filled += 1;
    }
    // The one with which it fails is known again, like those after it.
    let last = format!("fill-{filled}");
    assert_eq!(say(&mut alice, "all", &"x".repeat(4_000), &last)["stored"], false);
    for to in ["all", "bob"] {
        for id in ["once", "once"] {
            let receipt = say(&mut alice, to, &format!("once to {to}"), id);
            assert_eq!((&receipt["stored"], &receipt["seq"]), (&json!(false), &Value::Null), "{receipt}");
        }
    }
    // What was stored before is, and can be read.
    assert_eq!(say(&mut alice, "all", "kept", "kept")["seq"], kept["seq"]);
    let again = say(&mut alice, "Carol", "waits", "waits");
    assert_eq!((&again["seq"], &again["waits"]), (&waits["seq"], &json!(true)), "{again}");
    assert_eq!(say(&mut alice, "carol", "more", "more")["code"], "not_stored");

    disk.free();
    let start = Instant::now();
    let mut tries = 0;
    while say(&mut alice, "all", "is there room?", &format!("room-{tries}"))["stored"] == false {
        assert!(start.elapsed() < DEADLINE, "there is room again, and nothing is kept");
        std::thread::sleep(std::time::Duration::from_millis(50));
        tries += 1;
    }
    let receipt = say(&mut alice, "all", "once to all", "once");
    assert_eq!((&receipt["stored"], &receipt["seq"]), (&json!(false), &Value::Null), "{receipt}");
    let shown = shown(&mut alice, &mut bob, "mark");
    let fillers = shown.iter().filter(|msg| msg.starts_with('x')).count();
    assert_eq!(fillers, filled + 1);
    let others = shown.iter().filter(|msg| !msg.starts_with('x') && !msg.starts_with("is there"));
    assert_eq!(Vec::from_iter(others), ["kept", "once to all", "once to bob"]);
}
