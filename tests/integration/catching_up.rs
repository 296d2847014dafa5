//! Who was away, in the awkward cases: what waits is never lost, numbers never come twice, and nobody is
//! closed for what others have said.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::tls::Key;
use lanchat::limits::{MAX_TEXT_BYTES, MIN_BACKLOG_BYTES};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

fn kept(path: &Path) -> TestServer {
    TestServer::with(|options| options.data_dir = Some(path.to_owned()))
}

/// What came as history, and the end of it.
fn missed(peer: &mut Peer) -> (Vec<Value>, Value) {
    let mut all = Vec::new();
    loop {
        let packet = peer.next();
        match packet["type"].as_str() {
            Some("history") => return (all, packet),
            Some("error" | "bye") => panic!("{packet}"),
            _ if packet["history"] == true => all.push(packet),
            _ => {}
        }
    }
}

fn comes_back(address: SocketAddr, name: &str, key: &Key, hello: Value) -> (Peer, Vec<Value>, Value) {
    let mut peer = Peer::connect_tls(address, Some(key));
    let mut members = json!({"from": {"name": name}});
    members.as_object_mut().unwrap().extend(hello.as_object().unwrap().clone());
    let welcome = peer.hello(members);
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    let (all, end) = missed(&mut peer);
    (peer, all, end)
}

fn say(peer: &mut Peer, to: &str, msg: &str, id: &str) -> Value {
    peer.send(json!({"to": to, "msg": msg, "id": id}));
    let receipt = peer.wait_until(|packet| packet["id"] == id);
    assert_eq!(receipt["type"], "sent", "{receipt}");
    receipt
}

fn texts(packets: &[Value]) -> Vec<&str> {
    packets.iter().map(|packet| packet["msg"].as_str().unwrap()).collect()
}

#[test]
fn mail_that_waits_comes_to_who_asks_for_less_than_that_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = kept(dir.path());
    let key = Key::new();
    let (bob, ..) = comes_back(server.address, "bob", &key, json!({"since": 0}));
    drop(bob);
    let mut alice = Peer::join(server.address, "alice");
    until(|| (server.handle.connections() == 1).then_some(()));
    assert_eq!(say(&mut alice, "bob", "it waits", "1")["waits"], true);
    say(&mut alice, "all", "long ago", "2");
    // `received` acknowledges all up to the end, and so all of it must have come.
    let later = json!({"since": "2999-01-01T00:00:00Z"});
    let (_bob, all, _) = comes_back(server.address, "bob", &key, later);
    assert_eq!(texts(&all), ["it waits"]);
}

#[test]
fn a_number_that_went_out_is_never_given_again_and_what_is_not_kept_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = kept(dir.path());
    let (mut alice, mut bob) = (Peer::join(server.address, "alice"), Peer::join(server.address, "bob"));
    for n in 1..=3 {
        // Neither can be known again, so it would be in nobody's mail.
        let sent = say(&mut alice, "bob", &n.to_string(), &n.to_string());
        assert_eq!((&sent["seq"], &sent["stored"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(bob.wait_until(|packet| packet["msg"] == "3")["seq"], Value::Null);
    let last = say(&mut alice, "all", "kept", "0")["seq"].as_u64().unwrap();
    server.stop();
    let server = kept(dir.path());
    let mut alice = Peer::join(server.address, "alice");
    let next = say(&mut alice, "all", "later", "4")["seq"].as_u64().unwrap();
    assert!(next > last, "{next} is not above {last}");
}

#[test]
fn who_has_got_nothing_yet_of_a_history_misses_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = kept(dir.path());
    let (key, mut hello) = (Key::new(), json!({"since": 0}));
    let mut bob = Peer::connect_tls(server.address, Some(&key));
    let welcome = bob.hello(json!({"from": {"name": "bob"}, "since": 0}));
    assert_eq!(missed(&mut bob).1["seq"], 0);
    // Said to him while he is here, and lost with his connection.
    let mut alice = Peer::join(server.address, "alice");
    assert_eq!(say(&mut alice, "bob", "are you there?", "1")["waits"], Value::Null);
    drop(bob);
    hello["log"] = welcome["log"].clone();
    let (_bob, all, _) = comes_back(server.address, "bob", &key, hello);
    assert_eq!(texts(&all), ["are you there?"]);
}

#[test]
fn long_texts_close_nobody_who_was_away_for_a_short_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::with(|options| {
        options.data_dir = Some(dir.path().to_owned());
        options.backlog = MIN_BACKLOG_BYTES;
    });
    let mut alice = Peer::join(server.address, "alice");
    let first = say(&mut alice, "all", "first", "f")["seq"].clone();
    // Each takes six bytes on the wire, and what came up to here is near enough for the cutover.
    let text = "\u{1}".repeat(MAX_TEXT_BYTES);
    for n in 0..150 {
        say(&mut alice, "all", &text, &n.to_string());
    }
    let key = Key::new();
    let mut bob = Peer::connect_tls(server.address, Some(&key));
    let welcome = bob.hello(json!({"from": {"name": "bob"}, "since": first}));
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    let (all, end) = missed(&mut bob);
    assert_eq!((all.len(), end["count"].as_u64(), &end["gap"]), (150, Some(150), &Value::Null));
    bob.send(json!({"type": "history", "to": "server", "limit": 200, "id": "h"}));
    let (all, end) = missed(&mut bob);
    assert_eq!((all.is_empty(), &end["more"]), (false, &json!(true)));
}
