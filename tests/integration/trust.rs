//! Whom the client believes: first contact, changed keys, links, closed servers, and the commands
//! about keys; the real program against real servers.

use crate::support::fake_server::FakeServer;
use crate::support::lan::{Addressing, Host, Lan};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key as Press, LANCHAT, Launch};
use crate::support::tls::Key;
use lanchat::discovery::server_label;
use lanchat::fingerprint::Fingerprint;
use lanchat::limits::DEFAULT_PORT;
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;

const PASSPHRASE: &str = "correct horse battery";

fn run(home: &Home, args: &[&str]) -> Output {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(args).stdin(Stdio::null()).output().expect("an output")
}

fn send(home: &Home, host: impl ToString, args: &[&str]) -> Output {
    let host = host.to_string();
    let mut all = vec!["send", "--no-discovery", "--name", "alice", "--host", &host];
    all.extend(args);
    run(home, &all)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn key(server: &TestServer) -> Fingerprint {
    Fingerprint::from_id(&server.id).expect("an id")
}

/// The rows of `known_servers`.
fn known(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.state().join("known_servers")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// An address of loopback that no other test uses, so that its port is free once its server is gone.
fn place() -> SocketAddr {
    static PLACES: AtomicU8 = AtomicU8::new(1);
    let number = PLACES.fetch_add(1, Ordering::Relaxed);
    // Elsewhere there is only the one.
    let ip = if cfg!(target_os = "linux") { [127, 77, 0, number] } else { [127, 0, 0, 1] };
    SocketAddr::from((ip, 0))
}

/// A server of that name; at a place where one was before, another takes it.
fn server_at(place: SocketAddr, name: &str) -> TestServer {
    TestServer::with(|options| {
        options.address = Some(place.ip());
        options.port = place.port();
        options.name = name.into();
        options.plaintext = false;
    })
}

fn closed() -> TestServer {
    TestServer::with(|options| {
        options.access = JoinPolicy::Closed(Passphrase::new(PASSPHRASE).expect("a passphrase"));
    })
}

fn file(home: &Home, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = home.path().join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    path
}

#[test]
fn a_first_contact_is_told_and_the_next_one_is_not() {
    let (server, home) = (TestServer::start(), Home::new());
    let output = send(&home, server.address, &["hello"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let start =
        format!("New server \"test\" ({}), with the key {}. Not verified", server.address, key(&server));
    let notice = said(&output);
    assert!(notice.starts_with(&start) && notice.lines().count() == 1, "{notice}");
    assert_eq!((known(&home)[0]["how"].clone(), known(&home).len()), (json!("tofu"), 1));
    let again = send(&home, server.address, &["hello"]);
    assert_eq!((again.status.code(), said(&again)), (Some(0), String::new()));
}

#[test]
fn a_passphrase_file_that_notepad_saved_holds_what_others_type() {
    let server = closed();
    let text = format!("\u{feff}{PASSPHRASE}\r\n");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let forms = [text.clone().into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)];
    for (name, saved) in ["ann", "bob", "carol"].into_iter().zip(forms) {
        let home = Home::new();
        let path = file(&home, "passphrase", &saved).display().to_string();
        let sent = send(&home, server.address, &["--name", name, "--passphrase-file", &path, "hi"]);
        assert_eq!(sent.status.code(), Some(0), "{}", said(&sent));
    }
    let home = Home::new();
    let path = file(&home, "passphrase", b"gr\xFCne Wiese\r\n").display().to_string();
    let refused = send(&home, server.address, &["--passphrase-file", &path, "hi"]);
    let remedy = format!(
        "lanchat: cannot use the passphrase in {path}: line 1 is not UTF-8 text; save the file as UTF-8\n"
    );
    assert!(said(&refused).ends_with(&remedy), "{}", said(&refused));
}

#[test]
fn a_server_with_another_key_at_a_known_address_gets_nothing() {
    let home = Home::new();
    let mut first = server_at(place(), "Office");
    assert_eq!(send(&home, first.address, &["hello"]).status.code(), Some(0));
    let (place, old) = (first.address, key(&first));
    first.stop();
    let second = server_at(place, "Elsewhere");
    let refused = send(&home, second.address, &["hello"]);
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(5), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        format!(
            "REFUSED: \"Office\" ({}) does not have the key it had before. Nothing was sent.",
            second.address
        )
    );
    assert!(lines[1].ends_with(&old.spoken()) && lines[2].ends_with(&key(&second).spoken()), "{text}");
    assert_eq!(lines[4], format!("  lanchat trust --replace \"Office\" {}", key(&second)));
    assert_eq!(second.handle.connections(), 0);
    // The remedy, as it stands there.
    let trusted = run(&home, &["trust", "--replace", "Office", &key(&second).to_string()]);
    assert_eq!(trusted.status.code(), Some(0), "{}", said(&trusted));
    assert_eq!(send(&home, second.address, &["hello"]).status.code(), Some(0));
    assert_eq!(known(&home).len(), 1);
}

#[test]
fn a_known_name_with_another_key_gets_nothing_wherever_it_is() {
    let home = Home::new();
    let (first, second) = (server_at(place(), "Office"), server_at(place(), "OFFICE"));
    assert_eq!(send(&home, first.address, &["hello"]).status.code(), Some(0));
    let refused = send(&home, second.address, &["hello"]);
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(5), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        format!(
            "REFUSED: \"OFFICE\" ({}) is not the \"Office\" that you know. Nothing was sent.",
            second.address
        )
    );
    assert!(
        lines[1].ends_with(&key(&first).spoken()) && lines[2].ends_with(&key(&second).spoken()),
        "{text}"
    );
    assert_eq!(lines[4], format!("  lanchat trust \"OFFICE\" {}", key(&second)));
    assert_eq!((second.handle.users(), known(&home).len()), (0, 1));
}

#[test]
fn two_servers_of_one_name_are_both_known_once_they_are_trusted() {
    let home = Home::new();
    let (first, second) = (server_at(place(), "vm"), server_at(place(), "vm"));
    let status = |server: &TestServer| send(&home, server.address, &["hello"]).status.code();
    assert_eq!((status(&first), status(&second)), (Some(0), Some(5)));
    let trust = |args: &[&str]| {
        let output = run(&home, &[&["trust"], args].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output))
    };
    let label = |server: &TestServer| server_label("vm", &server.id);
    let (done, text) = trust(&["vm", &key(&second).to_string()]);
    assert!(
        done == Some(0)
            && text.contains(&format!("{}, a server of the same name, stays accepted", label(&first)))
    );
    assert_eq!((status(&second), status(&first), status(&second)), (Some(0), Some(0), Some(0)));
    // It is told which of them is there, when it is not that of last time.
    let other = said(&send(&home, first.address, &["hello"]));
    assert!(other.contains("You know several servers called \"vm\": this is"), "{other}");
    assert_eq!(said(&send(&home, first.address, &["hello"])), "");
    // A third key has to say whose place it takes.
    let third = server_at(place(), "vm");
    let (refused, text) = trust(&["--replace", "vm", &key(&third).to_string()]);
    assert!(refused == Some(2) && text.contains(&label(&first)) && text.contains(&label(&second)), "{text}");
    assert_eq!(status(&third), Some(5));
    let (refused, text) = trust(&["--replace", "wm", &key(&third).to_string()]);
    assert!(refused == Some(2) && text.contains("no server that you know is called \"wm\""), "{text}");
    let (done, text) = trust(&["--replace", &label(&second), &key(&third).to_string()]);
    assert!(done == Some(0) && text.contains("for \"vm\""), "{text}");
    assert_eq!((status(&third), status(&first), status(&second)), (Some(0), Some(0), Some(5)));
}

