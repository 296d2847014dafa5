//! A data directory in which something is not what it was: a history with a second name or behind a link, and
//! pipes and devices where files should be. Whoever opens it says so at once, and loses nothing.

use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::process::serve_command;
use crate::support::storm::server::Mortal;
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a refusal may take.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A server that has three messages, and where it listens.
fn server() -> (Mortal, SocketAddr) {
    let mut server = Mortal::start(&["--rate-limit", "off"]);
    let address = server.address();
    let mut talker = Peer::join(address, "ann");
    for id in ["m1", "m2", "m3"] {
        talker.send(json!({"to": "all", "msg": format!("text {id}"), "id": id}));
        let receipt = talker.wait_until(|packet| packet["id"] == id);
        assert!(receipt["seq"].is_u64(), "{receipt}");
    }
    (server, address)
}

/// The one line with which a command that is run over that directory fails.
#[track_caller]
fn refusal(mut command: Command, data: &Path) -> String {
    command.env("LANCHAT_SERVE_DATA_DIR", data).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > AT_ONCE {
            child.kill().unwrap();
            panic!("it waits: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said
}

fn serve(home: &tempfile::TempDir, data: &Path) -> String {
    refusal(serve_command(home, &[]), data)
}

fn lanchat(args: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(args).arg("--data-dir").arg(data).env("HOME", data);
    command
}

/// What is kept there.
#[track_caller]
fn has_all(data: &Path) {
    let output = lanchat(&["export"], data).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(["m1", "m2", "m3"].iter().all(|id| text.contains(&format!("text {id}"))), "{output:?}");
}

fn make_pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn no_server_starts_on_a_history_that_has_a_second_name() {
    let (mut server, _) = server();
    let other = tempfile::tempdir().unwrap();
    let (first, second) = (server.home.path().join("history.db"), other.path().join("history.db"));
    fs::hard_link(&first, &second).unwrap();
    fs::copy(first.with_file_name("server.pem"), second.with_file_name("server.pem")).unwrap();
    let said = serve(&other, other.path());
    assert!(said.contains("hard link") && said.contains("cp -p history.db"), "{said}");
    server.stop();
    let said = serve(&server.home, server.home.path());
    assert!(said.contains("hard link"), "it may be the other that was written to last: {said}");
    fs::remove_file(second).unwrap();
    server.start_again();
    server.address();
    has_all(server.home.path());
}

#[test]
fn a_second_name_that_a_kill_has_left_goes() {
    let (mut server, _) = server();
    server.kill();
    let history = server.home.path().join("history.db");
    let (left, others) =
        (history.with_file_name("history.db.4711.new"), history.with_file_name("history.db.1.new"));
    fs::hard_link(&history, &left).unwrap();
    fs::write(&others, "something else").unwrap();
    server.start_again();
    server.address();
    assert!(!left.exists() && others.exists());
    has_all(server.home.path());
}

#[test]
fn a_history_that_was_moved_behind_a_link_needs_its_log_there() {
    let (mut server, _) = server();
    server.kill();
    let place = tempfile::tempdir().unwrap();
    let data = server.home.path();
    let (link, log) = (data.join("history.db"), data.join("history.db-wal"));
    fs::rename(&link, place.path().join("big.db")).unwrap();
    std::os::unix::fs::symlink(place.path().join("big.db"), &link).unwrap();
    let said = serve(&server.home, data);
    let there = place.path().join("big.db-wal");
    assert!(said.contains(&format!("was left behind; move it to {}", there.display())), "{said}");
    fs::rename(log, place.path().join("big.db-wal")).unwrap();
    server.start_again();
    server.address();
    has_all(server.home.path());
    // What is in the log counts for a repair, too.
    server.kill();
    let output = lanchat(&["repair"], server.home.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    has_all(server.home.path());
}

#[test]
fn a_second_server_is_refused_on_a_link_to_the_history_of_the_first() {
    let (server, _) = server();
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(server.home.path().join("history.db"), other.path().join("history.db"))
        .unwrap();
    let said = serve(&other, other.path());
    assert!(said.contains("another lanchat server uses the data directory"), "{said}");
}

#[test]
fn of_two_servers_with_links_to_one_history_the_second_is_refused() {
    if one_node::process_skips("a history belongs to one log, and each data directory has its own") {
        return;
    }
    let (mut server, _) = server();
    server.stop();
    let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let history = place.path().join("big.db");
    fs::rename(server.home.path().join("history.db"), &history).unwrap();
    for data in [server.home.path(), other.path()] {
        std::os::unix::fs::symlink(&history, data.join("history.db")).unwrap();
    }
    server.start_again();
    server.address();
    let said = serve(&other, other.path());
    assert!(said.contains("another lanchat server uses"), "{said}");
    server.kill();
    let mut second = Mortal::over(other, &[], None);
    second.address();
}

#[test]
fn pipes_in_the_place_of_files_are_refused_at_once() {
    let (mut server, _) = server();
    server.kill();
    let data = server.home.path().to_owned();
    for (name, why) in [
        ("history.db-wal", "is not a regular file"),
        ("history.db-shm", "is not a regular file"),
        ("lock", "its lock is not a regular file"),
        ("server.pem", "not an ordinary file"),
        ("history.db", "is not a database"),
    ] {
        let kept: Option<PathBuf> =
            fs::rename(data.join(name), data.join("kept")).is_ok().then(|| data.join("kept"));
        make_pipe(&data.join(name));
        let said = serve(&server.home, &data);
        assert!(
            said.contains(why) && said.contains(name) || name == "lock" && said.contains(why),
            "{name}: {said}"
        );
        fs::remove_file(data.join(name)).unwrap();
        kept.into_iter().for_each(|kept| fs::rename(kept, data.join(name)).unwrap());
    }
    // What only says what was last is no reason to refuse anything.
    make_pipe(&data.join("history.last"));
    server.start_again();
    server.address();
    make_pipe(&data.join("bans"));
    let copy = data.join("copy");
    let said = refusal(lanchat(&["backup", copy.to_str().unwrap()], &data), &data);
    assert!(said.contains("bans") && said.contains("not an ordinary file"), "{said}");
    fs::remove_file(data.join("bans")).unwrap();
    has_all(&data);
}

#[test]
fn a_server_whose_key_is_gone_says_so() {
    if one_node::process_skips("a server of several takes no part with another key than the chat's") {
        return;
    }
    let (mut server, _) = server();
    assert!(!server.log().iter().any(|line| line.contains("another key")), "at its first start it has none");
    server.stop();
    fs::remove_file(server.home.path().join("server.pem")).unwrap();
    server.start_again();
    server.address();
    let line = server.wait_for_log("has a new one");
    assert!(line.contains("WARN") && line.contains("lanchat restore"), "{line}");
}

/// A tool that looks into the database while the server runs takes itself for the last that has it open, and
/// removes the log, if the server's locks are gone.
#[test]
fn another_program_that_opens_and_closes_the_history_leaves_its_log_in_place() {
    let (server, address) = server();
    let history = server.home.path().join("history.db");
    // Readers of the server open the database one after the other.
    let mut reader = Peer::connect(address);
    reader.hello(json!({"from": {"name": "bob"}, "token": "bob", "since": 0}));
    reader.wait_for("history");
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT count(*) FROM message').fetchall()); c.close()";
    let Ok(output) = Command::new("python3").args(["-c", script]).arg(&history).output() else {
        eprintln!("skipped: there is no python3");
        return;
    };
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("(3,)"),
        "{output:?}"
    );
    assert!(history.with_file_name("history.db-wal").exists(), "it was removed");
}
