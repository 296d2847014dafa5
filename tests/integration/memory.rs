//! What clients can make the server keep has a bound, and those go first for whom most is kept.

use crate::support::peer::{DEADLINE, Peer};
use crate::support::process::Serve;
use crate::support::server::TestServer;
use crate::support::soon::until;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A process of its own, as all that it uses counts. A quarter of this is for what waits for clients.
fn server(rate: &str) -> Serve {
    Serve::start(&["--memory", "64MiB", "--no-history", "--rate-limit", rate])
}

/// Waits until there are no more than so many users.
fn wait_for_users(watcher: &mut Peer, most: u64) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        watcher.send(json!({"type": "ping", "to": "server", "id": "how many"}));
        let pong = watcher.wait_until(|packet| packet["id"] == "how many");
        if pong["total"].as_u64().is_some_and(|total| total <= most) {
            return;
        }
        assert!(Instant::now() < deadline, "{} users are still here", pong["total"]);
    }
}

/// Joins, as often as the server is still about to close those who take too much.
fn join_once_there_is_memory(address: SocketAddr, name: &str) -> Peer {
    until(|| {
        let mut peer = Peer::connect(address);
        let answer = peer.hello(json!({"from": {"name": name}}));
        let is_in = answer["type"] == "welcome";
        assert!(is_in || answer["code"] == "server_full", "{answer}");
        is_in.then_some(peer)
    })
}

/// The last packet of a connection that the server has ended.
fn last_word(peer: &mut Peer) -> String {
    peer.read_to_end().pop().map_or_else(String::new, |last| last["code"].as_str().unwrap_or_default().into())
}

#[test]
fn of_those_who_do_not_finish_their_frames_the_heaviest_go_and_the_others_stay() {
    let server = server("off");
    let mut honest = Peer::join(server.address, "honest");
    // Somebody pastes a long text on a bad line.
    honest.send_raw(br#"{"to":"bob","msg":"somewhat "#);
    let mut bob = Peer::join(server.address, "bob");
    let frame = format!("{{\"to\":\"all\",\"msg\":\"{}", "x".repeat(60_000));
    let mut hoarders: Vec<Peer> = (0..400)
        .map(|n| {
            let peer = join_once_there_is_memory(server.address, &format!("hoarder{n}"));
            // It may be closed while it sends.
            let _ = (&peer.stream).write_all(frame.as_bytes());
            peer
        })
        .collect();
    // They would take 24 megabytes, and 16 are allowed.
    wait_for_users(&mut bob, 350);
    honest.send_raw(b"late\"}\n");
    assert_eq!(bob.text(), "somewhat late");
    let told = hoarders.iter_mut().map(|peer| peer.next()).filter(|packet| packet["code"] == "server_full");
    assert!(told.count() > 0, "nobody is told why");
}

#[test]
fn of_those_who_do_not_read_the_heaviest_go_and_the_others_stay() {
    let server = server("off");
    let mut alice = Peer::join(server.address, "alice");
    let stuck: Vec<Peer> = (0..40).map(|n| Peer::join(server.address, &format!("stuck{n}"))).collect();
    let text = "y".repeat(9_000);
    // Before each is over the bound of its own, all together are over that of all.
    for _ in 0..100 {
        for n in 0..stuck.len() {
            alice.say(&format!("stuck{n}"), &text);
        }
        alice.settle();
    }
    wait_for_users(&mut alice, 30);
    drop(stuck);
    wait_for_users(&mut alice, 1);
}

#[test]
fn many_packets_that_wait_for_their_pace_take_little_more_than_their_bytes() {
    let server = server("20:20");
    let mut alice = Peer::join(server.address, "alice");
    let mut crowd: Vec<Peer> =
        (0..400).map(|n| Peer::join(server.address, &format!("impatient{n}"))).collect();
    // Of two bytes each; parsed, they would take 100 kB a peer, 40 MB in all.
    crowd.iter_mut().for_each(|peer| peer.send_raw(&b"{}".repeat(256)));
    alice.send(json!({"type": "ping", "to": "server", "id": "how many"}));
    let pong = alice.wait_until(|packet| packet["id"] == "how many");
    assert_eq!(pong["total"], crowd.len() + 1);
}

#[test]
fn a_frame_that_is_not_finished_in_time_ends_the_connection_and_whole_ones_do_not() {
    let server = TestServer::with(|options| options.frame = Duration::from_millis(300));
    let mut slow = Peer::join(server.address, "slow");
    let mut idle = Peer::join(server.address, "idle");
    slow.send_raw(br#"{"to":"all","msg":"never fini"#);
    assert_eq!(last_word(&mut slow), "frame_timeout");
    idle.settle();
    // A byte now and then does not begin it anew, nor does a line that is no packet.
    let mut drip = Peer::join(server.address, "drip");
    drip.send_raw(b"garbage that never ends");
    let deadline = Instant::now() + DEADLINE;
    while server.handle.connections() > 1 {
        let _ = (&drip.stream).write_all(b"x");
        idle.settle();
        assert!(Instant::now() < deadline, "it is still there");
    }
    // Not even one that does not close its own end.
    until(|| (server.numbers().places_taken == 1).then_some(()));
    drop((slow, drip));
}
