//! Who owns which name, operators, members, bans and mutes: kept from the first receipt on, and brought over
//! from the files in which earlier versions kept them.

use crate::support::one_node;
use crate::support::peer::Peer;
#[cfg(unix)]
use crate::support::process::Serve;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::protocol::request::Operate;
use lanchat::protocol::{Event, packet::KeyList};
use lanchat::server::JoinPolicy;
use lanchat::store::Retention;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// A data directory as the last version left it that kept the books in files, with some lines as people
/// write them.
fn frozen() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/frozen/books-in-files");
    for entry in std::fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        let to = dir.path().join(entry.file_name());
        // Made anew, so that it is its owner's alone: a checkout's files are everybody's.
        let mut file = lanchat::files::create_private(&to).unwrap();
        file.write_all(&std::fs::read(entry.path()).unwrap()).unwrap();
    }
    // It was left today, whenever that is.
    let names = std::fs::read_to_string(from.join("names")).unwrap();
    let today = jiff::Timestamp::now().to_string();
    std::fs::write(dir.path().join("names"), names.replace("DAY", &today)).unwrap();
    dir
}

/// The key of somebody who was there.
fn key_of(name: &str) -> Key {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/frozen/books-in-files");
    Key::from_pem(&std::fs::read_to_string(from.join(format!("{name}.pem"))).unwrap())
}

fn serve(dir: &Path) -> TestServer {
    TestServer::with(|options| {
        options.data_dir = Some(dir.to_owned());
        options.history = Some(Retention::default());
        options.access = JoinPolicy::ClosedByOwn;
    })
}

fn listed(server: &TestServer, list: KeyList) -> Vec<String> {
    let Ok(Event::Keys { keys, .. }) = server.operate(&Operate::Keys { list, after: None }) else {
        panic!("no list")
    };
    keys.into_iter().map(|info| info.name).collect()
}

