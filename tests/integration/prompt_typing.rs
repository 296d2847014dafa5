//! Typing at the prompt, as its user sees it: nothing private goes astray, and nothing typed is lost.

use crate::support::peer::Peer;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal, last_row};
use crate::support::tls::Key;

const ALT_ENTER: &str = "\x1b\r";
const CTRL_J: &str = "\n";
const CTRL_X_CTRL_E: &str = "\x18\x05";
const CTRL_Y: &str = "\x19";
const ESCAPE: &str = "\x1b";
const BACKSPACE: &str = "\x7f";

fn launch(server: impl ToString, name: &str) -> Launch {
    let host = server.to_string();
    Launch::lanchat(&["--no-discovery", "--host", &host, "--name", name]).env("NO_COLOR", "1").size(24, 160)
}

fn join(home: &Home, server: impl ToString, name: &str) -> Terminal {
    let terminal = launch(server, name).start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

/// Alice at a terminal, and bob.
fn alice_and_bob() -> (TestServer, Home, Terminal, Peer) {
    let (server, home) = (TestServer::start(), Home::new());
    let terminal = join(&home, server.link(), "alice");
    let bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    (server, home, terminal, bob)
}

#[test]
fn a_reply_names_its_target_before_it_is_typed() {
    let (server, _home, mut terminal, mut bob) = alice_and_bob();
    let mut carol = Peer::join_with(server.address, "carol", &Key::new());
    bob.say("alice", "the wifi password is?");
    terminal.wait_for("[bob -> you] the wifi password is?");
    terminal.type_text("/r ");
    terminal.wait_until("the target", |screen| last_row(screen).ends_with("] /msg bob"));
    carol.say("alice", "hey");
    terminal.wait_for("[carol -> you] hey");
    terminal.enter("it is hunter2");
    terminal.wait_for("[you -> bob] it is hunter2");
    assert_eq!(bob.text(), "it is hunter2");
    assert!(carol.settle().iter().all(|packet| packet["msg"] != "it is hunter2"));
    terminal.type_text("/reply x");
    terminal.wait_until("the target", |screen| last_row(screen).ends_with("] /msg carol x"));
    terminal.key(Press::CtrlC);
    // A number may be that of a line.
    terminal.type_text("/reply 12 y");
    terminal.wait_until("the number", |screen| last_row(screen).ends_with("] /reply 12 y"));
    terminal.key(Press::CtrlC);
    terminal.type_text("/r 12 y");
    terminal.wait_until("the number", |screen| last_row(screen).ends_with("] /msg carol 12 y"));
}

#[test]
fn a_reply_entered_before_its_target_can_be_read_is_refused_if_two_users_have_just_written() {
    let (server, _home, mut terminal, mut bob) = alice_and_bob();
    let mut carol = Peer::join_with(server.address, "carol", &Key::new());
    bob.say("alice", "the wifi password is?");
    terminal.wait_for("[bob -> you] the wifi password is?");
    terminal.enter("/r 1 moment");
    assert_eq!(bob.text(), "1 moment");
    carol.say("alice", "hey");
    terminal.wait_for("[carol -> you] hey");
    terminal.enter("/r it is hunter2");
    terminal.wait_for("! not sent: carol wrote to you just now, and bob before that");
    terminal.wait_until("the line", |screen| last_row(screen).ends_with("] /msg bob it is hunter2"));
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "it is hunter2");
    assert!(carol.settle().iter().all(|packet| packet["msg"] != "it is hunter2"));
}

#[test]
fn alt_and_a_digit_do_not_repeat_the_next_character() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.type_text("a\x1b5");
    terminal.wait_for("(arg: 5)");
    terminal.enter("bc");
    assert_eq!(bob.text(), "abc");
}

#[test]
fn a_byte_that_is_not_utf8_costs_only_itself() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.type_text("the caf");
    terminal.wait_for_last("[#lobby] the caf");
    terminal.type_bytes(b"\xe9 ");
    terminal.wait_for("(this terminal sent a byte that is not UTF-8");
    terminal.wait_for_last("[#lobby] the caf");
    // A mark stands for the byte, though this emulator does not show it.
    terminal.type_text(BACKSPACE);
    terminal.enter("é is open");
    assert_eq!(bob.text(), "the café is open");
}

