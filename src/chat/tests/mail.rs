//! Direct messages to users who are away, and to several sessions.

use super::*;
use crate::limits::MAX_WAITING_OF_AUTHOR_FOR_ONE;
use serde_json::json;

/// Alice (key 1) and bob (key 2) own their names; bob has left.
pub(super) fn bob_is_away() -> House {
    let mut house = House::kept();
    house.join_key(1, "alice", 1);
    house.join_key(2, "Bob", 2);
    house.leave(2);
    house.inboxes.clear();
    house
}

pub(super) fn write(house: &mut House, id: u64, to: &str, msg: &str) -> Option<ServerPacket> {
    house.ask(id, json!({"to": to, "msg": msg, "id": msg}));
    house.take(id, "sent").pop()
}

/// Bob joins, with these members in his hello.
fn bob_comes(house: &mut House, id: u64, since: Option<u64>) {
    house.chat.connect(SessionId(id), House::peer(id, Some(key(2))));
    // A client that has nothing yet knows no history.
    let log = since.filter(|since| *since > 0).map(|_| "disk");
    house.ask(id, json!({"type": "hello", "from": {"name": "bob"}, "since": since, "log": log}));
}

#[test]
fn a_message_to_somebody_who_is_away_waits_and_its_author_is_told_when_it_came() {
    let mut house = bob_is_away();
    let sent = write(&mut house, 1, "BOB", "lunch?").expect("a receipt");
    assert_eq!((sent.waits, sent.name.as_deref()), (Some(true), Some("Bob")));
    assert_eq!(sent.msg, "Bob is offline; the message waits for them");
    write(&mut house, 1, "bob", "or tea?");
    house.restart(true);
    house.join_key(11, "alice", 1);
    bob_comes(&mut house, 12, Some(0));
    let inbox = house.inboxes.remove(&12).expect("packets");
    let kinds: Vec<_> = inbox.iter().map(|packet| packet.kind.as_deref().unwrap_or_default()).collect();
    assert_eq!(kinds, ["welcome", "chat", "chat", "history"]);
    assert_eq!((inbox[1].msg.as_str(), inbox[1].history, inbox[3].count), ("lunch?", Some(true), Some(2)));
    assert!(house.take(11, "delivered").is_empty());
    house.ask(12, json!({"type": "received", "seq": inbox[3].seq}));
    let told = house.take(11, "delivered").pop().expect("news");
    assert_eq!((told.name.as_deref(), told.count, told.last), (Some("Bob"), Some(2), inbox[2].seq));
    assert_eq!(told.msg, "Bob has received 2 messages that waited");
    house.ask(12, json!({"type": "received", "seq": inbox[3].seq}));
    bob_comes(&mut house, 13, Some(0));
    assert!(house.take(11, "delivered").is_empty() && house.take(13, "chat").is_empty());
}

#[test]
fn a_client_that_knows_nothing_of_all_that_gets_its_mail_too_and_once() {
    let mut house = bob_is_away();
    write(&mut house, 1, "bob", "lunch?");
    house.join_key(12, "bob", 2);
    assert_eq!(house.texts(12, "chat"), ["lunch?"]);
    assert_eq!(house.texts(1, "delivered"), ["Bob has received 1 message that waited"]);
    house.leave(12);
    house.join_key(13, "bob", 2);
    assert!(house.take(13, "chat").is_empty());
}

#[test]
fn an_author_who_is_away_is_told_later() {
    let mut house = bob_is_away();
    write(&mut house, 1, "bob", "lunch?");
    house.leave(1);
    house.join_key(12, "bob", 2);
    house.restart(true);
    house.join_key(11, "alice", 1);
    assert_eq!(house.texts(11, "delivered"), ["Bob has received 1 message that waited"]);
    assert_eq!(house.disk.as_ref().map(Disk::untold), Some(0));
}

#[test]
fn what_has_arrived_is_told_although_the_server_crashed_before_it_said_so() {
    let mut house = bob_is_away();
    write(&mut house, 1, "bob", "lunch?");
    house.is_holding = true;
    house.join_key(12, "bob", 2);
    house.flush();
    house.advance(12);
    house.advance(12);
    // The switch, and then the acknowledgement; the crash loses what follows.
    house.flush();
    house.flush();
    assert_eq!(house.disk.as_ref().map(Disk::untold), Some(1));
    house.is_holding = false;
    house.restart(true);
    house.join_key(11, "alice", 1);
    house.inboxes.clear();
    assert_eq!(house.chat.due(), Some(Duration::ZERO));
    house.later(Duration::ZERO);
    assert_eq!(house.texts(11, "delivered"), ["Bob has received 1 message that waited"]);
}

