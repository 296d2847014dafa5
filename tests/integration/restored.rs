//! A history that went back is another history: a backup is put back under people who talk, a data
//! directory is copied and both copies live on. Nobody is shown nothing, and nobody is shown anything twice.

use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Launch, Terminal};
use crate::support::tls::Key;
use lanchat::limits::SEQ_RESERVE;
use lanchat::store::backup;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What a prompt says of a server that went back.
const WENT_BACK: &str = "the server went back to an earlier state";

/// Puts the backup into the place of the history of a server that is stopped.
fn put_back(copy: &Path, dir: &Path) {
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = fs::remove_file(dir.join(name));
    }
    fs::copy(copy, dir.join("history.db")).unwrap();
}

/// A server that keeps a history, and where a backup of it goes.
struct Stage {
    dir: tempfile::TempDir,
    server: TestServer,
    bob: Key,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = TestServer::in_dir(dir.path());
        Self { dir, server, bob: Key::new() }
    }

    /// While the server runs.
    fn back_up(&self) {
        backup(&self.dir.path().join("history.db"), &self.dir.path().join("copy"), &[], |_, _| {}).unwrap();
    }

    fn restore(&mut self) {
        self.server.stop();
        put_back(&self.dir.path().join("copy"), self.dir.path());
        self.server.restart(self.dir.path());
    }

    fn say(&self, texts: &[&str]) {
        say(&self.server, &self.bob, texts);
    }

    /// So many messages, of which nobody keeps count.
    fn say_many(&self, count: u64) {
        let mut bob = Peer::join_with(self.server.address, "bob", &self.bob);
        for n in 0..count {
            bob.say("all", &format!("lost {n}"));
            // No backlog of what others have to read.
            if n % 500 == 499 {
                bob.settle();
            }
        }
        bob.settle();
    }
}

fn say(server: &TestServer, key: &Key, texts: &[&str]) {
    let mut bob = Peer::join_with(server.address, "bob", key);
    texts.iter().for_each(|text| bob.say("all", text));
    bob.settle();
}

fn join(home: &Home, server: &TestServer) -> Terminal {
    let host = server.link();
    let terminal =
        Launch::lanchat(&["--no-discovery", "--host", &host, "--name", "alice", "--color", "never"])
            .size(60, 100)
            .start(home);
    terminal.wait_for("connected to test");
    terminal.wait_for_last("[#lobby]");
    terminal
}

/// Ends it; all that it has printed.
fn leave(mut terminal: Terminal) -> String {
    terminal.enter("/quit");
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    String::from_utf8_lossy(&terminal.raw()).into_owned()
}

/// How often each of these was shown.
fn times<const N: usize>(raw: &str, texts: [&str; N]) -> [usize; N] {
    texts.map(|text| raw.matches(&format!("<bob> {text}\r")).count())
}

/// A backup is put back after so many messages; the prompt is there all the time.
fn nothing_new_is_hidden_after(lost: u64) {
    let (mut stage, home) = (Stage::new(), Home::new());
    let terminal = join(&home, &stage.server);
    stage.say(&["before"]);
    stage.back_up();
    stage.say_many(lost);
    terminal.wait_for(&format!("<bob> lost {}", lost - 1));
    stage.restore();
    terminal.wait_for(WENT_BACK);
    stage.say(&["live"]);
    terminal.wait_for("<bob> live");
    for n in 0..3 {
        // Said while the prompt may still be on its way back.
        stage.server.restart(stage.dir.path());
        stage.say(&[&format!("restart {n}")]);
        terminal.wait_for(&format!("<bob> restart {n}"));
    }
    let raw = leave(terminal);
    let texts = ["before", "live", "restart 0", "restart 1", "restart 2", "lost 0"];
    assert_eq!(times(&raw, texts), [1; 6]);
    assert_eq!(raw.matches(WENT_BACK).count(), 1, "an ordinary restart is no rewind");
    stage.server.restart(stage.dir.path());
    stage.say(&["while away"]);
    let terminal = join(&home, &stage.server);
    terminal.wait_for("1 message while you were away");
    stage.say(&["live again"]);
    terminal.wait_for("<bob> live again");
    let raw = leave(terminal);
    assert_eq!(times(&raw, ["while away", "live again", "restart 2"]), [1, 1, 0]);
}

#[test]
fn a_backup_put_back_hides_nothing_when_few_numbers_are_given_again() {
    if one_node::skips("a history that went back gets the rest from the log") {
        return;
    }
    nothing_new_is_hidden_after(30);
}

#[test]
fn a_backup_put_back_hides_nothing_when_more_numbers_are_lost_than_are_reserved() {
    if one_node::skips("a history that went back gets the rest from the log") {
        return;
    }
    nothing_new_is_hidden_after(SEQ_RESERVE + 600);
}

