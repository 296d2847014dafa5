//! Who a browser is: by a key that it proves, or nobody in particular.

use super::{server, server_with};
use crate::support::browser::{Browser, WebKey};
use crate::support::peer::Peer;
use crate::support::tls::Key;
use lanchat::protocol::Event;
use lanchat::protocol::request::Operate;
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;
use serde_json::{Value, json};

fn refused(browser: Browser) -> (String, u16) {
    let (last, code) = browser.end();
    assert_eq!(last["type"], "error", "{last}");
    (last["code"].as_str().unwrap().to_owned(), code)
}

fn refused_with(code: &str) -> (String, u16) {
    (code.to_owned(), 1008)
}

#[test]
fn a_proven_key_owns_a_name_as_any_key_does() {
    let server = server();
    let (key, other) = (WebKey::new(), WebKey::new());
    let mut browser = Browser::with_key(server.address, "/chat", &key);
    browser.send(json!({"type": "hello", "from": {"name": "alice"}, "to": "server", "id": "h"}));
    let welcome = browser.next();
    assert_eq!(welcome["key"], key.fingerprint().to_string(), "{welcome}");
    let mut terminal = Peer::join_with(server.address, "bob", &Key::new());
    browser.say("bob", "hello");
    assert_eq!(terminal.wait_for("chat")["from"]["key"], key.fingerprint().tag());
    terminal.send(json!({"type": "users"}));
    let users = terminal.wait_for("users");
    assert_eq!(users["users"][0]["web"], true, "{users}");
    assert_eq!((&users["users"][1]["web"], &users["users"][0]["plaintext"]), (&Value::Null, &Value::Null));
    drop(browser);
    let mut thief = Browser::with_key(server.address, "/chat", &other);
    thief.send(json!({"type": "hello", "from": {"name": "alice"}, "to": "server"}));
    assert_eq!(refused(thief), refused_with("name_taken"));
    Browser::with_key(server.address, "/chat", &key).join("alice");
}

#[test]
fn a_proof_counts_for_its_connection_server_and_page_only() {
    let (server, other) = (server(), server());
    let key = WebKey::new();
    let open = || Browser::open(server.address, true, "/chat");
    // Of an earlier connection.
    let (first, old) = open();
    let (mut browser, _) = open();
    browser.send(key.proof(&old, &browser.origin.clone()));
    assert_eq!(refused(browser), refused_with("bad_proof"));
    drop(first);
    // Of another server.
    let (_elsewhere, foreign) = Browser::open(other.address, true, "/chat");
    let (mut browser, challenge) = open();
    let mut mixed = challenge.clone();
    mixed["id"] = foreign["id"].clone();
    browser.send(key.proof(&mixed, &browser.origin.clone()));
    assert_eq!(refused(browser), refused_with("bad_proof"));
    // Of another page.
    let (mut browser, challenge) = open();
    browser.send(key.proof(&challenge, "https://evil.example"));
    assert_eq!(refused(browser), refused_with("bad_proof"));
    // With another's key.
    let (mut browser, challenge) = open();
    let mut proof = key.proof(&challenge, &browser.origin.clone());
    proof["key"] = WebKey::new().proof(&challenge, "x")["key"].clone();
    browser.send(proof);
    assert_eq!(refused(browser), refused_with("bad_proof"));
    for (packet, code) in [
        (json!({"type": "hello", "from": {"name": "x"}, "to": "server"}), "bad_packet"),
        (json!({"type": "proof", "key": "", "sig": ""}), "bad_proof"),
        (json!({"type": "proof", "key": "x".repeat(5000), "sig": ""}), "bad_proof"),
    ] {
        let (mut browser, _) = open();
        browser.send(packet);
        assert_eq!(refused(browser), refused_with(code));
    }
    let (mut browser, _) = open();
    let fragment = "x".repeat(70_000);
    browser.send_text(&format!("{{\"type\":\"{fragment}\"}}"));
    assert_eq!(browser.end().1, 1009);
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn over_http_there_are_only_guests() {
    let server = server();
    let (mut browser, challenge) = Browser::open(server.address, false, "/chat");
    browser.send(WebKey::new().proof(&challenge, &browser.origin.clone()));
    assert_eq!(refused(browser), refused_with("not_allowed"));
    let mut guest = Browser::guest(server.address, "/chat");
    guest.send(
        json!({"type": "hello", "from": {"name": "carol"}, "to": "server", "token": "8c3f0e6b5d9a4f21"}),
    );
    let welcome = guest.next();
    assert_eq!((&welcome["type"], &welcome["key"]), (&json!("welcome"), &Value::Null));
    // Without TLS, a name is nobody's once its user has left.
    drop(guest);
    crate::support::soon::until(|| (server.handle.users() == 0).then_some(()));
    Peer::join_with(server.address, "carol", &Key::new());
}

#[test]
fn the_identity_and_the_hello_may_come_in_one_message() {
    let server = server();
    let (mut browser, challenge) = Browser::open(server.address, true, "/chat");
    let key = WebKey::new();
    let proof = key.proof(&challenge, &browser.origin.clone());
    let hello = json!({"type": "hello", "from": {"name": "dora"}, "to": "server"});
    browser.send_text(&format!("{proof}\n{hello}\n{}", json!({"to": "all", "msg": "at once", "id": "m"})));
    assert_eq!(browser.wait_for("welcome")["key"], key.fingerprint().to_string());
    browser.wait_for("sent");
}

#[test]
fn a_ticket_lets_one_key_into_a_closed_server_once() {
    let server = server_with(|options| {
        options.access = JoinPolicy::Closed(Passphrase::new("correct horse battery").unwrap());
        options.rules.closed = true;
        options.plaintext = false;
    });
    let key = WebKey::new();
    let with_ticket = |key: &WebKey, ticket: &str| {
        let (mut browser, challenge) = Browser::open(server.address, true, "/chat");
        let mut proof = key.proof(&challenge, &browser.origin.clone());
        proof["ticket"] = ticket.into();
        browser.send(proof);
        browser
    };
    assert_eq!(refused(Browser::guest(server.address, "/chat")), refused_with("key_required"));
    assert_eq!(refused(Browser::with_key(server.address, "/chat", &key)), refused_with("key_required"));
    assert_eq!(refused(with_ticket(&key, "0123456789abcdef0123456789abcdef")), refused_with("bad_ticket"));
    let answer = server.operate(&Operate::Ticket).unwrap();
    let Event::Ticket { ticket: Some(ticket) } = answer else { panic!("{answer:?}") };
    // A proof that is wrong uses up no ticket.
    let (mut browser, challenge) = Browser::open(server.address, true, "/chat");
    let mut proof = key.proof(&challenge, "https://evil.example");
    proof["ticket"] = ticket.as_str().into();
    browser.send(proof);
    assert_eq!(refused(browser), refused_with("bad_proof"));
    with_ticket(&key, &ticket).join("alice");
    assert_eq!(refused(with_ticket(&WebKey::new(), &ticket)), refused_with("bad_ticket"));
    // A member needs none.
    Browser::with_key(server.address, "/chat", &key).join("alice");
}