#[test]
fn a_namesake_is_joined_at_the_prompt_by_a_clear_yes_only() {
    let home = Home::new();
    let (first, second) = (server_at(place(), "vm"), server_at(place(), "vm"));
    assert_eq!(send(&home, first.address, &["hello"]).status.code(), Some(0));
    let host = second.address.to_string();
    let ask = |answer: &str| {
        let launch = Launch::lanchat(&["--no-discovery", "--host", &host, "--name", "alice"]);
        let mut terminal = launch.size(30, 140).start(&home);
        let screen = terminal.wait_for("Join this server anyway? [y/N]");
        assert!(screen.contains("New server \"vm\"") && screen.contains(&key(&second).spoken()), "{screen}");
        assert!(screen.contains("You have known another \"vm\" since"), "{screen}");
        assert_eq!(second.handle.users(), 0);
        terminal.enter(answer);
        terminal
    };
    for answer in ["", "n", "maybe"] {
        let (status, screen) = ask(answer).wait_exit();
        assert_eq!(status, 5, "{screen}");
        assert!(screen.contains("did not join \"vm\", and sent nothing"), "{screen}");
        assert_eq!(known(&home).len(), 1);
    }
    let mut terminal = ask("y");
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/quit");
    assert_eq!(terminal.wait_exit().0, 0);
    assert_eq!((known(&home).len(), known(&home)[0]["how"].clone()), (2, json!("tofu")));
    let launch = Launch::lanchat(&["--no-discovery", "--host", &host, "--name", "alice"]);
    let screen = launch.size(30, 140).start(&home).wait_for("connected to vm as alice");
    assert!(!screen.contains("Join this server"), "{screen}");
}

