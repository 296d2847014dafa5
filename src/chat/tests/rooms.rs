//! Rooms: members, who receives messages, and what outlives a restart.

use super::*;
use crate::limits::{MAX_ROOMS_PER_USER, MAX_TOPIC_BYTES, NAME_TRIED};
use serde_json::json;

impl House {
    pub(super) fn ask(&mut self, id: u64, request: serde_json::Value) {
        self.send(id, &request.to_string());
    }

    pub(super) fn enter(&mut self, id: u64, room: &str) -> Option<ServerPacket> {
        self.ask(id, json!({"type": "join", "room": room}));
        self.take(id, "room").pop()
    }

    fn forget_inboxes(&mut self) {
        self.later(PRESENCE_WINDOW);
        self.inboxes.clear();
    }
}

fn kept(people: &[(u64, &str)]) -> House {
    let mut house = House::kept();
    for (id, name) in people {
        house.join_key(*id, name, u8::try_from(*id).expect("a small number"));
    }
    house.forget_inboxes();
    house
}

#[test]
fn what_is_said_in_a_room_reaches_its_members_and_nobody_else() {
    let mut house = kept(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    let made = house.enter(1, "#Games").expect("an answer");
    assert_eq!((made.room.as_deref(), made.members, made.joined), (Some("#Games"), Some(1), Some(true)));
    assert_eq!(house.enter(2, "#games").expect("an answer").room.as_deref(), Some("#Games"));
    house.ask(1, json!({"to": "#GAMES", "msg": "chess?", "id": "1"}));
    let heard = house.take(2, "chat").pop().expect("a message");
    assert_eq!((heard.to.as_str(), heard.msg.as_str()), ("#Games", "chess?"));
    assert_eq!(house.take(1, "sent").len(), 1);
    assert!(house.take(3, "chat").is_empty());
    // Anyone may write to a room, but only members receive the answer.
    house.say(3, "#games", "may I?");
    assert_eq!((house.texts(1, "chat"), house.texts(3, "chat")), (vec!["may I?".into()], vec![]));
}

#[test]
fn a_room_that_is_not_there_is_answered_with_the_nearest() {
    let mut house = kept(&[(1, "alice")]);
    house.enter(1, "#games");
    house.say(1, "#gmaes", "hello");
    let (code, msg) = house.error(1);
    assert_eq!(code, "no_such_room");
    assert!(msg.contains("did you mean #games?") && msg.contains("/join #gmaes creates it"), "{msg}");
    for (request, code) in [
        (json!({"type": "join", "room": "games"}), "bad_room"),
        (json!({"type": "join", "room": "#two words"}), "bad_room"),
        (json!({"type": "part", "room": "#lobby"}), "bad_room"),
        (json!({"type": "part", "room": "#none"}), "no_such_room"),
        (json!({"type": "topic", "room": "#none", "topic": "x"}), "no_such_room"),
        (json!({"type": "users", "room": "#none"}), "no_such_room"),
        (json!({"type": "history", "room": "#none"}), "no_such_room"),
    ] {
        house.ask(1, request.clone());
        assert_eq!(house.error(1).0, code, "{request}");
    }
}

#[test]
fn a_room_goes_with_its_topic_when_the_last_member_parts() {
    let mut house = kept(&[(1, "alice"), (2, "bob")]);
    house.enter(1, "#games");
    house.enter(2, "#games");
    house.ask(1, json!({"type": "topic", "room": "#games", "topic": "chess\nand go"}));
    assert_eq!(house.take(1, "room")[0].topic.as_deref(), Some("chess and go"));
    assert_eq!(house.texts(2, "topic"), ["alice set the topic of #games: chess and go"]);
    house.ask(1, json!({"type": "part", "room": "#games"}));
    assert_eq!(house.take(1, "room")[0].joined, Some(false));
    house.ask(2, json!({"type": "part", "room": "#games"}));
    house.ask(2, json!({"type": "rooms"}));
    assert_eq!(house.take(2, "rooms")[0].total, Some(0));
    house.restart(true);
    assert_eq!(house.chat.rooms.len(), 0);
    house.join_key(11, "alice", 1);
    assert_eq!(house.enter(11, "#games").expect("an answer").topic, None);
}

#[test]
fn members_and_topics_outlive_a_crash_and_who_comes_back_is_in_their_rooms() {
    let mut house = kept(&[(1, "alice"), (2, "bob")]);
    house.enter(1, "#games");
    house.enter(2, "#games");
    house.enter(1, "#tea");
    house.ask(1, json!({"type": "topic", "room": "#tea", "topic": "green"}));
    house.restart(true);
    house.join_key(11, "alice", 1);
    let welcome = house.take(11, "welcome").pop().expect("a welcome");
    let rooms: Vec<_> =
        welcome.rooms.expect("rooms").into_iter().map(|room| (room.name, room.topic)).collect();
    assert_eq!(rooms, [("#games".into(), None), ("#tea".into(), Some("green".into()))]);
    house.join_key(12, "bob", 2);
    house.say(12, "#games", "still here?");
    assert_eq!(house.texts(11, "chat"), ["still here?"]);
}

#[test]
fn all_sessions_of_a_user_are_in_a_room_together() {
    let mut house = kept(&[(1, "alice")]);
    house.join_key(11, "alice", 1);
    house.join_key(12, "alice-work", 1);
    house.forget_inboxes();
    house.enter(1, "#games");
    for other in [11, 12] {
        assert_eq!(house.take(other, "room")[0].joined, Some(true), "{other}");
    }
    house.say(11, "#games", "hello");
    assert_eq!(
        (house.texts(1, "chat"), house.texts(12, "chat")),
        (vec!["hello".into()], vec!["hello".into()])
    );
    house.forget_inboxes();
    // Joining again changes nothing and notifies nobody.
    assert!(house.enter(1, "#games").is_some_and(|room| room.joined == Some(true)));
    assert!(house.inboxes.get(&11).is_none_or(Vec::is_empty));
    house.ask(12, json!({"type": "part", "room": "#games"}));
    assert_eq!(house.take(1, "room")[0].joined, Some(false));
}

#[test]
fn comings_and_goings_of_a_room_are_gathered_and_told_its_members() {
    let mut house = kept(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    house.enter(1, "#games");
    house.forget_inboxes();
    house.enter(2, "#games");
    house.enter(3, "#games");
    assert!(house.take(1, "joined").is_empty());
    house.later(PRESENCE_WINDOW);
    let joined = house.take(1, "joined").pop().expect("comings");
    assert_eq!(
        (joined.room.as_deref(), joined.names, joined.total),
        (Some("#games"), Some(vec!["bob".into(), "eve".into()]), Some(3))
    );
    house.ask(2, json!({"type": "part", "room": "#games"}));
    house.later(PRESENCE_WINDOW);
    assert_eq!(house.texts(1, "left"), ["bob left #games"]);
    assert!(house.take(2, "left").is_empty());
    // The sender's arrival must come before the message.
    house.enter(2, "#games");
    house.say(2, "#games", "me again");
    let kinds: Vec<_> =
        house.inboxes.remove(&1).expect("packets").into_iter().filter_map(|p| p.kind).collect();
    assert_eq!(kinds, ["joined", "chat"]);
}

#[test]
fn a_clients_rooms_end_with_it_if_it_can_not_be_known_again() {
    let mut house = kept(&[(1, "alice")]);
    house.connect(2);
    house.send(2, r#"{"from":{"name":"guest"},"to":"server","msg":"hello"}"#);
    house.enter(2, "#guests");
    house.ask(2, json!({"type": "topic", "room": "#guests", "topic": "welcome"}));
    house.enter(1, "#guests");
    house.leave(2);
    house.restart(true);
    house.join_key(11, "alice", 1);
    let rooms = house.take(11, "welcome").pop().and_then(|welcome| welcome.rooms).expect("rooms");
    assert_eq!(
        (rooms[0].name.as_str(), rooms[0].topic.as_deref(), rooms[0].members),
        ("#guests", Some("welcome"), 1)
    );
}

#[test]
fn only_members_and_operators_set_a_topic_and_the_lobbys_is_the_operators() {
    let mut house = House::with_operator();
    house.join(1, "alice");
    house.join(2, "bob");
    house.enter(1, "#games");
    let topic = |room: &str, topic: &str| json!({"type": "topic", "room": room, "topic": topic});
    house.ask(2, topic("#games", "mine"));
    assert_eq!(house.error(2).0, "not_allowed");
    house.ask(1, topic("#lobby", "mine"));
    assert_eq!(house.error(1).0, "not_allowed");
    house.ask(1, topic("#games", &"x".repeat(MAX_TOPIC_BYTES + 1)));
    assert_eq!(house.error(1).0, "too_long");
    house.ask(99, topic("#games", "the operator's"));
    house.ask(99, topic("#lobby", "everything"));
    assert_eq!(house.texts(1, "topic").len(), 2);
    house.ask(2, json!({"to": "server", "msg": "/topic"}));
    assert_eq!(house.texts(2, "room"), ["you are in #lobby: everything (3 users here)"]);
    house.ask(99, topic("#lobby", ""));
    assert_eq!(house.texts(1, "topic"), ["oscar cleared the topic of #lobby"]);
}

#[test]
fn rooms_have_bounds_and_those_of_whom_nobody_knows_any_more_make_room() {
    let mut house = kept(&[(1, "alice")]);
    for n in 0..MAX_ROOMS_PER_USER {
        house.enter(1, &format!("#room{n}")).expect("a room");
    }
    house.enter(1, "#more");
    house.ask(1, json!({"type": "join", "room": "#more"}));
    assert_eq!(house.error(1).0, "too_many_rooms");
    house.leave(1);
    let rooms = (MAX_ROOMS_PER_USER..crate::limits::MAX_ROOMS).map(|n| format!("#room{n}"));
    for (n, room) in rooms.enumerate() {
        let number = u8::try_from(2 + n / MAX_ROOMS_PER_USER).expect("a small number");
        let name = RoomName::new(&room).expect("a room");
        house.chat.rooms.join(super::super::who::Who::Account(Account::Key(key(number)).into()), &name, 0);
    }
    house.join(299, "newcomer");
    house.ask(299, json!({"type": "join", "room": "#one-more"}));
    assert!(house.texts(299, "error")[0].contains("not new here"));
    house.join_key(301, "bob", 200);
    house.later(NAME_TRIED);
    house.leave(301);
    house.join_key(300, "bob", 200);
    house.ask(300, json!({"type": "join", "room": "#one-more"}));
    // None of these keys owns a name.
    assert!(house.take(300, "room").pop().is_some());
    let swept = crate::limits::ROOMS_SWEPT * MAX_ROOMS_PER_USER;
    assert!((1..=swept).contains(&(crate::limits::MAX_ROOMS + 1 - house.chat.rooms.len())));
    house.ask(300, json!({"type": "users", "room": "#room0"}));
    assert!(house.take(300, "users").pop().is_some());
}

#[test]
fn who_joins_room_after_room_is_told_to_wait() {
    let mut house = House::new();
    house.join(1, "alice");
    let joined = (0..20).filter(|n| house.enter(1, &format!("#room{n}")).is_some()).count();
    assert_eq!(joined, crate::limits::JOIN_BURST as usize);
    house.ask(1, json!({"type": "join", "room": "#more"}));
    assert_eq!(house.error(1).0, "rate_limited");
}

#[test]
fn lists_of_rooms_and_of_their_users_come_in_pages() {
    let mut house = kept(&[(1, "alice"), (2, "bob")]);
    let many = |n: usize| format!("#{n:03}");
    for n in 0..150 {
        let who = super::super::who::Who::Account(
            Account::Key(key(100 + u8::try_from(n / 32).expect("few"))).into(),
        );
        house.chat.rooms.join(who, &RoomName::new(&many(n)).expect("a room"), 0);
    }
    house.enter(1, "#000");
    house.ask(1, json!({"type": "rooms"}));
    let page = house.take(1, "rooms").pop().expect("a page");
    assert_eq!((page.rooms.as_ref().map(Vec::len), page.total), (Some(100), Some(150)));
    assert_eq!(page.rooms.expect("rooms").iter().filter(|room| room.joined).count(), 1);
    house.ask(1, json!({"type": "rooms", "after": page.next.expect("a next")}));
    let page = house.take(1, "rooms").pop().expect("a page");
    assert_eq!((page.rooms.map(|rooms| rooms.len()), page.next), (Some(50), None));
    house.enter(2, "#000");
    house.ask(2, json!({"to": "server", "msg": "/users #000 alice"}));
    assert_eq!(house.texts(2, "users"), ["2 users in #000: bob"]);
    assert!(house.console("/rooms #148").is_ok_and(|text| text.starts_with("150 rooms: #149")));
}

#[test]
fn what_a_room_is_about_is_kept_again_only_with_its_first_member_who_lasts() {
    let mut house = kept(&[(1, "alice"), (2, "bob")]);
    let topics = |house: &mut House, id: u64, room: &str| {
        house.is_holding = true;
        house.ask(id, json!({"type": "join", "room": room}));
        let kept = |step: &&Step| matches!(step, Step::Delivery(Delivery::Keep(Entry::Topic { .. })));
        let count = house.batch.iter().filter(kept).count();
        house.is_holding = false;
        house.settle();
        count
    };
    assert_eq!(topics(&mut house, 1, "#games"), 0, "it is about nothing yet");
    house.ask(1, json!({"type": "topic", "room": "#games", "msg": "chess"}));
    assert_eq!(topics(&mut house, 2, "#games"), 0, "it is kept already");
    // A guest has no key: while only guests are in a room, nothing of it is kept.
    house.connect(3);
    house.ask(3, json!({"type": "hello", "from": {"name": "guest"}}));
    house.enter(3, "#talk");
    house.ask(3, json!({"type": "topic", "room": "#talk", "msg": "tea"}));
    assert_eq!(topics(&mut house, 1, "#talk"), 1);
}
