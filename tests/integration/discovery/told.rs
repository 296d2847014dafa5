//! What somebody is told whose `lanchat send` finds no server, or one that cannot be connected to.

use super::find::block_multicast;
use super::station::Station;
use crate::support::lan::{Addressing, Host, Lan};
use std::path::Path;
use std::process::Stdio;

const OFFICE: &str = "3f9a1c7700112233";

/// Sends with this home directory; the exit status, and what is said in one line.
fn send(host: &Host, home: &Path, options: &[&str]) -> (Option<i32>, String) {
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command
        .arg("send")
        .args(options)
        .arg("hello")
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(error.lines().count(), 1, "{error}");
    (output.status.code(), error)
}

#[test]
fn a_server_that_is_announced_behind_a_closed_port_is_status_4_and_no_question_about_mdns() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host_with(Addressing::V4), lan.host_with(Addressing::V4));
    let office = Station::start(&server, OFFICE, "office");
    let home = tempfile::tempdir().unwrap();
    server.nft(&format!(
        "table inet filter {{
            chain input {{ type filter hook input priority 0; tcp dport {} drop; }}
        }}",
        office.port
    ));
    let (status, error) = send(&client, home.path(), &["--timeout", "1s"]);
    let beginning = format!("lanchat: cannot connect: office (3f9a1c77) is announced at {}:", server.v4());
    assert_eq!(status, Some(4), "{error}");
    assert!(error.starts_with(&beginning) && !error.contains("5353"), "{error}");
}

#[test]
fn where_nothing_is_heard_it_is_status_3_and_a_scan_is_named() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _office = Station::start(&server, OFFICE, "office");
    block_multicast(&client);
    let home = tempfile::tempdir().unwrap();
    let (status, error) = send(&client, home.path(), &["--timeout", "1s"]);
    assert_eq!(status, Some(3), "{error}");
    assert!(
        error.contains("a firewall drops UDP port 5353") && error.contains("`lanchat discover --scan`"),
        "{error}"
    );
}

#[test]
fn a_mistyped_server_is_status_3_and_the_names_there_are_are_told() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _office = Station::start(&server, OFFICE, "office");
    let home = tempfile::tempdir().unwrap();
    let (status, error) = send(&client, home.path(), &["--server", "offcie"]);
    assert_eq!(status, Some(3), "{error}");
    assert!(
        error.contains("no server offcie answered") && error.contains("there are: office (3f9a1c77)"),
        "{error}"
    );
    assert!(!error.contains("5353"), "{error}");
}

#[test]
fn a_ban_is_status_5_for_a_user_who_relies_on_discovery() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let command = |host: &Host, home: &Path, args: &[&str]| {
        let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
        command.args(args).env("HOME", home).env("XDG_STATE_HOME", home.join("state")).stdin(Stdio::null());
        command
    };
    let dir = data.path().to_str().unwrap();
    let mut serve = command(&server, data.path(), &["serve", "--data-dir", dir]);
    let _running = server.spawn(serve.stderr(Stdio::null()));
    let send = || command(&client, home.path(), &["send", "--name", "bob", "hello"]).output().unwrap();
    assert_eq!(send().status.code(), Some(0));
    let ban = ["send", "--data-dir", dir, "--to", "server", "/ban bob 1h"];
    assert!(command(&server, data.path(), &ban).output().unwrap().status.success());
    let refused = send();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.starts_with("lanchat: you are banned until "), "{said}");
}