#[test]
fn a_paste_that_is_not_utf8_is_left_out_and_nothing_of_it_is_sent() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.type_text("see: ");
    terminal.wait_for_last("[#lobby] see:");
    let mut paste = b"\x1b[200~one\r".to_vec();
    paste.extend((0..3000).flat_map(|_| *b"caf\xe9 au lait\r"));
    paste.extend(b"\x1b[201~");
    terminal.type_bytes(&paste);
    terminal.wait_for("(the pasted text is not UTF-8, so it was left out; convert it first");
    terminal.wait_for_last("[#lobby] see:");
    terminal.enter("nothing");
    assert_eq!(bob.text(), "see: nothing");
}

#[test]
fn a_refused_text_comes_back_whatever_its_length() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.paste(&format!("BEGIN {}", "y".repeat(10_040)));
    let mark = "‹paste 1: BEGIN yyyyyyyyyyyyyyyyyy…, 10.0 kB›";
    terminal.wait_for_last(&format!("[#lobby] {mark}"));
    terminal.key(Press::Enter);
    terminal.wait_for("! not sent: the message has 10046 bytes, and the server's limit is 10000");
    terminal.wait_for_last(&format!("[#lobby] {mark}"));
    terminal.type_text(BACKSPACE);
    terminal.wait_for_last("[#lobby]");
    terminal.key(Press::Up);
    terminal.wait_for_last(&format!("[#lobby] {mark}"));
    terminal.key(Press::CtrlC);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("short");
    assert_eq!(bob.text(), "short");
}

#[test]
fn a_big_paste_is_a_mark_until_it_is_sent() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    let text = (0..200).map(|n| format!("line {n} of the paste")).collect::<Vec<_>>().join("\n");
    terminal.type_text("/msg bob ");
    terminal.paste(&text);
    terminal.wait_for_last("[#lobby] /msg bob ‹paste 1: 200 lines, 4.2 kB›");
    for n in 0..4 {
        bob.say("all", &format!("news {n}"));
    }
    let screen = terminal.wait_until("the news above the mark", |screen| {
        screen.contains("news 3") && last_row(screen).ends_with("‹paste 1: 200 lines, 4.2 kB›")
    });
    assert!(!screen.contains("of the paste") && screen.matches("‹paste").count() == 1, "{screen}");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), text);
    terminal.wait_for("line 199 of the paste");
    terminal.wait_for_last("[#lobby]");
    terminal.key(Press::Up);
    terminal.wait_for_last("[#lobby] /msg bob ‹paste 1: 200 lines, 4.2 kB›");
    terminal.key(Press::Left);
    terminal.key(Press::Left);
    terminal.type_text("!");
    terminal.wait_for_last("[#lobby] /msg bob! ‹paste 1: 200 lines, 4.2 kB›");
}

#[test]
fn a_damaged_mark_is_not_sent() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.paste(&"x\n".repeat(20));
    terminal.wait_for_last("[#lobby] ‹paste 1: 20 lines, 40 B›");
    // Ctrl-T swaps the last two characters.
    terminal.type_text("\x14");
    terminal.key(Press::Enter);
    let told = "(not sent: the mark of paste 1 was changed; delete it, and paste the text again)";
    terminal.wait_until("the note and the line", |screen| {
        screen.contains(told) && last_row(screen).starts_with("[#lobby] ")
    });
    assert!(bob.settle().iter().all(|packet| packet["type"] != "chat"));
}

#[test]
fn several_lines_are_typed_with_alt_enter_or_ctrl_j() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.type_text("one");
    terminal.type_text(ALT_ENTER);
    terminal.type_text("two");
    terminal.type_text(CTRL_J);
    terminal.type_text("three");
    terminal.wait_for_last("three");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "one\ntwo\nthree");
    terminal.wait_for("<alice> one\n       | two\n       | three\n[#lobby]");
}

