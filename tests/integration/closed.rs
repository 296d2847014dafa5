//! Closed servers: a passphrase once, the key from then on.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::fingerprint::Fingerprint;
use lanchat::protocol::binary;
use lanchat::security::{Binding, PakeResponse, Passphrase};
use lanchat::server::JoinPolicy;
use serde_json::{Value, json};

pub const PASSPHRASE: &str = "a long enough secret";

fn closed() -> TestServer {
    TestServer::with(|options| {
        options.access = JoinPolicy::Closed(Passphrase::new(PASSPHRASE).expect("a passphrase"));
    })
}

/// Says hello and proves to know `passphrase`; returns what the server says last.
pub fn enter(server: &TestServer, name: &str, key: Option<&Key>, passphrase: &str) -> (Peer, Value) {
    let mut peer = Peer::connect_tls(server.address, key);
    let question = peer.hello(json!({"from": {"name": name}, "id": "h"}));
    assert_eq!((&question["type"], &question["id"]), (&json!("pake"), &json!("h")), "{question}");
    let server_key = Fingerprint::from_id(&server.id).expect("an id");
    let own = key.map(Key::fingerprint);
    let answer = answer(&question, &Binding::new(&server_key, own.as_ref()), passphrase);
    peer.send(json!({
        "type": "pake", "to": "server",
        "pake": binary::to_text(answer.element()), "mac": binary::to_text(answer.mac()),
    }));
    let reply = peer.next();
    if reply["type"] == "pake_ok" {
        let mac = binary::from_text(reply["mac"].as_str().expect("a mac")).expect("base64url");
        answer.check(&mac).expect("the server knows it too");
        let welcome = peer.next();
        return (peer, welcome);
    }
    (peer, reply)
}

fn answer(question: &Value, binding: &Binding, passphrase: &str) -> PakeResponse {
    let element = binary::from_text(question["pake"].as_str().expect("an element")).expect("base64url");
    let passphrase = Passphrase::new(passphrase).expect("a passphrase");
    PakeResponse::new(&passphrase, *binding, &element).expect("an element")
}

#[test]
fn the_passphrase_is_asked_for_once_and_then_the_key_is_known() {
    let server = closed();
    let key = Key::new();
    let (mut alice, welcome) = enter(&server, "alice", Some(&key), PASSPHRASE);
    assert_eq!((&welcome["type"], &welcome["closed"]), (&json!("welcome"), &json!(true)));
    alice.say("all", "in");
    alice.settle();
    let mut again = Peer::join_with(server.address, "alice", &key);
    alice.say("alice", "the same user");
    assert_eq!(again.text(), "the same user");
}

#[test]
fn a_wrong_passphrase_and_none_at_all_stay_outside() {
    let server = closed();
    let (mut peer, refused) = enter(&server, "alice", Some(&Key::new()), "some other secret");
    assert_eq!(refused["code"], "bad_passphrase");
    assert!(peer.read_to_end().is_empty());
    for first in [
        json!({"from": {"name": "eve"}, "to": "all", "msg": "let me in"}),
        json!({"type": "users", "from": {"name": "eve"}, "to": "server"}),
        json!({"type": "pake", "pake": "", "mac": "", "to": "server"}),
    ] {
        let mut eve = Peer::connect_tls(server.address, Some(&Key::new()));
        eve.send(first.clone());
        assert_eq!(eve.next()["type"], "pake", "{first}");
        eve.send(first);
        assert_eq!(eve.next()["code"], "bad_passphrase");
        assert!(eve.read_to_end().is_empty());
    }
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn plaintext_never_comes_in_and_a_ping_tells_that_it_is_closed() {
    let server = closed();
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.hello(json!({"from": {"name": "old"}}))["code"], "key_required");
    let mut peer = Peer::connect_tls(server.address, None);
    peer.send(json!({"type": "ping", "to": "server"}));
    assert_eq!(peer.next()["closed"], true);
}

#[test]
fn who_knows_the_passphrase_but_has_no_key_is_asked_each_time() {
    let server = closed();
    for _ in 0..2 {
        let (_, welcome) = enter(&server, "alice", None, PASSPHRASE);
        assert_eq!(welcome["type"], "welcome");
    }
}

#[test]
fn what_ends_a_connection_lets_nothing_in_that_came_before_it() {
    let server = closed();
    let key = Key::new();
    let (mut member, _) = enter(&server, "alice", Some(&key), PASSPHRASE);
    member.settle();
    let said = concat!(
        r#"{"type":"hello","v":1,"from":{"name":"eve"},"to":"server","msg":""}"#,
        "\n",
        r#"{"to":"all","msg":"from outside"}"#,
        "\n",
    );
    for end in ["x\n".repeat(5), format!("{{\"a\":\"{}", "x".repeat(66_000))] {
        let mut eve = Peer::connect_tls(server.address, Some(&Key::new()));
        // In one piece, so that one read has it all.
        eve.send_raw(format!("{said}{end}").as_bytes());
        let heard = eve.read_to_end();
        assert!(heard.iter().all(|packet| packet["type"] != "welcome"), "{heard:?}");
    }
    assert!(member.settle().iter().all(|packet| packet["msg"] != "from outside"));
    assert_eq!(server.handle.users(), 1);
}
