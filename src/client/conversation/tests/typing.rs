//! Typed lines, and the users whom they reach; keys that users compare.

use super::*;

#[test]
fn a_users_key_is_verified_by_key_and_a_new_one_is_noticed() {
    let mut talk = Talk::new();
    let ask = |talk: &mut Talk, line: &str, key: Fingerprint| {
        assert_eq!(talk.line(line), "");
        let id = talk.sent().id;
        let user = UserInfo { name: "bob".into(), key: Some(key.to_string()), ..UserInfo::default() };
        talk.event(Event::Whois(user), id.as_deref())
    };
    assert!(ask(&mut talk, "/verify bob", OWN).ends_with("(Do they match? [y/N])"));
    assert!(text(talk.conversation.answered_question(true)).contains("verified: bob has the key"));
    assert!(ask(&mut talk, "/verify bob", OWN).contains("you verified bob's key on 2026-11-21"));
    let impostor = ask(&mut talk, "/verify bob", OFFICE);
    assert!(impostor.contains("! this is not the key that you verified for bob on 2026-11-21"), "{impostor}");
    assert!(ask(&mut talk, "/verify bob no", OWN).contains("bob's key is no longer verified"));
    assert!(ask(&mut talk, "/verify bob", OWN).ends_with("(Do they match? [y/N])"));
}

#[test]
fn a_reply_never_goes_to_somebody_who_has_just_come_in_between() {
    let mut talk = Talk::new();
    talk.says("bob", "alice", "the wifi password is?");
    talk.says("carol", "alice", "hey");
    assert_eq!(
        talk.line("/r it is hunter2"),
        "12:03 ! not sent: carol wrote to you just now, and bob before that; to answer bob: /msg bob TEXT\n\
         (back: /msg bob it is hunter2)"
    );
    talk.nothing_sent();
    talk.now.instant += Duration::from_secs(11);
    talk.line("/r hey yourself");
    assert_eq!(talk.sent().to.as_deref(), Some("carol"));
}

#[test]
fn what_other_programs_users_type_does_what_they_expect() {
    let mut talk = Talk::new();
    talk.roster.lock().add("bob");
    assert_eq!(talk.line("/query bob psst"), "(label)");
    let packet = talk.sent();
    assert_eq!((packet.to.as_deref(), packet.text()), (Some("bob"), "psst"));
    assert_eq!(talk.conversation.label(), "[@bob] ");
    talk.line("/join #a,#b");
    assert_eq!([talk.sent().room, talk.sent().room], [Some("#a".into()), Some("#b".into())]);
    talk.line("/names");
    assert_eq!(talk.sent().room, None);
    talk.line("/topic #games");
    let id = talk.sent().id;
    let room = RoomInfo { topic: None, ..info("#games", true) };
    assert_eq!(
        talk.event(Event::Room(room), id.as_deref()),
        "12:03 -- #games has no topic; to set one: /topic #games TEXT"
    );
}

#[test]
fn a_draft_goes_to_the_same_place_in_the_next_run() {
    let mut talk = Talk::new();
    assert_eq!(talk.conversation.addressed("hello"), "hello");
    talk.roster.lock().add("bob");
    talk.line("/query bob");
    assert_eq!(talk.conversation.addressed("hello"), "/msg bob hello");
    assert_eq!(talk.conversation.addressed("//etc"), "/msg bob /etc");
    assert_eq!(talk.conversation.addressed("/me waves"), "/me waves");
    assert_eq!(talk.conversation.addressed(""), "");
}

#[test]
fn a_crowd_that_is_not_named_in_full_is_asked_for() {
    let mut talk = Talk::new();
    let id = talk.roster_id.take();
    talk.event(Event::Users { room: None, users: Vec::new(), total: 1, next: None }, id.as_deref());
    let crowd = |names: &[&str], count| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Event::Joined(Crowd { room: None, names, count, total: 300 })
    };
    talk.event(crowd(&["bob"], 1), None);
    talk.nothing_sent();
    talk.event(crowd(&["carol"], 210), None);
    talk.event(crowd(&["dave"], 10), None);
    assert_eq!(talk.sent().kind.as_deref(), Some("users"));
    talk.nothing_sent();
}

#[test]
fn the_server_is_verified_once_and_stays_so_over_a_new_link() {
    let mut talk = Talk::new();
    let digits = OFFICE.spoken();
    assert!(talk.line("/status").contains(&format!("encrypted; the server's key {digits} is not verified")));
    let question = format!(
        "12:03 -- office's key: {digits}; compare it with the output of `lanchat fingerprint` on the server (/verify \
         yes confirms it)\n(Do they match? [y/N])"
    );
    let verified = format!("12:03 -- verified: office is the server with the key {digits}");
    assert_eq!(talk.line("/verify"), question);
    assert!(
        text(talk.conversation.answered_question(false))
            .contains("office is not verified; if the digits differ")
    );
    assert!(talk.line("/status").contains("is not verified yet"), "nothing is marked unasked");
    assert_eq!(talk.line("/verify"), question);
    assert_eq!(text(talk.conversation.answered_question(true)), verified);
    assert!(talk.line("/verify").contains("you verified office before"));
    assert!(talk.line("/verify no").contains("office is no longer verified"));
    assert!(talk.line("/status").contains("is not verified yet"));
    assert_eq!(talk.line("/verify yes"), verified);
    assert_eq!(text(talk.conversation.answered_question(true)), "", "there is no question");
    talk.lose("the connection was lost");
    assert!(talk.line("/verify").contains("you are not connected"));
    talk.connect("alice", None);
    assert!(talk.line("/status").contains(&format!("the server's key {digits} is verified")));
}

#[test]
fn digits_of_a_user_are_shown_to_be_compared() {
    let mut talk = Talk::new();
    for (key, expected) in [
        (Some(OWN.to_string()), format!("bob's key: {}; bob can compare it", OWN.spoken())),
        (None, "no key backs the name bob".to_owned()),
    ] {
        talk.line("/verify bob");
        let id = talk.sent().id;
        let user = UserInfo { name: "bob".into(), key, ..UserInfo::default() };
        let shown = talk.event(Event::Whois(user), id.as_deref());
        assert!(shown.contains(&expected), "{shown}");
    }
}

#[test]
fn a_reply_goes_to_who_wrote_last() {
    let mut talk = Talk::new();
    assert!(talk.line("/reply hi").contains("nobody has sent you a message yet"));
    talk.says("bob", "alice", "psst");
    talk.says("eve", "all", "hello");
    talk.says("alice", "eve", "from my other terminal");
    talk.line("/r hi");
    assert_eq!(talk.sent().to.as_deref(), Some("bob"));
}
