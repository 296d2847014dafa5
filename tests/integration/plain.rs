//! The client in pipes, and `lanchat send`: lines, exit statuses, and nothing for the eye.

use crate::support::fake_server::{FakeServer, say};
use crate::support::home::{Home, LANCHAT};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, TcpListener};
use std::process::{Child, Command, Output, Stdio};

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn join(home: &Home, server: impl ToString, args: &[&str]) -> Child {
    let host = server.to_string();
    let mut all = vec!["--no-discovery", "--host", &host, "--name"];
    all.extend(args);
    command(home, &all).spawn().expect("the program starts")
}

fn send(home: &Home, server: impl ToString, args: &[&str], input: impl AsRef<[u8]>) -> Output {
    let host = server.to_string();
    let mut all = vec!["send", "--no-discovery", "--host", &host];
    all.extend(args);
    let child = command(home, &all).spawn().expect("the program starts");
    finish(child, input)
}

/// Gives the program its input, and waits for its end.
fn finish(mut child: Child, input: impl AsRef<[u8]>) -> Output {
    // A program that ends before it has read everything is not an error here.
    let _ = child.stdin.take().expect("an input").write_all(input.as_ref());
    child.wait_with_output().expect("an output")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn lines_go_in_and_out_and_the_end_waits_for_the_receipts() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let lines: String = (0..500).map(|n| format!("line {n}\n")).collect();
    let output = finish(join(&home, server.link(), &["alice"]), &lines);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for n in 0..500 {
        assert_eq!(bob.text(), format!("line {n}"));
    }
    let shown = text(&output.stdout);
    assert_eq!(shown.matches("<alice> line ").count(), 500);
    assert!(!shown.contains('\u{1b}') && !shown.contains("[#lobby]"), "{shown:?}");
    assert_eq!(text(&output.stderr), "");
}

/// A text as Notepad saves it: UTF-8 and UTF-16 with a byte order mark, both with the line ends of Windows.
fn from_notepad(text: &str) -> [Vec<u8>; 3] {
    let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
    [text.clone().into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
}

#[test]
fn a_file_that_notepad_saved_is_sent_as_its_text() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    for file in from_notepad("Gr\u{fc}\u{df}e\nzwei\n") {
        let sent = send(&home, server.link(), &["-"], &file);
        assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
        assert_eq!(bob.text(), "Gr\u{fc}\u{df}e\nzwei", "{file:?}");
        let piped = finish(join(&home, server.link(), &["alice"]), &file);
        assert_eq!(piped.status.code(), Some(0), "{}", text(&piped.stderr));
        assert_eq!((bob.text(), bob.text()), ("Gr\u{fc}\u{df}e".into(), "zwei".into()), "{file:?}");
    }
}

#[test]
fn input_that_is_not_text_is_refused_with_its_line_and_the_rest_is_sent() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let whole = send(&home, server.link(), &["-"], b"fine\nGr\xFC\xDFe\n");
    let why = "line 2 is not UTF-8 text; convert it to UTF-8";
    assert_eq!(text(&whole.stderr), format!("lanchat: not sent: {why}\n"));
    assert_eq!(whole.status.code(), Some(2));
    let cut = send(&home, server.link(), &["-"], b"\xFF\xFEa\0\n\0\x3D\xD8");
    assert!(text(&cut.stderr).contains("line 2 is damaged UTF-16 text; "), "{}", text(&cut.stderr));
    let blanks = " ".repeat(50_000);
    let long = send(&home, server.link(), &["-"], format!("begin{blanks}end"));
    assert!(text(&long.stderr).contains("the message exceeds"), "{}", text(&long.stderr));

    let piped = finish(join(&home, server.link(), &["alice"]), b"one\rtwo\r\nGr\xFC\xDFe\nthr\xC3\xA9e");
    for line in ["one", "two", "thr\u{e9}e"] {
        assert_eq!(bob.text(), line);
    }
    let shown = text(&piped.stdout);
    assert!(shown.contains("not sent: line 3 is not UTF-8 text; convert it to UTF-8\n"), "{shown}");
    assert_eq!(piped.status.code(), Some(5), "{shown}");
    assert!(text(&piped.stderr).contains("1 message was not sent"), "{}", text(&piped.stderr));
}

#[cfg(unix)]
#[test]
fn an_input_that_cannot_be_read_is_no_success() {
    let (server, home) = (TestServer::start(), Home::new());
    let host = server.link();
    let mut command = command(&home, &["--no-discovery", "--host", &host, "--name", "alice"]);
    let output = command.stdin(std::fs::File::open("/").expect("a directory")).output().expect("an output");
    let shown = text(&output.stdout);
    assert!(shown.contains("not sent: cannot read the rest of the input: "), "{shown}");
    assert_eq!(output.status.code(), Some(5), "{shown}");
}

