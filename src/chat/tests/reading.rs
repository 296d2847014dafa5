//! Read positions.

use super::*;
use crate::limits::{MAX_FRAME_BYTES, MAX_READ_POSITIONS, MAX_READ_POSITIONS_OF_USER, READ_GATHERED};
use crate::protocol::packet::ReadPosition;

fn place(name: Option<&str>, room: Option<&str>, seq: u64) -> ReadPosition {
    ReadPosition { name: name.map(str::to_owned), room: room.map(str::to_owned), seq }
}

/// A chat with ten messages, and alice with two sessions.
fn house() -> House {
    let mut house = House::kept();
    house.join_key(1, "alice", 1);
    house.join_key(2, "alice", 1);
    house.join_key(3, "bob", 2);
    (0..10).for_each(|_| house.say(3, "all", "text"));
    house.inboxes.clear();
    house
}

fn welcome(house: &mut House, id: u64) -> Vec<ReadPosition> {
    house.join_key(id, "alice", 1);
    house.take(id, "welcome").pop().expect("a welcome").read.unwrap_or_default()
}

#[test]
fn the_users_other_sessions_that_read_learn_how_far() {
    let mut house = house();
    house.send(1, r#"{"type":"read","seq":4}"#);
    assert!(house.take(2, "read").is_empty(), "an older client would only be puzzled");
    house.send(2, r#"{"type":"read","name":"bob","seq":1}"#);
    let read = house.take(1, "read");
    assert_eq!((read[0].name.as_deref(), read[0].seq), (Some("bob"), Some(1)));
    house.send(1, r##"{"type":"read","room":"#lobby","seq":7}"##);
    let read = house.take(2, "read");
    assert_eq!((read[0].name.as_deref(), read[0].room.as_deref(), read[0].seq), (None, None, Some(7)));
    assert!(house.take(3, "read").is_empty());
}

#[test]
fn a_position_only_goes_ahead_and_not_beyond_the_latest_message() {
    let mut house = house();
    house.send(1, r#"{"type":"read","seq":99}"#);
    house.send(2, r#"{"type":"read","seq":3}"#);
    assert_eq!(welcome(&mut house, 4), [place(None, None, 10)]);
    assert!(house.take(1, "read").is_empty());
}

#[test]
fn positions_outlive_a_restart_and_a_crash_a_little_later() {
    let mut house = house();
    house.send(1, r#"{"type":"read","name":"Bob","seq":4}"#);
    house.later(READ_GATHERED);
    house.send(1, r#"{"type":"read","seq":5}"#);
    house.restart(true);
    assert_eq!(welcome(&mut house, 11), [place(Some("Bob"), None, 4)]);
    house.send(11, r#"{"type":"read","seq":5}"#);
    house.act(|chat, now, out| while chat.keep_rest(now, out) {});
    house.restart(false);
    assert_eq!(welcome(&mut house, 21), [place(Some("Bob"), None, 4), place(None, None, 5)]);
}

#[test]
fn a_user_has_so_many_positions_and_the_oldest_goes() {
    let mut house = house();
    for number in 0..=MAX_READ_POSITIONS_OF_USER {
        house.send(1, &format!(r#"{{"type":"read","name":"user{number}","seq":1}}"#));
    }
    let read = welcome(&mut house, 4);
    assert_eq!((read.len(), read[0].name.as_deref()), (MAX_READ_POSITIONS_OF_USER, Some("user1")));
}

/// The account of that number, and its record with as many positions as a user may have.
fn reader(number: usize) -> (Account, ReadRecord) {
    let account = Account::Token(number.to_string().into());
    let places = (0..MAX_READ_POSITIONS_OF_USER).map(|at| place(Some(&format!("user{at}")), None, 5));
    let (places, changed) = (places.collect(), Timestamp::UNIX_EPOCH);
    (account.clone(), ReadRecord { account, places, changed })
}

#[test]
fn beyond_the_limit_for_all_those_who_have_not_read_for_longest_lose_theirs() {
    let full = MAX_READ_POSITIONS / MAX_READ_POSITIONS_OF_USER;
    let mut records: Vec<_> = (0..full).map(|number| reader(number).1).collect();
    // The first one comes back and reads.
    let places = vec![place(Some("carol"), None, 5)];
    records.push(ReadRecord { places, ..reader(0).1 });
    records.extend((full..full + 5).map(|number| reader(number).1));
    let table = reading::ReadTable::new(records, Some(3));
    let has = |number: &usize| !table.of(&reader(*number).0).is_empty();
    let lost: Vec<usize> = (0..full + 5).filter(|number| !has(number)).collect();
    assert_eq!(lost, [1, 2, 3, 4, 5]);
    let last = table.of(&reader(full).0);
    assert_eq!((last.len(), last[0].seq), (MAX_READ_POSITIONS_OF_USER, 3), "the history went back to 3");
}

#[test]
fn a_user_without_key_and_token_has_no_positions() {
    let mut house = House::kept();
    house.connect(1);
    house.send(1, r#"{"type":"hello","from":{"name":"guest"}}"#);
    house.send(1, r#"{"type":"read","seq":0}"#);
    assert!(house.take(1, "error").is_empty());
    house.send(1, r##"{"type":"read","name":"#x","seq":0}"##);
    assert_eq!(house.error(1).0, "bad_name");
}

#[test]
fn whatever_a_user_has_read_the_welcome_fits_into_a_frame() {
    // Control characters take six bytes each in JSON.
    let bad = |at: usize| "\u{1}".repeat(240) + &at.to_string();
    let mut house = house();
    house.send(1, &serde_json::json!({"type": "read", "name": bad(0), "seq": 1}).to_string());
    assert_eq!(house.error(1).0, "bad_name");
    // Letters of three bytes.
    let longest: Vec<String> =
        (0..MAX_READ_POSITIONS_OF_USER).map(|at| "한".repeat(30) + &format!("{at:02}")).collect();
    for name in &longest {
        house.send(1, &serde_json::json!({"type": "read", "name": name, "seq": 10}).to_string());
    }
    let read = welcome(&mut house, 4);
    assert_eq!(read.len(), MAX_READ_POSITIONS_OF_USER);
    let bytes = serde_json::to_string(&read).unwrap().len();
    assert!(bytes <= MAX_FRAME_BYTES / 4, "{bytes}");
    // Those that an earlier server stored.
    let account = Account::Token("old".into());
    let places = (0..63).map(|at| place(Some(&bad(at)), None, 1)).chain([place(Some("bob"), None, 1)]);
    let (places, changed) = (places.collect(), Timestamp::UNIX_EPOCH);
    let record = ReadRecord { account: account.clone(), places, changed };
    let table = reading::ReadTable::new(vec![record], Some(3));
    assert_eq!(table.of(&account), [place(Some("bob"), None, 1)]);
}
