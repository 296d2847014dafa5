//! The prompt after the shell has stopped it.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, LANCHAT, Launch};
use crate::support::tls::Key;

#[test]
fn a_line_goes_on_after_the_process_was_stopped_whatever_the_shell_did_to_the_terminal() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let arguments = format!("--no-discovery --host '{}' --name alice", server.link());
    let mut shell = Launch::program("bash", &["--norc", "-i"])
        .env("NO_COLOR", "1")
        .env("PS1", "shell> ")
        .size(24, 160)
        .start(&home);
    shell.wait_for_last("shell>");
    shell.enter(&format!("exec 2>&1; clear; {LANCHAT} {arguments}"));
    shell.wait_for_last("[#lobby]");
    for n in 0..3 {
        shell.type_text("half");
        shell.wait_for_last("[#lobby] half");
        shell.type_text("\x1a");
        shell.wait_for_last("shell>");
        shell.enter("clear; stty sane; fg");
        shell.wait_for_last("[#lobby] half");
        shell.wait_for_raw();
        shell.enter(&format!(" and {n}"));
        assert_eq!(bob.text(), format!("half and {n}"));
        shell.wait_for_last("[#lobby]");
    }
    shell.enter("/quit");
    shell.wait_for_last("shell>");
}
