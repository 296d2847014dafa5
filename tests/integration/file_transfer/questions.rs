//! `lanchat receive` at a terminal: each answer is for the offer that the question names.

use super::*;
use crate::support::terminal::{Key, Launch, Terminal};
use std::net::{Shutdown, TcpStream};

/// The key of a sender whose files are taken without a question.
const TRUSTED: &str = "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844";

fn receiving(server: &FakeServer, home: &Home) -> Terminal {
    let host = server.address.to_string();
    let mut args = vec!["receive", "--no-discovery", "--plaintext", "--host", &host, "--name", "bob"];
    args.extend(["--to", ".", "--yes-from", TRUSTED]);
    let terminal = Launch::lanchat(&args).size(24, 100).start(home);
    terminal.wait_for("waiting for files for bob");
    terminal
}

fn offers(chat: &TcpStream, number: u64, name: &str, key: Option<&str>) {
    let file = json!({"name": name, "size": 3, "id": name});
    let eve = json!({"name": "eve", "ip": "127.0.0.1"});
    let members = json!({"from": eve, "to": "bob", "file": file, "offer": number, "key": key});
    say(chat, &about_offer("offer", members));
}

fn said(server: &FakeServer) -> (String, u64) {
    let packet = server.packet();
    (packet["type"].as_str().unwrap().to_owned(), packet["offer"].as_u64().unwrap())
}

#[test]
fn one_question_at_a_time_and_each_answer_is_for_its_own() {
    let (server, home) = (FakeServer::start(json!({})), Home::new());
    let mut terminal = receiving(&server, &home);
    let chat = server.accept();
    for (number, name) in [(1, "one"), (2, "two"), (3, "three")] {
        offers(&chat, number, name, None);
    }
    for (name, answer, kind, number) in
        [("one", "n", "decline", 1), ("two", "y", "accept", 2), ("three", "n", "decline", 3)]
    {
        terminal.wait_until(name, |screen| {
            let last = screen.trim_end().lines().last().unwrap_or_default();
            last.ends_with(&format!("{name} (3 bytes); take it? [y/N]"))
        });
        terminal.enter(answer);
        assert_eq!(said(&server), (kind.to_owned(), number));
    }
    terminal.key(Key::CtrlC);
    assert_eq!(terminal.wait_exit().0, 0);
}

#[test]
fn an_answer_is_never_for_another_offer_that_has_the_number_by_now() {
    let (server, home) = (FakeServer::start(json!({})), Home::new());
    let mut terminal = receiving(&server, &home);
    let chat = server.accept();
    offers(&chat, 1, "plan", None);
    terminal.wait_for("plan (3 bytes); take it? [y/N]");
    chat.shutdown(Shutdown::Both).unwrap();
    let chat = server.accept();
    offers(&chat, 1, "virus", None);
    offers(&chat, 2, "plan", None);
    offers(&chat, 3, "trusted", Some(TRUSTED));
    assert_eq!(said(&server), ("accept".to_owned(), 3), "all have come");
    terminal.enter("y");
    assert_eq!(said(&server), ("accept".to_owned(), 2), "the same offer under its new number");
    terminal.wait_for("virus (3 bytes); take it? [y/N]");
    terminal.enter("n");
    assert_eq!(said(&server), ("decline".to_owned(), 1));
}
