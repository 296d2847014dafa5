//! Rooms.

use super::*;

#[test]
fn a_room_that_is_joined_is_where_one_talks_until_one_leaves() {
    let mut talk = Talk::new();
    talk.line("/join #games");
    let join = talk.sent();
    assert_eq!((join.kind.as_deref(), join.room.as_deref()), (Some("join"), Some("#games")));
    let shown = talk.event(Event::Room(info("#games", true)), join.id.as_deref());
    assert_eq!(shown, "(label)");
    assert_eq!(talk.conversation.label(), "[#games] ");
    let users = talk.sent();
    assert_eq!((users.kind.as_deref(), users.room.as_deref()), (Some("users"), Some("#games")));
    let shown = talk.event(members("#games", &["alice"]), users.id.as_deref());
    assert_eq!(shown, "12:03 -- you joined #games: 1 user: alice\n12:03 -- topic: chess");
    let past = talk.sent();
    assert_eq!((past.room.as_deref(), past.limit), (Some("#games"), Some(20)));
    assert_eq!(talk.missed(1, "bob", "#games", "e4", past.id.as_deref()), "");
    assert_eq!(
        talk.event(end(1), past.id.as_deref()),
        "12:03 -- the last messages of #games:\n2026-11-20 09:30 <bob> e4\n\
         12:03 -- 1 message; there are no older ones"
    );
    assert_eq!(talk.says("bob", "#games", "e5"), "12:03 <bob> e5");
    assert_eq!(talk.says("bob", "all", "lunch?"), "12:03 #lobby <bob> lunch?");
    assert_eq!(talk.says("bob", "#Other", "hi"), "12:03 #Other <bob> hi");
    talk.line("hi");
    let hi = talk.sent();
    assert_eq!(hi.to.as_deref(), Some("#games"));
    assert_eq!(talk.receipt(&hi), "12:03 <alice> hi");
    talk.line("/part");
    let part = talk.sent();
    assert_eq!((part.kind.as_deref(), part.room.as_deref()), (Some("part"), Some("#games")));
    let shown = talk.event(Event::Room(info("#games", false)), part.id.as_deref());
    assert_eq!(shown, "12:03 -- you have left #games\n(label)");
    assert_eq!(talk.conversation.label(), "[#lobby] ");
    assert_eq!(talk.says("bob", "#games", "bye"), "12:03 #games <bob> bye");
    assert!(talk.line("/part").contains("you cannot leave the lobby"));
}

#[test]
fn a_room_can_be_talked_to_and_asked_about_without_being_in_it() {
    let mut talk = Talk::new();
    assert_eq!(talk.line("/query #games"), "");
    let asked = talk.sent();
    assert_eq!((asked.kind.as_deref(), asked.room.as_deref()), (Some("topic"), Some("#games")));
    assert_eq!(
        talk.event(Event::Room(info("#games", false)), asked.id.as_deref()),
        "12:03 -- you are not in #games, so you do not see its messages; to join: /join #games\n(label)"
    );
    assert_eq!(talk.conversation.label(), "[#games] ");
    talk.line("hello");
    let hello = talk.sent();
    assert_eq!(hello.to.as_deref(), Some("#games"));
    let refused = Event::error(Code::NoSuchRoom, "there is no #games");
    let shown = talk.event(refused, hello.id.as_deref());
    assert_eq!(shown, "12:03 ! there is no #games\n12:03 ! not sent: (to #games) hello");
    talk.line("/topic");
    let topic = talk.sent();
    assert_eq!(topic.room.as_deref(), Some("#games"));
    talk.event(Event::Room(info("#games", false)), topic.id.as_deref());
    assert_eq!(talk.conversation.label(), "[#games] ");
    assert!(talk.line("/query #two#words").contains('!') || talk.line("/query #").contains('!'));
}

#[test]
fn a_query_of_a_room_or_user_that_does_not_exist_leaves_the_user_where_they_are() {
    let mut talk = Talk::new();
    for (line, code) in [("/query #nope", Code::NoSuchRoom), ("/query nobody hello", Code::NoSuchUser)] {
        talk.line(line);
        let asked = talk.sent();
        let shown = talk.event(Event::error(code, "no such room"), asked.id.as_deref());
        assert!(shown.starts_with("12:03 ! no such room"), "{shown}");
        assert_eq!(talk.conversation.label(), "[#lobby] ");
        assert_eq!(shown.contains("(back: /query nobody hello)"), line.ends_with("hello"), "{shown}");
    }
    talk.nothing_sent();
    talk.line("/query carol hi");
    let asked = talk.sent();
    let last = Some("2026-11-20T09:30:00.000Z".into());
    let carol = UserInfo { name: "Carol".into(), last, ..UserInfo::default() };
    let shown = talk.event(Event::Whois(carol), asked.id.as_deref());
    assert_eq!(shown, "12:03 -- Carol is offline and will get your messages later\n(label)");
    assert_eq!(talk.conversation.label(), "[@Carol] ");
    assert_eq!(talk.sent().to.as_deref(), Some("Carol"));
}

#[test]
fn the_rooms_one_is_in_are_known_from_the_welcome() {
    let mut talk = Talk::fresh();
    talk.come(Welcome { rooms: vec![info("#games", true)], ..office() }, None);
    assert_eq!(talk.line("/query #games"), "(label)");
    assert_eq!(talk.roster.lock().rooms("", None).collect::<Vec<_>>(), ["#games"]);
    // Left in another terminal.
    assert!(talk.event(Event::Room(info("#games", false)), None).ends_with("(label)"));
    assert_eq!(talk.conversation.label(), "[#lobby] ");
}

