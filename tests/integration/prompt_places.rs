//! Being called, several places and what was missed, as the user of a prompt sees them.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal};
use crate::support::tls::Key;
use serde_json::json;

const ALT_A: &str = "\x1ba";

fn launch(server: &TestServer, name: &str) -> Launch {
    Launch::lanchat(&["--no-discovery", "--host", &server.link(), "--name", name])
}

fn join(home: &Home, server: &TestServer, name: &str) -> Terminal {
    let terminal = launch(server, name).start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

/// How often the program has written these bytes.
fn count(terminal: &Terminal, bytes: &str) -> usize {
    String::from_utf8_lossy(&terminal.raw()).matches(bytes).count()
}

/// How often the bell rang: escapes that end with one are no bell.
fn bells(terminal: &Terminal) -> usize {
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let titles = raw.matches("\x1b]").count();
    raw.matches('\x07').count() - titles
}

fn enter_room(peer: &mut Peer, room: &str) {
    peer.send(json!({"type": "join", "to": "server", "msg": "", "room": room}));
    peer.wait_for("room");
}

#[test]
fn a_mention_is_marked_rings_once_and_counts_in_the_title_until_enter() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "malice, not alice2");
    terminal.wait_for("<bob> malice, not alice2");
    assert_eq!(bells(&terminal), 0);
    bob.say("all", "Alice: can you review that?");
    bob.say("all", "@alice again");
    terminal.wait_for(">bob< @alice again");
    terminal.wait_for(">bob< Alice: can you review that?");
    // The bell and the title follow the line that they are about.
    terminal.wait_for_bytes("\x1b]2;(2) lanchat test\x07");
    assert_eq!(bells(&terminal), 1, "two mentions at once ring once");
    assert!(count(&terminal, "\x1b[1m\x1b[7m>bob<\x1b[0m") == 2, "bold and inverse");
    terminal.enter("yes");
    terminal.wait_for("<alice> yes");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let last = raw.rfind("\x1b]2;").and_then(|at| raw.get(at..at + 20));
    assert_eq!(
        last,
        Some("\x1b]2;lanchat test\x07").map(|title| &raw[raw.rfind(title).unwrap_or(0)..][..20])
    );
    terminal.key(Press::CtrlD);
    terminal.wait_exit();
    assert!(String::from_utf8_lossy(&terminal.raw()).contains("\x1b]2;\x07\x1b[23;2t"), "the title is back");
}

#[test]
fn without_colours_a_mention_has_its_sign() {
    let (server, home) = (TestServer::start(), Home::new());
    let terminal = launch(&server, "alice").env("NO_COLOR", "1").start(&home);
    terminal.wait_for_last("[#lobby]");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "hello alice");
    terminal.wait_for(">bob< hello alice");
    assert_eq!(count(&terminal, "\x1b[7m"), 0);
}

#[test]
fn the_prompt_is_the_hotlist_and_alt_a_goes_through_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("/join #dev");
    terminal.wait_for_last("[#dev]");
    enter_room(&mut bob, "#dev");
    bob.say("all", "one");
    bob.say("all", "two");
    terminal.wait_for("#lobby <bob> two");
    bob.say("alice", "psst");
    terminal.wait_for_last("[#dev · @bob 1 · lobby 2]");
    terminal.type_text("half");
    terminal.wait_for_last("[#dev · @bob 1 · lobby 2] half");
    terminal.type_text(ALT_A);
    terminal.wait_for_last("[@bob · lobby 2] half");
    terminal.wait_until("what is unread", |screen| {
        screen.contains("── @bob: new since ") && screen.matches("[bob -> you] psst").count() == 2
    });
    terminal.type_text(ALT_A);
    terminal.wait_for_last("[#lobby] half");
    terminal.wait_until("what is unread", |screen| {
        let unread = screen.split("── #lobby: new since ").nth(1).unwrap_or_default();
        unread.contains("<bob> one") && unread.contains("<bob> two")
    });
    terminal.type_text(ALT_A);
    terminal.wait_for_last("[#dev] half");
    terminal.wait_for("── #dev ──");
}

