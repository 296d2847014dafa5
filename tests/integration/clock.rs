//! A server whose clock is wrong: nothing that was promised is lost by it, people are told, and what was
//! said has the right date once the clock is right.

use crate::support::clock::SetClock;
use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::soon;
use crate::support::storm::server::Mortal;
use crate::support::tls::Key;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;

const DAY: i64 = 86_400;

/// A server that goes by `clock`.
fn serve(clock: &Arc<SetClock>, args: &[&str]) -> Mortal {
    let clock = Arc::clone(clock);
    let wrap = Box::new(move |command: &Command| {
        let mut set = Command::new(command.get_program());
        set.args(command.get_args());
        for (name, value) in command.get_envs() {
            set.env(name, value.unwrap_or_default());
        }
        clock.apply(&mut set);
        set
    });
    Mortal::start_as(args, Some(wrap))
}

fn restart(server: &mut Mortal) {
    server.stop();
    server.start_again();
}

fn say(peer: &mut Peer, to: &str, msg: &str) -> Value {
    peer.send(json!({"to": to, "msg": msg, "id": msg}));
    peer.wait_until(|packet| packet["id"] == msg)
}

/// Everything that the history has, with its dates by the true time.
fn export(server: &Mortal) -> Vec<(String, Timestamp)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["export", "--format", "jsonl", "--data-dir"]).arg(server.home.path());
    let output = command.env("HOME", server.home.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["msg"].as_str().unwrap().to_owned(), row["ts"].as_str().unwrap().parse().unwrap())
    };
    lines.lines().map(row).collect()
}

/// Waits until the history has just these texts, all dated by a clock that is right.
#[track_caller]
fn has_dated(server: &Mortal, texts: &[&str]) {
    let now = Timestamp::now();
    soon::until(|| {
        let all = export(server);
        assert_eq!(all.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), texts);
        let is_right = |at: &Timestamp| at.duration_since(now).abs() < SignedDuration::from_mins(2);
        all.iter().all(|(_, at)| is_right(at)).then_some(())
    });
}

