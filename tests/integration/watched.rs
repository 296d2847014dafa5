//! A server as its administrator sees it from outside: status, metrics, and the log.

use crate::support::peer::Peer;
use crate::support::process::Serve;
use crate::support::soon::until;
use crate::support::tls::Key;
use crate::support::tools::{has_tools, run};
use crate::support::tree::{files, root};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

/// The words of a text that begin with `lanchat_`.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("lanchat_")).map(str::to_owned).collect()
}

/// The names of the samples in a text of OpenMetrics.
fn metric_names(text: &str) -> BTreeSet<String> {
    let text = text.split_once("\r\n\r\n").map_or(text, |(_, body)| body);
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split([' ', '{']).next()).map(str::to_owned).collect()
}

fn lanchat(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(args);
    for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(folder, home);
    }
    command.output().unwrap()
}

/// The server's numbers, asked for as the user who runs it.
fn numbers(serve: &Serve) -> Value {
    let dir = serve.home.path();
    let output = lanchat(dir, &["status", "--json", "--data-dir", dir.to_str().unwrap()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn metrics_address(serve: &mut Serve) -> SocketAddr {
    let line = serve.wait_for_log("metrics are at");
    line.split(['/', ' ']).find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// What an HTTP server answers to a request's first line.
fn http(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // In one piece: the server may answer and close as soon as it knows that a request is nonsense.
    let request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn status_tells_the_numbers_of_the_server_on_this_machine() {
    let serve = Serve::start(&["--name", "Office"]);
    let mut alice = Peer::join_with(serve.address, "alice", &Key::new());
    alice.sees_join("alice");
    alice.send(json!({"to": "all", "msg": "hello", "id": "1"}));
    alice.wait_for("sent");
    let found = numbers(&serve);
    for (member, value) in [
        ("name", json!("Office")),
        ("users", json!(1)),
        ("messages", json!(1)),
        ("stored_messages", json!(1)),
        ("storing", json!(true)),
        ("transfers_running", json!(0)),
    ] {
        assert_eq!(found[member], value, "{member} in {found}");
    }
    assert!(found["database_bytes"].as_u64() > Some(4096) && found["disk_free_bytes"].as_u64() > Some(0));
    assert_eq!(found["refused"]["wrong_passphrase"], 0);
    let dir = serve.home.path();
    let words = lanchat(dir, &["status", "--data-dir", dir.to_str().unwrap()]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(
        words.starts_with("Office (id ") && words.contains("1 user is here over 2 connections"),
        "{words}"
    );
    assert!(words.contains("no connections refused") && words.contains("1 stored"), "{words}");
    let seen = alice.settle();
    assert!(seen.iter().all(|packet| packet["type"] != "joined"), "nobody sees the question: {seen:?}");
}

#[test]
fn only_operators_learn_the_numbers_of_a_server_elsewhere() {
    let serve = Serve::start(&[]);
    let stranger = tempfile::tempdir().unwrap();
    let elsewhere = ["status", "--no-discovery", "--host", &serve.address.to_string()];
    let refused = lanchat(stranger.path(), &elsewhere);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.contains("only operators may do that"), "{said}");
    // The user who runs it has become an operator, and is one from then on.
    numbers(&serve);
    let told = lanchat(serve.home.path(), &elsewhere);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn status_says_that_no_server_runs_here() {
    let mut serve = Serve::start(&[]);
    serve.signal(Signal::TERM);
    serve.wait();
    let status = |dir: &Path| {
        let output = lanchat(dir, &["status", "--data-dir", dir.to_str().unwrap()]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = status(serve.home.path());
    assert!(code == Some(3) && said.contains("does not run"), "{code:?} {said}");
    let (code, said) = status(tempfile::tempdir().unwrap().path());
    assert!(code == Some(3) && said.contains("no server uses"), "{code:?} {said}");
}

#[test]
fn metrics_are_the_same_numbers_and_silent_readers_hold_nobody_up() {
    let mut serve = Serve::start(&["--metrics", "127.0.0.1:0"]);
    let address = metrics_address(&mut serve);
    let _silent: Vec<_> = (0..4).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut alice = Peer::join(serve.address, "alice");
    alice.sees_join("alice");
    let answer = http(address, "GET /metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text;"), "{head}");
    assert!(text.contains("\nlanchat_users 1\n") && text.ends_with("# EOF\n"), "{text}");
    let found = numbers(&serve);
    let names = metric_names(text);
    for (member, value) in found.as_object().unwrap().iter().filter(|(_, value)| value.is_u64()) {
        let name = format!("lanchat_{member}");
        assert!(names.contains(&name) || names.contains(&format!("{name}_total")), "{member}: {value}");
    }
    for (reason, count) in found["refused"].as_object().unwrap() {
        let line = format!("\nlanchat_connections_refused_total{{reason=\"{reason}\"}} {count}\n");
        assert!(text.contains(&line), "{line}");
    }
    assert!(http(address, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(http(address, "POST /metrics").starts_with("HTTP/1.1 405 "));
    assert!(http(address, "{\"type\":\"hello\"}").starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_request_for_metrics_that_is_too_long_gets_its_refusal_although_not_all_of_it_is_read() {
    let mut serve = Serve::start(&["--metrics", "127.0.0.1:0"]);
    let address = metrics_address(&mut serve);
    for kilobytes in [9, 20, 60, 100, 200].repeat(4) {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nCookie: {}", "x".repeat(kilobytes * 1024));
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("no reset");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{kilobytes} KB: {answer}");
    }
}

#[test]
fn the_dashboard_names_only_metrics_that_exist() {
    let mut serve = Serve::start(&["--metrics", "127.0.0.1:0"]);
    let address = metrics_address(&mut serve);
    // The others can be read at once.
    until(|| http(address, "GET /metrics").contains("lanchat_stored_messages").then_some(()));
    let existing = metric_names(&http(address, "GET /metrics"));
    let dashboard = fs::read_to_string(root().join("dist/grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let named: BTreeSet<String> =
        expressions.flat_map(|target| names_in(target["expr"].as_str().unwrap())).collect();
    let missing: Vec<_> = named.difference(&existing).collect();
    assert!(named.len() > 20 && missing.is_empty(), "no such metrics: {missing:?}");
}

/// Has a closed server refuse connections for several reasons, in that format of the log; returns the log.
fn refusals(format: &str) -> String {
    let passphrase = tempfile::NamedTempFile::new().unwrap();
    fs::write(passphrase.path(), "a long enough secret\n").unwrap();
    let file = passphrase.path().to_str().unwrap();
    let mut serve = Serve::start(&["--closed", "--passphrase-file", file, "--log-format", format]);
    let mut web = TcpStream::connect(serve.address).unwrap();
    write!(web, "SSH-2.0-x\r\n").unwrap();
    web.read_to_end(&mut Vec::new()).unwrap();
    let mut wrong = Peer::connect_tls(serve.address, Some(&Key::new()));
    assert_eq!(wrong.hello(json!({"from": {"name": "eve"}}))["type"], "pake");
    wrong.send(json!({"type": "pake", "to": "server", "pake": "AA", "mac": "AA"}));
    assert!(wrong.read_to_end().iter().any(|packet| packet["code"] == "bad_passphrase"));
    let mut plain = Peer::connect(serve.address);
    assert_eq!(plain.hello(json!({"from": {"name": "old"}}))["code"], "key_required");
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert!(status.success(), "{log}");
    serve.said.clone() + &log
}

#[test]
fn each_refusal_is_logged_with_its_reason_and_address() {
    let log = refusals("text");
    for (level, reason) in [("INFO", "bad_protocol"), ("INFO", "wrong_passphrase"), ("INFO", "key_required")]
    {
        let end = format!("event=\"connection_refused\" reason=\"{reason}\" peer=127.0.0.1");
        let is_it =
            |line: &&str| line.contains(&format!(" {level} refused a connection: ")) && line.ends_with(&end);
        assert_eq!(log.lines().filter(is_it).count(), 1, "{reason} in {log}");
    }
    let log = refusals("json");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for reason in ["bad_protocol", "wrong_passphrase", "key_required"] {
        let line = lines.iter().find(|line| line["reason"] == reason).unwrap_or_else(|| panic!("{log}"));
        assert_eq!(line["event"], "connection_refused");
        assert_eq!(line["peer"], "127.0.0.1");
    }
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string());
        assert!(line["event"].is_string(), "{line} has no event");
    }
}

#[test]
fn a_taken_name_and_a_ban_are_logged_with_the_name() {
    let mut serve = Serve::start(&[]);
    let (key, banned) = (Key::new(), Key::new());
    let _alice = Peer::join_with(serve.address, "alice", &key);
    let mut other = Peer::connect_tls(serve.address, Some(&banned));
    assert_eq!(other.hello(json!({"from": {"name": "alice"}}))["code"], "name_taken");
    let (dir, address) = (serve.home.path().to_owned(), serve.address.to_string());
    let ban = format!("/ban key:{} 1h", banned.fingerprint());
    let dir_text = dir.to_str().unwrap();
    let done = lanchat(
        &dir,
        &["send", "--no-discovery", "--host", &address, "--data-dir", dir_text, "--to", "server", &ban],
    );
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut other = Peer::connect_tls(serve.address, Some(&banned));
    assert_eq!(other.hello(json!({"from": {"name": "other"}}))["code"], "banned");
    let refused = numbers(&serve)["refused"].clone();
    assert_eq!((&refused["name_taken"], &refused["banned"]), (&json!(1), &json!(1)));
    serve.signal(Signal::TERM);
    let log = serve.wait().1;
    assert!(log.contains("reason=\"name_taken\" peer=127.0.0.1 name=\"alice\"\n"), "{log}");
    assert!(log.contains("reason=\"banned\" peer=127.0.0.1\n"), "{log}");
    assert!(log.contains("event=\"operator_acted\""), "{log}");
}

#[test]
fn the_filter_for_fail2ban_finds_the_lines_that_the_server_writes() {
    if !has_tools(&[("python3", "--version")]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for format in ["text", "json"] {
        let log = dir.path().join(format);
        fs::write(&log, refusals(format)).unwrap();
        let check = r#"
import configparser, re, sys
config = configparser.ConfigParser()
assert config.read(sys.argv[1])
patterns = [re.compile(line.replace("<HOST>", r"(?P<host>[\w.:]+)")) for line in config["Definition"]["failregex"].split("\n")]
def found(line):
    return [match["host"] for pattern in patterns if (match := pattern.search(line))]
hits = 0
for line in open(sys.argv[2]).read().splitlines():
    time = re.search(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line).group()
    forms = [line, line.replace(time, ""), "host lanchat[42]: " + line]
    assert len({tuple(found(form)) for form in forms}) == 1, forms
    hits += found(line) == ["127.0.0.1"]
print(hits)
assert not found('2026-11-28T01:02:03.123Z  INFO a refused a connection: x event="connection_refused" reason="rate" peer=10.0.0.1')
"#;
        let filter = root().join("dist/fail2ban/filter.conf");
        let hits = run(Command::new("python3").args(["-c", check]).arg(&filter).arg(&log));
        assert_eq!(hits.trim(), "2", "bad_protocol and wrong_passphrase, but not key_required");
    }
}

#[test]
fn visits_are_logged_on_request_and_what_people_write_never_is() {
    let secret = "the treasure is under the oak";
    let mut logs = Vec::new();
    for args in
        [&["-vv"][..], &["-vv", "--log-connections"], &["-vv", "--log-connections", "--log-format", "json"]]
    {
        let mut serve = Serve::start(args);
        let (key, other) = (Key::new(), Key::new());
        let mut alice = Peer::join_with(serve.address, "alice", &key);
        let mut bob = Peer::join_with(serve.address, "bob", &other);
        alice.say("all", secret);
        assert_eq!(bob.text(), secret);
        alice.say("bob", secret);
        assert_eq!(bob.text(), secret);
        alice.send(json!({"type": "search", "to": "server", "text": secret}));
        alice.send(json!({"type": "away", "to": "server", "msg": secret}));
        alice.send(json!({"type": "quit", "to": "server"}));
        alice.read_to_end();
        serve.signal(Signal::TERM);
        let log = serve.wait().1;
        assert!(!log.contains("treasure"), "{log}");
        logs.push((log, key.fingerprint().to_string()));
    }
    let [(none, _), (text, key), (json, other)] = &logs[..] else { panic!() };
    assert!(!none.contains("alice has connected"), "{none}");
    let began = format!(
        "alice has connected event=\"session_began\" name=\"alice\" key=\"{key}\" peer=127.0.0.1 mode=\"chat\""
    );
    assert!(text.contains(&began), "{began} is not in {text}");
    assert!(text.contains("bob has disconnected event=\"session_ended\""), "{text}");
    let lines: Vec<Value> = json.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ended = lines.iter().find(|line| line["event"] == "session_ended" && line["name"] == "alice");
    let ended = ended.unwrap_or_else(|| panic!("{json}"));
    assert_eq!((&ended["key"], &ended["mode"]), (&json!(other), &json!("chat")));
}

/// The parts of the program whose log is a server's, rather than a client's.
const OF_SERVERS: [&str; 13] = [
    "src/server/",
    "src/store/",
    "src/engine/",
    "src/chat/",
    "src/protocol/",
    "src/security/process.rs",
    "src/discovery/responder.rs",
    "src/cli/args/engine.rs",
    "src/cli/serve.rs",
    "src/cli/announce.rs",
    "src/cli/copies.rs",
    "src/cli/reload.rs",
    "src/cli/service_manager.rs",
];

#[test]
fn each_line_of_the_log_has_an_event_and_each_event_is_documented() {
    let mut used = BTreeSet::new();
    for (name, text) in files("src", "rs") {
        if !OF_SERVERS.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        for call in ["error!(", "warn!(", "info!(", "debug!("].map(|name| format!("tracing::{name}")) {
            for after in text.split(&call).skip(1) {
                let event =
                    after.trim_start().strip_prefix("event = \"").and_then(|rest| rest.split('"').next());
                let line = after.lines().find(|line| !line.trim().is_empty());
                used.insert(
                    event
                        .unwrap_or_else(|| panic!("{name} logs {line:?} without event = \"...\""))
                        .to_owned(),
                );
            }
        }
    }
    let listed: BTreeSet<String> =
        lanchat::cli::log_events().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, listed, "src/cli/log_events.rs lists the events");
}
