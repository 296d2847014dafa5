//! The prompt as its user sees it: the real binary in a terminal, a real server, and the screen.

use crate::support::fake_server::{FakeServer, say};
use crate::support::peer::Peer;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal, last_row};
use crate::support::tls::Key;
use serde_json::json;

/// Joins as that name, and waits for the prompt.
fn join(home: &Home, server: impl ToString, name: &str) -> Terminal {
    let terminal = launch(server, &["--name", name]).start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

fn launch(server: impl ToString, args: &[&str]) -> Launch {
    let host = server.to_string();
    let mut all = vec!["--no-discovery", "--host", &host];
    all.extend(args);
    Launch::lanchat(&all)
}

/// Rows of the screen without their time.
fn rows(screen: &str) -> Vec<&str> {
    let rows = screen.lines().filter(|row| !row.is_empty());
    rows.map(|row| row.get(6..).unwrap_or_default()).collect()
}

#[test]
fn an_incoming_message_appears_above_what_is_being_typed() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.sees_join("bob");
    terminal.wait_for("-> bob joined");
    terminal.type_text("half a th");
    terminal.wait_for_last("[#lobby] half a th");
    bob.say("all", "hello there");
    terminal.wait_until("the message above the line", |screen| {
        screen.contains("<bob> hello there") && last_row(screen) == "[#lobby] half a th"
    });
    terminal.enter("ought");
    assert_eq!(bob.text(), "half a thought");
    let screen = terminal.wait_until("the message and the prompt", |screen| {
        screen.contains("<alice> half a thought") && last_row(screen) == "[#lobby]"
    });
    assert!(!screen.contains("[#lobby] half"), "the typed line is shown twice:\n{screen}");
    assert_eq!(
        rows(&screen)[1..],
        ["-> bob joined; 2 here", "<bob> hello there", "<alice> half a thought", "y]"]
    );
}

#[test]
fn messages_keep_their_order_and_the_line_its_text_under_a_flood() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = launch(server.link(), &["--name", "alice"]).size(60, 80).start(&home);
    terminal.wait_for_last("[#lobby]");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.type_text("0123456789");
    (0..40).for_each(|n| bob.say("all", &format!("message {n:02}")));
    terminal.type_text("abcdef");
    let screen = terminal.wait_until("everything", |screen| {
        screen.contains("message 39") && last_row(screen) == "[#lobby] 0123456789abcdef"
    });
    let seen: Vec<_> = screen.lines().filter_map(|row| row.split("<bob> message ").nth(1)).collect();
    let expected: Vec<_> = (0..40).map(|n| format!("{n:02}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn tab_completes_commands_and_names() {
    let (server, home) = (TestServer::start(), Home::new());
    let _bob = Peer::join_with(server.address, "Bobby", &Key::new());
    let mut terminal = join(&home, server.link(), "alice");
    terminal.type_text("/wh");
    terminal.key(Press::Tab);
    terminal.wait_for_last("[#lobby] /whois");
    terminal.type_text("alice");
    terminal.key(Press::Enter);
    terminal.wait_for("alice from 127.0.0.1");
    terminal.type_text("/whois bo");
    // Once it has caught up, it knows who is here.
    until(|| {
        terminal.key(Press::Tab);
        terminal.wait_until("a screen", |_| true).contains("[#lobby] /whois Bobby").then_some(())
    });
    terminal.key(Press::Enter);
    terminal.wait_for("Bobby from 127.0.0.1");
}

#[test]
fn a_half_typed_line_survives_the_loss_and_the_return_of_the_link() {
    let (server, home) = (TestServer::start(), Home::new());
    let proxy = Proxy::to(server.address);
    let mut terminal = join(&home, server.link_at(proxy.address), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.type_text("half a th");
    terminal.key(Press::Left);
    terminal.wait_for_last("[#lobby] half a th");
    proxy.cut();
    let screen = terminal.wait_for_last("[#lobby, reconnecting] half a th");
    assert!(
        screen.contains("! the connection was lost (closed by the other side); reconnecting"),
        "{screen}"
    );
    proxy.mend();
    let screen = terminal.wait_for_last("[#lobby] half a th");
    assert!(screen.contains("-- connected again after"), "{screen}");
    terminal.type_text("XX");
    terminal.wait_for_last("[#lobby] half a tXXh");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "half a tXXh");
    terminal.wait_for("<alice> half a tXXh");
}

#[test]
fn without_a_history_what_may_be_lost_is_said_and_not_sent_twice() {
    let (server, home) = (TestServer::without_history(), Home::new());
    let proxy = Proxy::to(server.address);
    let mut terminal = join(&home, server.link_at(proxy.address), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    proxy.mute();
    terminal.enter("into the dark");
    assert_eq!(bob.text(), "into the dark");
    terminal.wait_for("-- not confirmed by the server yet: into the dark");
    proxy.cut();
    terminal.wait_for("! may not have been delivered: into the dark");
    terminal.wait_for_last("[#lobby, reconnecting]");
    terminal.enter("nobody hears");
    terminal.wait_for("-- will be sent when connected: nobody hears");
    terminal.wait_for_last("[#lobby, reconnecting, 1 waiting]");
    proxy.mend();
    terminal.wait_for("<alice> nobody hears");
    terminal.wait_for_last("[#lobby]");
    assert_eq!(bob.text(), "nobody hears");
}

#[test]
fn an_unknown_command_is_an_error_and_nobody_sees_it() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("/uesrs");
    terminal.wait_for("! there is no command /uesrs; did you mean /users? (/help lists them)");
    terminal.enter("//users");
    assert_eq!(bob.text(), "/users");
}

#[test]
fn commands_do_what_they_say() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    terminal.enter("/users");
    terminal.wait_for("-- 2 users here: alice, bob");
    terminal.enter("/query bob");
    terminal.wait_for_last("[@bob]");
    terminal.enter("psst");
    assert_eq!(bob.wait_for("chat")["to"], "bob");
    terminal.wait_for("[you -> bob] psst");
    bob.say("alice", "what?");
    terminal.wait_for("[bob -> you] what?");
    terminal.enter("/reply nothing");
    terminal.wait_for("[you -> bob] nothing");
    terminal.enter("/query");
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/me waves");
    terminal.wait_for("* alice waves");
    terminal.enter("/nick carol");
    terminal.wait_for("-- you are now carol");
    terminal.enter("/whois bob");
    terminal.wait_for("-- bob from 127.0.0.1\n         here since  ");
    terminal.enter("/time");
    terminal.wait_for("-- server time ");
    terminal.enter("/status");
    terminal.wait_for("-- you are carol from 127.0.0.1; 2 users here; all messages");
    terminal.enter("/msg nobody hi");
    terminal.wait_for("! not sent: (to nobody) hi");
    terminal.enter("/clear");
    terminal.wait_until("an empty screen", |screen| screen == "[#lobby]");
    terminal.enter("/quit");
    assert_eq!(terminal.wait_exit().0, 0);
}

