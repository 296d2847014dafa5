//! `lanchat cluster status` beside a server and an engine that run.

use super::engine::{Engine, current_program};
use super::{LANCHAT, Room};
use crate::support::soon::until;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

/// `lanchat serve`; killed when dropped.
struct OneServer(Child);

impl Drop for OneServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl OneServer {
    fn start(room: &Room, host: IpAddr) -> Self {
        let mut command = Command::new(LANCHAT);
        command.args([
            "serve",
            "--no-discovery",
            "--data-dir",
            "data-a",
            "--engine-file",
            "data-a/engine.toml",
        ]);
        command.args(["--host", &host.to_string()]).env("HOME", room.path("home")).current_dir(room.0.path());
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

const STATUS: &str = "cluster status --engine-file data-a/engine.toml";

#[test]
fn the_status_says_whether_all_is_well_and_what_is_wrong() {
    let Some(program) = current_program() else { return };
    let (room, host) = (Room::new(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    let ports = [(); 2].map(|()| TcpListener::bind((host, 0)).unwrap());
    let [engine_port, port] = ports.map(|listener| listener.local_addr().unwrap().port());
    room.run(&format!("cluster new office --box a={host} --engine-port {engine_port} --port {port}"));
    room.join("a");
    let engine = Engine::start(&program, &room.path("out-a/nats-server.conf"));
    let server = OneServer::start(&room, host);

    let well = until(|| Some(room.output(STATUS)).filter(|output| output.status.success()));
    let shown = String::from_utf8(well.stdout).unwrap();
    let first = "office, seen from a: 1 of 1 servers answer, and a leads\n";
    assert!(shown.starts_with(first) && shown.ends_with("\nall is well\n"), "{shown}");
    let output = room.output(&format!("{STATUS} --json"));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["leader"], &value["servers"][0]["report"]["leads"]), (&"a".into(), &true.into()));
    assert_eq!((&value["engine"]["quorum"], &value["unknown"]), (&true.into(), &Value::Array(Vec::new())));

    drop(server);
    let bad = |what: &str| {
        let output = room.output(STATUS);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(output.stderr.is_empty() && shown.contains(what), "{shown}");
    };
    bad("\nwrong: the server a does not answer at 127.0.0.1:");
    drop(engine);
    bad("\nwrong: the engine's server at tls://127.0.0.1:");
    bad("\nunknown: the leader");
}

#[test]
fn the_status_needs_an_engine_file_and_the_chat_s_key() {
    let room = Room::new();
    let missing = room.refused(STATUS, 1);
    assert!(missing.contains("no engine file data-a/engine.toml: name that of"), "{missing}");
}
