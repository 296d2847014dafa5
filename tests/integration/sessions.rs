//! Several connections of one user: nothing of a user's own is ever in the user's way.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use serde_json::json;

fn join_with(server: &TestServer, name: &str, token: &str, mode: &str) -> Peer {
    let mut peer = Peer::connect(server.address);
    let answer = peer.hello(json!({"from": {"name": name}, "token": token, "mode": mode}));
    assert_eq!(answer["type"], "welcome", "{answer}");
    peer
}

#[test]
fn a_second_terminal_with_the_same_token_is_the_same_user() {
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    let mut first = join_with(&server, "alice", "secret", "chat");
    let mut second = join_with(&server, "ALICE", "secret", "chat");
    bob.say("alice", "both of you");
    assert_eq!(first.text(), "both of you");
    assert_eq!(second.text(), "both of you");
    first.say("bob", "from the first");
    assert_eq!(bob.text(), "from the first");
    let seen = second.wait_for("chat");
    assert_eq!((&seen["from"]["name"], &seen["to"]), (&json!("alice"), &json!("bob")));
    bob.send(json!({"type": "whois", "name": "alice"}));
    assert_eq!(bob.wait_for("whois")["user"]["sessions"], 2);
}

#[test]
fn the_user_leaves_when_the_last_session_is_gone() {
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    let first = join_with(&server, "alice", "secret", "chat");
    let second = join_with(&server, "alice", "secret", "chat");
    bob.sees_join("alice");
    drop(first);
    let before = bob.settle();
    assert!(before.iter().all(|packet| packet["type"] != "left"));
    drop(second);
    assert_eq!(bob.wait_for("left")["names"], json!(["alice"]));
}

#[test]
fn another_token_or_none_does_not_get_the_name() {
    let server = TestServer::start();
    let _alice = join_with(&server, "alice", "secret", "chat");
    for hello in [json!({"from": {"name": "alice"}, "token": "guess"}), json!({"from": {"name": "Alice"}})] {
        let mut peer = Peer::connect(server.address);
        let error = peer.hello(hello);
        assert_eq!(
            (&error["code"], &error["name"].as_str().map(str::to_lowercase)),
            (&json!("name_taken"), &Some("alice-2".into()))
        );
        assert!(peer.read_to_end().is_empty());
    }
    let _plain = Peer::join(server.address, "plain");
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.hello(json!({"from": {"name": "plain"}, "token": ""}))["code"], "name_taken");
}

#[test]
fn who_comes_back_while_the_broken_link_is_not_noticed_gets_the_name() {
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    // Still open as far as the server knows.
    let _stale = join_with(&server, "alice", "secret", "chat");
    let mut back = join_with(&server, "alice", "secret", "chat");
    back.say("all", "I am back");
    assert_eq!(bob.text(), "I am back");
}

#[test]
fn a_script_that_sends_announces_nobody_and_hears_only_answers() {
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    let mut chat = join_with(&server, "alice", "secret", "chat");
    let mut script = join_with(&server, "alice", "secret", "send");
    let mut stranger = join_with(&server, "backup", "other", "send");
    stranger.send(json!({"to": "all", "msg": "done", "id": "1"}));
    assert_eq!(stranger.wait_for("sent")["id"], "1");
    assert_eq!(bob.wait_for("chat")["from"]["name"], "backup");
    assert_eq!(chat.text(), "done");
    script.send(json!({"to": "bob", "msg": "note", "id": "2"}));
    assert_eq!(bob.text(), "note");
    assert!(script.settle().iter().all(|packet| packet["type"] == "sent"));
    bob.send(json!({"type": "users"}));
    assert_eq!(bob.wait_for("users")["total"], 2);
    drop((script, stranger));
    bob.say("backup", "anybody?");
    assert_eq!(bob.wait_for("error")["code"], "no_such_user");
}

#[test]
fn a_reader_hears_everything_and_is_not_present() {
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    let mut tail = join_with(&server, "log", "t", "tail");
    bob.say("all", "for the log");
    assert_eq!(tail.text(), "for the log");
    bob.send(json!({"type": "users"}));
    assert_eq!(bob.wait_for("users")["total"], 1);
}