#[test]
fn pasted_lines_are_one_message_sent_by_one_enter() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    terminal.paste("one\r\ntwo\rthree");
    terminal.wait_for_last("three");
    assert!(bob.settle().iter().all(|packet| packet["type"] != "chat"), "a paste was sent by itself");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "one\ntwo\nthree");
    terminal.wait_for("<alice> one\n       | two\n       | three\n[#lobby]");
}

#[test]
fn ctrl_c_clears_the_line_and_asks_before_it_leaves() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    terminal.type_text("never mind");
    terminal.wait_for_last("[#lobby] never mind");
    terminal.key(Press::CtrlC);
    terminal.wait_for_last("[#lobby]");
    terminal.key(Press::CtrlC);
    terminal.wait_for("press Ctrl-C again, or Ctrl-D, to leave");
    terminal.key(Press::CtrlC);
    assert_eq!(terminal.wait_exit().0, 0);
}

#[test]
fn ctrl_d_leaves_and_gives_the_terminal_back() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("last words");
    terminal.key(Press::CtrlD);
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("<alice> last words"), "{screen}");
    assert_eq!(bob.text(), "last words");
    assert_eq!(bob.wait_for("left")["names"], json!(["alice"]));
    assert!(terminal.is_given_back());
}

#[test]
fn what_was_typed_comes_back_in_the_next_run() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    terminal.enter("remember me");
    terminal.wait_for("<alice> remember me");
    terminal.enter("/quit");
    terminal.wait_exit();
    let mut terminal = join(&home, server.link(), "alice");
    terminal.key(Press::Up);
    terminal.wait_for_last("[#lobby] /quit");
    terminal.key(Press::Up);
    terminal.wait_for_last("[#lobby] remember me");
}

#[test]
fn messages_wait_for_the_end_of_a_search_in_the_history() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("remember me");
    terminal.wait_for("<alice> remember me");
    terminal.key(Press::CtrlR);
    terminal.type_text("mem");
    terminal.wait_for("(reverse-i-search)`mem': remember me");
    assert_eq!(bob.text(), "remember me");
    bob.say("all", "one");
    bob.say("all", "two");
    bob.settle();
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "remember me");
    terminal
        .wait_until("both messages", |screen| screen.contains("<bob> one") && screen.contains("<bob> two"));
}

#[cfg(unix)]
#[test]
fn what_the_client_keeps_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, home) = (tempfile::tempdir().expect("a directory"), Home::new());
    let server = TestServer::in_dir(dir.path());
    let mut terminal = join(&home, server.link(), "alice");
    terminal.enter("hello");
    terminal.wait_for("<alice> hello");
    terminal.enter("/quit");
    terminal.wait_exit();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(home.state()).expect("the state directory").flatten() {
        assert_eq!(entry.metadata().expect("a file").permissions().mode() & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().expect("UTF-8"));
    }
    names.sort();
    assert_eq!(names, ["client.pem", "history", "known_servers", "resume", "token"]);
}