#[test]
fn focus_keeps_other_places_out_of_the_stream() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("/join #dev");
    terminal.wait_for_last("[#dev]");
    enter_room(&mut bob, "#dev");
    terminal.enter("/focus on");
    terminal.wait_for("only this room or conversation");
    bob.say("all", "chatter");
    bob.say("all", "alice: you?");
    bob.say("#dev", "work");
    terminal.wait_for("#dev   <bob> work");
    let screen = terminal.wait_for_last("[#dev · lobby 2!]");
    assert!(screen.contains("#lobby >bob< alice: you?") && !screen.contains("chatter"), "{screen}");
    terminal.enter("/next");
    terminal.wait_for("<bob> chatter");
    terminal.wait_for_last("[#lobby]");
}

#[test]
fn what_was_missed_fits_on_the_screen_and_what_is_for_the_user_comes_last() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "before");
    terminal.wait_for("<bob> before");
    terminal.key(Press::CtrlD);
    terminal.wait_exit();
    bob.say("all", "alice: can you?");
    bob.say("alice", "are you there?");
    (0..60).for_each(|n| bob.say("all", &format!("chatter {n:02}")));
    bob.settle();
    let terminal = launch(&server, "alice").start(&home);
    let screen = terminal.wait_for("[bob -> you] are you there?");
    assert!(
        screen.contains("── 62 messages while you were away: #lobby 61 (1 for you), 1 direct ──"),
        "{screen}"
    );
    assert!(screen.contains("── new since ") && screen.contains("/missed shows all"), "{screen}");
    let after = screen.split("while you were away").nth(1).expect("the rest");
    assert!(
        after.contains(">bob< alice: can you?") && after.contains("[bob -> you] are you there?"),
        "{screen}"
    );
    assert_eq!(bells(&terminal), 0, "the past does not ring");
}

#[test]
fn an_ignored_user_stays_ignored_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let mut eve = Peer::join_with(server.address, "eve", &Key::new());
    terminal.enter("/ignore bob");
    terminal.wait_for("you no longer see messages from bob (by key");
    bob.say("all", "alice, listen");
    bob.settle();
    eve.say("all", "one");
    let screen = terminal.wait_for("<eve> one");
    assert!(!screen.contains("alice, listen"), "{screen}");
    terminal.key(Press::CtrlD);
    terminal.wait_exit();
    let mut terminal = launch(&server, "alice").start(&home);
    terminal.wait_for_last("[#lobby]");
    bob.say("all", "and now?");
    bob.settle();
    eve.say("all", "two");
    let screen = terminal.wait_for("<eve> two");
    assert!(!screen.contains("and now?"), "{screen}");
    terminal.enter("/unignore bob");
    terminal.wait_for("you see messages from bob again");
    bob.say("all", "at last");
    terminal.wait_for("<bob> at last");
}

#[test]
fn what_one_terminal_has_read_is_read_in_the_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut one = join(&home, &server, "alice");
    let mut other = join(&home, &server, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("alice", "psst");
    one.wait_for_last("[#lobby · @bob 1]");
    other.wait_for_last("[#lobby · @bob 1]");
    one.enter("/query bob");
    one.wait_for_last("[@bob]");
    other.wait_for_last("[#lobby]");
    bob.say("all", "hello");
    one.wait_for_last("[@bob · lobby 1]");
    other.wait_for("<bob> hello");
    other.enter("hi");
    one.wait_for_last("[@bob]");
}

#[test]
fn somebody_who_is_away_is_so_for_those_who_write() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, alice, bob) = (TestServer::in_dir(dir.path()), Home::new(), Home::new());
    let mut alice = join(&alice, &server, "alice");
    let mut bob = join(&bob, &server, "bob");
    alice.enter("/away lunch");
    alice.wait_for_last("[#lobby, away]");
    bob.enter("/msg alice hungry?");
    bob.wait_for("alice is away: lunch");
    bob.enter("/whois alice");
    bob.wait_until("why", |screen| screen.matches("lunch").count() == 2);
    alice.enter("/back");
    alice.wait_for("you are back");
    alice.wait_for_last("[#lobby · @bob 1]");
}

#[test]
fn a_narrow_window_keeps_half_of_its_width_for_typing() {
    let (server, home) = (TestServer::start(), Home::new());
    let terminal = launch(&server, "alice").size(20, 50).start(&home);
    terminal.wait_for_last("[#lobby]");
    for name in ["anna", "bert", "carl", "dora"] {
        let mut peer = Peer::join_with(server.address, name, &Key::new());
        peer.say("alice", "psst");
        peer.settle();
    }
    terminal.wait_for_last("[#lobby · @anna 1 · +3]");
}
