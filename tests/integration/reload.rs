//! A server that reads its settings again, at SIGHUP.

use crate::support::home::Home;
use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::process::{Serve, serve_command};
use crate::support::terminal::Launch;
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// A server with this config file.
fn start(config: &str) -> (Serve, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    fs::write(home.path().join("motd"), "hello").unwrap();
    write(&file, config);
    let server = Serve::start_at_home(home, &["--config", &file.display().to_string()]);
    (server, file)
}

fn write(file: &Path, config: &str) {
    let motd = file.with_file_name("motd");
    fs::write(file, format!("[serve]\nmotd = '{}'\n{config}", motd.display())).unwrap();
}

/// The welcome of `name`, with the message of the day.
fn welcome(server: &Serve, name: &str) -> String {
    let welcome = Peer::connect(server.address).hello(json!({"from": {"name": name}}));
    welcome["msg"].as_str().unwrap().to_owned()
}

#[test]
fn a_reload_takes_what_needs_no_restart_and_tells_what_does() {
    let (mut server, file) = start("rate-limit = 5\nmax-file = '1MiB'");
    assert!(welcome(&server, "before").ends_with("\nhello"));
    fs::write(file.with_file_name("motd"), "good evening").unwrap();
    write(
        &file,
        "rate-limit = 6\nretain = '4w'\nbacklog = '2MiB'\nmax-per-ip = 3\nnew-names-per-hour = 9\nlog-level = 'debug'",
    );
    server.signal(Signal::HUP);
    server.wait_for_log(
        "reloaded: retain, max-per-ip, motd, rate-limit, new-names-per-hour, max-file, log-level; these settings need a restart: backlog",
    );
    assert!(welcome(&server, "after").ends_with("\ngood evening"));
    server.wait_for_log("DEBUG");
    // What waits for a restart is told until then; the rest is in force.
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: nothing; these settings need a restart: backlog");
}

#[test]
fn a_reload_takes_the_biggest_size_of_files_and_names_the_other_settings_about_files_one_by_one() {
    let (mut server, file) = start("max-file = '1MiB'");
    let mut alice = Peer::join(server.address, "alice");
    Peer::join(server.address, "bob").say("all", "here");
    let mut offer = |size: u64, answer: &str| {
        let file = json!({"name": "film", "size": size, "id": "c"});
        alice.send(json!({"type": "offer", "to": "all", "id": "o", "file": file}));
        let packet = alice.wait_until(|packet| packet["id"] == "o");
        assert_eq!(packet["code"].as_str().or(packet["type"].as_str()), Some(answer), "{packet}");
    };
    offer(2 << 20, "file_too_big");
    write(&file, "max-file = '2MiB'");
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: max-file");
    offer(2 << 20, "offered");
    for (setting, name) in [
        ("file-rate = '1MiB'", "file-rate"),
        ("max-transfers = 3", "max-transfers"),
        ("no-files = true", "no-files"),
    ] {
        write(&file, &format!("max-file = '2MiB'\n{setting}"));
        server.signal(Signal::HUP);
        let line = server.wait_for_log(&format!("reloaded: nothing; these settings need a restart: {name}"));
        assert!(!line.contains(&format!("{name},")), "{line}");
    }
}

