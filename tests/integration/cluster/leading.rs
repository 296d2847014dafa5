//! Servers that end, are cut off, and lead in turn.

use crate::support::cluster::Cluster;
use crate::support::peer::{DEADLINE, Peer};
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Says a message with an id until its receipt comes, as clients do.
fn say(peer: &mut Peer, id: &str, text: &str) {
    peer.send(json!({"to": "all", "msg": text, "id": id}));
    peer.wait_until(|packet| packet["type"] == "sent" && packet["id"] == id);
}

fn names(peer: &mut Peer) -> Vec<String> {
    peer.send(json!({"type": "users", "to": "server"}));
    let users = peer.wait_for("users");
    let rows = users["users"].as_array().expect("users").iter();
    rows.map(|user| user["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn when_the_server_that_leads_ends_the_others_go_on_and_nobody_else_has_left() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let (mut bob, mut carol) =
        (Peer::join(cluster.address(one), "bob"), Peer::join(cluster.address(other), "carol"));
    bob.send(json!({"type": "away", "to": "server", "msg": "lunch"}));
    bob.wait_for("away");
    say(&mut bob, "1", "before");
    assert_eq!(carol.text(), "before");
    cluster.stop_server(leader);
    say(&mut bob, "2", "after");
    let seen: Vec<Value> = std::iter::from_fn(|| {
        let packet = carol.next();
        (packet["msg"] != "after").then_some(packet)
    })
    .collect();
    assert!(seen.iter().all(|packet| packet["type"] != "left"), "{seen:?}");
    assert_eq!(names(&mut carol), ["bob", "carol"]);
    carol.send(json!({"type": "whois", "to": "server", "name": "bob"}));
    let about = carol.wait_for("whois");
    assert_eq!(about["user"]["away"], "lunch", "{about}");
}

#[test]
fn what_the_server_that_leads_gathers_is_not_lost_when_it_ends() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, _] = cluster.others(leader);
    let key = Key::new();
    let mut alice = Peer::join_with(cluster.address(leader), "alice", &key);
    alice.send(json!({"type": "read", "name": "bob", "seq": 0}));
    // The answer to a later request shows that the rules have it.
    alice.settle();
    cluster.stop_server(leader);
    let mut alice = Peer::connect_tls(cluster.address(one), Some(&key));
    let welcome = alice.hello(json!({"from": {"name": "alice"}}));
    assert_eq!(welcome["read"], json!([{"name": "bob", "seq": 0}]), "{welcome}");
}

#[test]
fn a_server_that_was_away_has_what_the_others_said() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let key = Key::new();
    let mut bob = Peer::join_with(cluster.address(one), "bob", &key);
    say(&mut bob, "1", "one");
    drop(bob);
    cluster.stop_server(one);
    let mut carol = Peer::join(cluster.address(other), "carol");
    say(&mut carol, "2", "two");
    cluster.start_server(one);
    let mut bob = Peer::connect_tls(cluster.address(one), Some(&key));
    bob.hello(json!({"from": {"name": "bob"}, "since": 1}));
    assert_eq!(bob.text(), "two");
    say(&mut carol, "3", "three");
    assert_eq!(bob.text(), "three");
}

#[test]
fn people_of_a_server_that_ends_have_left_once_it_is_back_or_silent() {
    let cluster = Cluster::start(2);
    let leader = cluster.leader();
    let other = 1 - leader;
    let mut alice = Peer::join(cluster.address(leader), "alice");
    let bob = Peer::join(cluster.address(other), "bob");
    alice.sees_join("bob");
    drop(bob);
    alice.wait_until(|packet| packet["type"] == "left" && packet["names"][0] == "bob");
}

#[test]
fn a_server_that_is_cut_off_says_nothing_that_the_log_does_not_have() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let (mut alice, mut bob) =
        (Peer::join(cluster.address(leader), "alice"), Peer::join(cluster.address(one), "bob"));
    let mut carol = Peer::join(cluster.address(other), "carol");
    carol.sees_join("carol");
    cluster.log.cut(leader);
    alice.send(json!({"to": "all", "msg": "from the old leader", "id": "a"}));
    say(&mut bob, "b", "from the others");
    assert_eq!(carol.text(), "from the others");
    cluster.log.heal(leader);
    // Its messages wait, and the new leader takes them.
    alice.wait_until(|packet| packet["msg"] == "from the others");
    alice.wait_until(|packet| packet["type"] == "sent" && packet["id"] == "a");
    assert_eq!(carol.text(), "from the old leader");
    assert_eq!(bob.text(), "from the old leader");
}

