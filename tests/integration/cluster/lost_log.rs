//! The servers' log is lost, or is of another history.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::server::leave_log;
use serde_json::json;

fn say(peer: &mut Peer, id: &str, text: &str) -> u64 {
    peer.send(json!({"to": "all", "msg": text, "id": id}));
    let receipt = peer.wait_until(|packet| packet["type"] == "sent" && packet["id"] == id);
    receipt["seq"].as_u64().expect("a number")
}

#[test]
fn a_log_that_was_created_again_is_not_followed_and_restore_begins_another() {
    let mut cluster = Cluster::start(2);
    let key = Key::new();
    let mut alice = Peer::join_with(cluster.address(0), "alice", &key);
    let mut bob = Peer::join(cluster.address(1), "bob");
    let first = say(&mut alice, "1", "one");
    assert_eq!(bob.text(), "one");
    cluster.log.recreate();
    // Both servers say why, and end their sessions.
    for peer in [&mut alice, &mut bob] {
        let told = peer.read_to_end();
        let why = told.iter().find(|packet| packet["type"] == "error").expect("an error");
        assert!(why["msg"].as_str().expect("a text").contains("lanchat cluster restore"), "{why}");
    }
    for number in 0..2 {
        cluster.stop_server(number);
        assert_eq!(leave_log(&cluster.dir_of(number)).expect("a history"), first);
        cluster.start_server(number);
    }
    let mut alice = Peer::connect_tls(cluster.address(0), Some(&key));
    let welcome = alice.hello(json!({"from": {"name": "alice"}, "since": 0}));
    assert_eq!(welcome["seq"], first, "{welcome}");
    assert_eq!(alice.text(), "one");
    let mut bob = Peer::join(cluster.address(1), "bob");
    assert_eq!(say(&mut alice, "2", "two"), first + 1);
    assert_eq!(bob.text(), "two");
}

#[test]
fn a_server_with_another_history_says_so_and_takes_no_part() {
    let mut cluster = Cluster::start(2);
    let mut alice = Peer::join(cluster.address(cluster.leader()), "alice");
    say(&mut alice, "1", "one");
    drop(alice);
    for number in 0..2 {
        cluster.stop_server(number);
    }
    cluster.log.recreate();
    leave_log(&cluster.dir_of(0)).expect("a history");
    std::fs::remove_file(cluster.dir_of(1).join("history.db")).expect("a history");
    cluster.start_server(0);
    let mut alice = Peer::join(cluster.address(0), "alice");
    say(&mut alice, "2", "two");
    cluster.start_server(1);
    let mut bob = Peer::connect(cluster.address(1));
    bob.send(json!({"type": "hello", "v": 1, "to": "server", "msg": "", "from": {"name": "bob"}}));
    let told = bob.read_to_end();
    let why = told.iter().find(|packet| packet["type"] == "error").expect("an error");
    assert!(why["msg"].as_str().expect("a text").contains("histories"), "{why}");
    say(&mut alice, "3", "three");
}

#[test]
fn servers_begin_with_the_history_of_one_that_was_alone() {
    let key = Key::new();
    let mut last = 0;
    let cluster = Cluster::from(2, |dir| {
        let server = TestServer::alone_in_dir(dir);
        let mut alice = Peer::join_with(server.address, "alice", &key);
        last = say(&mut alice, "1", "said when there was one");
    });
    let mut alice = Peer::connect_tls(cluster.address(1), Some(&key));
    let welcome = alice.hello(json!({"from": {"name": "alice"}, "since": 0}));
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    assert_eq!(alice.text(), "said when there was one");
    let mut bob = Peer::join(cluster.address(0), "bob");
    assert!(say(&mut alice, "2", "said when there are two") > last);
    assert_eq!(bob.text(), "said when there are two");
}