#[test]
fn nothing_remote_drives_the_terminal() {
    let evil = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\rb\u{8}\u{202e}c";
    let server = FakeServer::start(json!({"msg": format!("welcome\n{evil}"), "ip": evil}));
    let home = Home::new();
    let terminal =
        launch(server.address, &["--plaintext", "--name", "alice", "--color", "never"]).start(&home);
    let talk = server.accept();
    let from = json!({"name": evil, "ip": evil});
    for packet in [
        json!({"type": "chat", "from": from, "to": "all", "msg": evil}),
        json!({"type": "chat", "from": from, "to": "alice", "msg": evil, "action": true}),
        json!({"type": "alert", "from": from, "by": evil, "to": "all", "msg": evil}),
        json!({"type": "joined", "from": from, "to": "all", "msg": evil, "names": [evil], "count": 1, "total": 1}),
        json!({"type": "renamed", "from": from, "to": "all", "msg": evil, "old": evil, "name": evil}),
        json!({"type": "users", "from": from, "to": "all", "msg": evil, "users": [{"name": evil}], "total": 1}),
        json!({"type": "error", "from": from, "to": "alice", "msg": evil, "code": evil}),
        json!({"type": "hologram", "from": from, "to": "alice", "msg": evil}),
        json!({"type": "chat", "from": {"name": "bob"}, "to": "all", "msg": "the end"}),
    ] {
        say(&talk, &packet);
    }
    let screen = terminal.wait_for("<bob?> the end");
    assert!(screen.contains("connected to fake as alice"), "the screen was cleared:\n{screen}");
    // The window's title is the client's own.
    let raw = String::from_utf8_lossy(&terminal.raw()).replace("\x1b]2;lanchat fake\x07", "");
    let raw = raw.replace("\x1b]2;(1) lanchat fake\x07", "").replace("\x1b]2;(2) lanchat fake\x07", "");
    assert!(raw.matches("a\u{fffd}[2J").count() > 10, "the attacks are not shown: {raw}");
    for attack in ["\x1b[2J", "\u{9b}", "\x08", "\u{202e}"] {
        assert!(!raw.contains(attack), "{attack:?} reached the terminal");
    }
    // The client itself sets the window's title.
    let mut own = raw.split("\x1b]").skip(1);
    assert!(own.all(|rest| rest.starts_with("2;") && !rest.starts_with("2;owned")), "{raw:?}");
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let (server, home) = (TestServer::start(), Home::new());
    let colored = |raw: Vec<u8>| {
        let raw = String::from_utf8_lossy(&raw).into_owned();
        raw.split("\x1b[").skip(1).any(|rest| {
            rest.find(|c: char| !c.is_ascii_digit() && c != ';').is_some_and(|at| rest[at..].starts_with('m'))
        })
    };
    assert!(colored(join(&home, server.link(), "alice").raw()));
    let plain = launch(server.link(), &["--name", "bob"]).env("NO_COLOR", "1").start(&home);
    plain.wait_for_last("[#lobby]");
    assert!(!colored(plain.raw()));
    let never = launch(server.link(), &["--name", "eve", "--color", "never"]).start(&home);
    never.wait_for_last("[#lobby]");
    assert!(!colored(never.raw()));
}

#[test]
fn a_narrow_window_and_another_size_keep_the_line() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = launch(server.link(), &["--name", "alice"]).size(24, 30).start(&home);
    terminal.wait_for_last("[#lobby]");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.type_text("this line is longer than one row is");
    terminal
        .wait_until("two rows", |screen| screen.ends_with("[#lobby] this line is longer t\nhan one row is"));
    bob.say("all", "hi");
    terminal
        .wait_until("the message above", |screen| screen.contains("<bob> hi") && screen.ends_with("row is"));
    terminal.resize(24, 80);
    bob.say("all", "wider");
    terminal.wait_for("<bob> wider");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "this line is longer than one row is");
}

#[test]
fn somebody_who_is_kicked_is_told_and_out() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    let kick = lanchat::protocol::request::Operate::Kick { name: "alice".into(), reason: "enough".into() };
    server.operate(&kick).expect("the console may");
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 5, "{screen}");
    assert!(screen.contains("lanchat: you were disconnected") && screen.contains("enough"), "{screen}");
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    terminal.terminate();
    assert_eq!(terminal.wait_exit().0, 0);
    assert!(terminal.is_given_back());
}

#[test]
fn the_end_does_not_wait_for_a_search_in_the_history() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.link(), "alice");
    assert!(!terminal.is_given_back());
    terminal.enter("remember me");
    terminal.wait_for("<alice> remember me");
    terminal.key(Press::CtrlR);
    terminal.wait_for("(reverse-i-search)");
    terminal.terminate();
    assert_eq!(terminal.wait_exit().0, 0);
    assert!(terminal.is_given_back());
}
