//! Operators, bans, mutes and paces over real connections.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::chat::Rules;
use lanchat::pace::Rate;
use serde_json::json;
use std::time::{Duration, Instant};

fn operator(server: &TestServer) -> Peer {
    let peer = Peer::join_with(server.address, "oscar", &Key::new());
    server.op("oscar");
    peer
}

#[test]
fn the_code_of_the_console_makes_an_operator_and_bans_hold_at_the_door() {
    let server = TestServer::start();
    let mut oscar = Peer::join_with(server.address, "oscar", &Key::new());
    oscar.send(json!({"to": "server", "msg": format!("/op {}", server.handle.operator_code()), "id": "1"}));
    let operator = oscar.wait_for("operator");
    assert_eq!((&operator["operator"], &operator["id"]), (&json!(true), &json!("1")));
    let key = Key::new();
    let mut mallory = Peer::join_with(server.address, "mallory", &key);
    oscar.send(json!({"type": "ban", "name": "mallory", "duration": "1h"}));
    assert!(oscar.wait_for("notice")["msg"].as_str().unwrap().starts_with("mallory banned until "));
    let last = mallory.read_to_end().pop().unwrap();
    assert_eq!((&last["type"], &last["code"]), (&json!("bye"), &json!("banned")));
    let mut again = Peer::connect_tls(server.address, Some(&key));
    assert_eq!(again.hello(json!({"from": {"name": "other"}}))["code"], "banned");
    oscar.send(json!({"type": "unban", "name": "mallory"}));
    oscar.wait_for("notice");
    Peer::join_with(server.address, "mallory", &key);
}

#[test]
fn a_name_and_an_operator_are_known_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || TestServer::with(|options| options.data_dir = Some(dir.path().to_owned()));
    let key = Key::new();
    let mut server = start();
    let peer = Peer::join_with(server.address, "oscar", &key);
    server.op("oscar");
    drop(peer);
    server.stop();
    let server = start();
    let mut thief = Peer::connect_tls(server.address, Some(&Key::new()));
    let refused = thief.hello(json!({"from": {"name": "0scar"}}));
    assert_eq!(refused["code"], "name_taken", "{refused}");
    let mut back = Peer::connect_tls(server.address, Some(&key));
    let welcome = back.hello(json!({"from": {"name": "oscar"}}));
    assert_eq!(
        (&welcome["operator"], &welcome["key"]),
        (&json!(true), &json!(key.fingerprint().to_string()))
    );
}

#[test]
fn a_muted_user_hears_and_is_not_heard() {
    let server = TestServer::start();
    let (mut oscar, mut bob) = (operator(&server), Peer::join(server.address, "bob"));
    oscar.send(json!({"type": "mute", "name": "bob"}));
    oscar.wait_for("notice");
    bob.say("all", "spam");
    assert_eq!(bob.wait_for("error")["code"], "muted");
    oscar.say("bob", "be quiet");
    assert_eq!(bob.text(), "be quiet");
    assert!(oscar.settle().iter().all(|packet| packet["type"] != "chat"));
}

#[test]
fn what_is_sent_too_fast_waits_its_turn_and_nothing_is_lost() {
    let rate = Rate::per_second(50, 5);
    let server = TestServer::with(|options| options.rules = Rules { rate, ..Rules::default() });
    let mut bob = Peer::join(server.address, "bob");
    let mut alice = Peer::join_with(server.address, "alice", &Key::new());
    let begun = Instant::now();
    let all: String = (0..30).map(|n| format!("{}\n", json!({"to": "all", "msg": n.to_string()}))).collect();
    alice.send_raw(all.as_bytes());
    for n in 0..30 {
        assert_eq!(bob.text(), n.to_string());
    }
    assert!(begun.elapsed() >= Duration::from_millis(480), "{:?}", begun.elapsed());
    let told: Vec<_> = alice.settle().into_iter().filter(|packet| packet["type"] == "notice").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["msg"].as_str().unwrap().starts_with("you send faster than 50 messages per second"));
}

#[test]
fn who_breaks_off_while_what_they_sent_waits_is_gone_at_once() {
    let rate = Rate::per_second(1, 3);
    let server = TestServer::with(|options| options.rules = Rules { rate, ..Rules::default() });
    let mut bob = Peer::join(server.address, "bob");
    let mut alice = Peer::join(server.address, "alice");
    bob.sees_join("alice");
    // Two minutes' worth.
    alice.send_raw("{\"to\":\"all\",\"msg\":\"x\"}\n".repeat(120).as_bytes());
    bob.text();
    socket2::SockRef::from(&alice.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(alice);
    bob.wait_for("left");
}