#[test]
fn a_link_or_a_named_key_is_verified_and_any_other_key_is_refused() {
    let (server, home) = (TestServer::start(), Home::new());
    let output = send(&home, server.link(), &["hello"]);
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
    assert_eq!(known(&home)[0]["how"], "flag");
    let other = TestServer::start();
    for (host, args) in [
        (other.link_at(server.address), vec!["hello"]),
        (
            server.address.to_string(),
            vec!["hello", "--fingerprint", "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844"],
        ),
    ] {
        let refused = send(&Home::new(), host, &args);
        assert_eq!(refused.status.code(), Some(5), "{}", said(&refused));
        assert!(said(&refused).contains("does not have the key that --fingerprint or the link names"));
    }
}

#[test]
fn verify_marks_the_server_and_the_prompt_says_so_until_then() {
    let (server, home) = (TestServer::start(), Home::new());
    let host = server.address.to_string();
    let launch = || Launch::lanchat(&["--no-discovery", "--host", &host, "--name", "alice"]).size(30, 140);
    let mut terminal = launch().start(&home);
    let screen = terminal.wait_for("unverified (/verify)");
    assert!(screen.starts_with("New server \"test\""), "{screen}");
    terminal.enter("/status");
    terminal.wait_for("is not verified yet");
    terminal.enter("/verify");
    terminal.wait_for_last("Do they match? [y/N]");
    terminal.enter("y");
    terminal.wait_for(&format!("verified: test is the server with the key {}", key(&server).spoken()));
    terminal.enter("/status");
    terminal.wait_for(&format!("the server's key {} is verified", key(&server).spoken()));
    terminal.enter("/quit");
    assert_eq!(terminal.wait_exit().0, 0);
    assert_eq!(known(&home)[0]["how"], "digits");
    let screen = launch().start(&home).wait_for("connected to test as alice");
    assert!(!screen.contains("unverified") && !screen.contains("New server"), "{screen}");
}

#[test]
fn people_without_a_key_are_marked_and_the_keys_of_others_can_be_compared() {
    let (server, home) = (TestServer::start(), Home::new());
    let link = server.link();
    let mut terminal =
        Launch::lanchat(&["--no-discovery", "--host", &link, "--name", "alice"]).size(30, 140).start(&home);
    terminal.wait_for_last("[#lobby]");
    let bobs = Key::new();
    let mut bob = Peer::join_with(server.address, "bob", &bobs);
    let mut eve = Peer::join(server.address, "eve");
    bob.say("all", "with a key");
    eve.say("all", "without one");
    terminal.wait_for("<bob> with a key");
    terminal.wait_for("<eve?> without one");
    terminal.wait_for("a ? after a name means that no key backs it");
    terminal.enter("/verify bob");
    terminal.wait_for(&format!("bob's key: {}", bobs.fingerprint().spoken()));
    terminal.wait_for_last("Do they match? [y/N]");
    terminal.enter("n");
    terminal.wait_for("bob's key is not verified");
    terminal.enter("/verify eve");
    terminal.wait_for("no key backs the name eve");
    terminal.enter("/users");
    terminal.wait_for("3 users here: alice, bob, eve?");
}

#[test]
fn a_reconnect_demands_the_same_key() {
    let home = Home::new();
    let mut first = server_at(place(), "Office");
    let (place, link) = (first.address, first.link());
    let mut terminal =
        Launch::lanchat(&["--no-discovery", "--host", &link, "--name", "alice"]).size(30, 140).start(&home);
    terminal.wait_for_last("[#lobby]");
    first.stop();
    terminal.wait_for_last("[#lobby, reconnecting]");
    let twin = server_at(place, "Office");
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 5, "{screen}");
    assert!(screen.contains("REFUSED: \"Office\"") && screen.contains(&key(&twin).spoken()), "{screen}");
    assert_eq!(twin.handle.users(), 0);
}

