//! The command line and the preferences as people use them: against a real server, in pipes and at terminals.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, LANCHAT, Launch};
use crate::support::tls::Key;
use lanchat::fingerprint::Fingerprint;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(args).stdin(Stdio::null());
    command
}

fn run(home: &Home, args: &[&str]) -> Output {
    command(home, args).output().expect("the program runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    let text = out(output);
    assert_eq!(text.lines().count(), 1, "{output:?}");
    serde_json::from_str(&text).expect("JSON")
}

/// A server that keeps messages, and a user who is on it.
fn server_with_bob(dir: &tempfile::TempDir) -> (TestServer, Peer) {
    let server = TestServer::in_dir(dir.path());
    let bob = Peer::join_with(server.address, "bob", &Key::new());
    (server, bob)
}

#[test]
fn options_stand_before_or_after_the_subcommand_and_words_need_no_quotes() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    let link = server.link();
    for args in [
        &["--no-discovery", "-n", "al", "--host", &link, "send", "hello", "world"][..],
        &[&link, "send", "--no-discovery", "-n", "bo", "-n", "al", "hello", "world"],
        &["send", "hello", "-n", "al", "world", "--host", &link, "--no-discovery"],
    ] {
        let sent = run(&home, args);
        assert!(sent.status.success(), "{args:?}: {sent:?}");
        let message = bob.wait_for("chat");
        assert_eq!(
            (&message["msg"], &message["from"]["name"]),
            (&json!("hello world"), &json!("al")),
            "{args:?}"
        );
    }
}

#[test]
fn a_room_is_named_with_or_without_its_sign() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    bob.send(json!({"type": "join", "room": "#builds"}));
    bob.wait_for("room");
    for room in ["builds", "#builds"] {
        let sent = run(&home, &["--host", &server.link(), "send", "--room", room, "green"]);
        assert!(sent.status.success(), "{sent:?}");
        assert_eq!(bob.wait_for("chat")["to"], "#builds");
    }
}

#[test]
fn send_prints_the_receipt_or_the_error_with_its_code_as_json() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, _bob) = server_with_bob(&dir);
    let link = server.link();
    let receipt = run(&home, &["--host", &link, "send", "--json", "--to", "bob", "hi"]);
    assert_eq!(receipt.status.code(), Some(0), "{receipt:?}");
    let packet = json(&receipt);
    assert!(packet["type"] == "sent" && packet["seq"].is_u64() && packet["ts"].is_string(), "{packet}");
    let refused = run(&home, &["--host", &link, "send", "--json", "--to", "zed", "hi"]);
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    let packet = json(&refused);
    assert_eq!((&packet["type"], &packet["code"]), (&json!("error"), &json!("no_such_user")));
    assert!(said(&refused).starts_with("lanchat: "), "{refused:?}");
    let nobody =
        run(&home, &["--no-discovery", "--host", "127.0.0.1:1", "--timeout", "1s", "send", "--json", "hi"]);
    assert_eq!((nobody.status.code(), &json(&nobody)["code"]), (Some(4), &json!("disconnected")));
}

#[test]
fn an_alert_from_a_script_is_confirmed_to_its_author() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    let secret = dir.path().to_str().unwrap();
    let args =
        ["--host", &server.link(), "send", "--data-dir", secret, "--to", "server", "/alert", "fire", "drill"];
    let sent = run(&home, &args);
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(bob.wait_for("alert")["msg"], "fire drill");
    assert_eq!(out(&sent), "the server has carried out the command\n");
}

#[test]
fn quiet_leaves_only_errors() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, bob) = server_with_bob(&dir);
    drop(bob);
    let address = server.address.to_string();
    let told = |args: &[&str]| {
        let home = Home::new();
        said(&run(&home, &[&["--no-discovery", "--host", &address, "send", "hi"], args].concat()))
    };
    assert!(told(&[]).contains("New server"), "{}", told(&[]));
    assert_eq!(told(&["-q"]), "");
    let refused = run(&home, &["--host", &address, "send", "-q", "--to", "zed", "hi"]);
    assert!(refused.status.code() == Some(5) && said(&refused).lines().count() == 1, "{refused:?}");
}

#[test]
fn at_a_terminal_send_says_where_the_message_went() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, _bob) = server_with_bob(&dir);
    let mut terminal = Launch::lanchat(&["--host", &server.link(), "send", "--to", "bob", "hi"]).start(&home);
    let (status, screen) = terminal.wait_exit();
    assert!(status == 0 && screen.contains("sent to bob on test"), "{screen}");
}

/// A program under way whose lines of standard output are read. Killed when dropped.
struct Running(Child, BufReader<std::process::ChildStdout>);

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        Self(child, output)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn end(mut self) -> String {
        self.0.kill().expect("it runs");
        let mut notes = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().expect("an output"), &mut notes)
            .expect("text");
        self.0.wait().expect("it is dead");
        notes
    }
}

