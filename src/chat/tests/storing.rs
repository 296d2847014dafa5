//! While the store fails: who learns of it, and what returning users learn.

use super::*;
use serde_json::json;

const FAILURE: &str = "the disk is full; make room on it";

fn set_keeping(house: &mut House, failure: Option<&str>) {
    // Here, all numbered messages are stored.
    let stored = house.chat.latest();
    house.act(|chat, now, out| chat.set_keeping(failure, stored, now, out));
}

/// With an operator, alice and bob.
fn kept() -> House {
    let mut house = House::kept();
    let records = Records { operators: vec![operator(99)], ..Records::default() };
    house.stored = StoredRecords::of(records);
    house.restart(false);
    house.join_key(99, "oscar", 99);
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.inboxes.clear();
    house
}

/// Returns with all up to that number. Returns whether there was a gap, and the number of messages.
fn comes_back(house: &mut House, id: u64, number: u8, since: serde_json::Value) -> (bool, usize) {
    let log = house.chat.lineage.as_ref().map(|log| log.id().to_owned());
    house.chat.connect(SessionId(id), House::peer(id, Some(key(number))));
    house.ask(
        id,
        json!({"type": "hello", "from": {"name": format!("n{number}")}, "since": since, "log": log}),
    );
    let end = house.take(id, "history").pop().expect("an end");
    (end.gap == Some(true), end.count.unwrap_or_default())
}

#[test]
fn operators_are_told_why_and_others_that_it_is_so_each_once() {
    let mut house = kept();
    set_keeping(&mut house, Some(FAILURE));
    let told = house.take(99, "notice");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].msg.contains(FAILURE) && told[0].stored == Some(false), "{told:?}");
    let told = house.take(1, "notice");
    assert_eq!((told.len(), told[0].stored), (1, Some(false)));
    assert!(!told[0].msg.contains(FAILURE) && told[0].msg.contains("administrator"), "{told:?}");
    set_keeping(&mut house, Some(FAILURE));
    assert_eq!(house.take(1, "notice"), []);
    set_keeping(&mut house, None);
    for id in [99, 1] {
        let told = house.take(id, "notice");
        assert_eq!((told.len(), told[0].stored), (1, Some(true)), "{id}");
    }
}

#[test]
fn whoever_comes_while_nothing_is_stored_is_told_and_operators_the_remedy() {
    let mut house = kept();
    set_keeping(&mut house, Some(FAILURE));
    house.join_key(98, "oscar", 99);
    let told = house.take(98, "notice");
    assert!(told.len() == 1 && told[0].msg.contains(FAILURE), "{told:?}");
    house.join_key(3, "carol", 3);
    assert_eq!(house.take(3, "notice").len(), 1);
    set_keeping(&mut house, None);
    house.join_key(4, "dave", 4);
    assert_eq!(house.take(4, "notice"), []);
}

#[test]
fn a_server_without_a_history_tells_operators_that_the_records_are_not_stored() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    set_keeping(&mut house, Some(FAILURE));
    let told = house.take(99, "notice");
    assert!(told.len() == 1 && told[0].msg.contains("bans") && told[0].msg.contains(FAILURE), "{told:?}");
    assert_eq!(house.take(1, "notice"), []);
}

#[test]
fn commands_that_change_something_say_that_it_is_not_stored_yet() {
    let mut house = kept();
    for command in
        ["/mute bob", "/unmute bob", "/ban bob", "/unban bob", "/op alice", "/admit bob", "/release bob"]
    {
        let done = house.console(command).expect(command);
        assert!(!done.contains("stored"), "{command}: {done}");
    }
    let mut house = kept();
    set_keeping(&mut house, Some(FAILURE));
    for command in
        ["/mute bob", "/unmute bob", "/ban bob", "/unban bob", "/admit bob", "/op alice", "/deop alice"]
    {
        let done = house.console(command).expect(command);
        assert!(
            done.contains("; not stored yet, and lost if") && done.ends_with(FAILURE),
            "{command}: {done}"
        );
    }
    house.say(99, "server", "/mute alice");
    let done = house.texts(99, "notice").pop().expect("an answer");
    assert!(done.starts_with("alice is muted") || done.starts_with("alice muted"), "{done}");
    assert!(done.contains("not stored yet"), "{done}");
    house.say(1, "all", "hello");
    assert_eq!(house.error(1).0, "muted", "it holds all the same");
    let done = house.console("/admit bob").expect("an answer");
    assert!(!done.contains("stored"), "nothing was changed: {done}");
}