#[test]
fn a_passphrase_from_a_file_lets_in_once_and_then_the_key_does() {
    let (server, home) = (closed(), Home::new());
    let none = send(&home, server.address, &["hello"]);
    assert_eq!(none.status.code(), Some(5));
    assert!(said(&none).contains("this server requires a passphrase; give it with --passphrase-file"));
    let wrong = file(&home, "wrong", "something else");
    let refused =
        send(&home, server.address, &["hello", "--passphrase-file", wrong.to_str().expect("UTF-8")]);
    assert_eq!(refused.status.code(), Some(5));
    let text = said(&refused);
    assert!(
        text.ends_with(
            "lanchat: The passphrase was not accepted, or this server does not know it. If you are sure of the \
             passphrase, someone may be between you and the server. Nothing else was sent.\n"
        ),
        "{text}"
    );
    assert!(known(&home).is_empty());
    let right = file(&home, "right", PASSPHRASE);
    let entered =
        send(&home, server.address, &["hello", "--passphrase-file", right.to_str().expect("UTF-8")]);
    assert_eq!(entered.status.code(), Some(0), "{}", said(&entered));
    assert!(said(&entered).ends_with("Verified: \"test\" knows the passphrase.\n"), "{}", said(&entered));
    assert_eq!(known(&home)[0]["how"], "passphrase");
    let member = send(&home, server.address, &["hello"]);
    assert_eq!((member.status.code(), said(&member)), (Some(0), String::new()));
}

#[test]
fn a_passphrase_typed_at_the_terminal_is_not_shown() {
    let (server, home) = (closed(), Home::new());
    let host = server.address.to_string();
    let launch = || Launch::lanchat(&["--no-discovery", "--host", &host, "--name", "alice"]).size(30, 140);
    let mut terminal = launch().start(&home);
    terminal.wait_for("Passphrase of \"test\":");
    terminal.enter(PASSPHRASE);
    let screen = terminal.wait_for_last("[#lobby]");
    assert!(screen.contains("Verified: \"test\" knows the passphrase."), "{screen}");
    assert!(!String::from_utf8_lossy(&terminal.raw()).contains("horse"), "the passphrase was shown");
    terminal.enter("/quit");
    terminal.wait_exit();
    // Ctrl-C gives up, and the terminal back.
    let mut stranger = launch().start(&Home::new());
    stranger.wait_for("Passphrase of \"test\":");
    stranger.key(Press::CtrlC);
    let (status, screen) = stranger.wait_exit();
    assert_eq!(status, 5, "{screen}");
    assert!(stranger.is_given_back());
}

