//! A history that is taken away, replaced or damaged: under a server that runs, nothing more is promised and
//! operators are told the remedy; none starts over what is not whole, and what can be saved is.

use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::process::serve_command;
use crate::support::storm::server::Mortal;
use crate::support::tls::Key;
use lanchat::limits::WATCH_EVERY;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// A server in a directory inside its home, with an operator, and somebody who says things.
struct House {
    server: Mortal,
    data: PathBuf,
    operator: Peer,
    talker: Peer,
    said: usize,
}

impl House {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let mut server =
            Mortal::over(home, &["--rate-limit", "off", "--data-dir", data.to_str().unwrap()], None);
        let address = server.address();
        let key = Key::new();
        let mut operator = Peer::join_with(address, "chief", &key);
        let secret = fs::read_to_string(data.join("operator-secret")).unwrap();
        let secret: Value = serde_json::from_str(&secret).unwrap();
        operator.send(json!({"type": "op", "to": "server", "msg": "", "token": secret["secret"]}));
        operator.wait_for("operator");
        let talker = Peer::join(address, "ann");
        Self { server, data, operator, talker, said: 0 }
    }

    fn history(&self) -> PathBuf {
        self.data.join("history.db")
    }

    /// Says something; whether that is promised to be kept.
    fn say(&mut self) -> bool {
        self.said += 1;
        let id = format!("m{}", self.said);
        self.talker.send(json!({"to": "all", "msg": format!("text {id}"), "id": id}));
        let receipt = self.talker.wait_until(|packet| packet["id"] == id.as_str());
        assert_eq!(receipt["type"], "sent", "{receipt}");
        receipt["stored"] != false
    }

    fn fill(&mut self) {
        for _ in 0..200 {
            self.said += 1;
            let id = format!("m{}", self.said);
            self.talker.send(json!({"to": "all", "msg": format!("{id} {}", "x".repeat(3000)), "id": id}));
        }
        let last = format!("m{}", self.said);
        self.talker.wait_until(|packet| packet["id"] == last.as_str());
    }

    /// Nothing more is promised; the log and everybody are told.
    fn fails(&mut self, why: &str) {
        for _ in 0..5 {
            assert!(!self.say(), "{why}: a receipt promises what is not kept");
        }
        let line = self.server.wait_for_log(why);
        assert!(line.contains("ERROR"), "{line}");
        assert!(self.server.log().iter().any(|line| line.contains("lanchat re")), "{:#?}", self.server.log());
        let remedy = self.operator.wait_until(|packet| {
            packet["type"] == "notice" && packet["msg"].as_str().is_some_and(|msg| msg.contains(why))
        });
        assert!(remedy["msg"].as_str().unwrap().contains("lanchat re"), "{remedy}");
        assert_eq!(remedy["stored"], false, "{remedy}");
        assert!(!self.say());
        let last = format!("text m{}", self.said);
        loop {
            let packet = self.operator.next();
            assert!(packet["stored"].is_null(), "operators are told once: {packet}");
            if packet["msg"] == last.as_str() {
                break;
            }
        }
    }
}

#[test]
fn a_deleted_history_is_noticed_before_the_next_receipt() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let mut house = House::new();
    assert!(house.say());
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::remove_file(house.data.join(name)).unwrap();
    }
    house.fails("deleted or moved away");
}

#[test]
fn a_deleted_history_is_noticed_when_nobody_says_anything() {
    let house = House::new();
    let begun = Instant::now();
    fs::remove_file(house.history()).unwrap();
    house.server.wait_for_log("deleted or moved away");
    assert!(begun.elapsed() < 3 * WATCH_EVERY);
}

#[test]
fn a_data_directory_that_was_moved_away_counts_again_when_it_is_back() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let mut house = House::new();
    assert!(house.say());
    let away = house.server.home.path().join("away");
    fs::rename(&house.data, &away).unwrap();
    house.fails("deleted or moved away");
    let _ = fs::remove_dir_all(&house.data);
    fs::rename(&away, &house.data).unwrap();
    house.server.wait_for_log("storing messages again");
    assert!(house.say());
}

