//! One chat with several servers: a client goes from one to the next, and never to one without the key. The servers here
//! share a key and a list, and nothing else.

use crate::support::fake_server::FakeServer;
use crate::support::home::{Home, LANCHAT};
use crate::support::peer::{DEADLINE, Peer};
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::soon::{takes_less_than, until};
use crate::support::terminal::{Launch, Terminal};
use crate::support::tls::Key;
use crate::support::tools::{Talk, has_tools};
use crate::support::tree::root;
use lanchat::fingerprint::Fingerprint;
use lanchat::protocol::{NodePlace, Nodes};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The time in which a client is at the next server.
const SOON: Duration = Duration::from_secs(1);

/// Servers of one chat, each behind a wire that can be cut.
struct Servers {
    dirs: Vec<tempfile::TempDir>,
    wires: Vec<Proxy>,
    all: Vec<TestServer>,
}

/// Where nobody listens.
fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Servers {
    fn start(number: usize) -> Self {
        Self::with(number, &[], false)
    }

    /// `strangers` are wires to other servers that the list names as well.
    fn with(number: usize, strangers: &[&Proxy], keep: bool) -> Self {
        let dirs: Vec<_> = (0..number).map(|_| tempfile::tempdir().expect("a directory")).collect();
        // The first start makes the key.
        TestServer::in_dir(dirs[0].path()).stop();
        for dir in &dirs[1..] {
            std::fs::copy(dirs[0].path().join("server.pem"), dir.path().join("server.pem")).expect("a copy");
        }
        let wires: Vec<Proxy> = (0..number).map(|_| Proxy::to(nowhere())).collect();
        let place = |(name, wire): (&str, &Proxy)| {
            let (node, address, port) = (name.to_owned(), wire.address.ip(), wire.address.port());
            NodePlace { node, address, port }
        };
        let mut places: Vec<_> = NAMES.iter().copied().zip(&wires).map(place).collect();
        places.extend(["x", "y", "z"].into_iter().zip(strangers.iter().copied()).map(place));
        let all = dirs.iter().zip(NAMES).zip(&wires).map(|((dir, name), wire)| {
            let server = TestServer::with(|options| {
                options.data_dir = Some(dir.path().to_owned());
                options.history = options.history.filter(|_| keep);
                options.nodes = Some(Nodes::new(name, places.clone()).expect("a list"));
            });
            wire.lead_to(server.address);
            server
        });
        let all = all.collect();
        Self { dirs, wires, all }
    }

    fn link(&self, at: usize) -> String {
        self.all[at].link_at(self.wires[at].address)
    }
}

fn prompt(home: &Home, host: &str) -> Terminal {
    Launch::lanchat(&["--no-discovery", "--name", "alice", "--host", host]).size(40, 160).start(home)
}

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn send(home: &Home, host: &str, text: &str) -> Output {
    let args = ["send", "--no-discovery", "--name", "alice", "--host", host, text];
    command(home, &args).output().expect("the program runs")
}

/// The row of the first server in `known_servers`.
fn known(home: &Home) -> Value {
    let text = std::fs::read_to_string(home.state().join("known_servers")).expect("a file");
    serde_json::from_str(text.lines().next().expect("a row")).expect("JSON")
}

fn bob_at(server: &TestServer) -> Peer {
    Peer::join_with(server.address, "bob", &Key::new())
}

#[test]
fn when_a_server_dies_its_client_goes_on_at_another_one_and_says_so_in_one_line() {
    let (servers, home) = (Servers::start(2), Home::new());
    let mut bob = bob_at(&servers.all[0]);
    let mut alice = prompt(&home, &servers.link(1));
    alice.wait_for_last("[#lobby]");
    servers.wires[1].cut();
    let screen = alice.wait_for("server b is gone; going on at server a");
    assert!(!screen.contains("; reconnecting") && !screen.contains("connected again"), "{screen}");
    alice.enter("still here");
    assert_eq!(bob.text(), "still here");
    // And back, as the other one dies.
    servers.wires[1].mend();
    servers.wires[0].cut();
    alice.wait_for("server a is gone; going on at server b");
}

#[test]
fn a_move_takes_less_than_a_second() {
    takes_less_than(SOON, || {
        let (servers, home) = (Servers::start(3), Home::new());
        let alice = prompt(&home, &servers.link(1));
        alice.wait_for_last("[#lobby]");
        let start = Instant::now();
        servers.wires[1].cut();
        alice.wait_for("server b is gone; going on at server");
        Some(start.elapsed())
    });
}

#[test]
fn a_server_that_says_goodbye_sends_nobody_away() {
    let (mut servers, home) = (Servers::start(2), Home::new());
    let alice = prompt(&home, &servers.link(1));
    alice.wait_for_last("[#lobby]");
    servers.all[1].stop();
    let screen = alice.wait_for("server b is shutting down; going on at server a");
    assert!(!screen.contains("; reconnecting"), "{screen}");
}

