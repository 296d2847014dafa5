//! Connections that end, or could end too early.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon::until;
use serde_json::json;
use std::io::Write;
use std::time::Duration;

#[test]
fn who_closes_their_sending_half_gets_the_answers_of_the_server_that_leads() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    for number in [leader, cluster.others(leader)[0]] {
        let mut pipe = Peer::connect(cluster.address(number));
        pipe.send(json!({"from": {"name": format!("cron{number}")}, "to": "all", "msg": "done", "id": "a"}));
        pipe.close_sending();
        let answers = pipe.read_to_end();
        assert!(answers.iter().any(|packet| packet["type"] == "sent" && packet["id"] == "a"), "{answers:?}");
    }
}

#[test]
fn a_connection_that_its_peer_has_ended_waits_for_answers_only_for_a_while() {
    let cluster = Cluster::start(3);
    let [one, _] = cluster.others(cluster.leader());
    let mut bob = Peer::join(cluster.address(one), "bob");
    cluster.log.cut(one);
    bob.say("all", "nobody reads this");
    bob.close_sending();
    until(|| (cluster.server(one).numbers().places_taken == 0).then_some(()));
}

#[test]
fn whom_their_server_ends_has_left_for_everyone_at_once() {
    let cluster = Cluster::with(3, |options| options.frame = Duration::from_millis(300));
    let [one, other] = cluster.others(cluster.leader());
    let mut alice = Peer::join(cluster.address(other), "alice");
    let mut slow = Peer::join(cluster.address(one), "slow");
    alice.sees_join("slow");
    slow.send_raw(br#"{"to":"all","msg":"never fini"#);
    alice.wait_until(|packet| packet["type"] == "left" && packet["names"][0] == "slow");
    assert_eq!(slow.wait_for("error")["code"], "frame_timeout");
}

#[test]
fn a_first_packet_that_waits_for_a_server_that_leads_has_come_in_time() {
    let cluster = Cluster::with(3, |options| options.registration = Duration::from_millis(300));
    let [one, _] = cluster.others(cluster.leader());
    cluster.log.cut(one);
    let mut alice = Peer::connect(cluster.address(one));
    alice.send(json!({"type": "hello", "v": 1, "from": {"name": "alice"}, "to": "server", "msg": ""}));
    // The time of this one ends later.
    let mut silent = Peer::connect(cluster.address(one));
    assert_eq!(silent.next()["code"], "handshake_timeout");
    cluster.log.heal(one);
    alice.wait_for("welcome");
}

#[test]
fn who_asks_for_much_and_reads_nothing_holds_up_nobody() {
    let cluster = Cluster::start(1);
    let mut crowd: Vec<Peer> =
        (0..100).map(|n| Peer::join(cluster.address(0), &format!("{n:-<32}"))).collect();
    let greedy = Peer::join(cluster.address(0), "greedy");
    let writing = std::thread::spawn({
        let mut stream = greedy.stream.try_clone().unwrap();
        // Answers of a gigabyte in all, if nobody stopped it.
        move || (0..20).all(|_| stream.write_all(&b"{\"type\":\"users\"}\n".repeat(4096)).is_ok())
    });
    until(|| {
        crowd[0].settle();
        (cluster.server(0).handle.connections() <= 100).then_some(())
    });
    drop(greedy);
    writing.join().unwrap();
}
