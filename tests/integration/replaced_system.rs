//! A client of the replaced system: it knows `from`, `to` and `msg`, sends bare objects, and reads
//! whatever comes.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use lanchat::protocol::request::Operate;
use serde_json::{Value, json};

fn packet(to: &str, msg: &str) -> Vec<u8> {
    json!({"from": {"name": "legacy", "ip": "192.168.1.20"}, "to": to, "msg": msg}).to_string().into()
}

/// Registers, chats in three ways and asks two questions; no line feed anywhere.
fn everything() -> Vec<u8> {
    [
        packet("Server", "hello"),
        packet("Broadcast", "good {morning}"),
        packet("modern", "just \"you\""),
        packet("127.0.0.1", "this house"),
        packet("Server", "/users"),
        packet("Server", "/time"),
        packet("server", "/alert lunch"),
    ]
    .concat()
}

fn check(server: &TestServer, send: impl FnOnce(&mut Peer)) {
    let mut modern = Peer::join(server.address, "modern");
    let mut legacy = Peer::connect(server.address);
    send(&mut legacy);
    for text in ["good {morning}", "just \"you\"", "this house"] {
        let chat = modern.wait_for("chat");
        assert_eq!(chat["msg"], text);
        assert_eq!(chat["from"], json!({"name": "legacy", "ip": "127.0.0.1"}));
    }
    let mut texts = Vec::new();
    let mut read_to = |start: &str| {
        while texts.last().is_none_or(|last: &String| !last.starts_with(start)) {
            let Value::String(text) = legacy.next()["msg"].take() else { panic!("no text") };
            texts.push(text);
        }
    };
    // It has no key, so it is not an operator.
    read_to("only operators may do that");
    server.operate(&Operate::Alert { msg: "lunch".into() }).expect("the console may");
    assert_eq!(modern.wait_for("alert")["msg"], "lunch");
    modern.say("legacy", "welcome");
    read_to("welcome");
    assert!(texts[0].starts_with("welcome to test, legacy"), "{texts:?}");
    assert!(texts.iter().any(|text| text == "2 users: legacy, modern"), "{texts:?}");
    assert!(texts.iter().any(|text| text.starts_with("server time 20")), "{texts:?}");
    assert!(texts.iter().any(|text| text == "lunch"), "{texts:?}");
    assert!(texts.iter().all(|text| text != "sent"), "a receipt nobody asked for: {texts:?}");
}

#[test]
fn its_packets_merged_into_one_write_are_all_understood() {
    check(&TestServer::start(), |legacy| legacy.send_raw(&everything()));
}

#[test]
fn its_packets_split_byte_by_byte_are_all_understood() {
    check(&TestServer::start(), |legacy| {
        for byte in everything() {
            legacy.send_raw(&[byte]);
        }
    });
}

#[test]
fn its_first_packet_may_already_be_for_somebody() {
    let server = TestServer::start();
    let mut modern = Peer::join(server.address, "modern");
    let mut legacy = Peer::connect(server.address);
    legacy.send_raw(&packet("all", "first words"));
    assert_eq!(modern.text(), "first words");
    assert_eq!(legacy.next()["type"], "welcome");
}
