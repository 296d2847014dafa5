//! Operators, members and owners of names, online or offline.

use super::*;
use crate::limits::{KEYS_PER_PAGE, NAME_TRIED};

impl House {
    /// Lets a user join for a while and leave.
    fn away(&mut self, id: u64, name: &str, number: u8) {
        self.join_key(id, name, number);
        self.later(NAME_TRIED);
        self.leave(id);
    }

    /// The list, and where its next page starts.
    fn list(&mut self, request: &str) -> (Vec<String>, Option<String>) {
        self.send(99, request);
        let answer = self.inboxes.remove(&99).and_then(|mut inbox| inbox.pop()).expect("an answer");
        let keys = answer.keys.unwrap_or_else(|| panic!("{}", answer.msg));
        let shown = keys.into_iter().map(|info| format!("{} {}", info.name, info.key));
        (shown.collect(), answer.next)
    }
}

#[test]
fn somebody_who_is_away_is_made_an_operator_by_name_or_key() {
    let mut house = House::new();
    house.away(1, "alice", 1);
    assert_eq!(house.console("/op ALICE").expect("done"), "alice is an operator now");
    assert_eq!(
        house.console(&format!("/op key:{}", key(2))).expect("done"),
        format!("key:{} is an operator now", key(2))
    );
    house.join_key(3, "alice", 1);
    house.join_key(4, "bob", 2);
    assert!(house.chat.is_operator(SessionId(3)) && house.chat.is_operator(SessionId(4)));
    assert!(house.console("/op nobody").is_err() && house.console("/op ip:10.0.0.1").is_err());
}

#[test]
fn operators_members_and_owners_are_listed_a_page_at_a_time_for_operators() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    let shown = |name: &str, number: u8| format!("{name} {}", key(number));
    assert_eq!(house.list(r#"{"type":"operators"}"#), (vec![shown("op", 99)], None));
    assert_eq!(house.list(r#"{"type":"owners"}"#).0, [shown("alice", 1), shown("oscar", 99)]);
    for n in 0..=u8::try_from(KEYS_PER_PAGE).expect("a small number") {
        house.act(|chat, now, out| chat.add_member(key(100 + n), [10, 0, 0, 1].into(), "m", now, out));
    }
    let (first, next) = house.list(r#"{"type":"members"}"#);
    let next = next.expect("there are more");
    assert_eq!((first.len(), &next), (KEYS_PER_PAGE, &key(149).to_string()));
    let rest = house.list(&format!(r#"{{"type":"members","after":"{next}"}}"#));
    assert_eq!(rest, (vec![shown("m", 150)], None));
    for words in ["/operators", "/members", "/owners", "/admit bob", "/dismiss bob", "/release bob"] {
        house.say(1, "server", words);
        assert_eq!(house.error(1).0, "not_allowed", "{words}");
    }
}

#[test]
fn a_key_is_admitted_to_a_closed_server_and_dismissed() {
    let mut house = House::new();
    house.away(1, "alice", 1);
    house.console("/admit alice").expect("done");
    assert!(house.chat.is_member(&key(1)));
    let mut house = house.restarted();
    assert!(house.chat.is_member(&key(1)));
    assert!(house.console("/dismiss alice").expect("done").contains("needs the passphrase again"));
    assert!(!house.chat.is_member(&key(1)));
    let house = house.restarted();
    assert!(!house.chat.is_member(&key(1)));
}

#[test]
fn a_released_name_is_the_next_ones() {
    let mut house = House::with_operator();
    house.away(1, "alice", 1);
    house.join_key(2, "Alice", 2);
    assert!(!house.is_in(2));
    house.say(99, "server", "/release ALICE");
    assert!(house.texts(99, "notice")[0].starts_with("the name alice is free; it belonged to key:"));
    house.join_key(3, "Alice", 2);
    assert!(house.is_in(3) && house.owns("Alice"));
    let mut house = house.restarted();
    house.join_key(4, "alice", 1);
    assert!(!house.is_in(4), "and stays so");
    assert!(house.console("/release bob").is_err());
}

#[test]
fn nobody_but_the_console_takes_anything_from_an_operator() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.console("/op alice").expect("done");
    for words in ["/release alice", "/dismiss alice"] {
        house.say(99, "server", words);
        assert_eq!(house.error(99).0, "not_allowed", "{words}");
    }
    house.console("/release alice").expect("the console may");
    house.say(99, "server", "/release oscar");
    assert_eq!(house.texts(99, "notice").len(), 1, "one's own is one's own");
}

#[test]
fn somebody_who_is_away_is_told_of_and_never_suggested_in_their_own_place() {
    let mut house = House::new();
    house.away(1, "dave", 1);
    house.later(Duration::from_secs(3600));
    house.join(2, "bob");
    house.send(2, r#"{"type":"whois","name":"DAVE"}"#);
    let answer = house.take(2, "whois").pop().expect("an answer");
    let user = answer.user.expect("a user");
    assert_eq!((user.name.as_str(), user.key), ("dave", Some(key(1).to_string())));
    assert_eq!(user.last.as_deref(), Some("2026-11-21T12:10:00Z"));
    assert!(
        answer.msg.starts_with("dave is offline, last seen 2026-11-21T12:10:00Z, key "),
        "{}",
        answer.msg
    );
    let refusal = house.console("/kick dave").expect_err("not here");
    assert_eq!(refusal.msg, "dave is offline; /users lists who is here");
    let refusal = house.console("/kick davey").expect_err("nobody");
    assert!(refusal.msg.contains("did you mean dave?"), "{}", refusal.msg);
}
