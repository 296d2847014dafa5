//! A client that does not read is closed with `slow_consumer`; it never slows the others.

use crate::support::peer::{DEADLINE, Peer};
use crate::support::server::TestServer;
use lanchat::limits::MIN_BACKLOG_BYTES;
use serde_json::json;
use socket2::SockRef;
use std::io::Write;
use std::time::Instant;

#[test]
fn a_slow_reader_is_disconnected_and_others_keep_talking() {
    let server = TestServer::with(|options| options.backlog = MIN_BACKLOG_BYTES);
    let _slow = Peer::join(server.address, "slow");
    let mut alice = Peer::join(server.address, "alice");
    let mut bob = Peer::join(server.address, "bob");
    let text = "x".repeat(8_000);
    let deadline = Instant::now() + DEADLINE;
    // Far more than the kernel's buffers and the backlog hold together; ends with the slow one.
    while server.handle.connections() == 3 {
        alice.send(json!({"to": "all", "msg": text, "id": "m"}));
        alice.wait_for("sent");
        assert_eq!(bob.text().len(), text.len());
        assert!(Instant::now() < deadline, "the slow reader is still there");
    }
    bob.say("all", "still here");
    assert_eq!(alice.text(), "still here");
}

#[test]
fn who_asks_for_far_more_than_they_read_is_closed_and_others_are_served() {
    let server = TestServer::start();
    let mut crowd: Vec<Peer> = (0..200).map(|n| Peer::join(server.address, &format!("{n:-<32}"))).collect();
    let greedy = Peer::join(server.address, "greedy");
    let writing = std::thread::spawn({
        let mut stream = greedy.stream.try_clone().unwrap();
        // Answers of some 25 KB each: 2 GB in all, if nobody stopped it.
        move || (0..20).all(|_| stream.write_all(&b"{\"type\":\"users\"}\n".repeat(4096)).is_ok())
    });
    let deadline = Instant::now() + DEADLINE;
    while server.handle.connections() > 200 {
        crowd[0].settle();
        assert!(Instant::now() < deadline, "it is still there");
    }
    drop(greedy);
    writing.join().unwrap();
}

#[test]
fn a_reader_that_catches_up_loses_nothing() {
    let server = TestServer::start();
    let mut slow = Peer::join(server.address, "slow");
    SockRef::from(&slow.stream).set_recv_buffer_size(16 * 1024).unwrap();
    let mut alice = Peer::join(server.address, "alice");
    let text = "y".repeat(9_000);
    // More than the socket's buffers take at once, less than they and the backlog.
    let count = 100;
    let writer = std::thread::spawn(move || {
        for n in 0..count {
            alice.send(json!({"to": "slow", "msg": format!("{n} {text}"), "id": "m"}));
            alice.wait_for("sent");
        }
        alice
    });
    let _alice = writer.join().expect("all sent");
    for n in 0..count {
        assert!(slow.text().starts_with(&format!("{n} ")));
    }
}

#[test]
fn who_closes_their_sending_half_and_reads_late_still_gets_all_that_waited() {
    let server = TestServer::start();
    let mut peer = Peer::join(server.address, "cron");
    SockRef::from(&peer.stream).set_recv_buffer_size(32 * 1024).unwrap();
    // Far more than the sockets take, and less than may wait.
    let count = 200;
    peer.send_raw(&b"{\"type\":\"help\"}\n".repeat(count));
    peer.close_sending();
    let deadline = Instant::now() + DEADLINE;
    while server.handle.connections() > 0 {
        assert!(Instant::now() < deadline, "it is still there");
        std::thread::yield_now();
    }
    let answers = peer.read_to_end();
    let bytes: usize = answers.iter().map(|answer| answer["msg"].as_str().map_or(0, str::len)).sum();
    assert_eq!(answers.iter().filter(|answer| answer["type"] == "notice").count(), count);
    assert!((256 * 1024..1024 * 1024).contains(&bytes), "{bytes} bytes show nothing here");
}
