//! Commands whose answers are late, or lost with the connection.

use super::{Talk, text};
use crate::protocol::Event;
use std::time::Duration;

fn tick(talk: &mut Talk, after: u64) -> String {
    talk.now.instant += Duration::from_secs(after);
    text(talk.conversation.tick(talk.now))
}

#[test]
fn an_answer_that_is_late_is_told_once() {
    let mut talk = Talk::new();
    assert!(!talk.conversation.waits());
    assert_eq!(talk.line("/whois bob"), "");
    let id = talk.sent().id;
    assert!(talk.conversation.waits());
    assert_eq!(tick(&mut talk, 0), "");
    assert_eq!(tick(&mut talk, 2), "");
    assert_eq!(tick(&mut talk, 1), "12:03 -- the server has not answered your command yet");
    assert!(!talk.conversation.waits());
    assert_eq!(tick(&mut talk, 60), "");
    let answer = Event::Notice("here it is".into());
    assert_eq!(talk.event(answer, id.as_deref()), "12:03 -- here it is");
    talk.line("/whois carol");
    assert_eq!(tick(&mut talk, 9), "", "the next command has its own time");
}

#[test]
fn a_command_that_is_lost_with_the_connection_is_told() {
    let mut talk = Talk::new();
    for (commands, told) in
        [(1, "your last command got no answer"), (2, "your last 2 commands got no answer")]
    {
        for _ in 0..commands {
            talk.line("/whois bob");
        }
        let lost = talk.lose("gone");
        assert!(lost.contains(told), "{lost}");
        talk.connect("alice", None);
    }
    talk.line("/whois bob");
    let id = talk.sent().id;
    talk.event(Event::Notice("here it is".into()), id.as_deref());
    let lost = talk.lose("gone");
    assert!(!lost.contains("no answer"), "{lost}");
}
