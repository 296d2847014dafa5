//! Requests: the page, the redirect, and what is refused.

use super::{options, server, server_with};
use crate::support::browser::{WebStream, origin, upgrade};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls;
use lanchat::protocol::WebAccess;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

fn get(address: SocketAddr, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

fn status(head: &str) -> &str {
    head.get(9..12).unwrap_or(head)
}

#[test]
fn the_page_and_its_files_come_over_one_connection() {
    let server = server();
    for is_encrypted in [true, false] {
        let mut stream = WebStream::connect(server.address, is_encrypted);
        for _ in 0..3 {
            let (head, page) = stream.ask(&get(server.address, "/"));
            assert_eq!(status(&head), "200", "{head}");
            assert!(page.starts_with("<!doctype html>") && page.contains("/style.css"), "{page}");
            assert!(head.contains("default-src 'none'") && head.contains("frame-ancestors 'none'"), "{head}");
            let (head, _) = stream.ask(&get(server.address, "/style.css"));
            assert!(head.contains("Content-Type: text/css"), "{head}");
            let (head, _) = stream.ask(&get(server.address, "/../server.pem"));
            assert_eq!(status(&head), "404", "{head}");
        }
        let (head, body) = stream.ask(&get(server.address, "/").replace("GET", "HEAD"));
        assert_eq!((status(&head), body.as_str()), ("200", ""));
    }
}

#[test]
fn plain_http_leads_to_https_at_the_same_port() {
    let server = TestServer::with(|options| options.web = self::options(WebAccess::Https));
    let mut stream = WebStream::connect(server.address, false);
    let (head, _) = stream.ask(&get(server.address, "/chat?x=1"));
    assert_eq!(status(&head), "307");
    assert!(head.contains(&format!("Location: https://{}/chat\r\n", server.address)), "{head}");
    let origin = origin(server.address, false);
    let (head, _) = stream.ask(&upgrade(server.address, "/chat", &origin));
    assert_eq!(status(&head), "307", "no WebSocket over http");
}

#[test]
fn without_web_a_browser_reads_why() {
    let server = TestServer::with(|options| options.plaintext = false);
    let mut stream = WebStream::connect(server.address, false);
    let (head, page) = stream.ask(&get(server.address, "/"));
    assert_eq!(status(&head), "404");
    assert!(page.contains("lanchat serve --web"), "{page}");
}

#[test]
fn a_foreign_name_and_a_foreign_page_get_nothing() {
    let server = server();
    let mut stream = WebStream::connect(server.address, true);
    let own = origin(server.address, true);
    let rebound = get(server.address, "/").replace(&server.address.to_string(), "evil.example:7667");
    assert_eq!(status(&stream.ask(&rebound).0), "421");
    for foreign in ["https://evil.example", "null", &own.replace("https", "http"), "https://127.0.0.1:1"] {
        let (head, _) = stream.ask(&upgrade(server.address, "/chat", foreign));
        assert_eq!(status(&head), "403", "{foreign}");
    }
    let without = upgrade(server.address, "/chat", &own).replace("Origin", "X-Origin");
    assert_eq!(status(&stream.ask(&without).0), "403");
    // The origin has the foreign name, too: a page that had its own name lead here.
    let host = "evil.example:7667";
    let rebound = upgrade(server.address, "/chat", &format!("https://{host}"));
    let rebound = rebound.replace(&format!("Host: {}", server.address), &format!("Host: {host}"));
    assert_eq!(status(&stream.ask(&rebound).0), "421");
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn nothing_in_a_request_reaches_the_chat() {
    let server = server();
    let packet = "{\"from\":{\"name\":\"page\"},\"to\":\"all\",\"msg\":\"spam\"}\n";
    for is_encrypted in [true, false] {
        for head in [
            "POST / HTTP/1.1\r\nHost: office\r\nContent-Length: 60\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: office\r\nContent-Length: 60\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: office\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: office\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "HELLO\r\n\r\n",
        ] {
            let mut stream = WebStream::connect(server.address, is_encrypted);
            let _ = stream.write_all(format!("{head}{packet}").as_bytes());
            let _ = stream.socket().shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            assert!(!answer.contains("welcome"), "{head} {answer}");
        }
    }
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn the_two_protocols_of_tls_are_never_taken_for_each_other() {
    let server = server();
    // HTTP in the chat's protocol is garbage, and a packet in HTTP is none.
    let mut peer = Peer::connect_tls(server.address, None);
    peer.send_raw(get(server.address, "/").as_bytes());
    assert_eq!(peer.next()["code"], "bad_packet");
    let mut stream = WebStream::connect(server.address, true);
    stream.write_all(b"{\"type\":\"ping\"}\n\r\n\r\n").unwrap();
    assert_eq!(status(&stream.read_head()), "400");
    // Who offers both speaks the chat's.
    let tcp = TcpStream::connect(server.address).unwrap();
    let mut both = rustls::StreamOwned::new(tls::client_for(None, &[b"http/1.1", b"lanchat/1"]), tcp);
    both.write_all(b"{\"type\":\"ping\",\"to\":\"server\"}\n").unwrap();
    let mut byte = [0];
    both.read_exact(&mut byte).unwrap();
    assert_eq!((byte[0], both.conn.alpn_protocol()), (b'{', Some(&b"lanchat/1"[..])));
}

#[test]
fn browsers_are_asked_for_no_certificate_and_clients_are() {
    let server = server();
    let asked = |connection: rustls::ClientConnection| {
        let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(server.address).unwrap());
        stream.flush().unwrap();
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    };
    let key = tls::AskedKey::new();
    let of_browser = asked(key.client(&[b"h2", b"http/1.1"]));
    assert!(!key.was_asked());
    let of_client = asked(key.client(&[b"lanchat/1"]));
    assert!(key.was_asked());
    assert_ne!(of_browser, of_client, "browsers see a certificate of their own");
}

#[test]
fn browsers_see_the_same_certificate_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = || {
        let server = server_with(|options| options.data_dir = Some(dir.path().to_owned()));
        let mut stream = WebStream::connect(server.address, true);
        stream.ask(&get(server.address, "/"));
        let WebStream::Tls(stream) = stream else { panic!("TLS") };
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    };
    assert_eq!(certificate(), certificate());
}

#[test]
fn a_request_that_is_never_finished_ends() {
    let server = server();
    let mut stream = WebStream::connect(server.address, false);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: of").unwrap();
    let mut rest = Vec::new();
    let begun = std::time::Instant::now();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty() && begun.elapsed() >= lanchat::limits::WEB_TIMEOUT, "{rest:?}");
    // The chat goes on meanwhile.
    Peer::join(server.address, "alice").say("all", "hello");
}