#[test]
fn who_was_away_when_a_backup_was_put_back_is_given_what_is_new_and_told() {
    if one_node::skips("a history that went back gets the rest from the log") {
        return;
    }
    let (mut stage, home) = (Stage::new(), Home::new());
    let terminal = join(&home, &stage.server);
    stage.say(&["before"]);
    terminal.wait_for("<bob> before");
    stage.server.stop();
    fs::copy(stage.dir.path().join("history.db"), stage.dir.path().join("copy")).unwrap();
    stage.server.restart(stage.dir.path());
    stage.say(&["lost 1", "lost 2", "lost 3"]);
    terminal.wait_for("<bob> lost 3");
    leave(terminal);
    stage.restore();
    // The numbers that the lost ones had.
    stage.say(&["new 1", "new 2", "new 3", "new 4"]);
    let terminal = join(&home, &stage.server);
    terminal.wait_for("4 messages while you were away");
    let raw = leave(terminal);
    assert_eq!(times(&raw, ["new 1", "new 2", "new 3", "new 4", "before"]), [1, 1, 1, 1, 0]);
    assert!(raw.contains(WENT_BACK), "{raw}");
}

#[test]
fn of_two_servers_that_grew_apart_each_shows_all_that_was_said_there_once() {
    if one_node::skips("a server whose log is another one takes no part") {
        return;
    }
    let (one, home) = (Stage::new(), Home::new());
    let terminal = join(&home, &one.server);
    one.say(&["common"]);
    terminal.wait_for("<bob> common");
    let mut raw = leave(terminal);
    let Stage { dir, mut server, bob } = one;
    server.stop();
    let other = tempfile::tempdir().unwrap();
    for name in ["history.db", "server.pem"] {
        fs::copy(dir.path().join(name), other.path().join(name)).unwrap();
    }
    let (mut one, mut two) = (TestServer::in_dir(dir.path()), TestServer::in_dir(other.path()));
    assert_eq!(one.id, two.id);
    let mut all = Vec::new();
    for round in 0..3 {
        for (name, server) in [("one", &one), ("two", &two)] {
            let texts = [format!("missed {name} {round}"), format!("live {name} {round}")];
            say(server, &bob, &[&texts[0]]);
            let terminal = join(&home, server);
            terminal.wait_for(&format!("<bob> {}", texts[0]));
            say(server, &bob, &[&texts[1]]);
            terminal.wait_for(&format!("<bob> {}", texts[1]));
            raw += &leave(terminal);
            all.extend(texts);
        }
        one.restart(dir.path());
        two.restart(other.path());
    }
    for text in all.iter().map(String::as_str).chain(["common"]) {
        assert_eq!(times(&raw, [text]), [1], "{text}");
    }
    assert!(raw.contains(WENT_BACK));
}

/// A client that knows `since` and `log` alone, as programs written before this do.
fn old_client(server: &TestServer, key: &Key, since: &Value, log: &Value) -> (Value, Vec<String>, Value) {
    let mut peer = Peer::connect_tls(server.address, Some(key));
    let welcome = peer.hello(json!({"from": {"name": "alice"}, "since": since, "log": log}));
    let mut said = Vec::new();
    loop {
        let packet = peer.next();
        match packet["type"].as_str() {
            Some("history") => return (welcome, said, packet),
            _ if packet["history"] == true => said.push(packet["msg"].as_str().unwrap().to_owned()),
            _ => {}
        }
    }
}

#[test]
fn a_client_that_knows_no_incarnations_gets_what_it_lacks_once_and_is_told_of_a_rewind() {
    if one_node::skips("a history has the incarnation of its log, and gets the rest from the log") {
        return;
    }
    let (mut stage, alice) = (Stage::new(), Key::new());
    stage.say(&["one"]);
    let (welcome, said, end) = old_client(&stage.server, &alice, &json!(0), &Value::Null);
    assert_eq!((said, &end["gap"]), (vec!["one".to_owned()], &Value::Null));
    stage.server.restart(stage.dir.path());
    stage.say(&["two"]);
    stage.back_up();
    let (next, said, end) = old_client(&stage.server, &alice, &end["seq"], &welcome["log"]);
    assert_eq!((said, &end["gap"]), (vec!["two".to_owned()], &Value::Null));
    assert_ne!(welcome["log"], next["log"], "each start begins another");
    stage.say(&["lost"]);
    let (lost, said, end) = old_client(&stage.server, &alice, &end["seq"], &next["log"]);
    assert_eq!(said, ["lost"]);
    stage.restore();
    stage.say(&["three"]);
    let (back, said, last) = old_client(&stage.server, &alice, &end["seq"], &lost["log"]);
    assert_eq!(
        (said, &last["gap"], &back["rewound"]),
        (vec!["three".to_owned()], &json!(true), &json!(true))
    );
    let (_, said, end) = old_client(&stage.server, &alice, &last["seq"], &back["log"]);
    assert_eq!((said.len(), &end["gap"]), (0, &Value::Null));
}
