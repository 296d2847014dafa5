//! `lanchat tail` and `lanchat send` in pipes: what is said comes once, over restarts too, and what is
//! sent arrives once.

use crate::support::fake_server::{FakeServer, say};
use crate::support::home::{Home, LANCHAT};
use crate::support::one_node;
use crate::support::peer::{DEADLINE, Peer};
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::protocol::request::Operate;
use lanchat::protocol::{Event, packet::KeyList};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::Shutdown;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn command(home: &Home, subcommand: &str, server: impl ToString, args: &[&str]) -> Command {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args([subcommand, "--no-discovery", "--host", &server.to_string()]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn send(home: &Home, server: impl ToString, args: &[&str]) -> Output {
    command(home, "send", server, args).output().expect("the program runs")
}

/// A `lanchat tail` under way. Killed when dropped.
struct Tail {
    child: Child,
    lines: Receiver<String>,
    notes: Receiver<String>,
}

/// The lines of an output, read by a thread that ends with it.
fn lines(output: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    let read = BufReader::new(output.expect("an output")).lines();
    std::thread::spawn(move || read.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

impl Tail {
    fn start(home: &Home, server: impl ToString, args: &[&str]) -> Self {
        let mut child = command(home, "tail", server, args).spawn().expect("the program starts");
        let (lines, notes) = (lines(child.stdout.take()), lines(child.stderr.take()));
        Self { child, lines, notes }
    }

    fn line(&mut self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("a line")
    }

    /// The next line without its date and time.
    fn text(&mut self) -> String {
        let line = self.line();
        let (stamp, text) = line.split_at(20);
        assert!(stamp.starts_with("20") && stamp.ends_with(' '), "{line}");
        text.to_owned()
    }

    fn packet(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("JSON")
    }

    fn wait_for_note(&mut self, text: &str) {
        while !self.notes.recv_timeout(DEADLINE).expect("a note").contains(text) {}
    }

    /// Asks it to end, and checks that it succeeds.
    #[cfg(unix)]
    fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("a signal");
        assert_eq!(self.child.wait().expect("a status").code(), Some(0));
    }

    /// Ends it: on Windows, only a program that shares its console can ask it to end.
    #[cfg(windows)]
    fn stop(self) {}
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say_all(server: &TestServer, key: &Key, texts: &[&str]) {
    let mut bob = Peer::join_with(server.address, "bob", key);
    texts.iter().for_each(|text| bob.say("all", text));
    bob.settle();
}

#[test]
fn a_tail_goes_on_over_restarts_without_a_gap_and_with_nothing_twice() {
    let (dir, home, bob) = (tempfile::tempdir().expect("a directory"), Home::new(), Key::new());
    let mut server = TestServer::in_dir(dir.path());
    say_all(&server, &bob, &["one", "two"]);
    let mut tail = Tail::start(&home, server.link(), &["--since", "1h"]);
    assert_eq!((tail.text(), tail.text()), ("<bob> one".into(), "<bob> two".into()));
    for round in 0..3 {
        say_all(&server, &bob, &[&format!("live {round}")]);
        assert_eq!(tail.text(), format!("<bob> live {round}"));
        server.restart(dir.path());
        say_all(&server, &bob, &[&format!("missed {round}"), &format!("too {round}")]);
        tail.wait_for_note("waiting for the server");
        assert_eq!(tail.text(), format!("<bob> missed {round}"));
        assert_eq!(tail.text(), format!("<bob> too {round}"));
    }
    tail.stop();
}

#[test]
fn a_tail_goes_on_when_an_older_history_is_put_back_and_says_so() {
    if one_node::skips("a history that went back gets the rest from the log") {
        return;
    }
    let (dir, home, bob) = (tempfile::tempdir().expect("a directory"), Home::new(), Key::new());
    let mut server = TestServer::in_dir(dir.path());
    let mut tail = Tail::start(&home, server.link(), &["--since", "1h"]);
    say_all(&server, &bob, &["one"]);
    assert_eq!(tail.text(), "<bob> one");
    let (history, copy) = (dir.path().join("history.db"), dir.path().join("copy"));
    lanchat::store::backup(&history, &copy, &[], |_, _| {}).expect("a backup");
    say_all(&server, &bob, &["lost"]);
    assert_eq!(tail.text(), "<bob> lost");
    server.stop();
    std::fs::rename(&copy, &history).expect("it is stopped");
    server.restart(dir.path());
    say_all(&server, &bob, &["two", "three"]);
    tail.wait_for_note("the server went back to an earlier state");
    assert_eq!((tail.text(), tail.text()), ("<bob> two".into(), "<bob> three".into()));
    server.restart(dir.path());
    say_all(&server, &bob, &["four"]);
    assert_eq!(tail.text(), "<bob> four");
    tail.stop();
}

#[test]
fn a_tail_begins_now_unless_told_otherwise_and_is_nobody() {
    let (dir, home, bob) = (tempfile::tempdir().expect("a directory"), Home::new(), Key::new());
    let server = TestServer::in_dir(dir.path());
    say_all(&server, &bob, &["before"]);
    let mut peer = Peer::join_with(server.address, "bob", &bob);
    let tail = Tail::start(&home, server.link(), &["--json"]);
    // It is not announced: that it prints something tells that it is there.
    let first: Value = crate::support::soon::until(|| {
        peer.say("all", "there?");
        let line = tail.lines.recv_timeout(Duration::from_millis(20)).ok()?;
        Some(serde_json::from_str(&line).expect("JSON"))
    });
    assert_eq!(
        (&first["msg"], &first["type"], &first["to"]),
        (&json!("there?"), &json!("chat"), &json!("all"))
    );
    assert!(first["seq"].is_u64() && first["from"]["name"] == "bob", "{first}");
    peer.send(json!({"type": "users", "to": "server"}));
    assert_eq!(peer.wait_for("users")["total"], 1);
}

#[test]
fn a_tail_owns_a_name_only_if_it_was_given_one() {
    let (dir, home) = (tempfile::tempdir().expect("a directory"), Home::new());
    let server = TestServer::in_dir(dir.path());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let mut owned_with = |args: &[&str]| {
        let tail = Tail::start(&home, server.link(), args);
        crate::support::soon::until(|| {
            bob.say("all", "there?");
            tail.lines.recv_timeout(Duration::from_millis(20)).ok()
        });
        let answer = server.operate(&Operate::Keys { list: KeyList::Owners, after: None });
        let Ok(Event::Keys { keys, .. }) = answer else { panic!("no list") };
        keys.len()
    };
    assert_eq!(owned_with(&[]), 1, "bob's name alone");
    assert_eq!(owned_with(&["--name", "timebot"]), 2);
}

#[test]
fn a_tail_of_a_room_joins_it_and_prints_nothing_else() {
    let (dir, home, key) = (tempfile::tempdir().expect("a directory"), Home::new(), Key::new());
    let mut server = TestServer::in_dir(dir.path());
    let mut bob = Peer::join_with(server.address, "bob", &key);
    bob.send(json!({"type": "join", "to": "server", "room": "#builds"}));
    bob.wait_for("room");
    let mut tail = Tail::start(&home, server.link(), &["--room", "#builds", "--json"]);
    bob.wait_until(|packet| packet["type"] == "joined" && packet["room"] == "#builds");
    bob.say("all", "to everybody");
    bob.say("#builds", "green");
    bob.settle();
    let green = tail.packet();
    assert_eq!((&green["msg"], &green["to"]), (&json!("green"), &json!("#builds")));
    server.restart(dir.path());
    let output = send(&home, server.link(), &["--to", "#builds", "red"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(tail.packet()["msg"], "red");
    tail.stop();
    let nowhere = send(&home, server.link(), &["--to", "#nowhere", "red"]);
    assert_eq!(nowhere.status.code(), Some(5), "{nowhere:?}");
    let usage =
        command(&home, "tail", server.link(), &["--room", "two words"]).output().expect("the program runs");
    assert_eq!(usage.status.code(), Some(2), "{usage:?}");
}

#[test]
fn a_message_to_somebody_who_is_away_waits_and_the_sender_is_told() {
    let (dir, home) = (tempfile::tempdir().expect("a directory"), Home::new());
    let server = TestServer::in_dir(dir.path());
    let key = Key::new();
    drop(Peer::join_with(server.address, "bob", &key));
    let mut watcher = Peer::join_with(server.address, "carol", &Key::new());
    // Bob has gone when the list has carol alone.
    while watcher_sees(&mut watcher) > 1 {}
    let output = send(&home, server.link(), &["--to", "bob", "psst"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), error.as_str()),
        (Some(0), "bob is offline; the message waits for them\n")
    );
    let mut bob = Peer::join_with(server.address, "bob", &key);
    assert_eq!(bob.text(), "psst");
}

fn watcher_sees(watcher: &mut Peer) -> u64 {
    watcher.send(json!({"type": "users", "to": "server"}));
    watcher.wait_for("users")["total"].as_u64().expect("a number")
}

#[test]
fn a_message_is_sent_again_under_its_id_when_the_link_breaks_before_the_receipt() {
    let (server, home) = (FakeServer::start(json!({"log": "h1"})), Home::new());
    let child = command(&home, "send", server.address, &["--plaintext", "hello"]).spawn().expect("it starts");
    let link = server.accept();
    let first = server.packet();
    link.shutdown(Shutdown::Both).expect("an open connection");
    let link = server.accept();
    let second = server.packet();
    assert_eq!((&first["msg"], &first["id"]), (&json!("hello"), &second["id"]));
    say(&link, &json!({"type": "sent", "id": second["id"], "seq": 7, "ts": "2026-11-22T12:00:00.000Z"}));
    let output = child.wait_with_output().expect("an output");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_server_that_keeps_nothing_is_sent_a_message_once() {
    let (server, home) = (FakeServer::start(json!({})), Home::new());
    let child = command(&home, "send", server.address, &["--plaintext", "hello"]).spawn().expect("it starts");
    let link = server.accept();
    server.packet();
    link.shutdown(Shutdown::Both).expect("an open connection");
    let output = child.wait_with_output().expect("an output");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("may not have been delivered"), "{output:?}");
}

#[test]
fn offers_of_files_are_lines_and_with_json_their_packets() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut eve = Peer::join_with(server.address, "eve", &Key::new());
    let file = json!({"name": "plan.pdf", "size": 5, "id": "content"});
    eve.send(json!({"type": "offer", "to": "all", "id": "1", "file": file}));
    eve.wait_for("offered");
    let mut tail = Tail::start(&home, server.link(), &["--name", "bob"]);
    assert_eq!(tail.text(), "-- eve offers plan.pdf (5 bytes), number 1");
    let mut tail = Tail::start(&home, server.link(), &["--name", "bob", "--json"]);
    let packet: Value = serde_json::from_str(&tail.line()).expect("a packet");
    assert_eq!((&packet["type"], &packet["offer"], &packet["file"]), (&json!("offer"), &json!(1), &file));
}

#[test]
fn a_message_creates_its_room_only_if_it_is_to_join_it() {
    let (dir, home) = (tempfile::tempdir().expect("a directory"), Home::new());
    let server = TestServer::in_dir(dir.path());
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = send(&home, server.link(), &["--room", "#builds", "passed"]);
    assert_eq!(refused.status.code(), Some(5));
    assert!(
        said(&refused).contains("there is no room #builds; check --room, or create the room with --join")
    );
    let sent = send(&home, server.link(), &["--join", "--room", "builds", "passed"]);
    assert_eq!(sent.status.code(), Some(0), "{}", said(&sent));
    assert_eq!(send(&home, server.link(), &["--room", "#builds", "again"]).status.code(), Some(0));
    let nowhere = send(&home, server.link(), &["--join", "passed"]);
    assert_eq!((nowhere.status.code(), said(&nowhere).contains("--join needs a room")), (Some(2), true));
}