#[test]
fn tail_starts_with_the_last_messages_and_goes_on() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    (1..=5).for_each(|n| bob.say("all", &format!("message {n}")));
    bob.settle();
    let mut tail = Running::start(command(&home, &["--host", &server.link(), "tail", "-f", "-n", "2"]));
    assert!(tail.line().ends_with("<bob> message 4"));
    assert!(tail.line().ends_with("<bob> message 5"));
    bob.say("all", "live");
    assert!(tail.line().ends_with("<bob> live"));
    tail.end();
}

#[test]
fn tail_says_that_it_joined_a_room_and_shows_the_last_messages_there() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    bob.send(json!({"type": "join", "room": "#builds"}));
    bob.wait_for("room");
    bob.say("#builds", "green");
    bob.say("all", "elsewhere");
    bob.settle();
    let args = ["--host", &server.link(), "tail", "--room", "builds", "-n", "5"];
    let mut tail = Running::start(command(&home, &args));
    let line = tail.line();
    assert!(line.ends_with("<bob> green"), "{line}");
    let notes = tail.end();
    assert!(notes.contains("you were not in #builds; joined it (2 members)"), "{notes}");
}

#[test]
fn a_wrong_value_in_a_variable_is_reported_as_the_variables() {
    let home = Home::new();
    let told = |args: &[&str]| {
        let output = command(&home, args).env("LANCHAT_TIMEOUT", "soon").output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        said(&output)
    };
    for args in [&["send", "hi"][..], &["tail"], &["discover"], &["-n", "al"]] {
        let text = told(args);
        assert!(text.contains("invalid value 'soon' in the variable LANCHAT_TIMEOUT: expected"), "{text}");
    }
    assert!(told(&["send", "--timeout", "soon", "hi"]).contains("for '--timeout <DURATION>'"));
}

#[test]
fn a_host_and_a_server_exclude_each_other_unless_one_overrides_the_other() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    let both = run(&home, &["--host", &server.link(), "--server", "other", "send", "hi"]);
    assert_eq!(both.status.code(), Some(2), "{both:?}");
    assert!(said(&both).contains("--host and --server each choose a server; remove one of them"), "{both:?}");
    let mut flag = command(&home, &["--host", &server.link(), "send", "hi"]);
    let sent = flag.env("LANCHAT_SERVER", "other").output().expect("it runs");
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(bob.text(), "hi");
}

#[test]
fn a_fingerprint_of_another_program_is_a_protocol_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        listener.incoming().flatten().take(8).for_each(|mut stream| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
        });
    });
    let asked = run(&Home::new(), &["fingerprint", "--host", &address]);
    assert_eq!(asked.status.code(), Some(6), "{asked:?}");
}

#[test]
fn trust_alone_shows_changed_keys_and_takes_only_the_whole_number() {
    let (one, other, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Home::new());
    let mut server = TestServer::in_dir(one.path());
    let address = server.address.to_string();
    let go = || run(&home, &["--no-discovery", "--host", &address, "send", "hi"]).status.code();
    assert_eq!(go(), Some(0));
    let fine = run(&home, &["trust"]);
    assert!(fine.status.success() && out(&fine).contains("has another key. To accept"), "{fine:?}");
    server.restart(other.path());
    assert_eq!(go(), Some(5));
    let number = Fingerprint::from_id(&server.id).unwrap().spoken();
    let shown = run(&home, &["trust", "test"]);
    assert_eq!(shown.status.code(), Some(2), "{shown:?}");
    assert!(said(&shown).contains(&format!("presented now:           {number}")), "{shown:?}");
    let answer = |answer: &str| {
        let mut terminal = Launch::lanchat(&["trust"]).start(&home);
        terminal.wait_for("Type the whole number");
        terminal.enter(answer);
        terminal.wait_exit()
    };
    assert_eq!(answer("yes").0, 5);
    assert_eq!(go(), Some(5));
    let (status, screen) = answer(&number);
    assert!(status == 0 && screen.contains("accepted the key"), "{screen}");
    assert_eq!(go(), Some(0));
}

#[test]
fn help_takes_a_subcommand() {
    let home = Home::new();
    assert_eq!(out(&run(&home, &["help", "send"])), out(&run(&home, &["send", "--help"])));
    assert_eq!(out(&run(&home, &["help"])), out(&run(&home, &["--help"])));
    assert_eq!(out(&run(&home, &["chat", "--help"])), out(&run(&home, &["--help"])));
}

#[test]
fn a_man_page_at_a_terminal_is_text_even_without_man() {
    let home = Home::new();
    let mut terminal =
        Launch::lanchat(&["man", "send"]).env("PATH", "/nonexistent").size(200, 80).start(&home);
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0);
    assert!(screen.contains("\nEXIT STATUS\n") && !screen.contains(".SH"), "{screen}");
}