#[test]
fn lines_in_a_pipe_are_coloured_when_that_is_asked_for() {
    let (server, home) = (TestServer::start(), Home::new());
    let host = server.link();
    let args = ["--no-discovery", "--host", &host, "--name", "alice", "--color", "always"];
    let output = finish(command(&home, &args).spawn().expect("the program starts"), "hello\n");
    assert!(text(&output.stdout).contains("\u{1b}["), "{}", text(&output.stdout));
}

#[test]
fn what_others_say_comes_out_as_it_is_said() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut child = join(&home, server.link(), &["alice", "--commands"]);
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let mut line = || lines.next().expect("a line").expect("UTF-8");
    assert!(line().contains("connected to test as alice"));
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "hello");
    while !line().contains("<bob> hello") {}
    let mut input = child.stdin.take().expect("an input");
    input.write_all(b"/users\n").expect("a pipe");
    while !line().contains("2 users here: alice, bob") {}
    drop(input);
    assert_eq!(child.wait().expect("a status").code(), Some(0));
}

#[test]
fn the_lines_of_a_log_are_text_and_never_commands() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let log =
        ["build started", "/usr/bin/cc: internal error", "/msg bob from the log", "/nick root2", "/quit"];
    let input: String = log.iter().map(|line| format!("{line}\n")).collect();
    let output =
        finish(join(&home, server.link(), &["builds"]), &(input + "caf\u{e9}\n//x\nbuild finished\n"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for line in log.into_iter().chain(["caf\u{e9}", "//x", "build finished"]) {
        let packet = bob.wait_for("chat");
        assert_eq!((&packet["msg"], &packet["to"]), (&json!(line), &json!("all")));
    }
}

#[test]
fn an_answer_is_waited_for_at_the_end_of_the_input() {
    let (server, home) = (TestServer::start(), Home::new());
    let output = finish(join(&home, server.link(), &["alice", "--commands"]), "/users\n/time\n/nope\n");
    let shown = text(&output.stdout);
    assert!(shown.contains("1 user here: alice") && shown.contains("server time"), "{shown}");
    assert!(shown.contains("there is no command /nope"), "{shown}");
}

#[test]
fn lines_that_were_not_sent_are_said_and_make_status_5() {
    let (server, home) = (TestServer::start(), Home::new());
    let long = "x".repeat(10_001);
    let input = format!("fine\n/msg nobody hi\n{long}\n");
    let output = finish(join(&home, server.link(), &["alice", "--commands"]), &input);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("<alice> fine") && shown.contains("not sent: (to nobody) hi"), "{shown}");
    assert_eq!(output.status.code(), Some(5), "{shown}{error}");
    assert!(error.contains("2 messages were not sent"), "{error}");
}

#[test]
fn a_server_that_does_not_come_back_is_status_4_and_says_what_may_be_lost() {
    let (server, home) = (FakeServer::start(json!({})), Home::new());
    let mut child = join(&home, server.address, &["alice", "--plaintext"]);
    let talk = server.accept();
    let mut input = child.stdin.take().expect("an input");
    input.write_all(b"into the dark\n").expect("a pipe");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    assert!(lines.next().expect("a line").expect("UTF-8").contains("connected to fake"));
    say(&talk, &json!({"type": "chat", "from": {"name": "bob"}, "to": "all", "msg": "hi"}));
    assert!(lines.next().expect("a line").expect("UTF-8").contains("<bob?> hi"));
    // Nobody listens there any more.
    drop(server);
    talk.shutdown(std::net::Shutdown::Both).expect("an open connection");
    let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains("reconnecting"));
    assert!(line.is_some(), "no word of the loss");
    input.write_all(b"after it\n").expect("a pipe");
    drop(input);
    let output = child.wait_with_output().expect("an output");
    assert_eq!(output.status.code(), Some(4));
    let (shown, error) = (lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"), text(&output.stderr));
    assert!(shown.contains("after it"), "{shown}");
    assert!(error.starts_with("Not encrypted: ") && error.contains("of the last lines were not"), "{error}");
}

