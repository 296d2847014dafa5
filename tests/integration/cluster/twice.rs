//! A machine that runs with a copy of a server's files.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Joins for a moment; returns all that the server says.
fn visit(address: SocketAddr, name: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("an option");
    let hello = format!("{{\"type\":\"hello\",\"v\":1,\"from\":{{\"name\":\"{name}\"}}}}\n");
    stream.write_all(hello.as_bytes()).expect("the server reads");
    let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut bytes) {
        said.extend_from_slice(&bytes[..read]);
    }
    String::from_utf8(said).expect("text")
}

/// One of the two stops, and everyone else goes on.
fn one_stops(cluster: &Cluster, copied: u8, witness: u8) {
    let led = copied == cluster.leader();
    let copy = cluster.start_copy(copied, 3);
    let both = [cluster.address(copied), copy.address];
    let is_stopped = |address| visit(address, "visitor").contains("another process takes part");
    let stopped = soon::until(|| both.iter().position(|address| is_stopped(*address)));
    if led && stopped == 0 {
        // The log in memory sends messages to the first of the two alone, so the copy cannot lead here.
        return;
    }
    let survivor = both[1 - stopped];
    soon::until(|| visit(survivor, "visitor").contains("\"welcome\"").then_some(()));
    let mut alice = Peer::join(survivor, "alice");
    let mut bob = soon::until(|| {
        let mut bob = Peer::connect(cluster.address(witness));
        let answer = bob.hello(serde_json::json!({"from": {"name": "bob"}}));
        (answer["type"] == "welcome").then_some(bob)
    });
    alice.say("all", "still here");
    assert_eq!(bob.text(), "still here");
    assert!(!is_stopped(survivor));
}

#[test]
fn of_two_processes_that_are_the_same_server_one_stops_and_says_why() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    one_stops(&cluster, cluster.others(leader)[0], leader);
}

#[test]
fn of_two_processes_that_are_the_server_that_leads_one_stops_and_says_why() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    one_stops(&cluster, leader, cluster.others(leader)[0]);
}

#[test]
fn a_server_that_starts_again_and_again_or_is_cut_off_is_not_taken_for_two() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, _] = cluster.others(leader);
    for (round, number) in [one, leader, one, leader, one, leader].into_iter().enumerate() {
        // The end of the last one may not have reached the rules.
        let name = format!("bob{round}");
        cluster.stop_server(number);
        cluster.start_server(number);
        let mut bob = Peer::join(cluster.address(number), &name);
        bob.sees_join(&name);
        cluster.log.cut(number);
        cluster.log.heal(number);
        bob.settle();
    }
    assert!(visit(cluster.address(one), "visitor").contains("\"welcome\""));
}
