//! Messages that change, over real connections: the last state outlives a restart, and everyone knows it.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::tls::Key;
use serde_json::{Value, json};

struct Person {
    name: &'static str,
    key: Key,
}

impl Person {
    fn new(name: &'static str) -> Self {
        Self { name, key: Key::new() }
    }

    fn join(&self, server: &TestServer) -> Peer {
        Peer::join_with(server.address, self.name, &self.key)
    }
}

fn say(peer: &mut Peer, to: &str, msg: &str) -> u64 {
    peer.send(json!({"to": to, "msg": msg, "id": msg}));
    peer.wait_until(|packet| packet["id"] == msg)["seq"].as_u64().expect("a number")
}

/// Sends a change, and waits for its receipt or refusal.
fn change(peer: &mut Peer, packet: Value) -> Value {
    peer.send(packet);
    peer.wait_until(|packet| packet["id"] == "c")
}

/// The answer to a question about the history: type and text of each packet before the end.
fn asked(peer: &mut Peer, question: Value) -> Vec<(String, String)> {
    peer.send(question);
    let mut all = Vec::new();
    loop {
        let packet = peer.wait_until(|packet| packet["id"] == "q");
        let text = |member: &str| packet[member].as_str().unwrap_or_default().to_owned();
        match packet["type"].as_str() {
            Some("history") => return all,
            Some("error") => panic!("{packet}"),
            _ => all.push((text("type"), text("msg"))),
        }
    }
}

fn of(kind: &str, text: &str) -> (String, String) {
    (kind.to_owned(), text.to_owned())
}

#[test]
fn the_last_state_outlives_a_restart_in_lists_and_searches() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::in_dir(dir.path());
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut at_desk, mut other) = (alice.join(&server), bob.join(&server));
    let one = say(&mut at_desk, "all", "the bild is green");
    let two = say(&mut at_desk, "all", "never mind");
    let sent =
        change(&mut at_desk, json!({"type": "edit", "seq": one, "msg": "the build is green", "id": "c"}));
    assert_eq!(sent["type"], "sent", "{sent}");
    let edited = other.wait_for("edited");
    assert_eq!((&edited["of"], &edited["msg"]), (&json!(one), &json!("corrected: the build is green")));
    change(&mut at_desk, json!({"type": "delete", "seq": two, "id": "c"}));
    assert_eq!(other.wait_for("deleted")["of"], two);
    drop((at_desk, other));
    server.restart(dir.path());
    let mut other = bob.join(&server);
    let history = json!({"type": "history", "id": "q"});
    assert_eq!(asked(&mut other, history.clone()), [of("chat", "the build is green")]);
    let search = |words: &str| json!({"type": "search", "msg": words, "id": "q"});
    assert_eq!(asked(&mut other, search("build")), [of("chat", "the build is green")]);
    assert_eq!(asked(&mut other, search("bild")), []);
    assert_eq!(asked(&mut other, search("never")), []);
    server.op("bob");
    let all = [of("chat", "the build is green"), of("deleted", "deleted a message")];
    until(|| (asked(&mut other, history.clone()) == all).then_some(()));
}

#[test]
fn a_change_that_comes_right_after_the_deletion_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(dir.path());
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut author, mut other) = (alice.join(&server), bob.join(&server));
    let seq = say(&mut author, "all", "text");
    // Sent at once: the server looks for the message before the first of these is stored.
    author.send(json!({"type": "delete", "seq": seq, "id": "1"}));
    author.send(json!({"type": "edit", "seq": seq, "msg": "another", "id": "2"}));
    author.send(json!({"type": "delete", "seq": seq, "id": "c"}));
    assert_eq!(author.wait_until(|packet| packet["id"] == "1")["type"], "sent");
    assert_eq!(author.wait_until(|packet| packet["id"] == "2")["code"], "no_such_message");
    assert_eq!(author.wait_until(|packet| packet["id"] == "c")["code"], "no_such_message");
    assert_eq!(other.wait_for("deleted")["of"], seq);
    say(&mut author, "all", "after");
    assert_eq!(other.wait_until(|packet| packet["type"] != "deleted")["msg"], "after");
}

#[test]
fn only_the_author_and_operators_can_take_a_message_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(dir.path());
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut author, mut other) = (alice.join(&server), bob.join(&server));
    let seq = say(&mut author, "all", "rude");
    let delete = json!({"type": "delete", "seq": seq, "id": "c"});
    assert_eq!(change(&mut other, delete.clone())["code"], "not_allowed");
    server.op("bob");
    other.wait_for("operator");
    assert_eq!(change(&mut other, delete)["type"], "sent");
    let deleted = author.wait_for("deleted");
    assert_eq!((&deleted["from"]["name"], &deleted["name"]), (&json!("bob"), &json!("alice")));
}

#[test]
fn mail_is_corrected_before_its_recipient_comes() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(dir.path());
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    drop(bob.join(&server));
    let mut author = alice.join(&server);
    until(|| (server.handle.connections() == 1).then_some(()));
    let seq = say(&mut author, "bob", "at five");
    assert_eq!(
        change(&mut author, json!({"type": "edit", "seq": seq, "msg": "at six", "id": "c"}))["type"],
        "sent"
    );
    let mut other = Peer::connect_tls(server.address, Some(&bob.key));
    other.hello(json!({"from": {"name": "bob"}, "since": 0}));
    let mail = other.wait_for("chat");
    assert_eq!((&mail["msg"], &mail["edited"]), (&json!("at six"), &json!(true)));
    let end = other.wait_for("history");
    assert_eq!(end["count"], 1, "no news of the change: {end}");
}

#[test]
fn a_server_without_a_history_changes_nothing() {
    let server = TestServer::without_history();
    let mut alice = Person::new("alice").join(&server);
    say(&mut alice, "all", "text");
    let refused = change(&mut alice, json!({"type": "delete", "seq": 1, "id": "c"}));
    assert_eq!(refused["code"], "no_history");
}

#[test]
fn read_positions_outlive_a_restart_and_reach_the_users_other_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::in_dir(dir.path());
    let alice = Person::new("alice");
    let (mut one, mut two) = (alice.join(&server), alice.join(&server));
    let seq = say(&mut one, "all", "text");
    two.send(json!({"type": "read", "name": "bob", "seq": 0}));
    // The answer to a later request shows that the server has read it.
    two.send(json!({"type": "ping", "id": "p"}));
    two.wait_for("pong");
    one.send(json!({"type": "read", "seq": seq}));
    assert_eq!(two.wait_for("read")["seq"], seq);
    drop((one, two));
    server.restart(dir.path());
    let mut again = Peer::connect_tls(server.address, Some(&alice.key));
    let welcome = again.hello(json!({"from": {"name": "alice"}}));
    assert_eq!(welcome["read"], json!([{"name": "bob", "seq": 0}, {"seq": seq}]), "{welcome}");
}