#[test]
fn a_directory_of_the_form_before_has_all_of_it_afterwards() {
    let dir = frozen();
    for run in 0..2 {
        let server = serve(dir.path());
        // Alice is an operator and so may enter; her topic, her room and what was said in it are there.
        let mut alice = Peer::connect_tls(server.address, Some(&key_of("alice")));
        let welcome = alice.hello(json!({"from": {"name": "alice"}}));
        assert_eq!((&welcome["operator"], &welcome["name"]), (&json!(true), &json!("alice")), "{welcome}");
        assert_eq!(
            (&welcome["rooms"][0]["name"], &welcome["rooms"][0]["topic"]),
            (&json!("#games"), &json!("chess"))
        );
        alice.send(json!({"type": "history", "room": "#games", "id": "h"}));
        assert_eq!(alice.wait_for("chat")["msg"], "your move");
        // The last was used when there was no such program yet, which only a clock that was never set says.
        assert_eq!(listed(&server, KeyList::Owners), ["alice", "Bob", "carol", "dave", "edited", "lapsed"]);
        assert_eq!(listed(&server, KeyList::Operators).len(), 3);
        alice.send(json!({"type": "bans"}));
        let bans = alice.wait_for("bans");
        assert_eq!(bans["total"], 4, "two bans without an end, one by hand, and a mute: {bans}");
        assert!(bans["msg"].as_str().unwrap().contains("eve banned by"), "{bans}");
        // Bob is a member, so that no passphrase is asked; he is muted, and his mail waits.
        let mut bob = Peer::connect_tls(server.address, Some(&key_of("bob")));
        let welcome = bob.hello(json!({"from": {"name": "bob"}, "since": 0}));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        let mail = bob.wait_until(|packet| packet["to"] == "Bob" || packet["type"] == "history");
        assert_eq!(mail["msg"], "this waits for you", "{mail}");
        bob.say("all", "psst");
        assert_eq!(bob.wait_for("error")["code"], "muted");
        // Dave is banned, by his key.
        // The rules, which may run elsewhere, learn of a client once it has proved the passphrase.
        if !one_node::has_logs() {
            let mut dave = Peer::connect_tls(server.address, Some(&key_of("dave")));
            assert!(dave.read_to_end().iter().any(|packet| packet["code"] == "banned"), "run {run}");
        }
        for name in ["names", "operators", "members", "bans", "mutes"] {
            assert!(
                !dir.path().join(name).exists() && dir.path().join(format!("{name}.taken-over")).exists()
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_name_is_known_from_its_first_receipt_on_whatever_is_pulled() {
    let mut server = Serve::start(&["--allow-plaintext"]);
    let key = Key::new();
    let mut bob = Peer::join_with(server.address, "bob", &key);
    bob.send(json!({"to": "all", "msg": "hello", "id": "1"}));
    assert_eq!(bob.wait_for("sent")["id"], "1");
    server.kill_and_restart();
    let mut alice = Peer::join_with(server.address, "alice", &Key::new());
    alice.send(json!({"to": "bob", "msg": "you are known", "id": "2"}));
    let answer = alice.wait_until(|packet| packet["id"] == "2");
    assert_eq!((&answer["type"], &answer["waits"]), (&json!("sent"), &json!(true)), "{answer}");
    let mut thief = Peer::connect_tls(server.address, Some(&Key::new()));
    assert_eq!(thief.hello(json!({"from": {"name": "bob"}}))["code"], "name_taken");
}

/// What the server keeps of a name and a ban.
fn use_books(server: &TestServer, key: &Key) {
    drop(Peer::join_with(server.address, "bob", key));
    server.operate(&Operate::Ban { name: "ip:192.0.2.1".into(), duration: None }).unwrap();
}

#[test]
fn without_a_history_names_and_bans_are_kept_and_messages_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        TestServer::with(|options| {
            options.data_dir = Some(dir.path().to_owned());
            options.history = None;
        })
    };
    let key = Key::new();
    let mut server = start();
    let welcome = Peer::connect_tls(server.address, Some(&key)).hello(json!({"from": {"name": "eve"}}));
    assert_eq!(welcome["log"], Value::Null);
    use_books(&server, &key);
    server.stop();
    let server = start();
    assert_eq!(listed(&server, KeyList::Owners), ["bob", "eve"]);
    let Ok(Event::Bans { total, .. }) = server.operate(&Operate::Bans) else { panic!("no list") };
    assert_eq!(total, 1);
    let mut bob = Peer::join_with(server.address, "bob", &key);
    bob.send(json!({"type": "history", "id": "h"}));
    assert_eq!(bob.wait_until(|packet| packet["id"] == "h")["code"], "no_history");
}

#[test]
fn a_history_that_is_there_is_neither_served_nor_deleted_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let key = Key::new();
    let mut kept = TestServer::in_dir(dir.path());
    let mut bob = Peer::join_with(kept.address, "bob", &key);
    bob.send(json!({"to": "all", "msg": "remember this", "id": "1"}));
    bob.wait_for("sent");
    kept.stop();
    let mut none = TestServer::with(|options| {
        options.data_dir = Some(dir.path().to_owned());
        options.history = None;
    });
    let mut bob = Peer::connect_tls(none.address, Some(&key));
    let welcome = bob.hello(json!({"from": {"name": "bob"}, "since": 0}));
    assert_eq!((&welcome["type"], &welcome["log"]), (&json!("welcome"), &Value::Null));
    bob.send(json!({"to": "all", "msg": "forget this", "id": "2"}));
    bob.wait_for("sent");
    none.stop();
    let kept = TestServer::in_dir(dir.path());
    let mut bob = Peer::join_with(kept.address, "bob", &key);
    bob.send(json!({"type": "history", "id": "h"}));
    assert_eq!(bob.wait_for("chat")["msg"], "remember this");
    let end = bob.wait_for("history");
    assert_eq!(end["count"], 1, "{end}");
}

#[cfg(unix)]
#[test]
fn a_file_that_somebody_edits_by_habit_is_not_read_and_the_commands_are_named() {
    let mut server = Serve::start(&[]);
    assert!(!server.said.contains("the server ignores"), "{}", server.said);
    std::fs::write(server.home.path().join("bans"), "{\"ips\":[\"127.0.0.1\"]}\n").unwrap();
    server.kill_and_restart();
    let said = &server.said;
    assert!(said.contains("/bans; at the console") && said.contains("/ban and /unban change them"), "{said}");
}

/// Who logs in under a name that is known waits for no disk: nothing is written for it at once.
#[test]
fn a_login_of_a_known_name_writes_nothing_while_it_is_welcomed() {
    if one_node::skips("several servers store each session, for the next one that leads") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(dir.path());
    let key = Key::new();
    drop(Peer::join_with(server.address, "bob", &key));
    let log = dir.path().join("history.db-wal");
    let mut watcher = Peer::join(server.address, "watcher");
    watcher.settle();
    let before = std::fs::metadata(&log).unwrap().len();
    for _ in 0..10 {
        let mut bob = Peer::join_with(server.address, "bob", &key);
        bob.settle();
    }
    watcher.settle();
    let after = std::fs::metadata(&log).unwrap().len();
    assert!(after <= before + 4 * 4120, "one row at most, gathered, and not ten: {before} {after}");
}
