//! Users who are here but do not read.

use super::*;

fn away(house: &mut House, id: u64, why: &str) {
    house.send(id, &serde_json::json!({"type": "away", "msg": why, "id": "a"}).to_string());
}

#[test]
fn a_writer_learns_that_the_recipient_is_away_and_why() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join_key(2, "carol", 2);
    away(&mut house, 2, " lunch ");
    assert_eq!(house.texts(2, "away"), ["you are away: lunch; /back ends it"]);
    house.send(1, r#"{"to":"carol","msg":"here?","id":"m"}"#);
    let sent = house.take(1, "sent").pop().expect("a receipt");
    assert_eq!(sent.msg, "sent; carol is away: lunch");
    assert_eq!(
        (sent.name.as_deref(), sent.away.as_deref(), sent.waits),
        (Some("carol"), Some("lunch"), None)
    );
    assert_eq!(house.texts(2, "chat"), ["here?"]);
    house.send(1, r#"{"to":"all","msg":"hello","id":"m2"}"#);
    assert_eq!(house.take(1, "sent").pop().expect("a receipt").away, None);
    house.send(2, r#"{"type":"back"}"#);
    assert_eq!(house.texts(2, "away"), ["you are back"]);
    house.send(1, r#"{"to":"carol","msg":"now?","id":"m3"}"#);
    assert_eq!(house.texts(1, "sent"), ["sent"]);
}

#[test]
fn others_see_it_in_lists_and_why_in_the_details() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join_key(2, "carol", 2);
    away(&mut house, 2, "lunch");
    house.send(1, r#"{"type":"users"}"#);
    let users = house.take(1, "users").pop().expect("a list").users.expect("users");
    assert_eq!(users.iter().map(|user| user.away.as_deref()).collect::<Vec<_>>(), [None, Some("")]);
    house.send(1, r#"{"type":"whois","name":"CAROL"}"#);
    let whois = house.take(1, "whois").pop().expect("details");
    assert_eq!(whois.user.expect("a user").away.as_deref(), Some("lunch"));
    assert!(whois.msg.contains(", away: lunch"), "{}", whois.msg);
}

#[test]
fn all_sessions_of_the_user_know_and_the_last_one_ends_it() {
    let mut house = House::new();
    house.join_key(1, "carol", 2);
    house.join_key(2, "carol", 2);
    house.inboxes.clear();
    away(&mut house, 1, "");
    assert_eq!(house.texts(2, "away"), ["you are away; /back ends it"]);
    house.join_key(3, "carol", 2);
    assert_eq!(house.take(3, "welcome")[0].away.as_deref(), Some(""));
    (1..4).for_each(|id| house.leave(id));
    house.join_key(4, "carol", 2);
    assert_eq!(house.take(4, "welcome")[0].away, None);
    house.leave(4);
    house.chat.check_empty();
}

#[test]
fn a_long_reason_is_refused() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    away(&mut house, 1, &"x".repeat(101));
    assert_eq!(house.error(1).0, "too_long");
}

#[test]
fn a_muted_user_may_be_away_but_not_say_why() {
    let mut house =
        House::with(Rules::default(), Records { operators: vec![operator(99)], ..Records::default() });
    house.join_key(99, "oscar", 99);
    house.join_key(1, "alice", 1);
    house.send(99, r#"{"type":"mute","name":"alice"}"#);
    away(&mut house, 1, "hear me");
    assert_eq!(house.error(1).0, "muted");
    away(&mut house, 1, " ");
    assert_eq!(house.texts(1, "away"), ["you are away; /back ends it"]);
    house.send(1, r#"{"type":"back"}"#);
    assert_eq!(house.texts(1, "away"), ["you are back"]);
}
