//! Files between browsers and terminals.

use super::server;
use crate::support::browser::{Browser, WebKey};
use crate::support::file_peer::FilePeer;
use crate::support::peer::Peer;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::net::SocketAddr;

const SIZE: usize = 3_000_000;

/// Bytes that look like lines, records and frames now and then.
fn content() -> Vec<u8> {
    (0..SIZE).map(|n| [b'\n', 0x81, 0xff, u8::try_from(n % 251).unwrap(), b'E'][n % 5]).collect()
}

fn token(accepted: &Value) -> String {
    accepted["token"].as_str().unwrap_or_else(|| panic!("{accepted}")).to_owned()
}

fn open(address: SocketAddr, key: &WebKey, token: &str) -> Browser {
    let mut side = Browser::with_key(address, "/file", key);
    side.send(json!({"type": "hello", "v": 1, "mode": "file", "token": token, "to": "server", "msg": ""}));
    side
}

#[test]
fn a_file_goes_from_a_browser_to_a_terminal_and_back() {
    let server = server();
    there_and_back([server.address; 2]);
}

/// Sends a file from a browser at the first address to a terminal at the second one, and one back.
pub fn there_and_back([at_browser, at_terminal]: [SocketAddr; 2]) {
    let (web_key, key) = (WebKey::new(), Key::new());
    let mut browser = Browser::with_key(at_browser, "/chat", &web_key).join("browser");
    let mut terminal = Peer::join_with(at_terminal, "terminal", &key);
    let file = json!({"name": "plan.pdf", "size": SIZE, "id": "c1"});
    let content = content();
    // There.
    browser.send(json!({"type": "offer", "to": "terminal", "file": file}));
    let offer = terminal.wait_for("offer")["offer"].clone();
    terminal.send(json!({"type": "accept", "offer": offer}));
    let tokens = [token(&browser.wait_for("accepted")), token(&terminal.wait_for("accepted"))];
    let mut from = open(at_browser, &web_key, &tokens[0]);
    let mut to = FilePeer::open(at_terminal, Some(&key), &tokens[1]);
    assert_eq!(from.next()["type"], "go");
    to.go();
    to.write(b"A");
    assert_eq!(from.bytes(1), b"A");
    std::thread::scope(|scope| {
        let received = scope.spawn(|| to.read(SIZE));
        content.chunks(50_000).for_each(|part| from.send_bytes(part));
        assert!(received.join().unwrap() == content, "the bytes are the same");
    });
    to.end();
    assert_eq!(from.end().1, 1000);
    // And back.
    terminal.send(json!({"type": "offer", "to": "browser", "file": file}));
    let offer = browser.wait_for("offer")["offer"].clone();
    browser.send(json!({"type": "accept", "offer": offer}));
    let tokens = [token(&terminal.wait_for("accepted")), token(&browser.wait_for("accepted"))];
    let mut to = open(at_browser, &web_key, &tokens[1]);
    let mut from = FilePeer::open(at_terminal, Some(&key), &tokens[0]);
    assert_eq!(to.next()["type"], "go");
    from.go();
    std::thread::scope(|scope| {
        scope.spawn(|| content.chunks(70_001).for_each(|part| from.write(part)));
        assert!(to.bytes(SIZE) == content, "the bytes are the same");
    });
    to.socket.close(None).unwrap();
    let _ = to.socket.flush();
    assert_eq!(from.read_to_end(), (Vec::new(), true), "an end in order");
}

#[test]
fn two_browsers_over_http_send_each_other_a_file() {
    let server = server();
    let mut one = Browser::guest(server.address, "/chat").join("one");
    let mut other = Browser::guest(server.address, "/chat").join("other");
    one.send(json!({"type": "offer", "to": "other", "file": {"name": "x", "size": SIZE, "id": "c1"}}));
    let offer = other.wait_for("offer")["offer"].clone();
    other.send(json!({"type": "accept", "offer": offer}));
    let open = |token: &str| {
        let mut side = Browser::guest(server.address, "/file");
        side.send(
            json!({"type": "hello", "v": 1, "mode": "file", "token": token, "to": "server", "msg": ""}),
        );
        side
    };
    let mut from = open(&token(&one.wait_for("accepted")));
    let mut to = open(&token(&other.wait_for("accepted")));
    assert_eq!((from.next()["type"].as_str(), to.next()["type"].as_str()), (Some("go"), Some("go")));
    let content = content();
    std::thread::scope(|scope| {
        scope.spawn(|| content.chunks(65_536).for_each(|part| from.send_bytes(part)));
        assert!(to.bytes(SIZE) == content, "the bytes are the same");
    });
}

#[test]
fn a_token_is_for_the_key_that_got_it_and_is_refused_in_words() {
    let server = server();
    let (web_key, thief) = (WebKey::new(), WebKey::new());
    let mut browser = Browser::with_key(server.address, "/chat", &web_key).join("browser");
    let mut terminal = Peer::join_with(server.address, "terminal", &Key::new());
    browser.send(json!({"type": "offer", "to": "terminal", "file": {"name": "x", "size": 1, "id": "c1"}}));
    let offer = terminal.wait_for("offer")["offer"].clone();
    terminal.send(json!({"type": "accept", "offer": offer}));
    let token = token(&browser.wait_for("accepted"));
    for key in [&thief, &web_key] {
        let side =
            open(server.address, key, if std::ptr::eq(key, &raw const thief) { &token } else { "wrong" });
        let (last, code) = side.end();
        assert_eq!((last["code"].as_str(), code), (Some("bad_token"), 1008));
    }
}
