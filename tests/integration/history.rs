//! What is kept: across restarts, reconnects and absences, on a real server with a real database.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// A server that keeps its history there.
fn kept(path: &Path) -> TestServer {
    TestServer::with(|options| options.data_dir = Some(path.to_owned()))
}

/// What came up to the end of the history, which is the last one.
fn history(peer: &mut Peer) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let packet = peer.next();
        let is_end = packet["type"] == "history";
        if packet["history"] == true || is_end {
            all.push(packet);
        }
        if is_end {
            return all;
        }
    }
}

fn texts(packets: &[Value]) -> Vec<&str> {
    packets
        .iter()
        .filter(|packet| packet["history"] == true)
        .map(|packet| packet["msg"].as_str().unwrap())
        .collect()
}

/// Somebody with a key who resumes after `since`; the welcome, and what they missed.
fn resume(address: SocketAddr, name: &str, key: &Key, since: Value) -> (Peer, Value, Vec<Value>) {
    let mut peer = Peer::connect_tls(address, Some(key));
    let welcome = peer.hello(json!({"from": {"name": name}, "since": since}));
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    let missed = history(&mut peer);
    (peer, welcome, missed)
}

/// Says it and waits for the receipt.
fn say(peer: &mut Peer, to: &str, msg: &str, id: &str) -> Value {
    peer.send(json!({"to": to, "msg": msg, "id": id}));
    peer.wait_until(|packet| packet["id"] == id)
}

#[test]
fn a_newcomer_gets_the_last_50_of_the_lobby_even_of_a_server_that_was_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = kept(dir.path());
    let mut alice = Peer::join(server.address, "alice");
    for n in 0..60 {
        assert_eq!(say(&mut alice, "all", &n.to_string(), &format!("id{n}"))["type"], "sent");
    }
    drop(alice);
    server.stop();
    let server = kept(dir.path());
    let (_bob, _, missed) = resume(server.address, "bob", &Key::new(), json!(0));
    let expected: Vec<String> = (10..60).map(|n| n.to_string()).collect();
    assert_eq!(texts(&missed), expected);
    assert_eq!((missed[50]["count"].as_u64(), &missed[50]["seq"]), (Some(50), &missed[49]["seq"]));
}

#[test]
fn who_was_away_gets_what_they_missed_in_order_and_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let server = kept(dir.path());
    let key = Key::new();
    let (mut alice, welcome, _) = resume(server.address, "alice", &key, json!(0));
    assert!(welcome["log"].is_string(), "{welcome}");
    let mut bob = Peer::join(server.address, "bob");
    say(&mut bob, "all", "seen", "1");
    let seen = alice.wait_for("chat")["seq"].clone();
    drop(alice);
    for n in 0..700 {
        say(&mut bob, "all", &n.to_string(), &format!("m{n}"));
    }
    let (mut alice, _, missed) = resume(server.address, "alice", &key, seen);
    assert_eq!(texts(&missed), (0..700).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(missed[700]["gap"], Value::Null);
    say(&mut bob, "all", "live", "l");
    let live = alice.wait_for("chat");
    assert_eq!((live["msg"].as_str(), &live["history"]), (Some("live"), &Value::Null));
}

#[test]
fn a_message_that_is_sent_again_is_heard_and_kept_once_and_gets_its_first_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let server = kept(dir.path());
    let (mut alice, key) = (Peer::join(server.address, "alice"), Key::new());
    let (mut bob, ..) = resume(server.address, "bob", &key, json!(0));
    let first = say(&mut bob, "all", "hello", "x1");
    drop(bob);
    let (mut bob, ..) = resume(server.address, "bob", &key, first["seq"].clone());
    // In one write with others, so that it is cut out of the middle of a turn.
    bob.send_raw(
        format!(
            "{}\n{}\n{}\n",
            json!({"to": "all", "msg": "before", "id": "x0"}),
            json!({"to": "all", "msg": "hello", "id": "x1"}),
            json!({"to": "all", "msg": "after", "id": "x2"})
        )
        .as_bytes(),
    );
    let again = bob.wait_until(|packet| packet["id"] == "x1");
    assert_eq!((&again["seq"], &again["ts"]), (&first["seq"], &first["ts"]));
    assert_eq!(["hello", "before", "after"].map(str::to_owned), [alice.text(), alice.text(), alice.text()]);
    let (_, _, all) = resume(server.address, "carol", &Key::new(), json!(0));
    assert_eq!(texts(&all), ["hello", "before", "after"]);
}

#[test]
fn what_is_sent_again_takes_no_place_in_a_mailbox() {
    let dir = tempfile::tempdir().unwrap();
    let server = kept(dir.path());
    let (bob, ..) = resume(server.address, "bob", &Key::new(), json!(0));
    drop(bob);
    let (mut alice, ..) = resume(server.address, "alice", &Key::new(), json!(0));
    until(|| (server.handle.connections() == 1).then_some(()));
    for _ in 0..150 {
        assert_eq!(say(&mut alice, "bob", "are you there?", "same")["type"], "sent");
    }
    let all = (0..150).map(|n| say(&mut alice, "bob", &n.to_string(), &format!("d{n}")));
    let answers: Vec<Value> = all.collect();
    assert!(answers[..99].iter().all(|answer| answer["type"] == "sent"), "{:?}", answers[98]);
    assert!(answers[99..].iter().all(|answer| answer["code"] == "mailbox_full"), "{:?}", answers[99]);
}

