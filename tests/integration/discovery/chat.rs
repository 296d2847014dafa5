//! One chat with two servers, as a network sees it.

use super::station::{Station, announcement};
use crate::support::home::LANCHAT;
use crate::support::lan::{Host, Lan};
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Launch};
use lanchat::client::copies_of;
use lanchat::discovery::{Announcement, Announcer};
use lanchat::fingerprint::Fingerprint;
use lanchat::limits::{COPY_LISTEN, DEFAULT_PORT};
use lanchat::protocol::{NodePlace, Nodes};
use serde_json::{Value, json};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

const OFFICE: &str = "3f9a1c7700112233";

/// An announced server. Says goodbye when dropped.
struct Announced {
    server: TestServer,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Announced {
    fn start(host: &Host, dir: &std::path::Path, nodes: &Nodes) -> Self {
        let server = host.run(|| {
            TestServer::with(|options| {
                (options.name, options.address, options.port) = ("office".into(), None, DEFAULT_PORT);
                (options.data_dir, options.history) = (Some(dir.to_owned()), None);
                options.nodes = Some(nodes.clone());
            })
        });
        let node = Some(nodes.node().to_owned());
        let announced = Announcement { port: DEFAULT_PORT, node, ..announcement(&server.id, "office") };
        let (stop, stopped) = oneshot::channel();
        let thread = host.run(|| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let announcer = Announcer::start(&announced).expect("it is announced");
                    drop(stopped.await);
                    announcer.shutdown().await;
                });
            })
        });
        Self { server, stop: Some(stop), thread: Some(thread) }
    }

    /// As `lanchat serve` ends.
    fn stop(&mut self) {
        self.stop.take();
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("it ends well"));
        self.server.stop();
    }
}

#[test]
fn a_chat_with_two_servers_is_listed_once_with_both() {
    let Some(lan) = Lan::new() else { return };
    let (one, two, client) = (lan.host(), lan.host(), lan.host());
    let start = |host: &Host, node: &str| {
        let announced = Announcement { node: Some(node.into()), ..announcement(OFFICE, "office") };
        Station::announced(host, announced, OFFICE)
    };
    let stations = [start(&one, "a"), start(&two, "b")];
    let home = Home::new();
    let discover = |args: &[&str]| {
        let output = client.command(LANCHAT).arg("discover").args(args).envs(home.env()).output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    };
    let table = discover(&[]);
    assert!(table.contains("  2 servers  ") && table.matches("office").count() == 1, "{table}");
    for (host, station, node) in [(&one, &stations[0], "a"), (&two, &stations[1], "b")] {
        assert!(table.contains(&format!("{}:{} (server {node})", host.v4(), station.port)), "{table}");
    }
    let listed: Value = serde_json::from_str(&discover(&["--json"])).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let nodes: Vec<&Value> =
        listed[0]["servers"].as_array().expect("servers").iter().map(|one| &one["node"]).collect();
    assert_eq!(nodes, [&json!("a"), &json!("b")]);
    let addresses = |one: &Value| one["addresses"].as_array().map_or(0, Vec::len);
    let each: usize = listed[0]["servers"].as_array().expect("servers").iter().map(addresses).sum();
    assert_eq!(addresses(&listed[0]), each);
}

#[test]
fn a_client_finds_either_server_takes_neither_for_a_copy_and_goes_on_at_the_other() {
    let Some(lan) = Lan::new() else { return };
    let (hosts, client, home) = ([lan.host(), lan.host()], lan.host(), Home::new());
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    TestServer::in_dir(dirs[0].path()).stop();
    std::fs::copy(dirs[0].path().join("server.pem"), dirs[1].path().join("server.pem")).expect("a copy");
    let place = |(node, host): (&str, &Host)| NodePlace {
        node: node.into(),
        address: host.v4().into(),
        port: DEFAULT_PORT,
    };
    let places: Vec<NodePlace> = ["a", "b"].into_iter().zip(&hosts).map(place).collect();
    let start = |at: usize| {
        let nodes = Nodes::new(["a", "b"][at], places.clone()).expect("a list");
        Announced::start(&hosts[at], dirs[at].path(), &nodes)
    };
    let mut servers = [start(0), start(1)];
    let alice = client.run(|| Launch::lanchat(&["--name", "alice"]).size(40, 160).start(&home));
    alice.wait_for_last("[#lobby]");
    let key = Fingerprint::from_id(&servers[0].server.id).expect("an id");
    let copies = client.block_on(async || copies_of(key, "no run", COPY_LISTEN, |_| false).await);
    assert_eq!(copies, [], "the servers of a chat are no copies");
    let is_at = |server: &Announced| server.server.numbers().users > 0;
    let at = usize::from(is_at(&servers[1]));
    servers[at].stop();
    let (gone, next) = if at == 0 { ("a", "b") } else { ("b", "a") };
    let screen = alice.wait_for(&format!("server {gone} is shutting down; going on at server {next}"));
    assert!(!screen.contains("looking for a server") && !screen.contains("; reconnecting"), "{screen}");
    // Both end: the prompt looks for any server, as it does for a single one.
    servers[1 - at].stop();
    alice.wait_for("looking for a server");
    servers[at] = start(at);
    alice.wait_for("connected to office as alice");
}