#[test]
fn a_reload_changes_what_a_log_has_and_keeps_its_format() {
    let (mut server, file) = start("log-format = 'json'");
    write(
        &file,
        "log-format = 'text'\nlog-level = 'debug'\nlog-connections = true\nmetrics = '127.0.0.1:7668'",
    );
    server.signal(Signal::HUP);
    let line = server.wait_for_log(
        "reloaded: log-connections, log-level; these settings need a restart: metrics, log-format",
    );
    assert!(line.starts_with('{') && line.contains(r#""event":"reloaded""#), "{line}");
    welcome(&server, "ann");
    let line = server.wait_for_log(r#""event":"session_began""#);
    assert!(line.starts_with('{') && line.contains("ann"), "{line}");
    welcome(&server, "bob");
    server.wait_for_log(r#""level":"DEBUG""#);
}

#[test]
fn a_config_that_is_wrong_changes_nothing_and_ends_nothing() {
    let (mut server, file) = start("");
    let here = Peer::join(server.address, "ann");
    write(&file, "rate-limit = 'fast'");
    server.signal(Signal::HUP);
    server.wait_for_log("nothing is reloaded, the settings stay as they were: config file");
    fs::remove_file(&file).unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("nothing is reloaded, the settings stay as they were: cannot read the config file");
    write(&file, "");
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: no setting has changed");
    drop(here);
}

#[test]
fn fewer_places_hold_for_those_who_come_later() {
    let (mut server, file) = start("max-clients = 20");
    let here: Vec<_> = (0..4).map(|n| Peer::join(server.address, &format!("early{n}"))).collect();
    write(&file, "max-clients = 2");
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: max-clients");
    let mut late = Peer::connect(server.address);
    assert_eq!(late.hello(json!({"from": {"name": "late"}}))["code"], "server_full");
    assert_eq!(here.len(), 4);
    for mut peer in here {
        peer.send(json!({"type": "ping", "to": "server", "msg": ""}));
        peer.wait_for("pong");
    }
}

#[test]
fn the_check_of_a_config_says_what_is_wrong_and_serves_nothing() {
    if one_node::process_skips("a server with an engine file has the name of its chat") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let check = |config: &str| {
        let file = home.path().join("config.toml");
        fs::write(&file, config).unwrap();
        let mut command = serve_command(&home, &["--check", "--config"]);
        let output = command.arg(&file).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, said, _) = check("[serve]\nname = 'Office'");
    assert_eq!(
        (status, said.as_str()),
        (Some(0), "nothing wrong: this would serve \"Office\" on 127.0.0.1, port 0\n")
    );
    let (status, _, why) = check("[serve]\nmax-client = 5");
    assert!(status == Some(2) && why.contains(":2: unknown key \"max-client\""), "{why}");
    let (status, _, why) = check("[serve]\nmotd = '/nowhere/motd'");
    assert!(status == Some(1) && why.contains("cannot read the message of the day"), "{why}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // An option in the environment comes before the file's.
    let check_at = |metrics: &str| {
        let mut command = serve_command(&home, &["--check", "--port", &port.to_string()]);
        command.args((!metrics.is_empty()).then_some(["--metrics", metrics]).into_iter().flatten());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, warned) = check_at("");
    assert!(status == Some(0) && warned.contains(&format!("port {port} is in use")), "{warned}");
    let (status, why) = check_at(&format!("127.0.0.1:{port}"));
    assert!(status == Some(1) && why.contains("cannot serve metrics on"), "{why}");
    // TEST-NET-1: no machine has it.
    let (status, _, why) = check("[serve]\nmetrics = '192.0.2.1'");
    assert!(status == Some(1) && why.contains("cannot serve metrics on 192.0.2.1:7668"), "{why}");
    assert!(!home.path().join("history.db").exists());
    fs::write(home.path().join("server.pem"), "no key").unwrap();
    let (status, _, why) = check("");
    assert!(status == Some(1) && why.contains("server.pem"), "{why}");
}

#[test]
fn a_hangup_of_its_terminal_stops_a_server_as_it_should() {
    let home = Home::new();
    let data = home.path().join("data").display().to_string();
    let args = ["serve", "--no-discovery", "--host", "127.0.0.1", "--port", "0", "--data-dir", &data];
    let mut terminal = Launch::lanchat(&args).start(&home);
    terminal.wait_for("serving");
    let pid = rustix::process::Pid::from_raw(terminal.process_id() as i32).unwrap();
    rustix::process::kill_process(pid, Signal::HUP).unwrap();
    let (status, screen) = terminal.wait_exit();
    assert!(status == 0 && screen.contains("stopped"), "{screen}");
}