#[test]
fn a_browser_does_not_count_as_the_server_s_own_machine() {
    use crate::support::browser::Browser;
    let server = server();
    let mut browser = Browser::guest(server.address, "/chat").join("web");
    browser.send(json!({"type": "whois", "name": "web", "id": "w"}));
    let whois = browser.wait_for("whois");
    assert_eq!(whois["user"]["web"], true, "{whois}");
    assert_eq!(whois["user"]["plaintext"], true, "{whois}");
}

#[test]
fn a_restored_server_shows_browsers_the_certificate_that_they_know() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = old.path().to_owned();
    let certificate = |dir: &std::path::Path| std::fs::read(dir.join("web-certificate.json")).unwrap();
    drop(super::server_with(|options| options.data_dir = Some(dir.clone())));
    let file = new.path().join("saved.backup");
    let lanchat = |args: &[&std::ffi::OsStr]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_lanchat")).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    lanchat(&["backup".as_ref(), file.as_ref(), "--data-dir".as_ref(), dir.as_ref()]);
    let restored = new.path().join("restored");
    lanchat(&["restore".as_ref(), file.as_ref(), "--data-dir".as_ref(), restored.as_ref()]);
    drop(super::server_with(|options| options.data_dir = Some(restored.clone())));
    assert_eq!(certificate(&restored), certificate(&dir));
}

#[test]
fn a_broken_frame_ends_a_connection_also_right_behind_the_identity() {
    let server = server();
    let mut stream = WebStream::connect(server.address, false);
    let request = upgrade(server.address, "/chat", &origin(server.address, false));
    let mut socket = stream.socket().try_clone().unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    assert_eq!(status(&stream.read_head()), "101");
    let guest = b"{\"type\":\"guest\"}\n";
    let masked = [&[0x81, 0x80 | guest.len() as u8, 0, 0, 0, 0], &guest[..]].concat();
    // A client's frames are masked (RFC 6455 5.1).
    socket.write_all(&[&masked[..], &[0x81, 1, b'x']].concat()).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).expect("the server ends it");
    assert!(String::from_utf8_lossy(&rest).contains("\"bad_packet\""));
}
