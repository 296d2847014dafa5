//! `lanchat serve` at a terminal: its console, with the log above what is being typed.

use crate::support::peer::Peer;
use crate::support::terminal::{Home, Key, Launch, Terminal, last_row};
use std::net::SocketAddr;

/// A server at a terminal, on a free port of loopback.
fn serve(home: &Home) -> (Terminal, SocketAddr) {
    let args = [
        "serve",
        "--allow-plaintext",
        "--no-discovery",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--name",
        "office",
    ];
    let terminal = Launch::lanchat(&args).size(40, 140).start(home);
    let screen = terminal.wait_for_last("[server]");
    let address = screen.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
    let port = address.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {screen}"));
    (terminal, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn operators_commands_work_at_the_console() {
    let home = Home::new();
    let (mut terminal, address) = serve(&home);
    let mut bob = Peer::join(address, "bob");
    bob.sees_join("bob");
    terminal.enter("/users");
    terminal.wait_for("1 user: bob");
    terminal.enter("/status");
    terminal.wait_for("1 user is here over 1 connection");
    terminal.wait_for("waiting for it; no connections refused");
    terminal.wait_for("hold data for clients");
    terminal.enter("/time");
    terminal.wait_for("server time 20");
    terminal.enter("/alert fire drill");
    let alert = bob.wait_for("alert");
    assert_eq!((&alert["msg"], &alert["by"]), (&"fire drill".into(), &"server".into()));
    terminal.wait_for("alert sent to everyone");
    terminal.enter("hello?");
    terminal.wait_for("the console takes commands");
    terminal.enter("/kik bob");
    terminal.wait_for("did you mean /kick?");
    terminal.type_text("/ki");
    terminal.key(Key::Tab);
    terminal.type_text("bo");
    terminal.key(Key::Tab);
    terminal.wait_for_last("[server] /kick bob");
    terminal.enter("enough");
    assert!(bob.read_to_end().iter().any(|packet| packet["code"] == "kicked"));
    terminal.enter("/quit");
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("stopped"), "{screen}");
}

#[test]
fn the_log_appears_above_what_is_being_typed() {
    let home = Home::new();
    let args = ["serve", "-v", "--allow-plaintext", "--no-discovery", "--host", "127.0.0.1", "--port", "0"];
    let mut terminal = Launch::lanchat(&args).size(40, 140).start(&home);
    let screen = terminal.wait_for_last("[server]");
    let port = screen.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next()).expect("a port");
    terminal.type_text("/alert half a th");
    terminal.wait_for_last("[server] /alert half a th");
    let bob = Peer::join(SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port"))), "bob");
    terminal.wait_until("a log line above the half-typed one", |screen| {
        screen.contains("new connection") && last_row(screen) == "[server] /alert half a th"
    });
    drop(bob);
}

#[test]
fn the_console_asks_before_it_ends_a_chat_that_is_going_on() {
    let home = Home::new();
    let (mut terminal, address) = serve(&home);
    let mut bob = Peer::join(address, "bob");
    terminal.key(Key::CtrlD);
    terminal.wait_for_last("1 user is here. Stop the server? [y/N] (Ctrl-C stops it)");
    terminal.enter("");
    terminal.wait_for_last("[server]");
    terminal.key(Key::CtrlC);
    terminal.wait_until("the question again", |screen| screen.matches("Stop the server?").count() == 2);
    terminal.key(Key::CtrlC);
    assert_eq!(bob.wait_for("bye")["code"], "shutting_down");
    // The server waits for its clients to close.
    drop(bob);
    assert_eq!(terminal.wait_exit().0, 0);
}

#[test]
fn a_signal_ends_a_server_with_a_console_in_good_order() {
    let home = Home::new();
    let (mut terminal, address) = serve(&home);
    let mut bob = Peer::join(address, "bob");
    terminal.terminate();
    assert_eq!(bob.wait_for("bye")["code"], "shutting_down");
    drop(bob);
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    assert!(!last_row(&screen).starts_with("[server]"), "{screen}");
}
