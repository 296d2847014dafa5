//! TLS and plaintext on one port, driven by raw clients.

use crate::support::peer::{DEADLINE, Peer};
use crate::support::server::TestServer;
use crate::support::tls::Key;
use serde_json::{Value, json};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

fn encrypted_only() -> TestServer {
    TestServer::with(|options| options.plaintext = false)
}

/// What a server says to `bytes` before it closes.
fn answer(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a line and an end, not a reset");
    text
}

#[test]
fn one_port_takes_both_and_the_key_is_the_one_that_was_proved() {
    let server = TestServer::start();
    let key = Key::new();
    let mut alice = Peer::connect_tls(server.address, Some(&key));
    let welcome = alice.hello(json!({"from": {"name": "alice"}}));
    assert_eq!(welcome["key"], key.fingerprint().to_string());
    let mut bob = Peer::connect_tls(server.address, None);
    assert_eq!(bob.hello(json!({"from": {"name": "bob"}}))["key"], Value::Null);
    let mut eve = Peer::join(server.address, "eve");
    alice.say("all", "hello");
    for peer in [&mut bob, &mut eve] {
        let chat = peer.wait_for("chat");
        assert_eq!((&chat["msg"], &chat["from"]["name"]), (&json!("hello"), &json!("alice")));
        assert_eq!(chat["from"]["key"], key.fingerprint().tag());
    }
    eve.say("all", "and back");
    assert_eq!(alice.wait_for("chat")["from"]["key"], Value::Null);
}

#[test]
fn plaintext_is_told_what_is_needed_and_the_line_arrives() {
    let server = encrypted_only();
    // More than is read of it, so that a careless close would take the line along.
    let mut hello = json!({"from": {"name": "old"}, "to": "all", "msg": "x".repeat(3000)}).to_string();
    hello += "\n";
    let line: Value = serde_json::from_str(&answer(&server, hello.as_bytes())).unwrap();
    assert_eq!(line["code"], "tls_required");
    assert!(line["msg"].as_str().unwrap().starts_with("This lanchat server only accepts TLS 1.3"), "{line}");
}

#[test]
fn what_is_neither_gets_one_line_and_never_reaches_the_chat() {
    for plaintext in [false, true] {
        let server = TestServer::with(|options| options.plaintext = plaintext);
        let post = b"POST / HTTP/1.1\r\nContent-Length: 60\r\n\r\n{\"from\":{\"name\":\"page\"},\"to\":\"all\",\"msg\":\"spam\"}\n";
        assert!(
            answer(&server, post).starts_with("HTTP/1.1 405 "),
            "browsers get an answer in their protocol"
        );
        for bytes in [&b"SSH-2.0-x\r\n"[..], b"\x80\x2e\x01\x00\x02", b"hello\n"] {
            let line: Value = serde_json::from_str(&answer(&server, bytes)).unwrap();
            assert_eq!(line["code"], "bad_protocol", "{line}");
        }
        assert_eq!(server.handle.users(), 0);
    }
}

#[test]
fn packets_of_every_size_pass_both_ways() {
    let server = encrypted_only();
    let (mut alice, mut bob) =
        (Peer::connect_tls(server.address, None), Peer::connect_tls(server.address, None));
    alice.hello(json!({"from": {"name": "alice"}}));
    bob.hello(json!({"from": {"name": "bob"}}));
    for size in [1, 100, 4095, 9999] {
        let text = "é".repeat(size / 2) + "x";
        alice.say("bob", &text);
        assert_eq!(bob.text(), text);
    }
}

#[test]
fn an_orderly_end_is_told_from_a_cut() {
    let mut server = encrypted_only();
    let mut alice = Peer::connect_tls(server.address, None);
    alice.hello(json!({"from": {"name": "alice"}}));
    server.stop();
    // Reading fails if the end comes without TLS' own.
    let last = alice.read_to_end().pop().expect("a goodbye");
    assert_eq!((&last["type"], &last["code"]), (&json!("bye"), &json!("shutting_down")));
}

#[test]
fn a_client_that_does_not_read_is_told_so_and_the_others_get_everything() {
    let server = TestServer::with(|options| {
        options.plaintext = false;
        options.backlog = lanchat::limits::MIN_BACKLOG_BYTES;
        options.rules.rate = None;
    });
    let mut slow = Peer::connect_tls(server.address, None);
    // Unsealing what would fit otherwise takes longer than the grace of a closing connection.
    SockRef::from(&slow.stream).set_recv_buffer_size(16 * 1024).unwrap();
    slow.hello(json!({"from": {"name": "slow"}}));
    let (mut alice, mut bob) =
        (Peer::connect_tls(server.address, None), Peer::connect_tls(server.address, None));
    alice.hello(json!({"from": {"name": "alice"}}));
    bob.hello(json!({"from": {"name": "bob"}}));
    let text = "y".repeat(9000);
    // More than the sockets' buffers and the backlog hold.
    for _ in 0..60 {
        alice.say("all", &text);
        assert_eq!(bob.text(), text);
    }
    let frames = slow.read_to_end();
    assert_eq!(frames.last().expect("frames")["code"], "slow_consumer");
    assert!(frames.iter().filter(|frame| frame["type"] == "chat").all(|frame| frame["msg"] == text));
}

#[test]
fn a_silent_connection_and_half_a_handshake_are_ended_in_time() {
    let server = encrypted_only();
    let mut silent = TcpStream::connect(server.address).unwrap();
    let mut half = TcpStream::connect(server.address).unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
    let start = Instant::now();
    for stream in [&mut silent, &mut half] {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        assert_eq!(stream.read(&mut [0; 100]).unwrap_or(0), 0);
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(server.handle.connections(), 0);
}

#[test]
fn a_peer_that_closed_its_sending_half_still_gets_its_answers() {
    let server = encrypted_only();
    let mut peer = Peer::connect_tls(server.address, None);
    peer.send(json!({"from": {"name": "script"}, "to": "server", "msg": "/time", "id": "t"}));
    peer.end_tls();
    peer.stream.shutdown(Shutdown::Write).unwrap();
    assert!(peer.read_to_end().iter().any(|packet| packet["type"] == "time"));
}