#[test]
fn a_full_server_is_passed_over() {
    let home = Home::new();
    let mut servers = Servers::start(3);
    let dir = servers.dirs[0].path().to_owned();
    let list = |name| {
        let place = |(node, wire): (&str, &Proxy)| NodePlace {
            node: node.into(),
            address: wire.address.ip(),
            port: wire.address.port(),
        };
        Nodes::new(name, NAMES.into_iter().zip(&servers.wires).map(place).collect()).expect("a list")
    };
    let nodes = list("a");
    servers.all[0].stop();
    servers.all[0] = TestServer::with(|options| {
        (options.data_dir, options.history, options.nodes) = (Some(dir), None, Some(nodes));
        options.max_clients = Some(1);
    });
    servers.wires[0].lead_to(servers.all[0].address);
    let _last_place = bob_at(&servers.all[0]);
    let alice = prompt(&home, &servers.link(1));
    alice.wait_for_last("[#lobby]");
    servers.wires[1].cut();
    alice.wait_for("server b is gone; going on at server c");
}

#[test]
fn a_client_without_a_server_of_its_chat_waits_for_one() {
    let (servers, home) = (Servers::start(2), Home::new());
    let mut alice = prompt(&home, &servers.link(1));
    alice.wait_for_last("[#lobby]");
    servers.wires.iter().for_each(Proxy::cut);
    alice.wait_for("server b is gone, and no other server of this chat lets you in yet; reconnecting");
    let mut bob = bob_at(&servers.all[0]);
    alice.enter("later");
    servers.wires[0].mend();
    alice.wait_for("server b is gone; going on at server a");
    assert_eq!(bob.text(), "later");
}

#[test]
fn a_server_with_another_key_at_a_named_address_gets_nobody() {
    let (stranger, home) = (TestServer::start(), Home::new());
    let false_lead = Proxy::to(stranger.address);
    let servers = Servers::with(1, &[&false_lead], false);
    let alice = prompt(&home, &servers.link(0));
    alice.wait_for_last("[#lobby]");
    servers.wires[0].cut();
    alice.wait_for("server a is gone, and no other server of this chat lets you in yet; reconnecting");
    servers.wires[0].mend();
    alice.wait_for("connected again after");
    let mut witness = bob_at(&stranger);
    witness.send(json!({"type": "users"}));
    assert_eq!(witness.wait_for("users")["total"], 1);
}

#[test]
fn a_later_start_finds_another_server_where_the_last_one_is_gone() {
    let (servers, home) = (Servers::start(2), Home::new());
    let mut bob = bob_at(&servers.all[0]);
    let sent = send(&home, &servers.link(1), "one");
    assert!(sent.status.success(), "{sent:?}");
    let mut named: Vec<SocketAddr> = serde_json::from_value(known(&home)["named"].clone()).expect("a list");
    let mut wires: Vec<SocketAddr> = servers.wires.iter().map(|wire| wire.address).collect();
    named.sort();
    wires.sort();
    assert_eq!(named, wires);
    servers.wires[1].cut();
    let sent = send(&home, &servers.wires[1].address.to_string(), "two");
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(bob.text(), "two");
}

#[test]
fn without_encryption_nothing_proves_the_others_so_the_client_stays() {
    let (servers, home) = (Servers::start(2), Home::new());
    let host = servers.wires[1].address.to_string();
    let args = ["--no-discovery", "--plaintext", "--name", "alice", "--host", &host];
    let alice = Launch::lanchat(&args).size(40, 160).start(&home);
    alice.wait_for_last("[#lobby]");
    servers.wires[1].cut();
    alice.wait_for("; reconnecting");
    servers.wires[1].mend();
    alice.wait_for("connected again after");
    let screen = alice.wait_for_last("[#lobby]");
    assert!(!screen.contains("going on"), "{screen}");
}

#[test]
fn people_who_lose_a_server_do_not_all_go_to_the_same_one() {
    let (servers, home) = (Servers::start(3), Home::new());
    let mut places = [0, 0];
    // One way, twelve times in a row, is an accident in 2,000.
    while places.contains(&0) {
        assert!(places.iter().sum::<i32>() < 12, "{places:?}");
        let mut alice = prompt(&home, &servers.link(1));
        alice.wait_for_last("[#lobby]");
        servers.wires[1].cut();
        let screen = alice.wait_for("server b is gone; going on at server");
        places[usize::from(screen.contains("at server c"))] += 1;
        alice.enter("/quit");
        alice.wait_exit();
        servers.wires[1].mend();
    }
}

