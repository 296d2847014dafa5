//! lanchat-serve(1) as an administrator reads it: its examples serve, and it names each file that a server leaves.

use crate::manual::examples;
use crate::support::home::{Home, LANCHAT};
use crate::support::lan::Lan;
use crate::support::process::Serve;
use crate::support::tools::run;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

fn page() -> String {
    run(Command::new(LANCHAT).args(["man", "serve"])).replace("\\-", "-")
}

#[test]
fn each_example_starts_a_server_that_stops_when_it_is_told_to() {
    let Some(lan) = Lan::new() else { return };
    let examples = examples("serve");
    assert!(examples.len() >= 5, "{examples:?}");
    for example in examples {
        let (host, home) = (lan.host(), Home::new());
        fs::create_dir(home.path().join("bin")).unwrap();
        symlink(LANCHAT, home.path().join("bin/lanchat")).unwrap();
        let search = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = host.command("sh");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
            command.env_remove(name);
        }
        command.args(["-c", &format!("exec {example}")]).envs(home.env()).env("PATH", search);
        let mut server = host.spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
        let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(log.any(|line| line.contains("serving")), "{example}");
        let process = rustix::process::Pid::from_child(&server.0);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        log.for_each(drop);
        assert_eq!(server.0.wait().unwrap().code(), Some(0), "{example}");
    }
}

#[test]
fn each_file_that_a_server_leaves_is_named() {
    let mut server = Serve::start(&["--closed", "--web"]);
    let dir = server.home.path().to_owned();
    let names = || {
        let entries = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    let mut left = names();
    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait().0.success());
    left.extend(names());
    let page = page();
    let (_, files) = page.split_once(".SH FILES\n").unwrap();
    let files = files.split(".SH").next().unwrap();
    for expected in [
        "server.pem",
        "web-certificate.json",
        "passphrase",
        "history.db",
        "history.db-wal",
        "history.last",
        "operator-secret",
    ] {
        assert!(left.iter().any(|name| name == expected), "{left:?} lacks {expected}");
    }
    for name in left {
        assert!(files.contains(&name), "FILES of lanchat-serve(1) lacks {name}");
    }
}

#[test]
fn its_exit_statuses_are_those_of_a_server() {
    let page = page();
    let (_, statuses) = page.split_once(".SH \"EXIT STATUS\"\n").unwrap();
    let statuses = statuses.split(".SH").next().unwrap();
    let numbers: Vec<&str> =
        statuses.split("\\fB").skip(1).filter_map(|rest| rest.split("\\fR").next()).collect();
    assert_eq!(numbers, ["0", "1", "2"]);
    let first = Serve::start(&[]);
    let port = first.address.port().to_string();
    let home = tempfile::tempdir().unwrap();
    let second = crate::support::process::serve_command(&home, &["--port", &port]).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", String::from_utf8_lossy(&second.stderr));
}
