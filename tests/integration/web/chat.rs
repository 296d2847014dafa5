//! The chat over WebSocket.

use super::{server, server_with};
use crate::support::browser::{Browser, WebKey};
use crate::support::peer::{DEADLINE, Peer};
use serde_json::json;
use std::time::Instant;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame, coding::CloseCode};
use tungstenite::{Bytes, Message};

/// One over HTTPS and one over HTTP.
fn pair(address: std::net::SocketAddr) -> [Browser; 2] {
    [open(address, 0, "secure"), open(address, 1, "plain")]
}

fn open(address: std::net::SocketAddr, n: usize, name: &str) -> Browser {
    match n {
        0 => Browser::with_key(address, "/chat", &WebKey::new()).join(name),
        _ => Browser::guest(address, "/chat").join(name),
    }
}

#[test]
fn browsers_and_a_terminal_talk() {
    let server = server();
    let mut terminal = Peer::join(server.address, "terminal");
    let mut browsers = pair(server.address);
    terminal.sees_join("plain");
    for size in [1, 100, 125, 126, 127, 9999] {
        let text = "é".repeat(size / 2) + "x";
        terminal.say("all", &text);
        for browser in &mut browsers {
            assert_eq!(browser.wait_for("chat")["msg"], text);
        }
    }
    for n in 0..2 {
        browsers[n].say("all", &format!("from {n}"));
        terminal.wait_until(|packet| packet["msg"] == format!("from {n}"));
        browsers[1 - n].wait_until(|packet| packet["msg"] == format!("from {n}"));
    }
    terminal.say("secure", "only you");
    browsers[0].wait_until(|packet| packet["msg"] == "only you");
    terminal.send(json!({"type": "join", "room": "#games"}));
    for browser in &mut browsers {
        browser.send(json!({"type": "join", "room": "#games", "id": "j"}));
        browser.wait_for("room");
    }
    terminal.say("#games", "to the room");
    browsers.iter_mut().for_each(|browser| drop(browser.wait_until(|packet| packet["msg"] == "to the room")));
}

#[test]
fn what_comes_at_once_is_one_message() {
    let server = server();
    let mut browsers = pair(server.address);
    let mut terminal = Peer::join(server.address, "terminal");
    let flood: String =
        (0..500).map(|n| json!({"to": "all", "msg": format!("line {n}")}).to_string() + "\n").collect();
    for browser in &mut browsers {
        browser.messages = 0;
    }
    terminal.send_raw(flood.as_bytes());
    for browser in &mut browsers {
        for n in 0..500 {
            assert_eq!(browser.wait_for("chat")["msg"], format!("line {n}"), "in order");
        }
        assert!(browser.messages < 250, "{} messages", browser.messages);
    }
}

#[test]
fn fragments_and_pings_are_understood() {
    let server = server();
    for mut browser in pair(server.address) {
        let part = |data: &str, code, is_last| {
            Message::Frame(Frame::message(
                Bytes::copy_from_slice(data.as_bytes()),
                OpCode::Data(code),
                is_last,
            ))
        };
        browser.socket.send(part("{\"to\":\"all\",\"msg\":\"in ", Data::Text, false)).unwrap();
        browser.socket.send(Message::Ping(Bytes::from_static(b"are you there"))).unwrap();
        browser.socket.send(part("parts\",\"id\":", Data::Continue, false)).unwrap();
        browser.socket.send(part("\"p\"}", Data::Continue, true)).unwrap();
        let deadline = Instant::now() + DEADLINE;
        let (mut pong, mut sent) = (false, false);
        while !(pong && sent) {
            assert!(Instant::now() < deadline);
            match browser.socket.read().unwrap() {
                Message::Pong(content) => pong = &*content == b"are you there",
                Message::Text(text) => sent |= text.contains("\"type\":\"sent\""),
                _ => {}
            }
        }
    }
}

#[test]
fn a_frame_never_continues_in_the_next_message() {
    let server = server();
    for mut browser in pair(server.address) {
        browser.send_text("{\"to\":\"all\",");
        browser.send_text("\"msg\":\"x\"}");
        assert_eq!(browser.wait_for("error")["code"], "bad_packet");
    }
}

#[test]
fn each_end_has_its_code() {
    let server = server_with(|options| options.frame = std::time::Duration::from_millis(300));
    for n in 0..2 {
        let mut count = 0;
        let mut open = || {
            count += 1;
            open(server.address, n, &format!("user-{n}-{count}"))
        };
        let mut browser = open();
        browser.socket.send(Message::binary(vec![1, 2])).unwrap();
        assert_eq!(browser.end().1, 1003);
        let mut browser = open();
        let raw = Frame::message(Bytes::from_static(b"\xff"), OpCode::Data(Data::Text), true);
        browser.socket.send(Message::Frame(raw)).unwrap();
        assert_eq!(browser.end().1, 1007);
        let mut browser = open();
        let orphan = Frame::message(Bytes::from_static(b"x"), OpCode::Data(Data::Continue), true);
        browser.socket.send(Message::Frame(orphan)).unwrap();
        assert_eq!(browser.end().1, 1002);
        let mut browser = open();
        browser.send_text(&"x".repeat(70_000));
        let (last, code) = browser.end();
        assert_eq!((last["code"].as_str(), code), (Some("too_long"), 1009));
        let mut browser = open();
        browser.send(json!({"type": "quit"}));
        let (last, code) = browser.end();
        assert_eq!((last["type"].as_str(), code), (Some("bye"), 1000));
        let mut browser = open();
        let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
        browser.socket.close(Some(frame)).unwrap();
        assert_eq!(browser.end().1, 1000);
        // A message that is begun and not finished.
        let mut browser = open();
        let begun = Frame::message(Bytes::from_static(b"{\"to\":"), OpCode::Data(Data::Text), false);
        browser.socket.send(Message::Frame(begun)).unwrap();
        let (last, code) = browser.end();
        assert_eq!((last["code"].as_str(), code), (Some("frame_timeout"), 1008));
    }
}

#[test]
fn a_server_that_stops_says_goodbye() {
    let mut server = server();
    let browsers = pair(server.address);
    server.stop();
    for browser in browsers {
        let (last, code) = browser.end();
        assert_eq!((last["code"].as_str(), code), (Some("shutting_down"), 1001));
    }
}

#[test]
fn a_browser_that_does_not_read_is_told_and_closed_between_two_messages() {
    let server = server_with(|options| options.backlog = 64 * 1024);
    let mut terminal = Peer::join(server.address, "terminal");
    for n in 0..2 {
        let browser = open(server.address, usize::try_from(n).unwrap(), &format!("idle-{n}"));
        let text = "x".repeat(9000);
        let mut sent = 0;
        // From then on, it has a moment to read the rest.
        while server.numbers().slow_readers_closed == n {
            terminal.say("all", &text);
            terminal.settle();
            sent += 1;
            assert!(sent < 20_000, "the bound does not hold");
        }
        let (last, code) = browser.end();
        assert_eq!((last["code"].as_str(), code), (Some("slow_consumer"), 1008));
    }
}