/// A program under way. Killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of an output, read by a thread that ends with it.
fn lines(output: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    let read = BufReader::new(output.expect("an output")).lines();
    std::thread::spawn(move || read.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn line_with(lines: &Receiver<String>, text: &str) -> String {
    loop {
        let line = lines.recv_timeout(DEADLINE).expect("a line");
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn a_program_that_reads_along_goes_on_at_another_server() {
    let (servers, home) = (Servers::start(2), Home::new());
    let args = ["tail", "--json", "--no-discovery", "--host", &servers.link(1)];
    let mut tail = Program(command(&home, &args).spawn().expect("it starts"));
    let (packets, notes) = (lines(tail.0.stdout.take()), lines(tail.0.stderr.take()));
    let mut bob = [0, 1].map(|at| bob_at(&servers.all[at]));
    // Until it is there.
    until(|| {
        bob[1].say("all", "first");
        packets.recv_timeout(Duration::from_millis(100)).ok()
    });
    servers.wires[1].cut();
    line_with(&notes, "server b is gone; going on at server a");
    bob[0].say("all", "second");
    assert_eq!(serde_json::from_str::<Value>(&line_with(&packets, "second")).expect("JSON")["msg"], "second");
}

#[test]
fn a_program_that_takes_part_goes_on_at_another_server() {
    let (servers, home) = (Servers::start(2), Home::new());
    let mut bob = bob_at(&servers.all[0]);
    let args = ["--json", "--no-discovery", "--name", "bot", "--host", &servers.link(1)];
    let mut bot = Talk::start(&mut command(&home, &args));
    assert_eq!(bot.packet()["node"], "b");
    servers.wires[1].cut();
    bot.wait_for("disconnected");
    assert_eq!(bot.wait_for("welcome")["node"], "a");
    bot.send(&json!({"to": "all", "msg": "still here", "id": "m"}));
    assert_eq!(bot.wait_for("sent")["id"], "m");
    assert_eq!(bob.text(), "still here");
}

#[test]
fn a_client_that_knows_nothing_of_several_servers_chats() {
    if !has_tools(&[("python3", "--version")]) {
        return;
    }
    let (servers, home) = (Servers::start(2), Home::new());
    let mut bob = bob_at(&servers.all[1]);
    let (address, key) = (servers.all[1].address, &servers.all[1].id);
    let key = Fingerprint::from_id(key).expect("an id").to_string();
    let mut python = Command::new("python3");
    python.arg(root().join("examples/client.py")).envs(home.env());
    python.args([address.ip().to_string(), address.port().to_string(), "snake".into(), key]);
    let mut client = Talk::start(&mut python);
    client.say("hello from Python");
    assert_eq!(bob.text(), "hello from Python");
    bob.say("all", "hello");
    assert_eq!(client.packet(), json!("bob: hello"));
    assert_eq!(client.finish().1, Some(0));
}

#[test]
fn a_message_under_way_is_sent_again_at_another_server() {
    let (servers, home) = (Servers::with(2, &[], true), Home::new());
    let mut bob = bob_at(&servers.all[0]);
    servers.wires[1].cut_after(6000);
    let text = "x".repeat(9000);
    let sent = send(&home, &servers.link(1), &text);
    assert!(sent.status.success(), "{sent:?}");
    assert!(!servers.wires[1].is_to_cut(), "it was cut in the middle of the message");
    assert_eq!(bob.text(), text);
}

#[test]
fn a_client_of_the_present_protocol_reads_a_welcome_with_the_list() {
    let servers = Servers::start(2);
    let mut peer = Peer::connect(servers.all[1].address);
    peer.send(json!({"type": "ping"}));
    let pong = peer.wait_for("pong");
    assert_eq!((&pong["node"], pong.get("run")), (&json!("b"), None), "{pong}");
    let welcome = peer.hello(json!({"from": {"name": "carol"}}));
    assert_eq!((&welcome["type"], &welcome["node"]), (&json!("welcome"), &json!("b")));
    let wire = servers.wires[0].address;
    let first = json!({"node": "a", "address": "127.0.0.1", "port": wire.port()});
    assert_eq!((welcome["servers"].as_array().map(Vec::len), &welcome["servers"][0]), (Some(2), &first));
    let alone = TestServer::start();
    let mut peer = Peer::connect(alone.address);
    let welcome = peer.hello(json!({"from": {"name": "carol"}}));
    assert!(welcome.get("node").is_none() && welcome.get("servers").is_none(), "{welcome}");
}

#[test]
fn a_list_that_makes_no_sense_takes_nothing_along() {
    let home = Home::new();
    let many: Vec<Value> =
        (0..500).map(|n| json!({"node": format!("n{n}"), "address": "10.0.0.1", "port": n})).collect();
    for servers in [json!([1, null, {"node": "\u{1b}", "port": "x"}]), Value::Array(many), json!(null)] {
        let fake = FakeServer::start(json!({"node": "a", "servers": servers}));
        let host = fake.address.to_string();
        let args = ["--no-discovery", "--plaintext", "--name", "alice", "--host", &host];
        let alice = Launch::lanchat(&args).size(40, 160).start(&home);
        alice.wait_for_last("[#lobby]");
    }
}
