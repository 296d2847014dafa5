//! A chat is closed at all its servers if it is at one of them.

use crate::closed::{PASSPHRASE, enter};
use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use crate::support::tls::Key;
use lanchat::security::Passphrase;
use lanchat::server::{JoinPolicy, ServerOptions};
use serde_json::{Value, json};

/// Starts a server as a closed one, as its command line does.
fn close(options: &mut ServerOptions) {
    options.access = JoinPolicy::Closed(Passphrase::new(PASSPHRASE).expect("a passphrase"));
    options.rules.closed = true;
}

fn number(options: &ServerOptions) -> u8 {
    options.node.as_ref().expect("a node").number
}

/// Three servers, all closed but the first.
fn all_but_the_first() -> Cluster {
    Cluster::with(3, |options| {
        if number(options) != 0 {
            close(options);
        }
    })
}

fn is_closed_at(cluster: &Cluster, number: u8) -> bool {
    let mut peer = Peer::connect_tls(cluster.address(number), None);
    peer.send(json!({"type": "ping", "to": "server"}));
    peer.next()["closed"] == true
}

/// What a stranger hears at a server; nothing more than that.
fn stranger_at(cluster: &Cluster, number: u8) -> Value {
    let mut peer = Peer::connect_tls(cluster.address(number), Some(&Key::new()));
    let answer = peer.hello(json!({"from": {"name": "eve"}}));
    assert!(peer.read_to_end().is_empty());
    answer
}

fn assert_kept_out(answer: &Value) {
    let msg = answer["msg"].as_str().unwrap_or_default();
    assert_eq!(answer["code"], "server_full", "{answer}");
    assert!(
        msg.starts_with("this chat is closed, and this server cannot ask for the passphrase"),
        "{answer}"
    );
}

/// Has another server lead, if this one does.
fn make_another_lead(cluster: &mut Cluster, than: u8) {
    if cluster.leader() == than {
        cluster.stop_server(than);
        assert_ne!(cluster.leader(), than);
        cluster.start_server(than);
    }
}

fn make_lead(cluster: &mut Cluster, number: u8) {
    let others = cluster.others(number);
    if cluster.leader() != number {
        others.iter().for_each(|other| cluster.stop_server(*other));
        assert_eq!(cluster.leader(), number);
        others.iter().for_each(|other| cluster.start_server(*other));
    }
}

#[test]
fn a_server_without_closed_lets_no_stranger_in_whoever_leads() {
    let mut cluster = all_but_the_first();
    soon::until(|| is_closed_at(&cluster, 0).then_some(()));
    for makes in [make_another_lead, make_lead] {
        makes(&mut cluster, 0);
        assert_kept_out(&stranger_at(&cluster, 0));
        for closed in [1, 2] {
            let mut peer = Peer::connect_tls(cluster.address(closed), Some(&Key::new()));
            assert_eq!(peer.hello(json!({"from": {"name": "eve"}}))["type"], "pake");
        }
    }
}

#[test]
fn members_enter_at_each_server_and_those_without_a_key_where_they_are_asked() {
    let mut cluster = all_but_the_first();
    soon::until(|| is_closed_at(&cluster, 0).then_some(()));
    for (makes, name) in [(make_another_lead as fn(&mut Cluster, u8), "alice"), (make_lead, "carol")] {
        makes(&mut cluster, 0);
        let key = Key::new();
        let (_member, welcome) = enter(cluster.server(1), name, Some(&key), PASSPHRASE);
        assert_eq!((&welcome["type"], &welcome["closed"]), (&json!("welcome"), &json!(true)), "{welcome}");
        let mut again = Peer::join_with(cluster.address(0), name, &key);
        let (mut guest, welcome) = enter(cluster.server(2), "bob", None, PASSPHRASE);
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        guest.say("all", "hello");
        assert_eq!(again.text(), "hello");
    }
}

#[test]
fn a_chat_stays_closed_while_its_closed_servers_are_away_and_opens_when_they_start_open() {
    let mut cluster = all_but_the_first();
    soon::until(|| is_closed_at(&cluster, 0).then_some(()));
    [1, 2].iter().for_each(|other| cluster.stop_server(*other));
    cluster.stop_server(0);
    cluster.start_server(0);
    assert_eq!(cluster.leader(), 0);
    assert!(is_closed_at(&cluster, 0));
    assert_kept_out(&stranger_at(&cluster, 0));
    cluster.change = |_| {};
    cluster.start_server(1);
    assert!(is_closed_at(&cluster, 0), "the last that was heard of the server 2 counts");
    cluster.start_server(2);
    soon::until(|| (!is_closed_at(&cluster, 0)).then_some(()));
    Peer::join_with(cluster.address(0), "eve", &Key::new());
}

#[test]
fn strangers_who_are_here_when_the_first_closed_server_comes_have_to_leave() {
    let mut cluster = Cluster::start(3);
    cluster.leader();
    let mut eve = Peer::join_with(cluster.address(0), "eve", &Key::new());
    cluster.stop_server(2);
    cluster.change = |options| {
        if number(options) == 2 {
            close(options);
        }
    };
    cluster.start_server(2);
    let end = eve.read_to_end();
    assert_kept_out(end.last().expect("a reason"));
    assert_kept_out(&stranger_at(&cluster, 1));
}

#[test]
fn nobody_gets_in_by_way_of_a_server_that_has_not_heard_yet() {
    let mut cluster = Cluster::start(3);
    make_another_lead(&mut cluster, 0);
    cluster.log.cut(0);
    cluster.stop_server(2);
    cluster.change = |options| {
        if number(options) == 2 {
            close(options);
        }
    };
    cluster.start_server(2);
    soon::until(|| is_closed_at(&cluster, 1).then_some(()));
    let (mut bob, _) = enter(cluster.server(2), "bob", Some(&Key::new()), PASSPHRASE);
    let waiting = || cluster.server(0).numbers().uplink_bytes.expect("a node");
    let before = waiting();
    let mut eve = Peer::connect_tls(cluster.address(0), Some(&Key::new()));
    eve.send(json!({"type": "hello", "from": {"name": "eve"}, "to": "server", "msg": ""}));
    eve.say("all", "from outside");
    soon::until(|| (waiting() > before + 300).then_some(()));
    cluster.log.heal(0);
    let heard = eve.read_to_end();
    assert!(heard.iter().all(|packet| packet["type"] != "welcome"), "{heard:?}");
    assert_kept_out(heard.last().expect("a reason"));
    // Until the rules have heard all that she said.
    soon::until(|| (waiting() == 0).then_some(()));
    let heard = bob.settle();
    assert!(heard.iter().all(|packet| !packet.to_string().contains("eve")), "{heard:?}");
}
