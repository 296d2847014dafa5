//! A disk that gets full under a server that runs, and disks and files with which none starts.

use crate::support::one_node;
use crate::support::peer::{DEADLINE, Peer};
use crate::support::process::serve_command;
use crate::support::small_disk::SmallDisk;
use crate::support::storm::server::Mortal;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Room for a history that has begun, in KiB.
const DISK_KIB: usize = 3 * 1024;

/// Within this time after there is room again, messages are kept again; a bit more than is promised.
const RECOVERY: Duration = Duration::from_secs(12);

/// A talker who notes what it was promised.
struct Talker {
    peer: Peer,
    said: usize,
    /// Numbers and texts of messages that are kept, by their receipts.
    kept: Vec<(u64, String)>,
}

impl Talker {
    /// Says something big; whether it is kept.
    fn say(&mut self) -> bool {
        let id = format!("m{}", self.said);
        let text = format!("{id} {}", "x".repeat(4_000));
        self.said += 1;
        self.peer.send(json!({"to": "all", "msg": text, "id": id}));
        let receipt = self.peer.wait_until(|packet| packet["id"] == id.as_str());
        assert_eq!(receipt["type"], "sent", "{receipt}");
        let is_kept = receipt["stored"] != false;
        assert_eq!(is_kept, receipt["seq"].is_u64(), "{receipt}");
        if is_kept {
            self.kept.push((receipt["seq"].as_u64().expect("a number"), text));
        }
        is_kept
    }
}

/// Everything of the lobby but the first message.
fn resume(address: SocketAddr, name: &str) -> Vec<(u64, String)> {
    let key = Key::new();
    let mut peer = Peer::connect_tls(address, Some(&key));
    let welcome = peer.hello(json!({"from": {"name": name}, "since": 0}));
    let mut peer = Peer::connect_tls(address, Some(&key));
    // Says to have the first message, so that it gets more than newcomers are shown.
    peer.hello(json!({"from": {"name": name}, "since": 1, "log": welcome["log"]}));
    let mut all = Vec::new();
    loop {
        let packet = peer.next();
        if packet["type"] == "history" {
            return all;
        }
        if packet["type"] == "chat" {
            all.push((
                packet["seq"].as_u64().expect("a number"),
                packet["msg"].as_str().expect("a text").into(),
            ));
        }
    }
}

/// Somebody who comes and goes, with what they say when they come back.
struct Visitor {
    name: &'static str,
    key: Key,
    hello: Value,
}

impl Visitor {
    fn new(name: &'static str) -> Self {
        Self { name, key: Key::new(), hello: json!({"from": {"name": name}, "since": 0}) }
    }

    /// Comes, with the end of what was missed.
    fn comes(&mut self, address: SocketAddr) -> (Peer, Value) {
        let mut peer = Peer::connect_tls(address, Some(&self.key));
        let welcome = peer.hello(self.hello.clone());
        let end = peer.wait_for("history");
        self.hello = json!({"from": {"name": self.name}, "since": end["seq"], "log": welcome["log"]});
        (peer, end)
    }

    /// Goes, once `witness` has been told of the coming; and returns once it is told of the going.
    fn goes(&self, peer: Peer, witness: &mut Peer) {
        let tells = |kind: &str, packet: &Value| {
            let mut names = packet["names"].as_array().into_iter().flatten();
            packet["type"] == kind && names.any(|name| name == self.name)
        };
        witness.wait_until(|packet| tells("joined", packet));
        drop(peer);
        witness.wait_until(|packet| tells("left", packet));
    }
}

/// Becomes an operator and bans twice, and takes one back: while nothing can be kept.
fn ban_something(boss: &mut Peer, disk: &SmallDisk) {
    let secret: Value = serde_json::from_slice(&fs::read(disk.file("operator-secret")).unwrap()).unwrap();
    boss.send(json!({"type": "op", "token": secret["secret"]}));
    assert_eq!(boss.wait_for("operator")["operator"], true);
    for (kind, name) in [("ban", "ip:192.0.2.7"), ("ban", "ip:192.0.2.8"), ("unban", "ip:192.0.2.8")] {
        boss.send(json!({"type": kind, "name": name, "id": kind}));
        let done = boss.wait_until(|packet| packet["id"] == kind && packet["type"] == "notice");
        assert!(done["msg"].as_str().is_some_and(|msg| msg.contains("not stored yet")), "{done}");
    }
}

