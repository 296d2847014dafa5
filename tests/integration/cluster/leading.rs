//! Servers that end, are cut off, and lead in turn.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::tls::Key;
use serde_json::{Value, json};

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
