//! What a page of any site can make a browser do brings the person's address no penalty.

use crate::support::lan::Lan;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls;
use lanchat::protocol::WebAccess;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A request for a place at a TURN server.
const STUN: &[u8] = b"\0\x03\0\x08\x21\x12\xa4\x42twelve bytes\0\x19\0\x04\x11\0\0\0";

/// Sends that, and waits for the end.
fn send(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    // The server may answer and close before it has read all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

fn hello_for(protocol: &[u8]) -> Vec<u8> {
    let (mut client, mut hello) = (tls::client_for(None, &[protocol]), Vec::new());
    client.write_tls(&mut hello).expect("memory");
    hello
}

/// How a newcomer without a key fares.
fn stranger(address: SocketAddr) -> String {
    let answer = Peer::connect_tls(address, None).hello(json!({"from": {"name": "stranger"}}));
    answer["code"].as_str().or(answer["type"].as_str()).expect("an answer").to_owned()
}

fn nobody_is_shut_out(mode: Option<WebAccess>) {
    let Some(lan) = Lan::new() else { return };
    let (host, shared) = (lan.host(), lan.host());
    let server = host.run(|| {
        TestServer::with(|options| {
            options.address = Some(host.v4().into());
            options.web = mode.and_then(super::options);
        })
    });
    shared.run(|| {
        let address = server.address;
        let request = |method: &str, path: &str| {
            format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes()
        };
        let framed = [&[0, STUN.len().to_le_bytes()[0]][..], STUN].concat();
        let sent = [
            request("GET", "/"),
            request("POST", "/"),
            request("OPTIONS", "/"),
            request("GET", &format!("/{}", "x".repeat(20_000))),
            STUN.to_vec(),
            framed,
            hello_for(b"stun.turn"),
        ];
        (0..8).for_each(|_| sent.iter().for_each(|bytes| send(address, bytes)));
        assert_eq!(stranger(address), "welcome");
        // What no browser sends does bring one, or this test would show nothing.
        (0..8).for_each(|_| send(address, b"SSH-2.0-x\r\n"));
        assert_eq!(stranger(address), "rate_limited");
    });
    host.run(|| drop(server));
}

#[test]
fn with_the_page_nobody_is_shut_out_by_what_a_page_makes_a_browser_send() {
    nobody_is_shut_out(Some(WebAccess::Plaintext));
}

#[test]
fn nor_without_it() {
    nobody_is_shut_out(None);
}
