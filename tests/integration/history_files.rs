//! `lanchat export` and `lanchat backup`: a history as files, also of a server that runs.

use lanchat::chat::{Account, Entry, Kind, Mail, Message, Venue};
use lanchat::fingerprint::Fingerprint;
use lanchat::name::RoomName;
use lanchat::protocol::packet::Sender;
use lanchat::store::{Retention, Store, WriteBatch};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A data directory with a history, and the store that has it open as a server would.
struct Server {
    dir: TempDir,
    store: Store,
}

impl Server {
    async fn with(messages: Vec<Message>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&dir.path().join("history.db"), Retention::default()).unwrap();
        let seq = messages.last().map_or(0, |message| message.seq);
        let entries = messages.into_iter().map(|message| Entry::Message(Box::new(message))).collect();
        store.commit(WriteBatch { entries, seq, ..WriteBatch::default() }).await.unwrap();
        Self { dir, store }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = lanchat(args);
        command.arg("--data-dir").arg(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it prints.
    #[track_caller]
    fn prints(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout)
    }

    /// Its one line on standard error.
    #[track_caller]
    fn fails(&self, status: i32, args: &[&str]) -> String {
        one_line(status, &self.run(args))
    }
}

fn lanchat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.args(args).env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn one_line(status: i32, output: &Output) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.starts_with("lanchat: ") && said.lines().count() == 1, "{said:?}");
    said
}

fn message(seq: u64, from: &str, venue: Venue, text: &str) -> Message {
    Message {
        seq,
        at: format!("2026-11-21T12:00:0{}Z", seq % 10).parse().unwrap(),
        kind: Kind::Chat,
        venue,
        receiver: None,
        from: Sender { name: from.into(), ip: "192.168.1.20".into(), key: Some("I3aEaKt5".into()) },
        author: Some(key(1)),
        id: None,
        text: text.into(),
        reply: None,
        edited: false,
        mail: Vec::new(),
    }
}

fn key(number: u8) -> Account {
    Account::Key(Fingerprint::new([number; 32]))
}

fn talk() -> Vec<Message> {
    let room = |name| Venue::Room(RoomName::new(name).unwrap());
    let direct = Message {
        mail: vec![Mail { account: key(2), waits: true }],
        ..message(3, "alice", Venue::Direct("bob".into()), "between us")
    };
    vec![
        message(1, "alice", room("#lobby"), "hello, \"all\"\nsecond line"),
        Message { kind: Kind::Action, ..message(2, "bob", room("#games"), "plays") },
        direct,
        Message { kind: Kind::Alert, ..message(4, "alice", room("#lobby"), "\u{1b}]0;owned\u{7}fire") },
    ]
}

#[tokio::test]
async fn an_export_is_text_json_lines_or_a_table() {
    let server = Server::with(talk()).await;
    let expected = "\
2026-11-21 12:00:01 #lobby <alice> hello, \"all\"
    second line
2026-11-21 12:00:02 #games * bob plays
2026-11-21 12:00:03 @bob <alice> between us
2026-11-21 12:00:04 #lobby ALERT from alice: \u{fffd}]0;owned\u{fffd}fire
";
    assert_eq!(server.prints(&["export"]), expected);
    let lines = server.prints(&["export", "--format", "jsonl"]);
    let packets: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(packets.len(), 4);
    assert_eq!(packets[0]["msg"], "hello, \"all\"\nsecond line");
    assert_eq!((&packets[0]["to"], &packets[1]["to"]), (&"all".into(), &"#games".into()));
    assert_eq!((&packets[2]["seq"], &packets[2]["ts"]), (&3.into(), &"2026-11-21T12:00:03.000Z".into()));
    assert_eq!(
        (&packets[3]["type"], &packets[3]["msg"]),
        (&"alert".into(), &"\u{1b}]0;owned\u{7}fire".into())
    );
    let table = server.prints(&["export", "--format", "csv"]);
    assert!(
        table.starts_with("seq,time,kind,from,ip,key,to,text,edited\n1,2026-11-21T12:00:01.000Z,chat,alice,")
    );
    assert!(table.contains(",#lobby,\"hello, \"\"all\"\"\nsecond line\",\n"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
    server.store.close().await;
}

#[tokio::test]
async fn an_export_has_what_was_asked_for() {
    let server = Server::with(talk()).await;
    let count =
        |args: &[&str]| server.prints(&[&["export", "--format", "jsonl"], args].concat()).lines().count();
    assert_eq!(count(&["--room", "#Games"]), 1);
    assert_eq!(count(&["--room", "games"]), 1);
    assert_eq!(count(&["--with", "BOB"]), 1);
    assert_eq!(count(&["--since", "2026-11-21T12:00:03"]), 2);
    assert_eq!(count(&["--since", "2026-11-21T13:00:00+01:00"]), 4);
    let said = server.fails(1, &["export", "--room", "#chess"]);
    assert!(said.contains("no room #chess"), "{said}");
    for (args, hint) in [(["--since", "yesterday"], "2026-11-21"), (["--format", "xml"], "jsonl")] {
        let said = server.fails(2, &[&["export"], &args[..]].concat());
        assert!(said.contains(hint), "{args:?}: {said}");
    }
    server.store.close().await;
}

#[tokio::test]
async fn an_export_goes_to_a_new_private_file() {
    let server = Server::with(talk()).await;
    let file = server.file("talk.txt");
    let args = ["export", "--output", file.to_str().unwrap()];
    assert_eq!(server.prints(&args), "");
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 5);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let said = server.fails(1, &args);
    assert!(said.contains("already exists; choose another file"), "{said}");
    server.store.close().await;
}

#[tokio::test]
async fn a_reader_that_has_enough_is_no_failure() {
    let long = "x".repeat(5000);
    let room = || Venue::Room(RoomName::lobby());
    let server = Server::with((1..=400).map(|seq| message(seq, "alice", room(), &long)).collect()).await;
    for format in ["text", "jsonl", "csv"] {
        let mut command = server.command(&["export", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{format}: {output:?}");
    }
    server.store.close().await;
}

#[tokio::test]
async fn a_backup_is_a_history_and_replaces_nothing() {
    let server = Server::with(talk()).await;
    let copy = server.file("copy");
    fs::create_dir(&copy).unwrap();
    let file = copy.join("history.db");
    assert!(server.prints(&["backup", file.to_str().unwrap()]).starts_with("backed up to "));
    let copied = lanchat(&["export", "--data-dir", copy.to_str().unwrap()]).output().unwrap();
    assert_eq!(text(&copied.stdout), server.prints(&["export"]), "{copied:?}");
    let said = server.fails(1, &["backup", file.to_str().unwrap()]);
    assert!(said.contains("already exists"), "{said}");
    server.fails(2, &["backup"]);
    server.store.close().await;
}

#[test]
fn where_there_is_no_history_the_remedy_is_told() {
    let empty = tempfile::tempdir().unwrap();
    let dir = empty.path().to_str().unwrap();
    for args in [&["export"][..], &["backup", "copy.db"]] {
        let output = lanchat(args).args(["--data-dir", dir]).current_dir(&empty).output().unwrap();
        let said = one_line(1, &output);
        assert!(said.contains("no server history in") && said.contains("--data-dir"), "{said}");
    }
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0, "nothing is left behind");
    fs::write(empty.path().join("history.db"), "a letter, not a database").unwrap();
    let said = one_line(1, &lanchat(&["export", "--data-dir", dir]).output().unwrap());
    assert!(said.contains("is not a database"), "{said}");
}