#[test]
fn a_server_with_another_passphrase_gets_nobody() {
    let home = Home::new();
    let passphrase = file(&home, "passphrase", PASSPHRASE);
    let server = TestServer::with(|options| {
        options.access = JoinPolicy::Closed(Passphrase::new("another secret").expect("a passphrase"));
    });
    let output =
        send(&home, server.address, &["hello", "--passphrase-file", passphrase.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(known(&home).is_empty() && server.handle.users() == 0);
}

#[test]
fn a_user_who_can_read_the_servers_directory_is_its_operator_and_is_told_nothing() {
    let (home, dir) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let server = TestServer::with(|options| options.data_dir = Some(dir.path().to_owned()));
    let config = file(&home, "lanchat.toml", format!("[serve]\ndata-dir = {:?}\n", dir.path()));
    let config = config.to_str().expect("UTF-8");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let output = send(&home, server.address, &["--config", config, "--to", "server", "/alert fire drill"]);
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
    assert_eq!(bob.wait_for("alert")["msg"], "fire drill");
    let stranger = send(&Home::new(), server.address, &["--to", "server", "/alert boo"]);
    assert_eq!(stranger.status.code(), Some(5), "{}", said(&stranger));
    let host = server.address.to_string();
    let args = ["--no-discovery", "--host", &host, "--name", "alice", "--config", config];
    let mut terminal = Launch::lanchat(&args).size(30, 140).start(&home);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/status");
    terminal.wait_for("you are alice from 127.0.0.1, an operator");
}

#[test]
fn plaintext_is_never_a_fallback_and_each_side_says_what_it_wants() {
    let home = Home::new();
    // A server that is older than encryption.
    let old = FakeServer::start(json!({}));
    let output = send(&home, old.address, &["hello"]);
    assert!(matches!(output.status.code(), Some(4 | 6)), "{}", said(&output));
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
    let server = TestServer::with(|options| options.plaintext = false);
    let output = send(&home, server.address, &["hello", "--plaintext"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(said(&output).contains("it accepts only encrypted connections; leave out --plaintext"));
    let open = TestServer::start();
    let output = send(&home, open.address, &["hello", "--plaintext"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).starts_with("Not encrypted: anyone on the way to \"test\" can read"),
        "{}",
        said(&output)
    );
    assert!(known(&home).is_empty(), "what nobody proved was remembered");
}

#[test]
fn nothing_but_the_handshake_is_said_before_the_key_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heard, hears) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap_or(0);
        let _ = heard.send(bytes[..read].to_vec());
    });
    let output = send(&Home::new(), address, &["the secret message"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let bytes = hears.recv().expect("bytes");
    assert_eq!(bytes[0], 0x16, "no handshake");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("alice") && !text.contains("secret"), "{text}");
}

#[test]
fn the_commands_about_keys_agree_with_each_other() {
    let (home, dir) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let server = TestServer::with(|options| options.data_dir = Some(dir.path().to_owned()));
    let data_dir = dir.path().to_str().expect("UTF-8");
    let out = |args: &[&str]| {
        let output = run(&home, args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let expected = format!("{}\n{}\n", key(&server), key(&server).spoken());
    assert_eq!(out(&["fingerprint", "--data-dir", data_dir]), expected);
    assert_eq!(out(&["fingerprint", "--host", &server.address.to_string()]), expected);
    assert!(out(&["fingerprint", "--data-dir", data_dir, "--art"]).lines().count() > 10);
    let me = out(&["fingerprint", "--me"]);
    assert_eq!(out(&["fingerprint", "--me"]), me);
    let link = out(&["invite", "--data-dir", data_dir, "--host", &server.address.to_string()]);
    assert_eq!(link.trim_end(), server.link());
    let alice = send(&home, link.trim_end(), &["--to", "server", "/whois alice"]);
    assert_eq!(alice.status.code(), Some(0), "{}", said(&alice));
    // A server that never ran has no key, and none is made by asking.
    let nowhere = home.path().join("nowhere");
    let none = run(&home, &["fingerprint", "--data-dir", nowhere.to_str().expect("UTF-8")]);
    assert_eq!((none.status.code(), nowhere.exists()), (Some(1), false));
}

#[test]
fn an_invitation_without_a_host_has_a_link_for_each_address_of_the_machine() {
    let Some(lan) = Lan::new() else { return };
    let (host, dir) = (lan.host_with(Addressing::V4), tempfile::tempdir().expect("a directory"));
    let server = TestServer::with(|options| options.data_dir = Some(dir.path().to_owned()));
    let invite = |host: &Host| {
        let mut command = host.command(LANCHAT);
        command.args(["invite", "--data-dir"]).arg(dir.path()).output().expect("it runs")
    };
    let (key, port) = (key(&server), server.address.port());
    let link = |port: u16| format!("lanchat://{}:{port}/?fp={key}\n", host.v4());
    assert_eq!(String::from_utf8_lossy(&invite(&host).stdout), link(port), "the port that it uses");
    drop(server);
    assert_eq!(String::from_utf8_lossy(&invite(&host).stdout), link(DEFAULT_PORT));
    let alone = invite(&lan.unplugged());
    assert_eq!(alone.status.code(), Some(1), "{}", said(&alone));
    assert!(said(&alone).contains("name one with --host"), "{}", said(&alone));
}

#[test]
fn doctor_tells_what_the_key_means() {
    let home = Home::new();
    let mut first = server_at(place(), "Office");
    let doctor = |address: SocketAddr| {
        let output = run(&home, &["doctor", "--host", &address.to_string()]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, text) = doctor(first.address);
    assert!(status == Some(0) && text.contains("new to you; compare it"), "{text}");
    send(&home, first.address, &["hello"]);
    let (status, text) = doctor(first.address);
    assert!(status == Some(0) && text.contains("not verified yet"), "{text}");
    let place = first.address;
    first.stop();
    let second = server_at(place, "Office");
    let (status, text) = doctor(second.address);
    assert!(status == Some(5) && text.contains("failed  key of Office"), "{text}");
}
