//! The programs in examples/ do what they say, each against a real server.

use crate::support::home::{Home, LANCHAT};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use crate::support::tools::{Talk, has_tools, run};
use crate::support::tree::root;
use lanchat::fingerprint::Fingerprint;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A server, alice, who is there, and a machine with lanchat in its PATH.
struct Scene {
    _dir: tempfile::TempDir,
    home: Home,
    server: TestServer,
    alice: Peer,
}

impl Scene {
    fn new() -> Self {
        let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
        let server = TestServer::in_dir(dir.path());
        let alice = Peer::join_with(server.address, "alice", &Key::new());
        fs::create_dir(home.path().join("bin")).unwrap();
        symlink(LANCHAT, home.path().join("bin/lanchat")).unwrap();
        Self { _dir: dir, home, server, alice }
    }

    fn key(&self) -> String {
        Fingerprint::from_id(&self.server.id).unwrap().to_string()
    }

    /// An example, which finds the server by the environment as README.md there says.
    fn example(&self, name: &str) -> Command {
        let mut command = Command::new(path(name));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
            command.env_remove(name);
        }
        let bin = self.home.path().join("bin");
        let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        command.envs(self.home.env()).env("PATH", search).env_remove("CI_JOB_NAME");
        command.env("LANCHAT_HOST", self.server.link()).env("LANCHAT_NO_DISCOVERY", "1");
        command
    }
}

fn path(name: &str) -> PathBuf {
    root().join("examples").join(name)
}

/// Runs it to its end; checks that it prints nothing, as cron and CI want it.
#[track_caller]
fn silent(command: &mut Command) -> Option<i32> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr), "");
    status.code()
}

#[test]
fn the_list_names_every_example_and_each_is_short() {
    let list = fs::read_to_string(path("README.md")).unwrap();
    let names: Vec<String> = fs::read_dir(path(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(names.len(), 4, "a new example needs a test here: {names:?}");
    for name in names {
        assert!(list.contains(&format!("| [{name}]({name}) |")), "examples/README.md lacks {name}");
        let lines = fs::read_to_string(path(&name)).unwrap().lines().count();
        assert!(lines <= 50, "{name} has {lines} lines");
    }
}

#[test]
fn the_client_in_python_talks_and_prints_and_leaves_an_impostor() {
    if !has_tools(&[("python3", "--version")]) {
        return;
    }
    let mut scene = Scene::new();
    let address = scene.server.address;
    let args = |key: &str| [address.ip().to_string(), address.port().to_string(), "snake".into(), key.into()];
    let mut client = Talk::start(scene.example("client.py").args(args(&scene.key())));
    client.say("hello from Python");
    assert_eq!(scene.alice.text(), "hello from Python");
    scene.alice.say("all", "hello \u{1b}[2J");
    assert_eq!(client.packet(), json!("alice: hello \\x1b[2J"));
    assert_eq!(client.finish().1, Some(0));
    let wrong = Fingerprint::new([7; 32]).to_string();
    let (said, status, errors) = Talk::start(scene.example("client.py").args(args(&wrong))).finish();
    assert_eq!((said, status), (Vec::<Value>::new(), Some(1)), "{errors}");
    assert!(errors.contains("another key"), "{errors}");
}

#[test]
fn the_bot_answers_in_public_where_it_was_asked_and_in_private() {
    if !has_tools(&[("python3", "--version")]) {
        return;
    }
    let mut scene = Scene::new();
    let _bot = Talk::start(&mut scene.example("bot.py"));
    scene.alice.sees_join("timebot");
    for (asked, answered) in [("all", "all"), ("timebot", "alice")] {
        scene.alice.say(asked, "!time");
        let answer = scene.alice.wait_for("chat");
        assert_eq!((&answer["from"]["name"], &answer["to"]), (&json!("timebot"), &json!(answered)));
        let time = answer["msg"].as_str().unwrap();
        assert!(time.len() == 5 && time.contains(':'), "{time}");
    }
}

#[test]
fn ci_tells_a_room_that_nobody_has_made_yet_and_keeps_the_status() {
    let mut scene = Scene::new();
    let notify =
        |scene: &Scene| silent(scene.example("ci-notify.sh").args(["#builds", "sh", "-c", "exit 3"]));
    assert_eq!(notify(&scene), Some(3));
    scene.alice.send(json!({"type": "join", "room": "#builds"}));
    assert_eq!(scene.alice.wait_for("room")["members"], 2);
    assert_eq!(notify(&scene), Some(3));
    let told = scene.alice.wait_for("chat");
    assert_eq!((&told["from"]["name"], &told["to"]), (&json!("ci"), &json!("#builds")));
    assert_eq!(told["msg"], "sh -c exit 3: failed with status 3");
}

#[test]
fn a_full_disk_is_told_to_a_user_and_others_are_not() {
    let mut scene = Scene::new();
    let df = scene.home.path().join("bin/df");
    let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 95 5 95% /data\n/dev/b 100 9 91 9% /\n";
    let script = scene.home.path().join("script");
    fs::write(&script, format!("#!/bin/sh\ncat <<'END'\n{table}END\n")).unwrap();
    // By another process: a program that this one had open while other tests start theirs could be busy.
    run(Command::new("install").args(["-m", "755"]).args([&script, &df]));
    assert_eq!(silent(scene.example("disk-alert.sh").args(["alice", "96"])), Some(0), "nothing is full");
    assert_eq!(silent(scene.example("disk-alert.sh").args(["alice", "90"])), Some(0));
    let told = scene.alice.wait_for("chat");
    assert_eq!((&told["from"]["name"], &told["to"]), (&json!("disks"), &json!("alice")));
    assert!(told["msg"].as_str().unwrap().ends_with(": /data is 95% full"), "{told}");
}