#[cfg(unix)]
#[test]
fn the_line_can_be_written_in_another_editor() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, home) = (TestServer::start(), Home::new());
    let editor = home.path().join("editor");
    std::fs::write(
        &editor,
        "#!/bin/sh\nprintf 'edited: ' > x; cat \"$2\" >> x; echo more >> x; cat x > \"$2\"\n",
    )
    .expect("a script");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).expect("a mode");
    let command = format!("{} --wait", editor.display());
    let mut terminal = launch(server.link(), "alice").env("VISUAL", &command).start(&home);
    terminal.wait_for_last("[#lobby]");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    terminal.type_text("draft");
    terminal.wait_for_last("[#lobby] draft");
    terminal.type_text(CTRL_X_CTRL_E);
    terminal.wait_for("[#lobby] edited: draft\nmore");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "edited: draft\nmore");
    terminal.enter("/compose");
    terminal.wait_for("[#lobby] edited: more");
    terminal.key(Press::CtrlC);
    terminal.wait_for_last("[#lobby]");
    let mut broken = launch(server.link(), "carol").env("VISUAL", "/nonexistent/editor").start(&home);
    broken.wait_for_last("[#lobby]");
    broken.type_text("kept");
    broken.type_text(CTRL_X_CTRL_E);
    broken.wait_for("(the editor \"/nonexistent/editor\" failed, so the line is unchanged)");
    broken.wait_for_last("[#lobby] kept");
}

#[test]
fn a_line_that_ctrl_c_cleared_comes_back_with_up_and_with_ctrl_y() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    for key in ["\x1b[A", CTRL_Y] {
        terminal.type_text("never mind");
        terminal.wait_for_last("[#lobby] never mind");
        terminal.key(Press::CtrlC);
        terminal.wait_for_last("[#lobby]");
        // The label's next turn adds it to the history.
        bob.say("all", &format!("hello {}", key.len()));
        terminal.wait_for(&format!("hello {}", key.len()));
        terminal.type_text(key);
        terminal.wait_for_last("[#lobby] never mind");
        terminal.key(Press::CtrlC);
        terminal.wait_for_last("[#lobby]");
    }
}

#[test]
fn a_half_typed_line_is_one_up_away_in_the_next_run() {
    let (server, home, mut terminal, _bob) = alice_and_bob();
    terminal.type_text("half a thou");
    terminal.wait_for_last("[#lobby] half a thou");
    terminal.terminate();
    terminal.wait_exit();
    let mut terminal = launch(server.link(), "alice").start(&home);
    terminal.wait_for("-- your unsent draft is one Up away");
    terminal.wait_for_last("[#lobby]");
    terminal.key(Press::Up);
    terminal.wait_for_last("[#lobby] half a thou");
    terminal.key(Press::CtrlC);
    terminal.wait_for_last("[#lobby]");
    // A private one stays private.
    terminal.enter("/query bob");
    terminal.wait_for_last("[@bob]");
    terminal.type_text("psst");
    terminal.wait_for_last("[@bob] psst");
    terminal.terminate();
    terminal.wait_exit();
    let mut terminal = join(&home, server.link(), "alice");
    terminal.key(Press::Up);
    terminal.wait_for_last("[#lobby] /msg bob psst");
    terminal.key(Press::CtrlC);
    terminal.enter("/quit");
    terminal.wait_exit();
    let terminal = join(&home, server.link(), "alice");
    assert_eq!(last_row(&terminal.wait_for_last("[#lobby]")), "[#lobby]");
}

#[test]
fn a_path_and_pasted_lines_are_text() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.enter("/etc/passwd is a path");
    assert_eq!(bob.text(), "/etc/passwd is a path");
    terminal.paste("/msg bob from the log\n/nick root2\n/quit");
    terminal.key(Press::Enter);
    let packet = bob.wait_for("chat");
    assert_eq!(
        (packet["msg"].as_str(), packet["to"].as_str()),
        (Some("/msg bob from the log\n/nick root2\n/quit"), Some("all"))
    );
    terminal.paste("/me waves");
    terminal.key(Press::Enter);
    terminal.wait_for("* alice waves");
    terminal.type_text("/msg bob ");
    terminal.paste("one\ntwo");
    terminal.key(Press::Enter);
    bob.wait_for("chat");
    assert_eq!(bob.wait_for("chat")["to"], "alice".replace("alice", "bob"));
}

#[test]
fn a_paste_loses_its_escape_sequences_whole_and_keeps_its_tabs() {
    let (_server, _home, mut terminal, mut bob) = alice_and_bob();
    terminal.paste("evil \x1b[31mred \x1b[0m\x07\tend \x1b[01;32mgreen\x1b[0m");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "evil red \tend green");
}

