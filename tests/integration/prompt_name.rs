//! The first minute at the prompt: the user's name.

use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key, Launch, Terminal};
use lanchat::name::Name;

const QUESTION: &str = "Your name for the chat? [user]";

fn launch(server: &TestServer, args: &[&str]) -> Launch {
    let host = server.link();
    let all: Vec<&str> = ["--no-discovery", &host].into_iter().chain(args.iter().copied()).collect();
    Launch::lanchat(&all)
}

/// Whether lanchat has to make up a name, because the login name of whoever runs the tests is none: root's.
fn must_ask() -> bool {
    whoami::username().map_or(true, |login| Name::new(&login).is_err())
}

/// Starts lanchat without a name, and takes the one that it offers.
fn join_without_name(server: &TestServer, home: &Home) -> Terminal {
    let mut terminal = launch(server, &[]).start(home);
    if must_ask() {
        terminal.wait_for(QUESTION);
        terminal.key(Key::Enter);
    }
    terminal
}

#[test]
fn a_login_name_that_is_taken_gives_way_and_a_chosen_name_does_not() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut first = join_without_name(&server, &home);
    let screen = first.wait_for("connected to test as ");
    let login = screen.split(" as ").nth(1).and_then(|rest| rest.split(';').next()).unwrap().to_owned();
    let other = Home::new();
    let second = join_without_name(&server, &other);
    second.wait_for(&format!("the name {login} is taken, so you are {login}-2"));
    let mut third = launch(&server, &["--name", &login]).start(&other);
    let (status, screen) = third.wait_exit();
    assert_eq!(status, 5, "{screen}");
    assert!(screen.contains("lanchat: the server refused: \""), "{screen}");
    first.enter("/quit");
    first.wait_exit();
}

#[test]
fn a_user_without_a_usable_login_name_is_asked_for_one_once() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = launch(&server, &[]).start(&home);
    if !must_ask() {
        let screen = terminal.wait_for_last("[#lobby]");
        assert!(!screen.contains("Your name"), "{screen}");
        return;
    }
    terminal.wait_for(QUESTION);
    terminal.enter("two words");
    terminal.wait_for("a name may contain letters, digits and punctuation, but no spaces");
    terminal.wait_for_last(QUESTION);
    terminal.enter("alice");
    terminal.wait_for("connected to test as alice");
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/quit");
    terminal.wait_exit();
    let again = launch(&server, &[]).start(&home);
    let screen = again.wait_for("connected to test as alice");
    assert!(!screen.contains("Your name"), "{screen}");
    let other = Home::new();
    let named = launch(&server, &["--name", "bob"]).start(&other);
    let screen = named.wait_for("connected to test as bob");
    assert!(!screen.contains("Your name"), "{screen}");
}

#[test]
fn at_the_question_for_a_name_ctrl_d_leaves_and_nothing_else_becomes_a_message() {
    if !must_ask() {
        return;
    }
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = launch(&server, &[]).start(&home);
    terminal.wait_for_last(QUESTION);
    terminal.type_bytes(b"\xff\r");
    terminal.wait_for("a name may contain letters");
    terminal.wait_for_last(QUESTION);
    terminal.key(Key::CtrlD);
    let (status, screen) = terminal.wait_exit();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("connected to"), "{screen}");
    let mut again = launch(&server, &[]).start(&home);
    again.wait_for_last(QUESTION);
    again.type_text("zed\rthe rest\rof a paste\r");
    let screen = again.wait_for_last("[#lobby]");
    assert!(!screen.contains("<zed>"), "{screen}");
}