#[test]
fn only_names_with_an_owner_are_known_while_nobody_is_here_under_them() {
    let mut house = bob_is_away();
    house.join(3, "carol");
    house.leave(3);
    for (to, near) in [("carol", ""), ("bbo", " did you mean Bob?")] {
        house.say(1, to, "hi");
        let (code, msg) = house.error(1);
        assert_eq!((code.as_str(), msg.contains(near)), ("no_such_user", true), "{msg}");
    }
    // The owner is online under another name.
    house.join_key(12, "robert", 2);
    assert_eq!(write(&mut house, 1, "bob", "hi").and_then(|sent| sent.waits), None);
    assert_eq!(house.take(12, "chat").pop().map(|packet| packet.to), Some("Bob".into()));
}

#[test]
fn without_a_history_nobody_is_written_to_who_is_away() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.leave(2);
    house.say(1, "bob", "hi");
    let (code, msg) = house.error(1);
    assert_eq!(code, "no_history");
    assert!(msg.starts_with("bob is offline, and this server does not store"), "{msg}");
    house.ask(1, json!({"type": "history"}));
    assert_eq!(house.error(1).0, "no_history");
}

#[test]
fn a_message_to_an_address_is_in_the_mail_of_all_who_are_there_and_of_its_author() {
    let mut house = House::kept();
    house.join_key(1, "alice", 1);
    house.join_key(11, "alice", 1);
    house.join_key(2, "bob", 2);
    house.join_key(12, "bob", 2);
    house.say(1, "10.0.0.2", "you there");
    for id in [2, 11, 12] {
        assert_eq!(house.texts(id, "chat"), ["you there"], "{id}");
    }
    let disk = house.disk.as_ref().expect("a disk");
    let accounts: Vec<_> = disk.messages[0].mail.iter().map(|mail| mail.account.clone()).collect();
    assert_eq!(accounts, [Account::Key(key(2)), Account::Key(key(1))]);
}

#[test]
fn a_note_to_oneself_waits_for_oneself() {
    let mut house = House::kept();
    house.chat.connect(SessionId(1), House::peer(1, Some(key(1))));
    house.ask(1, json!({"type": "hello", "from": {"name": "alice"}, "mode": "send"}));
    assert_eq!(write(&mut house, 1, "alice", "milk").and_then(|sent| sent.waits), Some(true));
    house.leave(1);
    house.join_key(2, "alice", 1);
    assert_eq!(house.texts(2, "chat"), ["milk"]);
    assert!(house.take(2, "delivered").is_empty());
}

