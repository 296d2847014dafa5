//! Keys in use under several names at once.

use super::mail::write;
use super::*;
use serde_json::json;

/// Pupils 1 and 2 at machines made from one image, a teacher and an operator.
fn class() -> House {
    let mut house = House::kept();
    house.join_key(9, "teacher", 9);
    house.join_key(1, "pupil1", 1);
    house.join_key(2, "pupil2", 1);
    house
}

fn notices(house: &mut House, id: u64) -> Vec<String> {
    house.texts(id, "notice")
}

#[test]
fn users_who_share_a_key_are_told_once_and_the_log_has_it() {
    let mut house = class();
    let (first, second) = (notices(&mut house, 1), notices(&mut house, 2));
    assert!(first.len() == 1 && first[0].starts_with("your key is also in use as pupil2 ("), "{first:?}");
    assert!(second.len() == 1 && second[0].starts_with("your key is also in use as pupil1 ("), "{second:?}");
    assert!(second[0].contains("delete client.pem"), "{second:?}");
    let line = format!("use the same key, {}", key(1));
    assert!(house.log.iter().filter(|logged| logged.contains(&line)).count() == 1, "{:?}", house.log);
    // The other user knows the name that comes again.
    house.leave(2);
    house.join_key(3, "pupil2", 1);
    assert!(notices(&mut house, 1).is_empty() && notices(&mut house, 3).len() == 1);
    // In a crowd, the server tells only the user who comes.
    house.join_key(4, "pupil4", 1);
    assert!(notices(&mut house, 1).is_empty() && notices(&mut house, 3).is_empty());
    assert_eq!((notices(&mut house, 4).len(), house.log.len()), (1, 2));
}

#[test]
fn operators_are_told_of_a_shared_key_and_several_sessions_under_one_name_are_nothing_special() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.join_key(2, "alice", 1);
    assert!(notices(&mut house, 1).is_empty() && notices(&mut house, 2).is_empty());
    house.join_key(3, "alicia", 1);
    let told = notices(&mut house, 99);
    assert!(
        told.len() == 1 && told[0].contains("perhaps their machines were made from one image"),
        "{told:?}"
    );
    house.leave(3);
    house.join_key(4, "alison", 1);
    assert!(notices(&mut house, 99).is_empty());
}

#[test]
fn each_name_of_a_shared_key_gets_only_its_own_direct_messages() {
    let mut house = class();
    write(&mut house, 9, "pupil1", "your mark");
    assert_eq!(house.texts(1, "chat"), ["your mark"]);
    write(&mut house, 1, "teacher", "thanks");
    write(&mut house, 9, "pupil2", "yours");
    assert_eq!(house.texts(2, "chat"), ["yours"]);
    assert!(house.texts(1, "chat").is_empty());
    let seq = write(&mut house, 9, "pupil1", "mary").expect("a receipt").seq;
    house.ask(9, json!({"type": "edit", "seq": seq, "msg": "mark", "id": "e"}));
    assert_eq!(
        (house.texts(1, "edited").len(), house.texts(2, "edited").len()),
        (1, 0),
        "a correction of it"
    );
    // One writes to the other.
    write(&mut house, 1, "pupil2", "who are you?");
    assert_eq!(house.texts(2, "chat"), ["who are you?"]);
    // The other name is away: its mail waits.
    house.leave(1);
    let sent = write(&mut house, 9, "pupil1", "see me").expect("a receipt");
    assert_eq!((sent.waits, sent.name.as_deref()), (Some(true), Some("pupil1")));
    assert!(house.texts(2, "chat").is_empty());
    // A program that reads along under a third name hears all of it.
    house.act(|chat, _, _| chat.connect(SessionId(5), House::peer(5, Some(key(1)))));
    house.send(5, r#"{"type":"hello","from":{"name":"log"},"mode":"tail","guest":true}"#);
    write(&mut house, 9, "pupil2", "again");
    assert_eq!(house.texts(5, "chat").last().map(String::as_str), Some("again"));
}

#[test]
fn a_conversation_follows_a_user_to_another_name() {
    let mut house = class();
    house.leave(2);
    house.send(1, r#"{"type":"nick","name":"anna"}"#);
    write(&mut house, 9, "pupil1", "still you?");
    assert_eq!(house.texts(1, "chat"), ["still you?"], "the old name is hers, and nobody uses it");
    let mut alone = House::kept();
    alone.join_key(9, "teacher", 9);
    alone.join_key(1, "bob", 1);
    alone.leave(1);
    alone.join_key(2, "bobby", 1);
    write(&mut alone, 9, "bob", "new name?");
    assert_eq!(alone.texts(2, "chat"), ["new name?"]);
}

#[test]
fn what_another_name_missed_is_not_caught_up_on() {
    let house = class();
    let mine = house.chat.other_names(SessionId(2));
    let message = |from: (&str, u8), to: (&str, u8)| Message {
        receiver: Some(Account::Key(key(to.1))),
        author: Some(Account::Key(key(from.1))),
        venue: Venue::Direct(to.0.into()),
        ..direct(from.0)
    };
    let (one, two, teacher) = (("pupil1", 1), ("Pupil2", 1), ("teacher", 9));
    assert!(mine.concerns(&message(teacher, one)) && mine.concerns(&message(one, teacher)));
    for (from, to) in [(teacher, two), (two, teacher), (one, two), (two, one), (teacher, teacher)] {
        assert!(!mine.concerns(&message(from, to)), "{from:?} {to:?}");
    }
    assert!(!house.chat.other_names(SessionId(9)).concerns(&message(teacher, one)));
}

/// A direct message.
fn direct(from: &str) -> Message {
    Message {
        seq: 1,
        at: Timestamp::UNIX_EPOCH,
        kind: Kind::Chat,
        venue: Venue::Direct(String::new()),
        receiver: None,
        from: crate::protocol::packet::Sender { name: from.into(), ip: String::new(), key: None },
        author: None,
        id: None,
        text: String::new(),
        reply: None,
        edited: false,
        mail: Vec::new(),
    }
}

#[test]
fn the_table_of_shared_keys_is_bounded() {
    let mut house = House::new();
    let table = &mut house.chat.shared_keys;
    table.fill();
    assert_eq!(table.sizes(), (crate::limits::MAX_SHARED_KEYS, crate::limits::MAX_NAMES_OF_SHARED_KEY));
}