fn notices(packets: &[Value]) -> usize {
    packets.iter().filter(|packet| packet["type"] == "notice").count()
}

#[test]
fn on_a_full_disk_the_chat_goes_on_and_says_so_and_what_was_promised_is_kept() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let Some(disk) = SmallDisk::new(DISK_KIB) else { return };
    let disk = Arc::new(disk);
    let (data_dir, inside) = (disk.path.to_str().expect("a path").to_owned(), Arc::clone(&disk));
    let wrap = Box::new(move |command: &Command| inside.command(command));
    let mut server = Mortal::start_as(&["--rate-limit", "off", "--data-dir", &data_dir], Some(wrap));
    let address = server.address();
    let mut talker = Talker { peer: Peer::join(address, "ann"), said: 0, kept: Vec::new() };
    let mut listener = Peer::join(address, "bob");
    for _ in 0..40 {
        assert!(talker.say(), "there is room");
    }

    let (mut dora, mut eve) = (Visitor::new("dora"), Visitor::new("eve"));
    let (mut fred, mut hugo) = (Visitor::new("fred"), Visitor::new("hugo"));
    let mut witness = Peer::join(address, "wendy");
    for visitor in [&mut dora, &mut fred] {
        let (peer, _) = visitor.comes(address);
        visitor.goes(peer, &mut witness);
    }

    disk.fill();
    // What the log of the database has reserved is used up first.
    let start = Instant::now();
    while talker.say() {
        assert!(start.elapsed() < DEADLINE, "the disk is full, and everything is kept");
    }
    assert!(!talker.say() && !talker.say(), "and stays full");
    let (mut peer, _) = eve.comes(address);
    assert!(!talker.say());
    peer.wait_for("chat");
    eve.goes(peer, &mut witness);
    let (peer, end) = eve.comes(address);
    assert!(end["gap"].is_null(), "she has heard it: {end}");
    eve.goes(peer, &mut witness);
    assert_eq!(dora.comes(address).1["gap"], true, "she was away");
    let boss_key = Key::new();
    ban_something(&mut Peer::join_with(address, "boss", &boss_key), &disk);
    let before =
        listener.wait_until(|packet| packet["msg"].as_str().is_some_and(|msg| msg.starts_with("m0 ")));
    assert!(before["seq"].is_u64());
    let last = format!("m{} ", talker.said - 1);
    let mut heard = Vec::new();
    while !heard
        .last()
        .is_some_and(|packet: &Value| packet["msg"].as_str().is_some_and(|msg| msg.starts_with(&last)))
    {
        heard.push(listener.next());
    }
    assert!(heard.last().is_some_and(|packet| packet["seq"].is_null()), "what is not kept has no number");
    assert_eq!(heard.iter().filter(|packet| packet["type"] == "chat").count(), talker.said - 1);
    assert_eq!(notices(&heard), 1, "everybody is told, once");
    let said = server.wait_for_log("full");
    assert_eq!(
        server.log().iter().filter(|line| line.contains("WARN") || line.contains("ERROR")).count(),
        2,
        "{said}"
    );

    disk.free();
    let start = Instant::now();
    while !talker.say() {
        assert!(start.elapsed() < RECOVERY, "there is room again, and nothing is kept");
        // People talk now and then.
        std::thread::sleep(Duration::from_millis(50));
    }
    let recovered = start.elapsed();
    assert!(talker.say());
    drop(hugo.comes(address));
    server.kill();
    server.start_again();
    let address = server.address();
    assert_eq!(fred.comes(address).1["gap"], true, "he was away, and comes after the restart only");
    assert!(fred.comes(address).1["gap"].is_null(), "he is told once");
    assert!(hugo.comes(address).1["gap"].is_null(), "he has what came after it");
    let mut boss = Peer::join_with(address, "boss", &boss_key);
    boss.send(json!({"type": "bans", "id": "b"}));
    let bans = boss.wait_until(|packet| packet["id"] == "b");
    assert_eq!((&bans["type"], &bans["total"]), (&json!("bans"), &json!(1)), "{bans}");
    let mut thief = Peer::connect_tls(address, Some(&Key::new()));
    assert_eq!(thief.hello(json!({"from": {"name": "boss"}}))["code"], "name_taken");
    let kept = resume(address, "cleo");
    for promised in &talker.kept[1..] {
        assert!(kept.contains(promised), "message {} has a receipt and is lost", promised.0);
    }
    assert!(kept.is_sorted_by(|one, other| one.0 < other.0), "each once, in order");
    eprintln!(
        "{} said, {} kept by their receipts, {} kept after a kill, kept again after {recovered:?}",
        talker.said,
        talker.kept.len(),
        kept.len()
    );
}