#[test]
fn tab_offers_who_spoke_last_first_and_goes_round() {
    let (server, _home, mut terminal, mut bob) = alice_and_bob();
    let mut bert = Peer::join_with(server.address, "bert", &Key::new());
    bert.say("all", "one");
    terminal.wait_for("<bert> one");
    bob.say("all", "two");
    terminal.wait_for("<bob> two");
    terminal.type_text("b");
    terminal.key(Press::Tab);
    terminal.wait_for_last("[#lobby] bob:");
    terminal.key(Press::Tab);
    terminal.wait_for_last("[#lobby] bert:");
    // Messages come through while candidates are tried.
    bert.say("all", "three");
    terminal.wait_until("the message", |screen| {
        screen.contains("<bert> three") && last_row(screen) == "[#lobby] bert:"
    });
    terminal.key(Press::Tab);
    terminal.wait_for_last("[#lobby] b");
    terminal.type_text("\x1b[Z");
    terminal.wait_for_last("[#lobby] bert:");
    terminal.key(Press::CtrlC);
    terminal.wait_for_last("[#lobby]");
    terminal.type_text("/ki");
    terminal.key(Press::Tab);
    terminal.type_text("x");
    terminal.wait_for_last("[#lobby] /kix");
}

#[test]
fn escape_keeps_the_line_that_a_search_has_found() {
    let (_server, _home, mut terminal, _bob) = alice_and_bob();
    terminal.enter("remember me");
    terminal.wait_for("<alice> remember me");
    terminal.key(Press::CtrlR);
    terminal.type_text("mem");
    terminal.wait_for("(reverse-i-search)`mem': remember me");
    terminal.type_text(ESCAPE);
    terminal.wait_for_last("[#lobby] remember me");
}

#[test]
fn nothing_is_verified_before_the_user_has_compared_it() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(&home, server.address, "alice");
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.wait_for("-> bob joined");
    terminal.enter("/verify");
    terminal.wait_for_last("Do they match? [y/N]");
    let screen = terminal.wait_for("-- test's key: ");
    assert!(!screen.contains("-- verified"), "{screen}");
    // A typed line is no answer: it comes back, and nobody gets it.
    terminal.enter("hello everyone");
    terminal.wait_for("-- test is not verified; if the digits differ, leave:");
    terminal.wait_for_last("[#lobby] hello everyone");
    terminal.key(Press::Enter);
    assert_eq!(bob.text(), "hello everyone");
    terminal.enter("/verify");
    terminal.wait_for_last("Do they match? [y/N]");
    terminal.enter("y");
    terminal.wait_for("-- verified: test is the server with the key ");
    terminal.enter("/verify bob");
    terminal.wait_for_last("Do they match? [y/N]");
    terminal.enter("yes");
    terminal.wait_for("-- verified: bob has the key ");
    terminal.enter("/quit");
    terminal.wait_exit();
    let mut terminal = join(&home, server.address, "alice");
    terminal.enter("/verify bob");
    terminal.wait_for("-- you verified bob's key on ");
    terminal.enter("/verify no");
    terminal.wait_for("-- test is no longer verified");
    let known = std::fs::read_to_string(home.state().join("known_servers")).expect("a file");
    assert!(!known.contains("digits"), "{known}");
}

#[test]
fn a_message_on_its_way_is_shown_until_its_receipt_comes() {
    let (server, home) = (TestServer::start(), Home::new());
    let proxy = Proxy::to(server.address);
    let mut terminal = join(&home, server.link_at(proxy.address), "alice");
    // Then it has caught up, and sends at once.
    terminal.enter("first");
    terminal.wait_for("<alice> first");
    proxy.mute();
    terminal.enter("into the dark");
    terminal
        .wait_until("the message above the prompt", |screen| screen.ends_with("\n… into the dark\n[#lobby]"));
    terminal.wait_until("the note in its place", |screen| {
        let is_told = screen.contains("-- not confirmed by the server yet: into the dark");
        is_told && !screen.contains('…') && last_row(screen).starts_with("[#lobby")
    });
}

#[test]
fn keys_typed_before_the_prompt_still_enter_a_line() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let mut terminal = launch(server.link(), "alice").start(&home);
    terminal.enter("typed ahead");
    assert_eq!(bob.text(), "typed ahead");
}