#[test]
fn who_was_away_when_something_was_said_unstored_is_told_of_a_gap_and_nobody_else() {
    let mut house = kept();
    house.say(1, "all", "one");
    house.leave(2);
    set_keeping(&mut house, Some(FAILURE));
    house.join_key(3, "n3", 3);
    house.say(1, "all", "two");
    house.leave(3);
    assert_eq!(comes_back(&mut house, 12, 2, json!(1)), (true, 0), "bob was away, and it still fails");
    house.leave(12);
    assert_eq!(comes_back(&mut house, 22, 2, json!(1)), (false, 0), "nothing was said since");
    assert_eq!(comes_back(&mut house, 13, 3, json!(1)), (false, 0), "he has heard it");
    assert_eq!(comes_back(&mut house, 14, 4, json!(1)), (true, 0), "she was never seen since");
    set_keeping(&mut house, None);
    house.say(1, "all", "three");
    assert_eq!(comes_back(&mut house, 15, 5, json!(1)), (true, 1));
    assert_eq!(
        comes_back(&mut house, 16, 6, json!(2)),
        (false, 0),
        "a client with later messages knows already"
    );
    assert_eq!(
        comes_back(&mut house, 17, 7, json!(0)),
        (true, 2),
        "it names a log, so this is not a first visit"
    );
}

#[test]
fn nobody_is_told_of_a_gap_where_nothing_was_said_or_not_to_them() {
    let mut house = kept();
    house.enter(1, "#games");
    house.leave(2);
    set_keeping(&mut house, Some(FAILURE));
    assert_eq!(comes_back(&mut house, 12, 2, json!(0)), (false, 0));
    house.leave(12);
    house.say(1, "#games", "your move");
    house.say(99, "alice", "psst");
    assert_eq!(comes_back(&mut house, 22, 2, json!(0)), (false, 0), "bob is in no room");
    house.leave(1);
    house.join_key(11, "alice", 1);
    house.enter(11, "#games");
    house.leave(11);
    house.join_key(31, "other", 31);
    house.enter(31, "#games");
    house.say(31, "#games", "mine");
    assert!(comes_back(&mut house, 21, 1, json!(0)).0, "alice is");
}

#[test]
fn messages_that_failed_with_their_turn_are_missed_too() {
    let mut house = kept();
    house.say(1, "all", "one");
    house.leave(2);
    house.leave(99);
    let message = house.disk.as_ref().expect("a disk").messages.last().expect("a message").clone();
    // The first is stored, later ones are not.
    house.chat.seq += 1;
    house.act(|chat, now, out| chat.set_keeping(Some(FAILURE), 1, now, out));
    house.chat.not_stored(std::iter::once(&message));
    assert_eq!(comes_back(&mut house, 12, 2, json!(1)), (true, 0));
    assert!(comes_back(&mut house, 19, 99, json!(0)).0);
}

#[test]
fn since_a_time_a_gap_is_told_too() {
    let mut house = kept();
    house.leave(2);
    set_keeping(&mut house, Some(FAILURE));
    house.say(1, "all", "one");
    assert!(comes_back(&mut house, 12, 2, json!("2026-11-21T11:00:00Z")).0);
    assert!(!comes_back(&mut house, 13, 3, json!("2026-11-21T13:00:00Z")).0);
}

#[test]
fn without_a_history_a_gap_is_told_only_if_something_was_said_meanwhile() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    for (id, since) in [(2, json!(0)), (12, json!(7)), (22, json!("2026-11-21T11:00:00Z"))] {
        assert_eq!(comes_back(&mut house, id, 2, since), (false, 0), "nothing was said");
        house.leave(id);
    }
    house.say(1, "all", "one");
    assert_eq!(comes_back(&mut house, 32, 2, json!(0)), (true, 0), "he was here, and was away");
    house.leave(32);
    assert_eq!(comes_back(&mut house, 42, 2, json!(0)), (false, 0), "once");
    assert_eq!(comes_back(&mut house, 3, 3, json!(0)), (false, 0), "a first visit");
    assert_eq!(comes_back(&mut house, 4, 4, json!(7)), (true, 0), "he was here in another run");
    house.say(1, "all", "two");
    house.leave(1);
    assert_eq!(comes_back(&mut house, 11, 1, json!(0)), (false, 0), "she said it");
}

#[test]
fn operators_are_told_of_what_is_said_as_everybody_is_when_it_is_stored_again() {
    let mut house = kept();
    set_keeping(&mut house, Some(FAILURE));
    house.inboxes.clear();
    set_keeping(&mut house, None);
    let (operator, other) = (house.texts(99, "notice"), house.texts(1, "notice"));
    assert_eq!(operator, other);
    assert_eq!(operator.len(), 1);
}
