//! `lanchat backup` and `lanchat restore`: all that a server is in one file, and back, or to another place.

use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::small_disk::SmallDisk;
use crate::support::storm::server::Mortal;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A server that runs, and where it keeps what it has.
struct House {
    server: Mortal,
    /// Who talks since the last start; `None`: nobody has yet. Who comes anew could meet themselves, as long as
    /// the server has not seen that they are gone.
    talker: Option<Peer>,
    said: usize,
}

impl House {
    fn new(args: &[&str]) -> Self {
        Self { server: Mortal::start(&[&["--rate-limit", "off"], args].concat()), talker: None, said: 0 }
    }

    fn data(&self) -> &Path {
        self.server.home.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    fn say(&mut self, count: usize) {
        let server = &mut self.server;
        let talker = self.talker.get_or_insert_with(|| Peer::join(server.address(), "ann"));
        for _ in 0..count {
            self.said += 1;
            let id = format!("m{}", self.said);
            talker.send(json!({"to": "all", "msg": format!("text {id}"), "id": id}));
            talker.wait_until(|packet| packet["id"] == id.as_str());
        }
    }

    fn start_again(&mut self) {
        self.server.start_again();
        self.talker = None;
    }

    fn backup(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        let said = prints(&lanchat(&["backup", file.to_str().unwrap()], self.data()));
        let words = ["backed up to ", name, " messages, ", " MB, in "];
        assert!(said.lines().count() == 1 && words.iter().all(|word| said.contains(word)), "{said}");
        file
    }

    fn messages(&self) -> usize {
        prints(&lanchat(&["export", "--format", "jsonl"], self.data())).lines().count()
    }
}

fn command(args: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(args).arg("--data-dir").arg(data).env("HOME", data).stdin(Stdio::null());
    command
}

fn lanchat(args: &[&str], data: &Path) -> Output {
    command(args, data).output().unwrap()
}

fn restore(file: &Path, data: &Path) -> Output {
    lanchat(&["restore", file.to_str().unwrap()], data)
}

#[track_caller]
fn prints(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn fails(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

/// What the files of a directory hold.
fn content(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(data).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_backup_put_into_an_empty_directory_is_the_same_server() {
    let mut house = House::new(&[]);
    house.say(5);
    fs::write(house.file("passphrase"), "correct horse battery\n").unwrap();
    fs::set_permissions(house.file("passphrase"), fs::Permissions::from_mode(0o400)).unwrap();
    let file = house.backup("lanchat.db");
    assert_eq!(mode(&file), 0o600);
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("new");
    let said = prints(&restore(&file, &data));
    assert!(said.contains("5 messages") && said.contains("start the server"), "{said}");
    assert!(!said.contains("is now in"), "there was nothing: {said}");
    for name in ["server.pem", "passphrase"] {
        assert_eq!(fs::read(data.join(name)).unwrap(), fs::read(house.file(name)).unwrap(), "{name}");
        assert_eq!(mode(&data.join(name)), mode(&house.file(name)), "{name}");
    }
    assert_eq!(mode(&data.join("history.db")), 0o600);
    assert_eq!(
        prints(&lanchat(&["fingerprint"], &data)),
        prints(&lanchat(&["fingerprint"], house.data())),
        "clients know it again"
    );
    let text = fs::read(data.join("history.db")).unwrap();
    let key = b"PRIVATE KEY";
    assert!(!text.windows(key.len()).any(|part| part == key), "the key is in its own file only");
    assert!(prints(&lanchat(&["export"], &data)).contains("text m5"));
}

#[test]
fn a_restore_needs_a_stopped_server_and_keeps_what_was_there() {
    if one_node::process_skips("a history that went back gets the rest from the log") {
        return;
    }
    let mut house = House::new(&[]);
    house.say(3);
    let file = house.backup("monday");
    house.say(4);
    fails(
        &restore(&file, house.data()),
        &["is using the data directory", "stop it (Ctrl-C at its terminal, or SIGTERM), run this again"],
    );
    house.server.stop();
    fs::write(house.file("bans"), "").unwrap();
    let before = content(house.data());
    let mut asides = Vec::new();
    for count in [3, 3] {
        let said = prints(&restore(&file, house.data()));
        assert_eq!(house.messages(), count);
        let aside = said.lines().find_map(|line| line.split("is now in ").nth(1)).expect("a place");
        asides.push(PathBuf::from(aside.split(';').next().unwrap()));
    }
    assert_ne!(asides[0], asides[1]);
    assert_eq!(mode(&asides[0]), 0o700);
    let kept = content(&asides[0]);
    assert_eq!(kept["history.db"], before["history.db"], "nothing is destroyed");
    assert!(kept.contains_key("bans") && !house.file("bans").exists(), "what the backup has not goes too");
    let mark: i64 = rusqlite::Connection::open(house.file("history.db"))
        .unwrap()
        .query_row("SELECT value FROM meta WHERE key = 'restored'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mark, 1);
    house.start_again();
    house.say(1);
    assert_eq!(house.messages(), 4);
}

#[test]
fn a_copy_of_a_history_alone_is_put_back_and_the_rest_stays() {
    let mut house = House::new(&[]);
    house.say(3);
    house.server.stop();
    let file = house.file("old.db");
    fs::copy(house.file("history.db"), &file).unwrap();
    house.start_again();
    house.say(2);
    house.server.stop();
    let key = fs::read(house.file("server.pem")).unwrap();
    let said = prints(&restore(&file, house.data()));
    assert!(said.contains("only a history"), "{said}");
    assert_eq!((house.messages(), fs::read(house.file("server.pem")).unwrap()), (3, key));
}

#[test]
fn what_is_no_whole_backup_is_refused_before_anything_is_touched() {
    let mut house = House::new(&[]);
    house.say(200);
    let whole = fs::read(house.backup("whole")).unwrap();
    house.server.stop();
    let before = content(house.data());
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("x");
    fails(&restore(&file, house.data()), &["the file does not exist"]);
    let sql = |sql: &str| rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let cases: [(&str, &dyn Fn()); 4] = [
        ("it is not a database", &|| fs::write(&file, "a letter, not a database\n".repeat(99)).unwrap()),
        ("another program", &|| {
            fs::remove_file(&file).unwrap();
            sql("CREATE TABLE theirs (x)");
        }),
        ("it is damaged", &|| fs::write(&file, &whole[..whole.len() / 2]).unwrap()),
        ("newer lanchat", &|| {
            fs::write(&file, &whole).unwrap();
            sql("PRAGMA user_version = 4711");
        }),
    ];
    for (why, make) in cases {
        make();
        fails(&restore(&file, house.data()), &[why]);
    }
    assert!(content(house.data()) == before, "something was touched");
}

#[test]
fn a_backup_of_which_a_letter_was_changed_is_put_back_only_by_who_insists() {
    let mut house = House::new(&[]);
    house.say(20);
    let file = house.backup("copy");
    house.server.stop();
    let mut bytes = fs::read(&file).unwrap();
    let text = b"text m7";
    let place = bytes.windows(text.len()).position(|part| part == text).unwrap();
    bytes[place] = b'n';
    fs::write(&file, &bytes).unwrap();
    let before = content(house.data());
    fails(&restore(&file, house.data()), &["does not match its checksum", "--unchecked"]);
    assert!(content(house.data()) == before, "something was touched");
    let said = prints(&lanchat(&["restore", "--unchecked", file.to_str().unwrap()], house.data()));
    assert!(said.contains("was changed after it was made"), "{said}");
    assert!(prints(&lanchat(&["export"], house.data())).contains("next m7"));
    // What earlier versions made has no sum, nor has a plain copy of a history.
    let plain = house.file("plain");
    fs::copy(house.file("history.db"), &plain).unwrap();
    let said = prints(&restore(&plain, house.data()));
    assert!(said.contains("has no checksum"), "{said}");
    fails(&restore(house.data(), house.data()), &["it is a directory"]);
}

#[test]
fn a_backup_while_people_talk_is_whole_and_replaces_no_file() {
    let mut house = House::new(&[]);
    house.say(50);
    let mut copying = command(&["backup", house.file("copy").to_str().unwrap()], house.data());
    let child = copying.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    house.say(200);
    prints(&child.wait_with_output().unwrap());
    let before = fs::read(house.file("copy")).unwrap();
    fails(&lanchat(&["backup", house.file("copy").to_str().unwrap()], house.data()), &["already exists"]);
    assert!(fs::read(house.file("copy")).unwrap() == before);
    let elsewhere = tempfile::tempdir().unwrap();
    prints(&restore(&house.file("copy"), elsewhere.path()));
    let count = prints(&lanchat(&["export", "--format", "jsonl"], elsewhere.path())).lines().count();
    assert!((50..=250).contains(&count), "{count} messages");
}

#[test]
fn a_backup_or_restore_onto_a_full_disk_leaves_nothing_begun() {
    let Some(disk) = SmallDisk::new(512) else { return };
    let mut house = House::new(&[]);
    house.say(100);
    let whole = house.backup("whole");
    disk.fill();
    let to = disk.path.join("copy");
    let output = disk.command(&command(&["backup", to.to_str().unwrap()], house.data())).output().unwrap();
    fails(&output, &["disk is full", to.to_str().unwrap()]);
    let there = || fs::read_dir(disk.file("")).unwrap().count();
    assert_eq!(there(), 1, "nothing but what fills it");
    let output = disk.command(&command(&["restore", whole.to_str().unwrap()], &disk.path)).output().unwrap();
    fails(&output, &["full"]);
    let left: Vec<_> = content(&disk.file("")).into_keys().collect();
    assert_eq!(left, ["filler", "lock"], "{left:?}");
    assert_eq!(there(), 2);
}

#[test]
fn who_may_not_read_the_directory_is_told_to_use_sudo() {
    let mut house = House::new(&[]);
    house.say(1);
    let data = house.data().to_str().unwrap();
    // Somebody else, as far as the system lets this test be so.
    let run = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(env!("CARGO_BIN_EXE_lanchat")).args(args).args(["--data-dir", data]);
        command.env("HOME", "/nonexistent").stdin(Stdio::null()).output()
    };
    let can = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            env!("CARGO_BIN_EXE_lanchat"),
            "--version",
        ])
        .output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no other user can run the program here");
        return;
    }
    for (args, remedy) in [
        (&["backup", "/tmp/x.db"][..], "sudo lanchat backup"),
        (&["export"], "sudo lanchat export"),
        (&["fingerprint"], "sudo lanchat fingerprint"),
        (&["repair"], "sudo lanchat repair"),
    ] {
        fails(&run(args).unwrap(), &[remedy]);
    }
}
