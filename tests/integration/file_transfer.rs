//! `lanchat send --file` and `lanchat receive` as two processes, over a real server.

#[cfg(unix)]
mod confirmed;
mod ends;
mod hostile;
mod questions;
mod words;

use crate::support::fake_server::{FakeServer, say};
use crate::support::file_peer::{FilePeer, offer};
use crate::support::home::{Home, LANCHAT};
use crate::support::peer::{DEADLINE, Peer};
#[cfg(unix)]
use crate::support::process::Serve;
#[cfg(unix)]
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
#[cfg(target_os = "linux")]
use crate::support::small_disk::SmallDisk;
use crate::support::soon::until;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A user with a home, from which files come or to which they go.
struct User {
    name: &'static str,
    home: Home,
}

impl User {
    fn new(name: &'static str) -> Self {
        let user = Self { name, home: Home::new() };
        fs::create_dir(user.files()).unwrap();
        user
    }

    fn files(&self) -> PathBuf {
        self.home.path().join("files")
    }

    fn command(&self, subcommand: &str, server: SocketAddr, args: &[&str]) -> Command {
        let mut command = Command::new(LANCHAT);
        command.args([subcommand, "--no-discovery", "--host", &server.to_string(), "--name", self.name]);
        command.args(args).envs(self.home.env()).current_dir(self.files());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn send(&self, server: SocketAddr, args: &[&str]) -> Output {
        self.command("send", server, args).output().unwrap()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.files().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn fingerprint(&self) -> String {
        let mut command = Command::new(LANCHAT);
        let output = command.args(["fingerprint", "--me"]).envs(self.home.env()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap().to_owned()
    }
}

/// A process with `--json`, and the events that it prints. Killed when dropped.
struct Running {
    child: Child,
    events: Receiver<Value>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (to, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = to.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, events }
    }

    /// The next event of that type.
    fn event(&self, kind: &str) -> Value {
        self.one_of(&[kind])
    }

    /// The next event of one of those types.
    fn one_of(&self, kinds: &[&str]) -> Value {
        let start = Instant::now();
        loop {
            let left = DEADLINE.saturating_sub(start.elapsed());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no event {kinds:?}"));
            if kinds.iter().any(|kind| event["type"] == *kind) {
                return event;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A receiver that is ready.
fn receiver(user: &User, server: SocketAddr, args: &[&str]) -> Running {
    let running = Running::start(user.command("receive", server, &["--json", "--to", "."]).args(args));
    running.event("waiting");
    running
}

/// Everything below a folder: files, and folders as `None`.
fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let content = if path.is_dir() { None } else { Some(fs::read(&path).unwrap()) };
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), content);
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Bytes that differ everywhere.
fn noise(length: usize) -> Vec<u8> {
    let mut state = length as u64 | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(&(state >> 8).to_le_bytes()[..7]);
    }
    bytes.truncate(length);
    bytes
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

fn feed(mut to: ChildStdin, bytes: Vec<u8>) {
    std::thread::spawn(move || to.write_all(&bytes));
}

#[test]
fn files_folders_and_streams_arrive_as_they_are() {
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    let running = receiver(&bob, server.address, &["--yes-to-all"]);
    alice.file("plan.pdf", noise(3_000_000));
    alice.file("empty", "");
    alice.file("photos of the \u{fc}bung \u{1f389}/\u{5c71}/\u{e9}.jpg", noise(70_000));
    alice.file("photos of the \u{fc}bung \u{1f389}/a.txt", "a");
    fs::create_dir(alice.files().join("photos of the \u{fc}bung \u{1f389}/nothing")).unwrap();
    fs::create_dir(alice.files().join("nothing")).unwrap();
    for name in ["plan.pdf", "empty", "photos of the \u{fc}bung \u{1f389}", "nothing"] {
        assert_done(&alice.send(server.address, &["--to", "bob", "--file", name]));
        let received = running.event("received");
        assert_eq!(received["path"].as_str().map(Path::new).unwrap().file_name().unwrap(), name);
    }
    assert_eq!(tree(&bob.files()), tree(&alice.files()));
    let mut command =
        alice.command("send", server.address, &["--to", "bob", "--file", "-", "--as", "log.txt"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    feed(child.stdin.take().unwrap(), noise(500_000));
    assert_done(&child.wait_with_output().unwrap());
    assert!(fs::read(bob.files().join("log.txt")).unwrap() == noise(500_000));
}

#[test]
fn without_consent_nothing_comes_and_the_status_says_so() {
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", "plan");
    let running = receiver(&bob, server.address, &[]);
    let output = alice.send(server.address, &["--to", "bob", "--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("bob declines the file: not allowed in advance"), "{said}");
    assert_eq!(running.event("offer")["refused"], true);
    drop(running);
    let key = format!("key:{}", alice.fingerprint());
    let running = receiver(&bob, server.address, &["--yes-from", &key, "--once"]);
    assert_done(&alice.send(server.address, &["--to", "bob", "--file", "plan.pdf"]));
    running.event("received");
    let mallory = User::new("mallory");
    mallory.file("plan.pdf", "other");
    let _running = receiver(&bob, server.address, &["--yes-from", &key]);
    let output = mallory.send(server.address, &["--to", "bob", "--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(tree(&bob.files()), tree(&alice.files()));
}

#[test]
fn nobody_there_in_time_is_a_failure() {
    let server = TestServer::start();
    let alice = User::new("alice");
    alice.file("plan.pdf", "plan");
    let _bob = receiver(&User::new("bob"), server.address, &["--from", "carol"]);
    let output = alice.send(server.address, &["--to", "bob", "--file", "plan.pdf", "--wait", "100ms"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let output = alice.send(server.address, &["--to", "nobody", "--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let output = alice.send(server.address, &["--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn in_plaintext_it_is_the_same() {
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("docs/plan.pdf", noise(1_000_000));
    let running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all"]);
    assert_done(&alice.send(server.address, &["--plaintext", "--to", "bob", "--file", "docs"]));
    running.event("received");
    assert_eq!(tree(&bob.files()), tree(&alice.files()));
}

#[test]
fn each_member_of_a_room_may_take_it() {
    let server = TestServer::start();
    let (alice, bob, carol) = (User::new("alice"), User::new("bob"), User::new("carol"));
    alice.file("plan.pdf", noise(100_000));
    let receivers = [&bob, &carol].map(|user| receiver(user, server.address, &["--yes-to-all", "--once"]));
    let args = ["--to", "all", "--file", "plan.pdf", "--wait", "3s"];
    assert_done(&alice.send(server.address, &args));
    for (user, running) in [&bob, &carol].into_iter().zip(receivers) {
        running.event("received");
        assert_eq!(tree(&user.files()), tree(&alice.files()));
    }
}

/// A packet of a server about an offer.
fn about_offer(kind: &str, members: Value) -> Value {
    let mut packet =
        json!({"type": kind, "from": {"name": "server", "ip": ""}, "to": "x", "msg": "why", "offer": 1});
    packet.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    packet
}

/// Starts alice's `send` of plan.pdf to bob, and has the server take the offer.
fn offering(server: &FakeServer, alice: &User) -> (Running, TcpStream) {
    alice.file("plan.pdf", "plan");
    let args = ["--json", "--plaintext", "--to", "bob", "--file", "plan.pdf"];
    let running = Running::start(&mut alice.command("send", server.address, &args));
    let chat = server.accept();
    let id = server.packet()["id"].clone();
    say(&chat, &about_offer("offered", json!({"id": id})));
    (running, chat)
}

#[test]
fn a_receiver_accepts_again_if_the_sender_does_not_connect() {
    let server = FakeServer::start(json!({}));
    let bob = User::new("bob");
    let running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all", "--once"]);
    let chat = server.accept();
    let file = json!({"name": "plan.pdf", "size": 3, "id": "c1"});
    say(
        &chat,
        &about_offer("offer", json!({"from": {"name": "eve", "ip": "127.0.0.1"}, "to": "bob", "file": file})),
    );
    for _ in 0..2 {
        assert_eq!(server.packet()["type"], "accept");
        say(&chat, &about_offer("accepted", json!({"name": "eve", "token": "secret"})));
        assert_eq!(running.event("failed")["code"], "cut");
    }
    assert_eq!(server.packet()["type"], "accept");
    say(&chat, &about_offer("ended", json!({"code": "withdrawn"})));
    until(|| tree(&bob.files()).is_empty().then_some(()));
}

#[test]
fn a_sender_waits_for_the_next_answer_if_the_receiver_does_not_connect() {
    let server = FakeServer::start(json!({}));
    let alice = User::new("alice");
    let (mut running, chat) = offering(&server, &alice);
    for _ in 0..2 {
        say(&chat, &about_offer("accepted", json!({"name": "bob", "token": "secret", "send": true})));
        assert_eq!(running.event("failed")["code"], "cut");
    }
    assert!(running.child.try_wait().unwrap().is_none());
}

#[test]
fn an_offer_waits_until_its_place_is_free() {
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", "plan");
    let running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all"]);
    let args = ["--json", "--plaintext", "--to", "bob", "--file", "plan.pdf"];
    assert_done(&alice.send(server.address, &args));
    running.event("received");
    let mut eve = Peer::join(server.address, "eve");
    offer(&mut eve, "bob");
    let token = eve.wait_for("accepted")["token"].as_str().unwrap().to_owned();
    let mut file = FilePeer::open(server.address, None, &token);
    file.go();
    let sending = Running::start(&mut alice.command("send", server.address, &args));
    sending.event("offered");
    let why = br#"{"code":"io","msg":"why"}"#;
    file.write(&[b"X".as_slice(), &u32::try_from(why.len()).unwrap().to_be_bytes(), why].concat());
    assert_eq!(running.event("failed")["name"], "eve");
    sending.event("sent");
}

/// Cuts on either side at odd places, and kills of the server and of both programs.
#[cfg(unix)]
#[test]
fn whatever_breaks_the_file_arrives_whole_and_nothing_else_is_left() {
    const BYTES: usize = 40_000_000;
    let mut server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    let ways = [Proxy::to(server.address), Proxy::to(server.address)];
    alice.file("docs/big", noise(BYTES));
    alice.file("docs/small", noise(1000));
    let receive = || receiver(&bob, ways[1].address, &["--yes-to-all"]);
    let args = ["--json", "--to", "bob", "--file", "docs"];
    let send = || Running::start(&mut alice.command("send", ways[0].address, &args));
    let (mut receiving, mut sending) = (receive(), send());
    for (step, bytes) in [3_333_333, 70_001, 4_999_999, 6_000_007, 5_100_100, 12_345].into_iter().enumerate()
    {
        let way = &ways[step % 2];
        way.cut_after(bytes);
        until(|| (!way.is_to_cut()).then_some(()));
        match step {
            1 | 4 => {
                server.kill_and_restart();
                ways.iter().for_each(|way| way.lead_to(server.address));
            }
            2 => (receiving, _) = (receive(), drop(receiving)),
            3 => {
                drop(sending);
                sending = send();
                // A program whose first connection breaks ends. The next cut is for the transfer.
                sending.event("offered");
            }
            _ => {}
        }
    }
    sending.event("sent");
    assert!(sending.child.wait().unwrap().success());
    receiving.event("received");
    assert!(tree(&bob.files()) == tree(&alice.files()), "{:?}", tree(&bob.files()).keys());
    assert_eq!(fs::read_dir(bob.home.state().join("transfers")).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it_for_both_and_nothing_is_left() {
    // The program leaves 16 MiB free.
    let Some(disk) = SmallDisk::new(20_000) else { return };
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("big", noise(8_000_000));
    let to = disk.path.to_str().unwrap();
    let command = bob.command("receive", server.address, &["--json", "--yes-to-all", "--to", to]);
    let mut inside = disk.command(&command);
    inside.stdin(Stdio::null()).stdout(Stdio::piped());
    let running = Running::start(&mut inside);
    running.event("waiting");
    let output = alice.send(server.address, &["--to", "bob", "--file", "big"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert_eq!(running.event("failed")["code"], "no_space");
    let mut command = alice.command("send", server.address, &["--to", "bob", "--file", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    feed(child.stdin.take().unwrap(), noise(30_000_000));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("too little space"), "{said}");
    assert_eq!(running.event("failed")["code"], "no_space");
    assert_eq!(fs::read_dir(disk.file("")).unwrap().count(), 0);
}

#[test]
fn a_recipient_who_returns_later_than_the_sender_gets_the_offer_again() {
    let (alice, dir) = (User::new("alice"), tempfile::tempdir().unwrap());
    let start = |port: u16| {
        TestServer::with(|options| (options.data_dir, options.port) = (Some(dir.path().to_owned()), port))
    };
    let server = start(0);
    let address = server.address;
    let bob = Peer::join(address, "bob");
    alice.file("plan.pdf", "the plan");
    let sender =
        Running::start(&mut alice.command("send", address, &["--json", "--to", "bob", "--file", "plan.pdf"]));
    sender.event("offered");
    drop((server, bob));
    sender.event("cut");
    let _server = start(address.port());
    // Without a key, bob is nobody to the new server until he is there; alice comes first.
    let mut eve = Peer::join(address, "eve");
    until(|| {
        eve.send(json!({"type": "whois", "name": "alice", "id": "w"}));
        (eve.wait_until(|packet| packet["id"] == "w")["type"] == "whois").then_some(())
    });
    let mut bob = Peer::join(address, "bob");
    assert_eq!(bob.wait_for("offer")["file"]["name"], "plan.pdf");
}