#[test]
fn people_at_a_server_that_is_cut_off_are_told_once_and_again_when_it_is_back() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, _] = cluster.others(leader);
    let mut alice = Peer::join(cluster.address(one), "alice");
    alice.sees_join("alice");
    cluster.log.cut(one);
    let told = alice.wait_for("notice");
    assert!(told["msg"].as_str().expect("a text").contains("cut off"), "{told}");
    let refused = Peer::connect(cluster.address(one)).hello(json!({"from": {"name": "bob"}}));
    assert_eq!(refused["code"], "server_full", "{refused}");
    alice.send(json!({"to": "all", "msg": "waits", "id": "w"}));
    cluster.log.heal(one);
    let told = alice.wait_for("notice");
    assert!(told["msg"].as_str().expect("a text").contains("again"), "{told}");
    alice.wait_until(|packet| packet["type"] == "sent" && packet["id"] == "w");
}

#[test]
fn a_server_that_led_before_it_started_again_ends_without_delay() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, _] = cluster.others(leader);
    cluster.stop_server(leader);
    let mut bob = Peer::join(cluster.address(one), "bob");
    // It starts again, and does not know yet that another one leads.
    cluster.log.cut(leader);
    cluster.start_server(leader);
    let mut alice = Peer::connect(cluster.address(leader));
    alice.send(json!({"type": "hello", "v": 1, "from": {"name": "alice"}, "to": "server", "msg": ""}));
    // What came before a whole handshake has been read.
    let mut carol = Peer::connect_tls(cluster.address(leader), Some(&Key::new()));
    carol.send(json!({"type": "ping", "to": "server"}));
    cluster.log.heal(leader);
    alice.wait_for("welcome");
    bob.sees_join("alice");
    let start = Instant::now();
    cluster.stop_server(leader);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn a_restarted_server_s_people_get_nothing_that_was_for_those_before_them() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let bob = Peer::join(cluster.address(one), "bob");
    let mut alice = Peer::join(cluster.address(other), "alice");
    bob_is_known(&mut alice);
    // What is said to him now comes to his server only after it has started again.
    cluster.log.cut(one);
    say_to(&mut alice, "bob", "for bob alone");
    drop(bob);
    cluster.stop_server(one);
    cluster.start_server(one);
    let mut mallory = Peer::connect(cluster.address(one));
    mallory.send(json!({"type": "hello", "v": 1, "from": {"name": "mallory"}, "to": "server", "msg": ""}));
    cluster.log.heal(one);
    let first = mallory.next();
    assert_eq!(first["type"], "welcome", "{first}");
    alice.say("all", "to all");
    let seen: Vec<Value> = std::iter::from_fn(|| {
        let packet = mallory.next();
        (packet["msg"] != "to all").then_some(packet)
    })
    .collect();
    assert!(seen.iter().all(|packet| packet["msg"] != "for bob alone"), "{seen:?}");
}

fn bob_is_known(peer: &mut Peer) {
    while !names(peer).contains(&"bob".to_owned()) {}
}

fn say_to(peer: &mut Peer, to: &str, text: &str) {
    peer.send(json!({"to": to, "msg": text, "id": "direct"}));
    peer.wait_until(|packet| packet["type"] == "sent" && packet["id"] == "direct");
}

#[test]
fn a_server_that_fell_behind_catches_up_at_once() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [behind, _] = cluster.others(leader);
    let mut alice = Peer::join(cluster.address(leader), "alice");
    let mut bob = Peer::join(cluster.address(behind), "bob");
    alice.sees_join("bob");
    cluster.log.hold(behind);
    for number in 0..300 {
        alice.send(json!({"to": "all", "msg": format!("{number}"), "id": format!("m{number}")}));
        alice.wait_for("sent");
    }
    cluster.log.release(behind);
    let start = Instant::now();
    for number in 0..300 {
        assert_eq!(bob.text(), format!("{number}"));
    }
    // One turn at each look at the time, it would take a minute.
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
}
