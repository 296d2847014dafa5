//! Files that a user names: they may be pipes, as a shell makes of `<(command)`, or devices. Nothing hangs on them.

use crate::support::home::{Home, LANCHAT};
use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::process::{Serve, serve_command};
use crate::support::server::TestServer;
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

const PASSPHRASE: &str = "correct horse battery";

fn pipe(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

/// A pipe into which this text goes once.
fn filled(dir: &Path, name: &str, text: &'static str) -> String {
    let path = pipe(dir, name);
    let writer = path.clone();
    thread::spawn(move || fs::write(writer, text));
    path.display().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_server_reads_its_config_and_its_message_from_pipes() {
    if one_node::process_skips("a server with an engine file has the name of its chat") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = filled(dir.path(), "config", "[serve]\nname = \"from a pipe\"\n");
    let motd = filled(dir.path(), "motd", "hello from a pipe\n");
    let serve = Serve::start(&["--config", &config, "--motd", &motd]);
    assert!(serve.said.contains("serving \"from a pipe\""), "{}", serve.said);
    let mut alice = Peer::connect(serve.address);
    let welcome = alice.hello(serde_json::json!({"from": {"name": "alice"}}));
    assert!(welcome["msg"].as_str().is_some_and(|msg| msg.ends_with("\nhello from a pipe")), "{welcome}");
}

#[test]
fn a_passphrase_comes_from_a_pipe_once_and_serves_every_connection() {
    let server = TestServer::with(|options| {
        options.access = JoinPolicy::Closed(Passphrase::new(PASSPHRASE).expect("a passphrase"));
    });
    let home = Home::new();
    let host = server.address.to_string();
    let mut send = Command::new(LANCHAT);
    send.envs(home.env()).args(["send", "--no-discovery", "--host", &host]);
    send.args(["--passphrase-file", "/dev/stdin", "hi"]);
    send.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = send.spawn().expect("the program");
    let mut input = child.stdin.take().expect("an input");
    input.write_all(format!("{PASSPHRASE}\n").as_bytes()).expect("a pipe");
    drop(input);
    let output = child.wait_with_output().expect("an output");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let dir = tempfile::tempdir().unwrap();
    let file = filled(dir.path(), "passphrase", PASSPHRASE);
    let serve = Serve::start(&["--closed", "--passphrase-file", &file]);
    assert!(serve.address.port() > 0);
}

#[test]
fn a_server_that_waits_for_a_pipe_can_be_stopped() {
    for option in ["--config", "--motd", "--passphrase-file"] {
        let home = tempfile::tempdir().unwrap();
        let path = pipe(home.path(), "pipe");
        let mut child = serve_command(&home, &["--closed", option, text(&path)]).spawn().unwrap();
        // Waits until the server has opened it; writes nothing.
        let _writer = File::create(&path).unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        // Before the server catches signals, one ends it as any program.
        assert_eq!(status.success(), option != "--config", "{option}: {status}");
    }
}

#[test]
fn a_device_without_an_end_is_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    for (option, why) in [
        (
            "--config",
            "cannot read the config file /dev/zero: it is over 1048576 bytes long; use another file",
        ),
        ("--motd", "the message of the day in /dev/zero is longer than 4096 bytes; shorten it"),
        ("--passphrase-file", "cannot use the passphrase in /dev/zero: it is over 4096 bytes long"),
    ] {
        let output = serve_command(&home, &["--closed", option, "/dev/zero"]).output().unwrap();
        let said = said(&output);
        assert!(!output.status.success() && said.contains(why), "{option}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn backups_and_exports_of_odd_files_end_with_one_line() {
    let home = tempfile::tempdir().unwrap();
    let path = pipe(home.path(), "pipe");
    for command in ["restore", "backup"] {
        let mut lanchat = Command::new(LANCHAT);
        lanchat.args([command, text(&path), "--data-dir", text(home.path())]);
        let output = lanchat.stdin(Stdio::null()).output().unwrap();
        let said = said(&output);
        assert!(!output.status.success() && said.lines().count() == 1, "{command}: {said}");
    }
}