#[test]
fn every_way_to_fail_has_its_status_and_one_line() {
    let home = Home::new();
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let web_address = web.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in web.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let full = TestServer::with(|options| options.max_clients = Some(1));
    let _first = Peer::join(full.address, "first");
    for (address, name, status, words) in [
        (nobody, "alice", 4, "cannot connect to 127.0.0.1"),
        ((Ipv6Addr::LOCALHOST, 1).into(), "alice", 4, "cannot connect to [::1]:1:"),
        (web_address, "alice", 6, "is not a lanchat server"),
        (full.address, "alice", 5, "the server refused"),
        (nobody, "two words", 2, "a name may contain letters"),
    ] {
        let output = finish(join(&home, address, &[name]), "");
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{error}");
        assert!(error.starts_with("lanchat: ") && error.contains(words), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_terminal_that_cannot_edit_gets_plain_lines() {
    let (server, home) = (TestServer::start(), Home::new());
    let host = server.link();
    let args = ["--no-discovery", "--host", &host, "--name", "alice"];
    let mut terminal = crate::support::terminal::Launch::lanchat(&args).env("TERM", "dumb").start(&home);
    terminal.wait_for("connected to test as alice");
    terminal.enter("hello");
    let screen = terminal.wait_for("<alice> hello");
    assert!(!screen.contains("[#lobby]"), "{screen}");
    terminal.enter("/quit");
    assert_eq!(terminal.wait_exit().0, 0);
}

#[test]
fn send_delivers_one_message_and_announces_nobody() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let output = send(&home, server.link(), &["--name", "alice", "hello from a script"], "");
    assert_eq!(
        (output.status.code(), text(&output.stdout), text(&output.stderr)),
        (Some(0), "".into(), "".into())
    );
    assert_eq!(bob.text(), "hello from a script");
    let output = send(&home, server.link(), &["--name", "alice", "--to", "bob", "-"], "from\nstdin\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let packet = bob.wait_for("chat");
    assert_eq!((&packet["msg"], &packet["to"]), (&json!("from\nstdin"), &json!("bob")));
    let output = send(&home, server.link(), &["--name", "alice"], "no argument\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(bob.text(), "no argument");
    assert!(bob.settle().iter().all(|packet| packet["type"] != "joined" && packet["type"] != "left"));
}

#[test]
fn send_says_why_it_was_refused() {
    let (server, home) = (TestServer::start(), Home::new());
    let output = send(&home, server.link(), &["--to", "nobody", "hi"], "");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{error}");
    assert!(error.contains("nobody called \"nobody\" is here"), "{error}");
    for empty in [&["--name", "alice", ""][..], &["--name", "alice", "-"][..]] {
        let output = send(&home, server.link(), empty, "\n");
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    }
}

#[test]
fn send_is_an_operators_for_whoever_names_the_servers_data_directory() {
    let (data, home) = (tempfile::tempdir().unwrap(), Home::new());
    let server = TestServer::with(|options| options.data_dir = Some(data.path().to_owned()));
    let run = |args: &[&str]| send(&home, server.link(), &[&["--to", "server"], args].concat(), "");
    let refused = run(&["/bans"]);
    assert_eq!(refused.status.code(), Some(5), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("with the server's --data-dir"), "{}", text(&refused.stderr));
    let done = run(&["--data-dir", data.path().to_str().unwrap(), "/bans"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("nobody is banned"), "{}", text(&done.stdout));
    let elsewhere = tempfile::tempdir().unwrap();
    let wrong = run(&["--data-dir", elsewhere.path().to_str().unwrap(), "/bans"]);
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong.stderr));
    assert!(text(&wrong.stderr).contains("no server uses the data directory"), "{}", text(&wrong.stderr));
}

#[test]
fn send_shows_what_the_server_answers_to_a_command() {
    let (server, home) = (TestServer::start(), Home::new());
    let _bob = Peer::join_with(server.address, "bob", &Key::new());
    for (command, words) in [("/users", "bob"), ("/time", "20"), ("/help", "/users")] {
        let output = send(&home, server.link(), &["--to", "server", command], "");
        assert_eq!(output.status.code(), Some(0), "{command}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(words), "{command}: {}", text(&output.stdout));
    }
}

#[test]
fn a_message_that_is_too_long_to_send_is_refused_with_the_true_bound() {
    let (server, home) = (TestServer::start(), Home::new());
    let output = send(&home, server.link(), &["-"], "x".repeat(200_000));
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("the server's limit of 10000 bytes"), "{error}");
}

#[test]
fn a_script_with_the_users_key_is_the_user() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let mut chatting = join(&home, server.link(), &["alice"]);
    bob.sees_join("alice");
    let output = send(&home, server.link(), &["--name", "alice", "both at once"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(bob.text(), "both at once");
    drop(chatting.stdin.take());
    assert_eq!(chatting.wait().expect("a status").code(), Some(0));
}

#[test]
fn a_script_learns_that_a_command_was_refused() {
    let (server, home) = (TestServer::start(), Home::new());
    let args = ["alice", "--plaintext", "--commands"];
    let output = finish(join(&home, server.address, &args), "/alert fire drill\n/usres\n");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("2 commands were refused"), "{}", text(&output.stderr));
}
