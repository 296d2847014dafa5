//! A conversation that nothing interrupts for good: lines typed while the link is down, what is missed
//! meanwhile and between two runs, mail, rooms, and what is said of the rest at the end.

use crate::support::peer::Peer;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Launch, Terminal, last_row};
use crate::support::tls::Key;
use serde_json::json;
use tempfile::TempDir;

/// A server that keeps a history.
fn server() -> (TempDir, TestServer) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::in_dir(dir.path());
    (dir, server)
}

fn start(home: &Home, server: impl ToString, name: &str) -> Terminal {
    let host = server.to_string();
    Launch::lanchat(&["--no-discovery", "--host", &host, "--name", name, "--color", "never"])
        .size(60, 100)
        .start(home)
}

/// Joins, and waits for the prompt.
fn join(home: &Home, server: impl ToString, name: &str) -> Terminal {
    let terminal = start(home, server, name);
    terminal.wait_for("connected to test");
    terminal.wait_for_last("[#lobby]");
    terminal
}

fn leave(mut terminal: Terminal) -> String {
    terminal.enter("/quit");
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    screen
}

/// The texts of one sender's messages on the screen, in order.
fn said(screen: &str, name: &str) -> Vec<String> {
    let head = format!("<{name}> ");
    screen.lines().filter_map(|row| row.split_once(&head)).map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn what_is_typed_while_the_link_is_cut_arrives_once_and_in_order() {
    let (_dir, server) = server();
    let (proxy, home) = (Proxy::to(server.address), Home::new());
    let mut terminal = join(&home, server.link_at(proxy.address), "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    // The server has this one, and its receipt is lost.
    proxy.mute();
    terminal.enter("one");
    assert_eq!(bob.text(), "one");
    terminal.wait_for("-- not confirmed by the server yet: one");
    proxy.cut();
    terminal.wait_for("[#lobby, reconnecting, 1 waiting]");
    terminal.enter("two");
    terminal.enter("three");
    terminal.wait_for("-- will be sent when connected: three");
    terminal.wait_for_last("[#lobby, reconnecting, 3 waiting]");
    bob.say("all", "meanwhile");
    bob.settle();
    proxy.mend();
    let screen = terminal.wait_until("everything", |screen| {
        screen.contains("<alice> three") && last_row(screen) == "[#lobby]"
    });
    assert_eq!(said(&screen, "alice"), ["one", "two", "three"], "{screen}");
    let place = |text: &str| screen.find(text).unwrap_or_else(|| panic!("no {text:?}:\n{screen}"));
    let order =
        ["<alice> one", "── new since ", "<bob> meanwhile", "1 message while you were away", "<alice> two"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{screen}");
    assert_eq!((bob.text(), bob.text()), ("two".into(), "three".into()));
    assert!(bob.settle().iter().all(|packet| packet["type"] != "chat"), "something came twice");
}

#[test]
fn a_restart_of_the_server_loses_nothing_that_is_typed_meanwhile() {
    let (dir, mut server) = server();
    let home = Home::new();
    let mut terminal = join(&home, server.link(), "alice");
    terminal.enter("before");
    terminal.wait_for("<alice> before");
    server.stop();
    terminal.wait_for_last("[#lobby, reconnecting]");
    terminal.enter("between");
    terminal.wait_for_last("[#lobby, reconnecting, 1 waiting]");
    server.restart(dir.path());
    terminal.wait_for("<alice> between");
    terminal.enter("/history");
    let screen = terminal.wait_for("2 messages; there are no older ones");
    assert_eq!(said(&screen, "alice"), ["before", "between", "before", "between"], "{screen}");
}

#[test]
fn the_next_run_shows_what_was_missed_since_the_last_one_and_only_that() {
    let (_dir, server) = server();
    let home = Home::new();
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "early");
    bob.settle();
    let mut terminal = start(&home, server.link(), "alice");
    let screen = terminal.wait_for("-- the last message");
    assert!(screen.contains("-- the latest messages:") && screen.contains("<bob> early"), "{screen}");
    terminal.enter("hello");
    terminal.wait_for("<alice> hello");
    leave(terminal);
    bob.wait_for("left");
    bob.say("all", "late");
    bob.send(json!({"to": "alice", "msg": "psst", "id": "mail"}));
    assert_eq!(bob.wait_for("sent")["waits"], true);
    let terminal = start(&home, server.link(), "alice");
    let screen = terminal.wait_for("2 messages while you were away");
    assert_eq!(said(&screen, "bob"), ["late"], "{screen}");
    assert!(screen.contains("── new since ") && screen.contains("[bob -> you] psst"), "{screen}");
    assert_eq!(said(&screen, "alice").len(), 0, "{screen}");
    let delivered = bob.wait_for("delivered");
    assert_eq!((&delivered["name"], &delivered["count"]), (&json!("alice"), &json!(1)));
    leave(terminal);
    let mut terminal = join(&home, server.link(), "alice");
    terminal.enter("anew");
    let screen = terminal.wait_for("<alice> anew");
    assert!(!screen.contains("new since") && !screen.contains("psst"), "{screen}");
}

#[test]
fn somebody_who_is_away_gets_it_later_and_the_sender_is_told_of_both() {
    let (_dir, server) = server();
    let (here, there) = (Home::new(), Home::new());
    leave(join(&there, server.link(), "bob"));
    let mut alice = join(&here, server.link(), "alice");
    alice.enter("/msg bob lunch?");
    alice.wait_for("[you -> bob] lunch?");
    alice.wait_for("-- bob is offline and will get your message later");
    let mut bob = start(&there, server.link(), "bob");
    bob.wait_for("[alice -> you] lunch?");
    alice.wait_for("-- bob has received 1 message that waited");
    bob.enter("/reply in five minutes");
    alice.wait_for("[bob -> you] in five minutes");
    alice.enter("/msg nobody hi");
    alice.wait_for("! not sent: (to nobody) hi");
}

#[test]
fn a_room_outlives_the_link_and_the_server() {
    let (dir, mut server) = server();
    let (here, there) = (Home::new(), Home::new());
    let mut alice = join(&here, server.link(), "alice");
    let mut bob = join(&there, server.link(), "bob");
    alice.enter("/join #games");
    alice.wait_for_last("[#games]");
    alice.wait_for("-- you joined #games: 1 user: alice");
    alice.enter("/topic chess at eight");
    alice.wait_for("you set the topic of #games: chess at eight");
    alice.enter("e4");
    alice.wait_for("<alice> e4");
    bob.enter("/join #games");
    bob.wait_for("-- the last messages of #games:");
    bob.wait_for("<alice> e4");
    let screen = bob.wait_for("chess at eight");
    assert!(screen.contains("-- you joined #games: 2 users: alice, bob"), "{screen}");
    bob.enter("e5");
    alice.wait_for("<bob> e5");
    bob.enter("/query");
    bob.wait_for_last("[#lobby]");
    alice.enter("Nf3");
    bob.wait_for("#games <alice> Nf3");
    server.restart(dir.path());
    alice.wait_for("connected again");
    bob.wait_for("connected again");
    bob.wait_for_last("[#lobby · games 1]");
    alice.wait_for_last("[#games]");
    alice.enter("Bb5");
    bob.wait_for("#games <alice> Bb5");
    bob.enter("/rooms");
    bob.wait_for("-- 1 room:\n         * #games  2 of 2 here  chess at eight");
    bob.enter("/search nf3 in:#games");
    bob.wait_for("-- messages with \"nf3\" in #games:");
    alice.enter("/part");
    alice.wait_for_last("[#lobby]");
    alice.enter("/msg #nowhere hi");
    alice.wait_for("! not sent: (to #nowhere) hi");
}

#[test]
fn what_cannot_be_sent_any_more_is_said_line_by_line_at_the_end() {
    let (_dir, server) = server();
    let (proxy, home) = (Proxy::to(server.address), Home::new());
    let mut terminal = join(&home, server.link_at(proxy.address), "alice");
    proxy.cut();
    terminal.wait_for_last("[#lobby, reconnecting]");
    terminal.enter("one");
    terminal.enter("/me two");
    terminal.wait_for_last("[#lobby, reconnecting, 2 waiting]");
    let screen = leave(terminal);
    let lines: Vec<_> = screen.lines().filter_map(|row| row.split_once(" ! ")).map(|(_, row)| row).collect();
    assert_eq!(lines[lines.len() - 2..], ["not sent: one", "not sent: /me two"], "{screen}");
}

#[test]
fn all_of_a_long_absence_is_shown() {
    const MESSAGES: usize = 6000;
    let (_dir, server) = server();
    let home = Home::new();
    let mut terminal = join(&home, server.link(), "alice");
    // Sent only once all that was before has come.
    terminal.enter("bye");
    terminal.wait_for("<alice> bye");
    leave(terminal);
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    (0..MESSAGES).for_each(|n| bob.say("all", &format!("message {n}")));
    bob.settle();
    let mut terminal = start(&home, server.link(), "alice");
    terminal.wait_for(&format!("{MESSAGES} messages while you were away"));
    terminal.enter("/missed");
    terminal.enter("that was all");
    terminal.wait_for("<alice> that was all");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let missing = (0..MESSAGES).find(|n| !raw.contains(&format!("<bob> message {n}\r")));
    assert_eq!(missing, None, "{}", raw.lines().rfind(|line| line.contains("missing")).unwrap_or_default());
}

#[test]
fn a_history_that_was_empty_when_it_was_read_is_no_first_visit() {
    const MESSAGES: usize = 60;
    let (_dir, server) = server();
    let key = Key::new();
    let come_back = |members: serde_json::Value| {
        let mut alice = Peer::connect_tls(server.address, Some(&key));
        let mut hello = json!({"from": {"name": "alice"}, "since": 0});
        hello.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
        let welcome = alice.hello(hello);
        (welcome["log"].clone(), alice.wait_for("history")["count"].as_u64())
    };
    let (log, count) = come_back(json!({}));
    assert_eq!(count, Some(0));
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    (0..MESSAGES).for_each(|n| bob.say("all", &n.to_string()));
    bob.settle();
    assert_eq!(come_back(json!({"log": log})).1, Some(MESSAGES as u64));
    assert_eq!(come_back(json!({})).1, Some(50));
}
