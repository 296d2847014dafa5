//! What comes over a WebSocket out of order: before the browser has said who it is, and on the path of another purpose.

use super::{server, server_with};
use crate::support::browser::{Browser, WebKey};
use serde_json::json;
use std::net::SocketAddr;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame, FrameHeader};
use tungstenite::{Bytes, Message};

/// After the upgrade, over HTTPS and HTTP, on both paths; nothing is said yet.
fn unnamed(address: SocketAddr) -> impl Iterator<Item = (Browser, String)> {
    let ways = [(true, "/chat"), (false, "/chat"), (true, "/file"), (false, "/file")];
    ways.into_iter().map(move |(is_encrypted, path)| {
        (Browser::open(address, is_encrypted, path).0, format!("{path}, {is_encrypted}"))
    })
}

fn raw(code: OpCode, content: &'static [u8], is_last: bool) -> Message {
    let header = FrameHeader { is_final: is_last, opcode: code, ..FrameHeader::default() };
    Message::Frame(Frame::from_payload(header, Bytes::from_static(content)))
}

/// A frame with a reserved bit.
fn reserved_bit() -> Message {
    let header = FrameHeader { rsv1: true, opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    Message::Frame(Frame::from_payload(header, Bytes::from_static(b"{}")))
}

#[test]
fn a_frame_that_is_wrong_before_the_identity_ends_with_its_own_code() {
    let server = server();
    let wrong: [(fn() -> Message, u16); 7] = [
        (|| Message::binary(vec![1, 2]), 1003),
        (|| raw(OpCode::Data(Data::Text), b"\xff", true), 1007),
        (|| raw(OpCode::Data(Data::Continue), b"x", true), 1002),
        (|| raw(OpCode::Data(Data::Reserved(3)), b"x", true), 1002),
        (|| raw(OpCode::Control(Control::Reserved(11)), b"", true), 1002),
        (|| raw(OpCode::Control(Control::Close), b"\x03\xe8\xff", true), 1007),
        (reserved_bit, 1002),
    ];
    for (message, code) in wrong {
        for (mut browser, way) in unnamed(server.address) {
            browser.socket.send(message()).unwrap();
            let (last, ended) = browser.end();
            assert_eq!((last["code"].as_str(), ended), (Some("bad_packet"), code), "{way}: {:?}", message());
        }
    }
    // None of that is an offence: a page from elsewhere could not send it, but its user is behind the same address.
    Browser::guest(server.address, "/chat").join("alice");
}

#[test]
fn a_ping_before_the_identity_is_answered() {
    let server = server();
    for (mut browser, way) in unnamed(server.address) {
        browser.socket.send(Message::Ping(Bytes::from_static(b"are you there"))).unwrap();
        match browser.socket.read().unwrap() {
            Message::Pong(content) => assert_eq!(&*content, b"are you there", "{way}"),
            other => panic!("{way}: {other:?}"),
        }
        browser.send(json!({"type": "guest"}));
    }
}

#[test]
fn a_browser_that_closes_before_it_says_who_it_is_gets_its_close_back() {
    let server = server();
    for (mut browser, _) in unnamed(server.address) {
        let frame = CloseFrame { code: CloseCode::Away, reason: "the page is closed".into() };
        browser.socket.close(Some(frame)).unwrap();
        assert_eq!(browser.end().1, 1000);
    }
}

#[test]
fn what_follows_a_close_counts_for_nothing() {
    let server = server();
    let (mut browser, _) = Browser::open(server.address, false, "/chat");
    let hello = "{\"type\":\"hello\",\"from\":{\"name\":\"late\"},\"to\":\"server\"}\n";
    for part in [
        Message::text("{\"type\":\"guest\"}"),
        raw(OpCode::Control(Control::Close), b"\x03\xe8", true),
        Message::text(hello),
    ] {
        browser.socket.write(part).unwrap();
    }
    browser.socket.flush().unwrap();
    assert_eq!(browser.end().1, 1000);
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn a_browser_says_once_who_it_is() {
    let server = server();
    let key = WebKey::new();
    for again in [json!({"type": "guest"}), json!({"type": "proof", "key": "x", "sig": "y"})] {
        let mut browser = Browser::with_key(server.address, "/chat", &key).join("alice");
        browser.send(again);
        assert_eq!(browser.wait_for("error")["code"], "unknown_type");
        // It stays who it is.
        browser.send(json!({"type": "whois", "name": "alice", "id": "w"}));
        assert_eq!(browser.wait_for("whois")["user"]["key"], key.fingerprint().to_string());
    }
}

#[test]
fn a_file_s_path_is_no_way_into_the_chat_and_the_chat_s_none_for_files() {
    let server = server_with(|options| options.registration = std::time::Duration::from_secs(30));
    let hello = json!({"type": "hello", "from": {"name": "x"}, "to": "server"});
    let file = json!({"type": "hello", "v": 1, "mode": "file", "token": "0", "to": "server", "msg": ""});
    for (path, packet, hint) in [
        ("/file", &hello, "the chat's is /chat"),
        ("/file", &json!({"type": "ping", "to": "server"}), "\"mode\":\"file\""),
        ("/file", &json!({"to": "all", "msg": "hi"}), "\"mode\":\"file\""),
        ("/chat", &file, "a file's is /file"),
    ] {
        for is_encrypted in [true, false] {
            let mut browser = match is_encrypted {
                true => Browser::with_key(server.address, path, &WebKey::new()),
                false => Browser::guest(server.address, path),
            };
            browser.send(packet.clone());
            let (last, code) = browser.end();
            assert_eq!((last["code"].as_str(), code), (Some("bad_packet"), 1008), "{path} {packet} {last}");
            assert!(last["msg"].as_str().is_some_and(|msg| msg.contains(hint)), "{last}");
        }
    }
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn bytes_before_a_file_s_hello_are_of_the_wrong_kind() {
    let server = server();
    for mut browser in
        [Browser::with_key(server.address, "/file", &WebKey::new()), Browser::guest(server.address, "/file")]
    {
        browser.send_bytes(b"A");
        assert_eq!(browser.end().1, 1003);
    }
}