#[test]
fn a_direct_message_waits_for_who_is_away_comes_once_and_its_author_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = kept(dir.path());
    let (alice_key, bob_key) = (Key::new(), Key::new());
    let (bob, ..) = resume(server.address, "bob", &bob_key, json!(0));
    drop(bob);
    let (mut alice, ..) = resume(server.address, "alice", &alice_key, json!(0));
    until(|| (server.handle.connections() == 1).then_some(()));
    let receipt = say(&mut alice, "bob", "are you there?", "d1");
    assert_eq!(
        (receipt["type"].as_str(), receipt["waits"].as_bool()),
        (Some("sent"), Some(true)),
        "{receipt}"
    );
    let unknown = say(&mut alice, "bobb", "hello?", "d2");
    assert_eq!(unknown["code"], "no_such_user");
    assert!(unknown["msg"].as_str().unwrap().contains("bob"), "{unknown}");
    drop(alice);
    server.stop();
    let server = kept(dir.path());
    let (mut bob, _, missed) = resume(server.address, "bob", &bob_key, json!(0));
    assert_eq!(texts(&missed), ["are you there?"]);
    bob.send(json!({"type": "received", "to": "server", "seq": missed[1]["seq"]}));
    bob.settle();
    drop(bob);
    let (_, _, again) = resume(server.address, "bob", &bob_key, json!(0));
    assert_eq!(texts(&again), [""; 0]);
    let (_, _, told) = resume(server.address, "alice", &alice_key, receipt["seq"].clone());
    assert_eq!(
        (told[0]["type"].as_str(), told[0]["name"].as_str()),
        (Some("delivered"), Some("bob")),
        "{told:?}"
    );
    assert_eq!((&told[0]["last"], told[0]["count"].as_u64()), (&receipt["seq"], Some(1)));
}

#[test]
fn rooms_their_members_and_topics_outlive_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = kept(dir.path());
    let (alice_key, bob_key) = (Key::new(), Key::new());
    let (mut alice, ..) = resume(server.address, "alice", &alice_key, json!(0));
    alice.send(json!({"type": "join", "to": "server", "room": "#games", "id": "j"}));
    assert_eq!(alice.wait_until(|packet| packet["id"] == "j")["type"], "room");
    alice.send(json!({"type": "topic", "to": "server", "room": "#games", "msg": "chess", "id": "t"}));
    let latest = alice.wait_until(|packet| packet["id"] == "t");
    assert_ne!(latest["type"], "error", "{latest}");
    let point = say(&mut alice, "#games", "anybody?", "g")["seq"].clone();
    drop(alice);
    server.stop();
    let server = kept(dir.path());
    let (mut bob, ..) = resume(server.address, "bob", &bob_key, json!(0));
    bob.send(json!({"type": "rooms", "to": "server", "id": "r"}));
    let rooms = bob.wait_until(|packet| packet["id"] == "r");
    let games =
        rooms["rooms"].as_array().unwrap().iter().find(|room| room["name"] == "#games").expect("the room");
    assert_eq!((games["topic"].as_str(), games["members"].as_u64()), (Some("chess"), Some(1)), "{rooms}");
    assert_eq!(say(&mut bob, "#games", "me", "b1")["type"], "sent");
    let (mut alice, welcome, missed) = resume(server.address, "alice", &alice_key, point);
    assert_eq!(texts(&missed), ["me"]);
    assert_eq!(welcome["rooms"][0]["name"], "#games");
    say(&mut bob, "#games", "again", "b2");
    let live = alice.wait_for("chat");
    assert_eq!((live["to"].as_str(), live["msg"].as_str()), (Some("#games"), Some("again")));
    alice.send(json!({"type": "search", "to": "server", "msg": "anybody", "room": "#games", "id": "s"}));
    assert_eq!(texts(&history(&mut alice)), ["anybody?"]);
    alice.send(json!({"type": "history", "to": "server", "room": "#games", "limit": 2, "id": "h"}));
    let answer = history(&mut alice);
    assert_eq!(texts(&answer), ["me", "again"]);
    assert_eq!((answer[2]["more"].as_bool(), answer[2]["id"].as_str()), (Some(true), Some("h")));
}

#[test]
fn without_a_history_no_message_is_on_the_disk_and_messages_are_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::with(|options| {
        options.data_dir = Some(dir.path().to_owned());
        options.history = None;
    });
    let (mut alice, welcome, missed) = resume(server.address, "alice", &Key::new(), json!(0));
    assert_eq!((&welcome["log"], texts(&missed).len()), (&Value::Null, 0));
    let mut bob = Peer::join(server.address, "bob");
    assert_eq!(say(&mut bob, "all", "hello nobody-keeps", "1")["type"], "sent");
    assert_eq!(alice.text(), "hello nobody-keeps");
    bob.send(json!({"type": "search", "to": "server", "msg": "hello", "id": "s"}));
    assert_eq!(bob.wait_until(|packet| packet["id"] == "s")["code"], "no_history");
    drop(server);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!content.contains("nobody-keeps"), "{}", path.display());
    }
}
