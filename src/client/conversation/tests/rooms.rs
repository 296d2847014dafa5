//! Rooms.

use super::*;

#[test]
fn a_room_that_is_joined_is_where_one_talks_until_one_leaves() {
    let mut talk = Talk::new();
    talk.line("/join #games");
    let join = talk.sent();
    assert_eq!((join.kind.as_deref(), join.room.as_deref()), (Some("join"), Some("#games")));
    let shown = talk.event(Event::Room(info("#games", true)), join.id.as_deref());
    assert_eq!(shown, "12:03 -- you are in #games: chess (1 user here, 1 offline)\n(label)");
    assert_eq!(talk.conversation.label(), "[#games] ");
    let (users, past) = (talk.sent(), talk.sent());
    assert_eq!((users.kind.as_deref(), users.room.as_deref()), (Some("users"), Some("#games")));
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
    assert_eq!(
        talk.line("/query #games"),
        "12:03 -- you are not in #games, so you do not see its messages; to join: /join #games\n(label)"
    );
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