#[test]
fn what_is_kept_of_others_is_read_by_those_two_only() {
    let mut house = bob_is_away();
    house.join_key(3, "eve", 3);
    house.join(4, "guest");
    house.connect(5);
    house.send(5, r#"{"from":{"name":"nobody"},"to":"server","msg":"hello"}"#);
    house.ask(1, json!({"type": "history", "name": "bob", "limit": 5000}));
    let scope = Scope::Mail(Account::Key(key(1)), Account::Key(key(2)));
    assert_eq!(
        house.questions.pop(),
        Some((1, Question::History(Wanted { scope, before: None, limit: 200, deleted: false })))
    );
    house.ask(5, json!({"type": "history", "name": "bob"}));
    assert_eq!(house.error(5).0, "key_required");
    house.ask(3, json!({"type": "history", "name": "nobody"}));
    assert_eq!(house.error(3).0, "no_such_user");
    house.enter(3, "#games");
    house.ask(3, json!({"to": "server", "msg": "/search red tea from:bob"}));
    let Some((3, Question::Search(Search { words, from, view, limit, .. }))) = house.questions.pop() else {
        panic!()
    };
    assert_eq!((words.as_str(), from.as_deref(), limit), ("red tea", Some("bob"), 20));
    assert_eq!(view.account, Some(Account::Key(key(3))));
    let rooms: Vec<_> = view.rooms.iter().map(|(room, since)| (room.as_str(), *since)).collect();
    assert_eq!(rooms, [("#lobby", 0), ("#games", 0)]);
    house.ask(1, json!({"type": "search", "msg": "tea", "room": "#games"}));
    assert!(matches!(
        house.questions.pop(),
        Some((1, Question::Search(Search { view: View { account: None, .. }, .. })))
    ));
}

#[test]
fn what_waits_already_is_not_refused_when_it_is_sent_again() {
    let mut house = bob_is_away();
    let first = write(&mut house, 1, "bob", "lunch?").expect("a receipt");
    for n in 1..MAX_WAITING_OF_AUTHOR_FOR_ONE {
        assert!(write(&mut house, 1, "bob", &n.to_string()).is_some());
    }
    house.ask(1, json!({"to": "bob", "msg": "too many", "id": "z"}));
    assert_eq!(house.error(1).0, "mailbox_full");
    let again = |house: &mut House, to| write(house, 1, to, "lunch?").and_then(|sent| sent.seq);
    assert_eq!(again(&mut house, "BOB"), first.seq, "the mailbox is full, and it is in it");
    house.act(|chat, now, out| chat.set_keeping(Some("a full disk"), 3, now, out));
    assert_eq!(again(&mut house, "bob"), first.seq, "nothing can be stored, and it is");
    house.ask(1, json!({"to": "bob", "msg": "or tea?", "id": "y"}));
    assert_eq!(house.error(1).0, "not_stored");
    house.ask(1, json!({"to": "bob", "msg": "lunch?"}));
    assert_eq!(house.error(1).0, "not_stored", "a message without an id is not recognised");
}

#[test]
fn a_search_for_nothing_and_filters_that_are_none_are_refused_with_the_remedy() {
    let mut house = bob_is_away();
    house.join_key(3, "eve", 3);
    let quotes = "to search for it as text, put it in quotes";
    for (words, code, said) in [
        (r#""from:x" after:7d in:#lobby"#, "", ""),
        ("from:bob", "", ""),
        ("before:2026-11-21T12:00", "", ""),
        ("\"\"", "bad_packet", "needs a letter, a sign or an emoji"),
        ("\u{200d} from:bob", "bad_packet", "needs a letter, a sign or an emoji"),
        ("tea from:", "bad_command", "from: is empty; write it without spaces, such as from:alice"),
        ("tea in:games", "bad_room", "a room's name starts with #; try #games"),
        ("tea in:#none", "no_such_room", "there is no room #none"),
        (
            "tea after:yesterday",
            "bad_packet",
            "after:yesterday is not a time: expected a duration such as 2h or 7d",
        ),
        ("tea before:", "bad_command", "before: is empty"),
        ("in:", "bad_command", "in: is empty"),
        ("after:2h before:7d", "bad_packet", "nothing can match; swap them"),
        ("after:2026-11-21 before:2026-11-21", "bad_packet", "swap them"),
        ("after:7d before:2h", "", ""),
        ("fro:bob", "bad_command", "did you mean from:bob?"),
        ("from:a from:b", "bad_command", "from: appears twice"),
    ] {
        house.ask(3, json!({"to": "server", "msg": format!("/search {words}")}));
        if code.is_empty() {
            assert!(matches!(house.questions.pop(), Some((3, Question::Search(_)))), "{words}");
            continue;
        }
        let (found, text) = house.error(3);
        assert_eq!(found, code, "{words}");
        assert!(text.contains(said), "{words}: {text}");
        let has_remedy =
            [quotes, "put it in quotes", "emoji", "swap", "remove"].iter().any(|way| text.contains(way));
        assert!(code == "no_such_room" || has_remedy, "{words}: {text}");
    }
    house.ask(3, json!({"type": "search"}));
    assert!(house.error(3).1.contains("nothing to search for"));
    house.ask(3, json!({"type": "search", "since": 7}));
    assert!(house.error(3).1.contains("is a time"));
}

#[test]
fn news_of_mail_are_addressed_to_its_author_by_name() {
    let mut house = bob_is_away();
    write(&mut house, 1, "bob", "lunch?");
    house.join_key(12, "bob", 2);
    let told = house.take(1, "delivered").pop().expect("news");
    assert_eq!(told.to, "alice");
}

#[test]
fn a_search_for_what_nobody_has_said_is_refused() {
    let mut house = bob_is_away();
    for name in ["", "  "] {
        house.ask(1, json!({"type": "search", "msg": "lunch", "name": name}));
        assert_eq!(house.error(1).0, "bad_packet", "{name:?}");
    }
    assert!(house.questions.is_empty());
}