#[test]
fn what_was_receipted_at_1970_is_dated_when_the_clock_is_right_and_mail_comes() {
    if one_node::process_skips("an engine lets nobody in before 1975, from when on its certificates are good")
    {
        return;
    }
    let Some(clock) = SetClock::new().map(Arc::new) else { return };
    clock.shift(60 - Timestamp::now().as_second());
    let mut server = serve(&clock, &["--retain", "1d"]);
    let address = server.address();
    let (alice_key, bob_key) = (Key::new(), Key::new());
    let bob = Peer::join_with(address, "bob", &bob_key);
    let mut alice = Peer::join_with(address, "alice", &alice_key);
    drop(bob);
    assert_eq!(say(&mut alice, "all", "hello")["seq"], 1);
    let waits = soon::until(|| {
        let receipt = say(&mut alice, "bob", "mail");
        (receipt["waits"] == true).then_some(receipt)
    });
    assert_eq!(waits["stored"], Value::Null);
    let warned = server.wait_for_log("so it was never set: no data is deleted because of it");
    assert!(warned.contains("WARN") && warned.contains("1970-01-01T00:01"), "{warned}");
    clock.shift(0);
    say(&mut alice, "all", "the network is there");
    let texts: Vec<String> = export(&server).into_iter().map(|(text, _)| text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    has_dated(&server, &texts);
    server.wait_for_log("the clock is right again");
    restart(&mut server);
    let mut bob = Peer::connect_tls(server.address(), Some(&bob_key));
    bob.hello(json!({"from": {"name": "bob"}}));
    assert_eq!(bob.wait_until(|packet| packet["to"] == "bob" && packet["type"] == "chat")["msg"], "mail");
}

#[test]
fn what_was_receipted_at_1970_is_kept_over_a_start_with_the_right_clock() {
    if one_node::process_skips("an engine lets nobody in before 1975, from when on its certificates are good")
    {
        return;
    }
    let Some(clock) = SetClock::new().map(Arc::new) else { return };
    clock.shift(60 - Timestamp::now().as_second());
    let mut server = serve(&clock, &["--retain", "1d"]);
    let (alice_key, bob_key) = (Key::new(), Key::new());
    let address = server.address();
    Peer::join_with(address, "bob", &bob_key).send(json!({"type": "quit"}));
    let mut alice = Peer::join_with(address, "alice", &alice_key);
    say(&mut alice, "all", "hello");
    clock.shift(0);
    restart(&mut server);
    has_dated(&server, &["hello"]);
    let mut mallory = Peer::connect_tls(server.address(), Some(&Key::new()));
    assert_eq!(mallory.hello(json!({"from": {"name": "bob"}}))["code"], "name_taken");
}

#[test]
fn a_start_a_year_ahead_removes_nothing_frees_no_name_and_is_told_to_operators() {
    if one_node::process_skips("the messages of several servers keep dates that a wrong clock gave them") {
        return;
    }
    let Some(clock) = SetClock::new().map(Arc::new) else { return };
    let mut server = serve(&clock, &["--retain", "2d"]);
    let key = Key::new();
    let address = server.address();
    let mut alice = Peer::join_with(address, "alice", &key);
    let secret = std::fs::read_to_string(server.home.path().join("operator-secret")).unwrap();
    let secret: Value = serde_json::from_str(&secret).unwrap();
    alice.send(json!({"type": "op", "token": secret["secret"]}));
    alice.wait_for("operator");
    // For good, and not only while this connection lasts.
    alice.send(json!({"type": "op", "name": "alice", "id": "op"}));
    alice.wait_until(|packet| packet["id"] == "op");
    say(&mut alice, "all", "important");
    drop(alice);
    server.stop();
    clock.shift(366 * DAY);
    server.start_again();
    let address = server.address();
    let warned = server.wait_for_log("unless it was off in between: no data is deleted because of it");
    assert!(warned.contains("WARN") && warned.contains("set it (timedatectl)"), "{warned}");
    let mut eve = Peer::connect_tls(address, Some(&Key::new()));
    assert_eq!(eve.hello(json!({"from": {"name": "alice"}}))["code"], "name_taken");
    let mut alice = Peer::join_with(address, "alice", &key);
    let told = alice.wait_for("notice");
    assert!(told["msg"].as_str().unwrap().starts_with("this machine's clock says "), "{told}");
    say(&mut alice, "all", "from next year");
    clock.shift(0);
    // Either may come first.
    alice.send(json!({"to": "all", "msg": "now", "id": "now"}));
    let left = std::cell::RefCell::new(vec!["now", "the server's clock is right again"]);
    alice.wait_until(|packet| {
        left.borrow_mut().retain(|wanted| packet["id"] != *wanted && packet["msg"] != *wanted);
        left.borrow().is_empty()
    });
    has_dated(&server, &["important", "from next year", "now"]);
    restart(&mut server);
    has_dated(&server, &["important", "from next year", "now"]);
    let doubts = server.log().iter().filter(|line| line.contains("clock says")).count();
    assert_eq!(doubts, 1, "{:#?}", server.log());
}

#[test]
fn a_minute_ahead_neither_removes_nor_spares_anything_of_what_goes_by_age() {
    let Some(clock) = SetClock::new().map(Arc::new) else { return };
    let mut server = serve(&clock, &["--retain", "1d"]);
    let address = server.address();
    let mut alice = Peer::join_with(address, "alice", &Key::new());
    say(&mut alice, "all", "before");
    clock.shift(366 * DAY);
    say(&mut alice, "all", "glitch");
    clock.shift(0);
    say(&mut alice, "all", "after");
    has_dated(&server, &["before", "glitch", "after"]);
    drop(alice);
    server.stop();
    // As a machine that was off: what the clock may gain is enough for a day.
    clock.shift(2 * DAY);
    server.start_again();
    soon::until(|| export(&server).is_empty().then_some(()));
}

#[test]
fn mail_that_grows_too_old_is_told_to_its_author_and_its_owner_is_told_of_a_gap() {
    let Some(clock) = SetClock::new().map(Arc::new) else { return };
    let mut server = serve(&clock, &["--retain", "1d"]);
    let (alice_key, bob_key) = (Key::new(), Key::new());
    let address = server.address();
    let mut bob = Peer::connect_tls(address, Some(&bob_key));
    let welcome = bob.hello(json!({"from": {"name": "bob"}, "since": 0}));
    bob.send(json!({"type": "quit"}));
    bob.wait_for("bye");
    let mut alice = Peer::join_with(address, "alice", &alice_key);
    assert_eq!(say(&mut alice, "all", "so that bob has something")["seq"], 1);
    let receipt = say(&mut alice, "bob", "mail");
    assert_eq!((&receipt["waits"], &receipt["seq"]), (&json!(true), &json!(2)));
    drop(alice);
    server.stop();
    clock.shift(2 * DAY);
    server.start_again();
    let address = server.address();
    let mut alice = Peer::join_with(address, "alice", &alice_key);
    let told = alice.wait_for("delivered");
    assert_eq!(
        (&told["name"], &told["count"], &told["lost"], &told["last"]),
        (&json!("bob"), &json!(0), &json!(1), &json!(2))
    );
    assert_eq!(told["msg"], "the server removed 1 message for bob, which waited too long");
    let mut bob = Peer::connect_tls(address, Some(&bob_key));
    let hello = json!({"from": {"name": "bob"}, "since": 1, "log": welcome["log"]});
    bob.hello(hello);
    let end = bob.wait_for("history");
    assert_eq!(end["gap"], true, "{end}");
}
