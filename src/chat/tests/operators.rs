//! Operators are keys.

use super::*;
use crate::limits::{OPERATOR_CODE_TIME, OPERATOR_CODE_TRIES, OPERATOR_CODE_TRIES_IN_ALL};

const CODE: &str = "4827-1163";
const TOKEN: &str = "a-secret-of-the-data-directory";

impl House {
    fn offering() -> Self {
        let mut house = Self::new();
        house.chat.offer_operator(0, CODE, TOKEN, OPERATOR_CODE_TIME);
        house
    }

    fn may(&mut self, id: u64) -> bool {
        self.say(id, "server", "/bans");
        let inbox = self.inboxes.remove(&id).unwrap_or_default();
        inbox.iter().any(|packet| packet.kind.as_deref() == Some("bans"))
    }
}

#[test]
fn the_code_makes_one_key_an_operator_once() {
    let mut house = House::offering();
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.send(1, r#"{"to":"server","msg":"/op 4827-1163","id":"o"}"#);
    let answer = house.take(1, "operator").pop().expect("an answer");
    assert_eq!((answer.operator, answer.id.as_deref()), (Some(true), Some("o")));
    assert!(house.may(1));
    house.send(2, r#"{"type":"op","name":"48271163"}"#);
    assert_eq!(house.error(2).0, "not_allowed");
    assert!(!house.may(2));
    house.join_key(3, "alice", 1);
    assert_eq!(house.take(3, "welcome")[0].operator, Some(true), "in every session of that key");
    let mut house = house.restarted();
    house.join_key(4, "alicia", 1);
    assert!(house.may(4));
}

/// A user with a key of their own types it, from that network.
fn types_code(house: &mut House, number: u8, network: u8, code: &str) -> (String, String) {
    let key = Some(Fingerprint::new([number; 32]));
    let ip = [10, 0, network, number].into();
    house.join_peer(
        number.into(),
        &format!("u{number}"),
        Peer { ip, key, encrypted: true, local: false, web: false },
    );
    house.say(number.into(), "server", &format!("/op {code}"));
    house.error(number.into())
}

#[test]
fn wrong_codes_of_one_network_are_counted_and_do_not_make_it_void_for_others() {
    let mut house = House::offering();
    for n in 0..OPERATOR_CODE_TRIES {
        let (code, msg) = types_code(&mut house, n, 1, "0000-0000");
        assert_eq!(code, "not_allowed");
        let left = OPERATOR_CODE_TRIES - n - 1;
        assert!(msg.contains(&format!("{left} attempt")), "{msg}");
    }
    assert_eq!(types_code(&mut house, 49, 1, "4827-1163").0, "rate_limited", "nor does a right one count");
    assert!(!house.may(49));
    assert_eq!(house.log.len(), usize::from(OPERATOR_CODE_TRIES));
    house.join_key(50, "bob", 50);
    house.say(50, "server", "/op 4827-1163");
    assert!(house.may(50));
}

#[test]
fn wrong_codes_of_many_networks_make_it_void() {
    let mut house = House::offering();
    for n in 0..OPERATOR_CODE_TRIES_IN_ALL {
        types_code(&mut house, n, 1 + n / OPERATOR_CODE_TRIES, "0000-0000");
    }
    house.join_key(99, "late", 99);
    house.say(99, "server", "/op 4827-1163");
    assert!(house.error(99).1.starts_with("the code is no longer valid"));
    assert!(!house.may(99));
}

#[test]
fn the_code_ends_after_its_time() {
    let mut house = House::offering();
    house.join_key(1, "alice", 1);
    house.later(OPERATOR_CODE_TIME);
    house.say(1, "server", "/op 4827-1163");
    assert_eq!(house.error(1).0, "not_allowed");
    assert!(!house.may(1));
}

#[test]
fn nobody_becomes_an_operator_without_a_key() {
    let mut house = House::offering();
    house.join(1, "alice");
    for packet in
        [r#"{"type":"op","name":"4827-1163"}"#.to_owned(), format!(r#"{{"type":"op","token":"{TOKEN}"}}"#)]
    {
        house.send(1, &packet);
        assert_eq!(house.error(1).0, "key_required");
    }
    let refusal = house.console("/op alice").expect_err("no key");
    assert_eq!(
        (refusal.code, refusal.msg.as_str()),
        (Code::KeyRequired, "alice has no key, so the server cannot recognise them later")
    );
    house.join_key(2, "bob", 2);
    house.say(2, "server", "/op 4827-1163");
    assert!(house.may(2), "the code was not used up");
}

#[test]
fn the_secret_of_the_data_directory_makes_operators_as_often_as_wanted() {
    let mut house = House::offering();
    for n in 1..=2 {
        house.join_key(n.into(), &format!("u{n}"), n);
        house.send(n.into(), r#"{"type":"op","token":"a-secret-of-the-data-directorx"}"#);
        assert_eq!(house.error(n.into()).0, "not_allowed");
        house.send(n.into(), &format!(r#"{{"type":"op","token":"{TOKEN}"}}"#));
        assert!(house.may(n.into()));
    }
    let mut none = House::new();
    none.join_key(1, "alice", 1);
    none.send(1, r#"{"type":"op","token":""}"#);
    assert_eq!(none.error(1).0, "not_allowed", "without a secret, there is no way in");
}

#[test]
fn operators_make_operators_and_give_up_their_own_power_only() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.say(99, "server", "/op ALICE");
    assert_eq!(house.texts(99, "notice"), ["alice is an operator now"]);
    assert_eq!(house.texts(1, "operator"), ["oscar made you an operator; /help lists the commands"]);
    assert!(house.may(1));
    house.say(99, "server", "/deop alice");
    assert_eq!(house.error(99).0, "not_allowed");
    house.say(1, "server", "/deop alice");
    let told = house.take(1, "operator").pop().expect("told");
    assert_eq!(told.operator, Some(false));
    assert!(!house.may(1));
    house.console(&format!("/deop key:{}", key(99))).expect("done");
    assert!(!house.may(99));
    assert!(house.console("/deop oscar").is_err());
}

#[test]
fn operators_and_members_may_enter_a_closed_server() {
    let rules = Rules { closed: true, ..Rules::default() };
    let mut house = House::with(rules, Records { operators: vec![operator(9)], ..Records::default() });
    assert!(!house.chat.is_member(&key(1)) && house.chat.is_member(&key(9)));
    house.act(|chat, now, out| chat.add_member(key(1), [10, 0, 0, 1].into(), "alice", now, out));
    let mut house = house.restarted();
    assert!(house.chat.is_member(&key(1)));
    house.connect(1);
    house.send(1, r#"{"type":"ping"}"#);
    assert_eq!(house.take(1, "pong")[0].closed, Some(true));
    house.join_key(2, "alice", 1);
    assert_eq!(house.take(2, "welcome")[0].closed, Some(true));
}

#[test]
fn help_lists_the_operators_commands_for_operators() {
    let mut house = House::with_operator();
    house.join(1, "alice");
    for (id, listed) in [(1, false), (99, true)] {
        house.say(id, "server", "/help");
        assert_eq!(house.texts(id, "notice")[0].contains("/unban"), listed);
    }
}
