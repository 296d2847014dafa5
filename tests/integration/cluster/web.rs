//! Browsers at the servers of one chat.

use crate::support::browser::{Browser, WebKey, WebStream, origin, upgrade};
use crate::support::cluster::Cluster;
use lanchat::protocol::request::Operate;
use lanchat::protocol::{Event, WebAccess};
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;
use serde_json::json;
use std::io::Write as _;
use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocket};

#[test]
fn a_ticket_lets_one_key_into_a_closed_chat_at_any_server_and_then_at_all() {
    let cluster = Cluster::with(3, |options| {
        options.web = crate::web::options(WebAccess::Plaintext);
        options.access = JoinPolicy::Closed(Passphrase::new("correct horse battery").expect("good"));
        options.rules.closed = true;
        options.plaintext = false;
    });
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let enter = |number: u8, key: &WebKey, ticket: &str| {
        let (mut browser, challenge) = Browser::open(cluster.address(number), true, "/chat");
        let mut proof = key.proof(&challenge, &browser.origin.clone());
        proof["ticket"] = ticket.into();
        browser.send(proof);
        browser
    };
    for (number, name) in [(leader, "alice"), (one, "bob")] {
        let answer = cluster.server(leader).operate(&Operate::Ticket).expect("the console may");
        let Event::Ticket { ticket: Some(ticket) } = answer else { panic!("{answer:?}") };
        let key = WebKey::new();
        enter(number, &key, &ticket).join(name);
        for number in [leader, one, other] {
            assert_eq!(enter(number, &WebKey::new(), &ticket).end().0["code"], "bad_ticket");
            Browser::with_key(cluster.address(number), "/chat", &key).join(name);
        }
    }
}

#[test]
fn a_page_of_any_server_may_connect_to_each_with_one_key() {
    let cluster = Cluster::with(3, |options| options.web = crate::web::options(WebAccess::Plaintext));
    let [a, b] = [0, 1].map(|number| cluster.address(number));
    for is_encrypted in [true, false] {
        let mut stream = WebStream::connect(a, is_encrypted);
        let (head, _) = stream.ask(&format!("GET / HTTP/1.1\r\nHost: {a}\r\n\r\n"));
        let scheme = if is_encrypted { "wss" } else { "ws" };
        let others = format!("connect-src 'self' {scheme}://{b} {scheme}://{}; base-uri", cluster.address(2));
        assert!(head.contains(&others), "{head}");
    }
    let key = WebKey::new();
    let ask = |origin: &str| {
        let mut stream = WebStream::connect(b, true);
        stream.write_all(upgrade(b, "/chat", origin).as_bytes()).expect("the server reads");
        let head = stream.read_head();
        (head, stream)
    };
    let page = origin(a, true);
    let (head, stream) = ask(&page);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    let challenge = socket.read().and_then(Message::into_text).expect("a challenge");
    let challenge = serde_json::from_str(&challenge).expect("a packet");
    // The key is proved for the page that the browser has, wherever it goes on.
    let hello = json!({"type": "hello", "from": {"name": "alice"}, "to": "server", "msg": ""});
    let text = format!("{}\n{hello}\n", key.proof(&challenge, &page));
    socket.send(Message::text(text)).expect("the server reads");
    let welcome = socket.read().and_then(Message::into_text).expect("a welcome");
    assert!(
        welcome.contains(&key.fingerprint().to_string()) && welcome.contains(r#""node":"b""#),
        "{welcome}"
    );
    for foreign in ["https://127.0.0.1:1", "https://evil.example", &origin(a, false)] {
        assert!(ask(foreign).0.starts_with("HTTP/1.1 403 "), "{foreign}");
    }
}

#[test]
fn a_browser_and_a_terminal_at_different_servers_send_each_other_files() {
    for at in [[0, 1], [1, 0]] {
        let cluster = Cluster::with(2, |options| options.web = crate::web::options(WebAccess::Plaintext));
        crate::web::files::there_and_back(at.map(|number| cluster.address(number)));
    }
}