#[test]
fn a_newcomer_is_told_of_help_once() {
    let (server, home) = (TestServer::start(), Home::new());
    let join = || {
        let address = server.address.to_string();
        let terminal = Launch::lanchat(&["--no-discovery", "-n", "alice", &address]).start(&home);
        terminal.wait_for_last("[#lobby]");
        terminal
    };
    let screen = join().wait_for("New here? /help lists the commands");
    assert!(screen.find("Not verified yet") < screen.find("New here?"), "{screen}");
    let screen = join().wait_for("connected to test as alice");
    assert!(!screen.contains("New here?"), "{screen}");
}

#[test]
fn plain_lines_at_a_terminal_need_no_prompt() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let (server, mut bob) = server_with_bob(&dir);
    let mut terminal = Launch::lanchat(&["--plain", "-n", "alice", &server.link()]).start(&home);
    terminal.wait_for("connected to test as alice");
    terminal.enter("hello");
    assert_eq!(bob.text(), "hello");
    let screen = terminal.wait_for("<alice> hello");
    assert!(!screen.contains("[#lobby]"), "{screen}");
    assert!(!String::from_utf8_lossy(&terminal.raw()).contains("\x1b[?2004h"));
}

fn config_file(home: &Home) -> std::path::PathBuf {
    home.path().join("config").join("lanchat").join("config.toml")
}

fn with_config(text: &str) -> Home {
    let home = Home::new();
    fs::create_dir_all(config_file(&home).parent().unwrap()).unwrap();
    fs::write(config_file(&home), text).unwrap();
    home
}

#[test]
fn a_preference_changes_at_once_and_for_good_with_the_comments_kept() {
    let server = TestServer::start();
    let text = "# mine\nname = \"alice\" # not Al\n\n[chat]\n# too loud\nbell = \"all\"\n";
    let home = with_config(text);
    let mut terminal = Launch::lanchat(&["--no-discovery", &server.link()]).start(&home);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/set bell");
    terminal.wait_for("bell is all: messages that ring the bell (off, dm, mention or all)");
    terminal.enter("/set bell off");
    terminal.wait_for("bell is now off");
    assert_eq!(fs::read_to_string(config_file(&home)).unwrap(), text.replace("\"all\"", "\"off\""));
    terminal.enter("/set wrap off");
    terminal.wait_for("wrap is now off");
    terminal.enter("/set bell default");
    terminal.wait_for("bell is now mention");
    let written = fs::read_to_string(config_file(&home)).unwrap();
    assert!(
        written.contains("wrap = false") && !written.contains("bell") && written.contains("# not Al"),
        "{written}"
    );
    terminal.enter("/set bel off");
    terminal.wait_for("there is no preference bel; did you mean bell? (/set lists them)");
    terminal.enter("/set presence sometimes");
    terminal.wait_for("presence: expected off, smart or all");
}

#[test]
fn the_list_of_preferences_fits_a_screen() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = Launch::lanchat(&["--no-discovery", "-n", "alice", &server.link()]).start(&home);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/set");
    let screen = terminal.wait_for("to change one: /set bell off");
    for row in ["bell            mention", "time            %H:%M", "downloads       ~/Downloads"] {
        assert!(screen.contains(row), "{row:?} is missing:\n{screen}");
    }
    let list = screen.lines().skip_while(|row| !row.contains("bell ")).count();
    assert!(list <= 17, "{list} rows:\n{screen}");
}

#[test]
fn a_preference_that_cannot_be_kept_holds_until_the_user_leaves() {
    let (server, home) = (TestServer::start(), Home::new());
    // A directory in the file's place.
    let config = home.path().join("other.toml");
    fs::write(&config, "").unwrap();
    let args = ["--no-discovery", "-n", "alice", "--config", config.to_str().unwrap(), &server.link()];
    let mut terminal = Launch::lanchat(&args).start(&home);
    terminal.wait_for_last("[#lobby]");
    fs::remove_file(&config).unwrap();
    fs::create_dir(&config).unwrap();
    terminal.enter("/set bell off");
    terminal.wait_for("bell is now off, but only until you leave: cannot change the config file");
}

#[test]
fn preferred_rooms_are_joined_at_the_start() {
    let (dir, home) = (tempfile::tempdir().unwrap(), with_config("[chat]\njoin = ['builds']\n"));
    let (server, mut bob) = server_with_bob(&dir);
    let mut terminal = Launch::lanchat(&["--no-discovery", "-n", "alice", &server.link()]).start(&home);
    terminal.wait_for("you are in #builds");
    terminal.wait_for_last("[#lobby]");
    bob.send(json!({"type": "join", "room": "#builds"}));
    bob.wait_until(|packet| packet["type"] == "room" && packet["joined"] == true);
    bob.say("#builds", "green");
    terminal.wait_for("green");
    terminal.enter("/part #builds");
    terminal.wait_for("you have left #builds");
}

#[test]
fn a_wrong_table_is_reported_with_its_line() {
    let home = with_config("[chat]\nbell = 'loud'\n");
    let output = run(&home, &["send", "hi"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("config.toml:2: bell: expected off, dm, mention or all"), "{output:?}");
}
