//! Pointing at lines, as a user at the prompt sees it.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::terminal::{Home, Launch, Terminal, last_row};
use crate::support::tls::Key;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

fn launch(server: &TestServer) -> Launch {
    Launch::lanchat(&["--no-discovery", "--host", &server.link(), "--name", "alice"])
}

fn join(launch: Launch, home: &Home) -> Terminal {
    let terminal = launch.start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

#[test]
fn lines_get_numbers_and_an_answer_shows_what_it_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(launch(&server), &home);
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "lunch at the usual place?");
    bob.say("all", "or somewhere else");
    terminal.wait_for("<bob> or somewhere else");
    // Alt-N is /num.
    terminal.type_text("half a line");
    terminal.type_text("\x1bn");
    terminal.wait_until("numbered lines", |screen| {
        let has = |number: &str, text: &str| {
            screen.lines().any(|row| row.trim_start().starts_with(number) && row.ends_with(text))
        };
        has("2 ", "<bob> lunch at the usual place?") && has("1 ", "<bob> or somewhere else")
    });
    terminal.wait_for_last("[#lobby] half a line");
    terminal.type_text("\x15");
    terminal.enter("/reply 2 yes, please");
    let reply = bob.wait_until(|packet| packet["msg"] == "yes, please");
    assert!(reply["reply"].is_u64(), "{reply}");
    terminal.wait_until("the quote above the answer", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        rows.windows(2).any(|rows| {
            rows[0].trim() == "> bob: lunch at the usual place?" && rows[1].ends_with("<alice> yes, please")
        })
    });
}

#[test]
fn ones_own_message_is_edited_and_deleted_and_others_see_both() {
    let dir = tempfile::tempdir().unwrap();
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(launch(&server), &home);
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    terminal.enter("helo");
    terminal.wait_for("<alice> helo");
    terminal.enter("/edit hello");
    terminal.wait_for("* alice corrected \"helo\": hello");
    assert_eq!(bob.wait_for("edited")["msg"], "corrected: hello");
    terminal.enter("/num");
    terminal.wait_for("<alice> hello (edited)");
    terminal.enter("/delete 1");
    terminal.wait_for("* alice deleted \"hello\"");
    bob.wait_for("deleted");
    terminal.enter("/edit hello again");
    terminal.wait_for("you have no message here to change");
    let seq = {
        bob.send(json!({"to": "all", "msg": "mispelt", "id": "m"}));
        bob.wait_for("sent")["seq"].clone()
    };
    terminal.wait_for("<bob> mispelt");
    bob.send(json!({"type": "edit", "seq": seq, "msg": "misspelt"}));
    terminal.wait_for("* bob corrected \"mispelt\": misspelt");
}

#[test]
fn a_line_is_copied_to_the_terminals_clipboard() {
    let dir = tempfile::tempdir().unwrap();
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let mut terminal = join(launch(&server), &home);
    terminal.enter("copy me");
    terminal.wait_for("<alice> copy me");
    terminal.enter("/num");
    terminal.wait_for("1 ");
    terminal.enter("/copy 1");
    terminal.wait_for("copied: copy me");
    let raw = terminal.raw();
    let escape = b"\x1b]52;c;Y29weSBtZQ==\x07";
    assert!(raw.windows(escape.len()).any(|bytes| bytes == escape));
}

#[test]
fn a_link_is_opened_after_a_yes_without_a_shell() {
    let dir = tempfile::tempdir().unwrap();
    let (server, home) = (TestServer::in_dir(dir.path()), Home::new());
    let (bin, opened) = (home.path().join("bin"), home.path().join("opened"));
    std::fs::create_dir(&bin).unwrap();
    let opener = bin.join("xdg-open");
    std::fs::write(&opener, format!("#!/bin/sh\nprintf '%s' \"$1\" > '{}'\n", opened.display())).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut terminal = join(launch(&server).env("PATH", &path), &home);
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    bob.say("all", "see https://a.example/?x=$(touch${IFS}owned)&y=';'.");
    terminal.wait_for("<bob> see");
    terminal.enter("/num");
    terminal.wait_for("1 ");
    terminal.enter("/open 1");
    terminal.wait_for("Open https://a.example/?x=$(touch$");
    terminal.enter("n");
    terminal.wait_for_last("[#lobby]");
    assert!(!opened.exists());
    terminal.enter("/open 1");
    terminal.wait_until("the question again", |screen| last_row(screen).ends_with("[y/N]"));
    terminal.enter("y");
    let link = until(|| std::fs::read_to_string(&opened).ok().filter(|link| !link.is_empty()));
    assert_eq!(link, "https://a.example/?x=$(touch$");
    assert!(!home.path().join("owned").exists());
}
