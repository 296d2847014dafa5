//! Records in the servers' log that are not of a server with the chat's key, and servers with another key.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use lanchat::server::{KEY_FILE, Server};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Another key than that of the chat, and no history.
fn begin_anew(dir: &Path) {
    for file in fs::read_dir(dir).expect("a directory") {
        fs::remove_file(file.expect("an entry").path()).expect("a file");
    }
}

/// What a server answers to a newcomer.
fn answer(cluster: &Cluster, number: u8, name: &str) -> String {
    let mut peer = Peer::connect(cluster.address(number));
    peer.hello(json!({"from": {"name": name}})).to_string()
}

#[test]
fn what_an_outsider_writes_to_the_log_stops_no_server() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let mut alice = Peer::join(cluster.address(one), "alice");
    let mut bob = Peer::join(cluster.address(other), "bob");
    let mut said = 0;
    let mut talk = |alice: &mut Peer, bob: &mut Peer| {
        said += 1;
        alice.say("all", &format!("{said}"));
        assert_eq!(bob.text(), format!("{said}"));
    };
    talk(&mut alice, &mut bob);
    let strange = |cluster: &Cluster| {
        cluster.log.append_strange("not of a server".into());
        cluster.log.append_strange(Vec::new().into());
        // Copies of records that count, the latest and that of the first leader.
        let (_, records) = cluster.log.records();
        let copies = [records[0].clone(), records[records.len() - 3].clone()];
        copies.into_iter().for_each(|copy| cluster.log.append_strange(copy));
    };
    strange(&cluster);
    talk(&mut alice, &mut bob);
    strange(&cluster);
    cluster.stop_server(leader);
    strange(&cluster);
    talk(&mut alice, &mut bob);
    // That server reads all of it again, without what it has stored.
    let history = cluster.dir_of(leader).join("history.db");
    fs::remove_file(history).expect("a history");
    strange(&cluster);
    cluster.start_server(leader);
    talk(&mut alice, &mut bob);
    let mut carol = Peer::join(cluster.address(leader), "carol");
    alice.sees_join("carol");
    alice.say("all", "last");
    assert_eq!(carol.text(), "last");
}

#[test]
fn all_servers_start_again_behind_a_record_of_an_outsider() {
    let mut cluster = Cluster::start(2);
    drop(Peer::join(cluster.address(0), "alice"));
    for number in 0..2 {
        cluster.stop_server(number);
    }
    cluster.log.append_strange("not of a server".into());
    for number in 0..2 {
        cluster.start_server(number);
    }
    let mut alice = Peer::join(cluster.address(0), "alice");
    let mut bob = Peer::join(cluster.address(1), "bob");
    alice.sees_join("bob");
    bob.say("all", "hello");
    assert_eq!(alice.text(), "hello");
}

#[test]
fn a_new_server_with_another_key_takes_no_part_and_the_others_go_on() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [wrong, other] = cluster.others(leader);
    drop(Peer::join(cluster.address(other), "alice"));
    cluster.stop_server(wrong);
    begin_anew(&cluster.dir_of(wrong));
    cluster.start_server(wrong);
    let why = soon::until(|| Some(answer(&cluster, wrong, "carol")).filter(|said| said.contains("error")));
    assert!(why.contains("same server.pem"), "{why}");
    let mut bob = Peer::join(cluster.address(leader), "bob");
    let mut dave = Peer::join(cluster.address(other), "dave");
    bob.sees_join("dave");
    dave.say("all", "hello");
    assert_eq!(bob.text(), "hello");
}

#[test]
fn a_server_with_another_key_than_its_history_does_not_start() {
    let mut cluster = Cluster::start(2);
    let other = 1 - cluster.leader();
    drop(Peer::join(cluster.address(other), "alice"));
    cluster.stop_server(other);
    let dir = cluster.dir_of(other);
    fs::remove_file(dir.join(KEY_FILE)).expect("a key");
    let options = cluster.options(other);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let refused = runtime.block_on(async { Server::bind(options).map(drop) });
    let why = refused.expect_err("another key").to_string();
    assert!(why.contains("another key than this server's; put the chat's server.pem"), "{why}");
}

#[test]
fn a_server_that_hears_a_forged_record_reads_the_true_one() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [deceived, other] = cluster.others(leader);
    let mut alice = Peer::join(cluster.address(other), "alice");
    let mut bob = Peer::join(cluster.address(deceived), "bob");
    alice.sees_join("bob");
    // Not of a server, and a copy of a record that counts.
    let copy = cluster.log.records().1[0].clone();
    for forged in ["not of a server".into(), copy] {
        cluster.log.hold(deceived);
        for text in ["one", "two"] {
            alice.say("all", text);
            alice.settle();
        }
        cluster.log.forge(deceived, forged);
        cluster.log.release(deceived);
        alice.say("all", "three");
        for text in ["one", "two", "three"] {
            assert_eq!(bob.text(), text);
        }
    }
}
