//! Machines that keep nothing between runs, such as containers and CI jobs: the user is told, no name gets
//! lost, and a key in a file makes all runs the same user.

use crate::support::home::{Home, LANCHAT};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use lanchat::chat::NewNames;
use lanchat::fingerprint::Fingerprint;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A home whose state directory nobody can make, because a file is in its place.
struct BareHome(Home);

impl BareHome {
    fn new() -> Self {
        let home = Home::new();
        fs::write(home.path().join("state"), "").unwrap();
        Self(home)
    }

    fn send(&self, server: &TestServer, args: &[&str]) -> Output {
        lanchat(&self.0, server, &[&["send"], args].concat())
    }
}

fn lanchat(home: &Home, server: &TestServer, args: &[&str]) -> Output {
    let mut command = Command::new(LANCHAT);
    command.env_remove("LANCHAT_KEY_FILE").envs(home.env()).args(args).arg("--no-discovery");
    command.args(["--host", &server.link()]).stdin(Stdio::null()).output().expect("an output")
}

#[track_caller]
fn said(output: &Output, status: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    said
}

/// The key of the sender of the next message.
fn sender(reader: &mut Peer) -> (String, String) {
    let from = reader.wait_for("chat")["from"].clone();
    (from["name"].as_str().unwrap().into(), from["key"].as_str().unwrap().into())
}

fn key_file(home: &Home) -> PathBuf {
    home.path().join("build.pem")
}

fn tag(home: &Home, file: &Path) -> String {
    let mut command = Command::new(LANCHAT);
    command.envs(home.env()).args(["fingerprint", "--me", "--key-file"]).arg(file);
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    shown.lines().next().unwrap().parse::<Fingerprint>().unwrap().tag().to_string()
}

#[test]
fn a_user_whose_key_cannot_be_kept_is_told_and_gets_the_name_again_in_the_next_run() {
    let server = TestServer::start();
    let home = BareHome::new();
    for _ in 0..3 {
        let told = said(&home.send(&server, &["-n", "build", "done"]), 0);
        let note = told
            .lines()
            .find(|line| line.starts_with("cannot keep your key in your state directory (cannot write "))
            .unwrap();
        assert!(note.contains("client.pem") && note.contains("--key-file"), "{note}");
    }
    for option in ["--guest", "-q"] {
        let told = said(&home.send(&server, &["-n", "build", option, "done"]), 0);
        assert!(!told.contains("key"), "{told}");
    }
    // The key of a run that is over has no mailbox.
    let mut bob = Peer::join(server.address, "bob");
    bob.say("build", "which one?");
    assert_eq!(bob.wait_for("error")["code"], "no_such_user");
}

#[test]
fn a_key_in_a_file_makes_all_runs_the_same_user() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(data.path());
    let mut bob = Peer::join(server.address, "bob");
    let maker = Home::new();
    let file = key_file(&maker);
    let path = file.to_str().unwrap();
    let told = said(&lanchat(&maker, &server, &["send", "-n", "build", "--key-file", path, "made"]), 0);
    assert!(told.contains(&format!("created a key in {path}; keep this file")), "{told}");
    let first = sender(&mut bob);
    assert_eq!(first, ("build".into(), tag(&maker, &file)));
    for _ in 0..2 {
        let told = said(&BareHome::new().send(&server, &["-n", "build", "--key-file", path, "done"]), 0);
        assert!(!told.contains("key"), "{told}");
        assert_eq!(sender(&mut bob), first);
    }
    // Without the key, the name is another user's.
    let refused = said(&BareHome::new().send(&server, &["-n", "build", "done"]), 5);
    assert!(refused.contains("\"build\" belongs to another key"), "{refused}");
    // Mail waits for the key.
    bob.send(json!({"to": "build", "msg": "well done", "id": "1"}));
    let sent = bob.wait_for("sent");
    assert_eq!((&sent["waits"], &sent["name"]), (&json!(true), &json!("build")));
}

#[test]
fn a_guest_with_a_key_of_its_own_leaves_the_name_to_others() {
    let server = TestServer::start();
    let (one, other) = (Home::new(), Home::new());
    for home in [&one, &other, &one] {
        said(&lanchat(home, &server, &["send", "--guest", "-n", "kiosk", "hi"]), 0);
    }
}

#[test]
fn a_key_comes_from_a_pipe_and_a_damaged_or_public_one_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestServer::start();
    let mut bob = Peer::join(server.address, "bob");
    let maker = Home::new();
    let file = key_file(&maker);
    let own = tag(&maker, &file);
    let pipe = maker.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (content, writer) = (fs::read(&file).unwrap(), pipe.clone());
    let writer = std::thread::spawn(move || fs::write(writer, content));
    let pipe = pipe.to_str().unwrap();
    said(&BareHome::new().send(&server, &["-n", "build", "--key-file", pipe, "done"]), 0);
    writer.join().unwrap().unwrap();
    assert_eq!(sender(&mut bob), ("build".into(), own));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    let path = file.to_str().unwrap();
    let refused = said(&BareHome::new().send(&server, &["--key-file", path, "done"]), 1);
    assert!(refused.contains("must not be readable by others (chmod 600 "), "{refused}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "secret").unwrap();
    let refused = said(&BareHome::new().send(&server, &["--key-file", path, "done"]), 1);
    assert!(refused.contains("does not hold a private key"), "{refused}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "secret");
    let nowhere = file.join("sub");
    let refused = said(&BareHome::new().send(&server, &["--key-file", nowhere.to_str().unwrap(), "hi"]), 1);
    assert_eq!(refused.lines().count(), 1, "{refused}");
}

#[test]
fn a_script_learns_that_the_server_does_not_keep_its_name() {
    let server = TestServer::with(|options| options.rules.new_names = NewNames::PerHour(1));
    let (one, other) = (Home::new(), Home::new());
    let first = said(&lanchat(&one, &server, &["send", "-n", "build", "hi"]), 0);
    assert!(!first.contains("does not keep"), "{first}");
    let second = said(&lanchat(&other, &server, &["send", "-n", "deploy", "hi"]), 0);
    let note =
        second.lines().find(|line| line.starts_with("the server does not keep the name deploy for you"));
    assert!(note.is_some_and(|note| note.contains("only 1 new names per hour")), "{second}");
    let quiet = said(&lanchat(&other, &server, &["send", "-q", "-n", "deploy", "hi"]), 0);
    assert!(!quiet.contains("does not keep"), "{quiet}");
}