#[test]
fn a_history_in_the_place_of_the_first_is_neither_written_nor_believed() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let mut house = House::new();
    assert!(house.say());
    let (copy, db) = (house.server.home.path().join("copy"), house.history());
    assert!(lanchat(&["backup", copy.to_str().unwrap()], &house.data).status.success());
    fs::rename(&copy, &db).unwrap();
    let before = fs::read(&db).unwrap();
    house.fails("was replaced");
    house.server.stop();
    assert!(fs::read(&db).unwrap() == before, "the other history was written to");
}

#[test]
fn a_history_cut_to_half_under_the_server_is_repaired() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let mut house = House::new();
    house.fill();
    let file = OpenOptions::new().write(true).open(house.history()).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
    house.fails("is damaged");
    let said = fails(1, &lanchat(&["repair"], &house.data));
    assert!(said.contains("is using the data directory"), "{said}");
    house.server.stop();
    refused(&house.server, &house.data);
    let said = prints(&lanchat(&["repair"], &house.data));
    assert!(said.contains("messages") && said.contains("damaged-2"), "{said}");
    house.server.start_again();
    house.talker = Peer::join(house.server.address(), "ann");
    assert!(house.say());
    house.server.stop();
    let said = prints(&lanchat(&["repair"], &house.data));
    assert!(said.contains("is intact; nothing was changed"), "{said}");
}

#[test]
fn a_log_removed_under_the_server_costs_no_message() {
    let mut house = House::new();
    assert!(house.say());
    fs::remove_file(house.data.join("history.db-wal")).unwrap();
    assert!(house.say());
    house.server.kill();
    let text = prints(&lanchat(&["export"], &house.data));
    assert!(text.contains("text m1\n") && text.contains("text m2\n"), "{text}");
}

#[test]
fn pages_overwritten_while_it_was_stopped_are_found_in_the_background_and_told_to_operators() {
    if one_node::process_skips("a server of several whose store fails takes no part until it works") {
        return;
    }
    let mut house = House::new();
    house.fill();
    house.server.stop();
    let db = rusqlite::Connection::open(house.history()).unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf' LIMIT 1 OFFSET 5";
    let leaf = db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    db.close().unwrap();
    let file = OpenOptions::new().write(true).open(house.history()).unwrap();
    file.write_all_at(&[0x5a; 4096], u64::from(leaf - 1) * 4096).unwrap();
    house.server.start_again();
    let address = house.server.address();
    house.server.wait_for_log("is damaged");
    house.talker = Peer::join(address, "ann");
    assert!(!house.say(), "nothing is promised");
    house.server.stop();
    let said = prints(&lanchat(&["repair"], &house.data));
    assert!(
        said.contains("page that cannot be read") || said.contains("pages that cannot be read"),
        "{said}"
    );
}

#[test]
fn no_server_starts_over_a_history_that_is_cut_empty_or_gone_from_its_log() {
    let mut house = House::new();
    house.fill();
    house.server.kill();
    let whole = fs::read(house.history()).unwrap();
    for share in [90, 50, 0] {
        fs::write(house.history(), &whole[..whole.len() * share / 100]).unwrap();
        refused(&house.server, &house.data);
    }
    fs::remove_file(house.history()).unwrap();
    refused(&house.server, &house.data);
    prints(&lanchat(&["repair"], &house.data));
    house.server.start_again();
    house.server.address();
}

#[test]
fn a_second_server_is_refused_though_the_lock_was_removed() {
    let house = House::new();
    fs::remove_file(house.data.join("lock")).unwrap();
    let said = start(&house.server, &house.data);
    assert!(said.contains("another lanchat server uses the data directory"), "{said}");
}

/// The one line with which a server does not start.
fn start(server: &Mortal, data: &Path) -> String {
    let mut command = serve_command(&server.home, &["--data-dir", data.to_str().unwrap()]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    fails(1, &output)
}

fn refused(server: &Mortal, data: &Path) {
    let said = start(server, data);
    assert!(said.contains("is damaged") && said.contains("`lanchat repair`"), "{said}");
}

fn lanchat(args: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(args).arg("--data-dir").arg(data).env("HOME", data).stdin(Stdio::null());
    command.output().unwrap()
}

#[track_caller]
fn prints(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn fails(status: i32, output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}
