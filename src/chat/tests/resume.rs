//! Returning clients get what they missed, and learn of messages that were never stored.

use super::*;
use crate::protocol::Since;
use crate::protocol::packet::LogEnd;
use serde_json::json;

fn hello(house: &mut House, id: u64, number: u8, since: serde_json::Value, log: &str) {
    house.chat.connect(SessionId(id), House::peer(id, Some(key(number))));
    house.ask(
        id,
        json!({"type": "hello", "from": {"name": format!("user{number}")}, "since": since, "log": log}),
    );
}

fn told(house: &mut House, id: u64) -> (Vec<String>, ServerPacket) {
    let mut inbox = house.inboxes.remove(&id).unwrap_or_default();
    let end = inbox.pop().expect("an end");
    assert_eq!(end.kind.as_deref(), Some("history"));
    let said = inbox.into_iter().filter(|packet| packet.history == Some(true)).map(|packet| packet.msg);
    (said.collect(), end)
}

fn talk(count: usize) -> House {
    let mut house = House::kept();
    house.join_key(9, "speaker", 9);
    for n in 1..=count {
        house.say(9, "all", &n.to_string());
    }
    house
}

#[test]
fn who_was_away_is_told_what_they_missed_and_where_the_live_stream_begins() {
    let mut house = talk(20);
    hello(&mut house, 1, 1, json!(12), "disk");
    let (said, end) = told(&mut house, 1);
    assert_eq!(said, (13..=20).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!((end.count, end.seq, end.gap), (Some(8), Some(20), None));
    house.say(9, "all", "live");
    let live = house.take(1, "chat").pop().expect("a message");
    assert_eq!((live.msg.as_str(), live.history, live.seq), ("live", None, Some(21)));
}

#[test]
fn who_has_nothing_yet_gets_the_newest_and_a_number_alone_is_believed() {
    let mut house = talk(20);
    hello(&mut house, 1, 1, json!(0), "");
    let (said, end) = told(&mut house, 1);
    assert_eq!((said, end.gap), ((16..=20).map(|n| n.to_string()).collect(), None));
    let mut house = talk(20);
    hello(&mut house, 1, 1, json!(12), "");
    assert_eq!(told(&mut house, 1).0, (13..=20).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// A chat that has sent 1 to 20, and 21 to 30 since its last start.
fn twice() -> House {
    let mut house = talk(20);
    house.restart(false);
    house.join_key(8, "speaker", 9);
    for n in 21..=30 {
        house.say(8, "all", &n.to_string());
    }
    house
}

#[test]
fn over_a_restart_a_point_stays_one() {
    let mut house = twice();
    hello(&mut house, 1, 1, json!(18), "disk");
    let welcome = house.inboxes[&1][0].clone();
    assert_eq!(
        (welcome.log.as_deref(), welcome.since, welcome.rewound),
        (Some("disk1"), Some(Since::Seq(18)), None)
    );
    let before = LogEnd { log: "disk".into(), last: 20 };
    assert_eq!(welcome.logs, Some(vec![before]));
    let (said, end) = told(&mut house, 1);
    assert_eq!((said, end.gap), ((19..=30).map(|n| n.to_string()).collect(), None));
}

#[test]
fn who_has_what_is_not_here_any_more_is_given_all_since_the_common_end_and_told_of_the_gap() {
    // A point in the previous incarnation, above its end; a point in a lost one, together with the previous
    // one; a number that this start has not assigned yet.
    let lost = json!([{"log": "disk", "last": 20}]);
    for (since, log, logs, common) in
        [(25, "disk", json!(null), 20), (70, "lost", lost, 20), (31, "disk1", json!(null), 20)]
    {
        let mut house = twice();
        house.chat.connect(SessionId(1), House::peer(1, Some(key(1))));
        let from = json!({"name": "user1"});
        house.ask(1, json!({"type": "hello", "from": from, "since": since, "log": log, "logs": logs}));
        let welcome = house.inboxes[&1][0].clone();
        assert_eq!((welcome.since, welcome.rewound), (Some(Since::Seq(common)), Some(true)), "{log}");
        let (said, end) = told(&mut house, 1);
        assert_eq!((said, end.gap), ((21..=30).map(|n| n.to_string()).collect(), Some(true)), "{log}");
    }
    // Without new messages, there is still a gap.
    let mut house = talk(20);
    house.restart(false);
    hello(&mut house, 1, 1, json!(25), "disk");
    let (said, end) = told(&mut house, 1);
    assert_eq!((said.len(), end.seq, end.gap), (0, Some(20), Some(true)));
}

#[test]
fn a_stranger_gets_all_since_this_start_the_newest_of_before_and_the_mail_that_waits() {
    for (since, log, is_back) in [(12, "another", true), (999, "", true), (0, "another", false)] {
        let mut house = talk(18);
        house.join_key(1, "user1", 1);
        house.leave(1);
        house.say(9, "user1", "mail");
        house.say(9, "all", "20");
        house.restart(false);
        house.join_key(8, "speaker", 9);
        house.say(8, "all", "21");
        hello(&mut house, 2, 1, json!(since), log);
        let welcome = house.inboxes[&2][0].clone();
        assert_eq!((welcome.since, welcome.rewound), (Some(Since::Seq(0)), is_back.then_some(true)), "{log}");
        let (said, end) = told(&mut house, 2);
        assert_eq!(
            (said, end.gap),
            (["16", "17", "18", "mail", "20", "21"].map(str::to_owned).to_vec(), Some(true))
        );
    }
}

#[test]
fn a_stranger_that_knows_of_incarnations_gets_all_wherever_the_history_was_put_back() {
    for logs in [json!([]), json!([{"log": "deleted", "last": 9}])] {
        let mut house = talk(18);
        house.restart(true);
        house.chat.connect(SessionId(1), House::peer(1, Some(key(1))));
        let from = json!({"name": "user1"});
        house.ask(1, json!({"type": "hello", "from": from, "since": 25, "log": "lost", "logs": logs}));
        let (said, end) = told(&mut house, 1);
        assert_eq!((said, end.gap), ((1..=18).map(|n| n.to_string()).collect(), Some(true)), "{logs}");
    }
}

#[test]
fn who_tells_no_number_is_told_of_no_others() {
    let mut house = twice();
    house.join_key(1, "user1", 1);
    let welcome = house.take(1, "welcome").remove(0);
    assert_eq!((welcome.log.as_deref(), welcome.logs, welcome.since), (Some("disk1"), None, None));
    hello(&mut house, 2, 2, json!("2026-11-21T12:00:30Z"), "");
    let welcome = house.take(2, "welcome").remove(0);
    assert_eq!((welcome.logs.map(|logs| logs.len()), welcome.since, welcome.rewound), (Some(1), None, None));
}

#[test]
fn a_time_is_a_point_too() {
    let mut house = talk(3);
    house.later(Duration::from_secs(60));
    house.say(9, "all", "later");
    hello(&mut house, 1, 1, json!("2026-11-21T12:00:30Z"), "");
    assert_eq!(told(&mut house, 1).0, ["later"]);
}

#[test]
fn who_missed_nothing_is_told_so_at_once_and_a_first_packet_without_a_point_says_nothing() {
    let mut house = talk(3);
    hello(&mut house, 1, 1, json!(3), "disk");
    assert_eq!(told(&mut house, 1).1.count, Some(0));
    house.join_key(2, "user2", 2);
    assert!(house.take(2, "history").is_empty());
    let mut house = House::new();
    hello(&mut house, 1, 1, json!(7), "disk");
    let (_, end) = told(&mut house, 1);
    assert_eq!((end.count, end.gap), (Some(0), None), "nothing is kept here, and nothing was said");
}

#[test]
fn who_can_not_be_known_again_follows_at_once() {
    let mut house = talk(3);
    house.connect(1);
    house.send(1, r#"{"type":"hello","from":{"name":"guest"},"since":1}"#);
    let (said, end) = told(&mut house, 1);
    assert_eq!((said.len(), end.gap), (0, Some(true)));
}

#[test]
fn while_nothing_can_be_stored_everybody_is_told_and_messages_have_no_number() {
    let mut house = talk(3);
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.leave(2);
    house.act(|chat, now, out| chat.set_keeping(Some("a full disk"), 3, now, out));
    house.act(|chat, now, out| chat.set_keeping(Some("a full disk"), 3, now, out));
    assert_eq!(house.take(9, "notice").len(), 1);
    house.ask(1, json!({"to": "all", "msg": "hi", "id": "x"}));
    let sent = house.take(1, "sent").pop().expect("a receipt");
    assert_eq!((sent.seq, sent.stored), (None, Some(false)));
    assert_eq!(house.take(9, "chat").pop().map(|packet| packet.seq), Some(None));
    house.say(1, "bob", "hi");
    assert_eq!(house.error(1).0, "not_stored");
    assert!(house.enter(1, "#games").is_some());
    house.act(|chat, now, out| chat.set_keeping(None, 3, now, out));
    house.ask(1, json!({"to": "all", "msg": "again", "id": "y"}));
    let sent = house.take(1, "sent").pop().expect("a receipt");
    assert_eq!((sent.seq, sent.stored), (Some(4), None));
}

#[test]
fn a_message_sent_again_is_answered_with_the_first_ones_number_and_heard_once() {
    let mut house = talk(3);
    house.join_key(1, "alice", 1);
    for _ in 0..2 {
        house.ask(1, json!({"to": "all", "msg": "hi", "id": "x"}));
        assert_eq!(house.take(1, "sent").pop().and_then(|sent| sent.seq), Some(4));
    }
    assert_eq!(house.texts(9, "chat"), ["hi"]);
}