#[test]
fn who_was_away_is_told_of_a_gap_though_the_server_ended_while_nothing_could_be_stored() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let Some(disk) = SmallDisk::new(DISK_KIB) else { return };
    let disk = Arc::new(disk);
    let (data_dir, inside) = (disk.path.to_str().expect("a path").to_owned(), Arc::clone(&disk));
    let wrap = Box::new(move |command: &Command| inside.command(command));
    let mut server = Mortal::start_as(&["--rate-limit", "off", "--data-dir", &data_dir], Some(wrap));
    for is_killed in [true, false] {
        let address = server.address();
        let mut talker = Talker { peer: Peer::join(address, "ann"), said: 0, kept: Vec::new() };
        let mut fred = Visitor::new(if is_killed { "fred" } else { "gina" });
        assert!(talker.say());
        assert!(fred.comes(address).1["gap"].is_null());
        disk.fill();
        let start = Instant::now();
        while talker.say() {
            assert!(start.elapsed() < DEADLINE, "the disk is full, and everything is kept");
        }
        if is_killed {
            server.kill()
        } else {
            server.stop()
        }
        disk.free();
        server.start_again();
        let address = server.address();
        assert_eq!(fred.comes(address).1["gap"], true);
        assert!(fred.comes(address).1["gap"].is_null(), "he is told once");
        assert!(Visitor::new(if is_killed { "nina" } else { "nora" }).comes(address).1["gap"].is_null());
        server.stop();
        server.start_again();
    }
}

/// The one line with which a server does not start.
fn refusal(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn no_server_starts_where_it_can_keep_nothing() {
    let Some(disk) = SmallDisk::new(64) else { return };
    let home = tempfile::tempdir().expect("a directory");
    let command = serve_command(&home, &["--data-dir", disk.path.to_str().expect("a path")]);
    disk.fill();
    let said = refusal(&mut disk.command(&command));
    assert!(said.contains("server.pem") && said.contains("free some disk space"), "{said}");
    disk.free();
    begin(&home);
    fs::copy(home.path().join("server.pem"), disk.file("server.pem")).expect("a key");
    disk.fill();
    let said = refusal(&mut disk.command(&command));
    assert!(said.contains("history.db") && said.contains("the disk is full; make room"), "{said}");
    disk.free();
    disk.make_read_only();
    let said = refusal(&mut disk.command(&command));
    assert!(said.contains("writable") && said.contains("--data-dir"), "{said}");
}

/// Lets a server run once over that directory, so that there is a history with something in it.
fn begin(home: &tempfile::TempDir) {
    let mut child = serve_command(home, &[]).spawn().expect("the program");
    let start = Instant::now();
    while !home.path().join("history.db").exists() {
        assert!(start.elapsed() < DEADLINE, "no history is made");
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("it runs");
    child.wait().expect("it ended");
}

fn spoil(path: &Path, how: &str) {
    let history = rusqlite::Connection::open(path).expect("a history");
    history.execute_batch(how).expect("it can be changed");
}

#[test]
fn a_history_that_is_damaged_or_newer_is_refused_with_the_remedy_and_not_touched() {
    let damage = |path: &Path| {
        let mut bytes = fs::read(path).expect("a history");
        bytes[100..].fill(0x5a);
        fs::write(path, bytes).expect("it can be changed");
    };
    let nonsense = |path: &Path| fs::write(path, "not a database at all\n".repeat(500)).expect("a file");
    let newer = |path: &Path| spoil(path, "PRAGMA user_version = 4711");
    refuses(damage, &["damaged", "backup"]);
    refuses(nonsense, &["not a database", "--data-dir"]);
    refuses(newer, &["newer lanchat", "update", "--data-dir"]);
}

fn refuses(spoil: impl Fn(&Path), words: &[&str]) {
    let home = tempfile::tempdir().expect("a directory");
    begin(&home);
    let path = home.path().join("history.db");
    spoil(&path);
    let before = fs::read(&path).expect("a history");
    let said = refusal(&mut serve_command(&home, &[]));
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    assert!(fs::read(&path).expect("a history") == before, "it was changed: {said}");
}