#[test]
fn who_comes_to_a_room_is_not_counted_for_the_lobby() {
    let mut talk = Talk::new();
    let (room, names) = (Some("#games".into()), vec!["bob".into()]);
    let crowd = Crowd { room, names, count: 1, total: 7 };
    assert_eq!(talk.event(Event::Joined(crowd.clone()), None), "12:03 -> bob joined #games; 7 here");
    assert_eq!(talk.event(Event::Left(crowd), None), "12:03 <- bob left #games; 7 here");
    assert!(talk.line("/status").contains("2 users here"));
}

fn members(room: &str, names: &[&str]) -> Event {
    let user = |name: &&str| UserInfo { name: (*name).into(), key: Some(OWN.tag()), ..UserInfo::default() };
    let users: Vec<_> = names.iter().map(user).collect();
    Event::Users { room: Some(room.into()), total: users.len(), users, next: None }
}

fn crowd(room: &str, names: &[&str], total: usize) -> Crowd {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    Crowd { room: Some(room.into()), count: names.len(), names, total }
}

#[test]
fn who_was_in_a_room_before_is_no_news_to_who_joins_it() {
    let mut talk = Talk::new();
    talk.line("/join #eta");
    let join = talk.sent();
    talk.event(Event::Room(RoomInfo { topic: None, ..info("#eta", true) }), join.id.as_deref());
    let users = talk.sent();
    // The list comes a moment later, and has these, too.
    assert_eq!(talk.event(Event::Joined(crowd("#eta", &["carol"], 2)), None), "");
    let shown = talk.event(members("#eta", &["alice", "bob", "carol"]), users.id.as_deref());
    assert_eq!(shown, "12:03 -- you joined #eta: 3 users: alice, bob, carol");
    assert_eq!(
        talk.event(Event::Joined(crowd("#eta", &["bob", "carol", "dan"], 4)), None),
        "12:03 -> dan joined #eta; 4 here"
    );
    talk.event(Event::Left(crowd("#eta", &["bob"], 3)), None);
    assert_eq!(
        talk.event(Event::Joined(crowd("#eta", &["bob"], 4)), None),
        "12:03 -> bob joined #eta; 4 here"
    );
}

#[test]
fn without_a_list_of_its_users_all_joins_of_a_room_are_told() {
    let mut talk = Talk::new();
    talk.line("/join #eta");
    let join = talk.sent();
    talk.event(Event::Room(info("#eta", true)), join.id.as_deref());
    let users = talk.sent();
    talk.event(Event::error(Code::RateLimited, "slow down"), users.id.as_deref());
    assert!(talk.event(Event::Joined(crowd("#eta", &["dan"], 4)), None).contains("dan joined #eta"));
}

#[test]
fn joining_a_room_again_only_switches_to_it() {
    let mut talk = Talk::at_prompt();
    talk.event(Event::Room(info("#games", true)), None);
    assert_eq!(talk.line("/join #games"), "(label)\n── #games ──");
    assert_eq!(talk.line("/join #games"), "12:03 -- you are in #games already");
    talk.nothing_sent();
}

#[test]
fn a_rule_stands_between_joining_a_room_and_its_history() {
    let mut talk = Talk::at_prompt();
    talk.line("/join #games");
    let join = talk.sent();
    assert_eq!(talk.event(Event::Room(info("#games", true)), join.id.as_deref()), "(label)");
    let users = talk.sent();
    assert_eq!(
        talk.event(members("#games", &["alice", "bob"]), users.id.as_deref()),
        "12:03 -- you joined #games: 2 users: alice, bob\n12:03 -- topic: chess\n── #games ──"
    );
}

#[test]
fn a_new_topic_is_confirmed_as_others_see_it() {
    let mut talk = Talk::new();
    talk.line("/topic #games chess");
    let id = talk.sent().id;
    let shown = talk.event(Event::Room(info("#games", true)), id.as_deref());
    assert_eq!(shown, "12:03 -- you set the topic of #games: chess");
    talk.line("/topic #games -");
    let id = talk.sent().id;
    let none = RoomInfo { topic: None, ..info("#games", true) };
    assert_eq!(talk.event(Event::Room(none), id.as_deref()), "12:03 -- you cleared the topic of #games");
}

#[test]
fn rooms_that_are_gone_are_no_longer_completed() {
    let mut talk = Talk::new();
    let names = |talk: &Talk| talk.roster.lock().rooms("", None).map(str::to_owned).collect::<Vec<_>>();
    for room in ["#dev", "#games", "#old"] {
        talk.event(Event::Room(info(room, true)), None);
    }
    talk.event(Event::Room(info("#dev", false)), None);
    assert_eq!(names(&talk), ["#games", "#old", "#dev"], "joined ones first");
    talk.event(Event::Room(RoomInfo { members: 0, here: 0, ..info("#old", false) }), None);
    assert_eq!(names(&talk), ["#games", "#dev"]);
    talk.line("/rooms");
    let id = talk.sent().id;
    talk.event(Event::Rooms { rooms: vec![info("#games", true)], total: 1, next: None }, id.as_deref());
    assert_eq!(names(&talk), ["#games"]);
}
