//! Notifications, unread messages in several rooms, and missed messages, at a prompt.

use super::*;
use crate::client::preferences::{NotifyLevel, PresenceLevel};
use crate::protocol::event::Absent;
use crate::protocol::packet::ReadPosition;

const BELL: &str = "(call: ";

impl Talk {
    /// At a prompt, as a member of these rooms.
    fn in_rooms(rooms: &[&str]) -> Self {
        let mut talk = Self::at_prompt();
        for room in rooms {
            talk.event(Event::Room(info(room, true)), None);
        }
        talk
    }

    fn label(&self) -> String {
        self.conversation.label()
    }

    fn alt_a(&mut self) -> String {
        text(self.conversation.go_on())
    }

    /// The next request of that type.
    fn request(&mut self, kind: &str) -> ClientPacket {
        loop {
            let packet = self.sent();
            if packet.kind.as_deref() == Some(kind) {
                return packet;
            }
        }
    }
}

#[test]
fn a_mention_has_a_sign_and_calls_and_a_part_of_a_word_does_not() {
    let mut talk = Talk::at_prompt();
    let shown = talk.says("bob", "all", "Alice: look");
    assert!(shown.starts_with("12:03 >bob< Alice: look\n(call: bob Alice: look)"), "{shown}");
    assert_eq!(talk.says("bob", "all", "malice"), "12:03 <bob> malice");
    talk.conversation.view.preferences.highlight = vec!["deploy".into()];
    assert!(talk.says("eve", "all", "the DEPLOY broke").contains(">eve<"));
    assert_eq!(talk.conversation.title().as_deref(), Some("(2) lanchat office"));
    talk.conversation.look();
    assert_eq!(talk.conversation.title().as_deref(), Some("lanchat office"));
    let own = talk.says("alice", "all", "alice says: deploy");
    assert_eq!(own, "12:03 <alice> alice says: deploy", "from another terminal");
}

#[test]
fn a_direct_message_calls_and_a_bell_rings_once_in_two_seconds() {
    let mut talk = Talk::at_prompt();
    assert!(talk.says("bob", "alice", "psst").contains(BELL));
    assert!(!talk.says("bob", "alice", "psst").contains(BELL), "too soon");
    talk.now.instant += Duration::from_secs(2);
    assert!(talk.says("bob", "alice", "psst").contains(BELL));
    talk.now.instant += Duration::from_secs(2);
    assert!(talk.line("/dnd 1h").contains("no bells or notifications until 13:03"));
    assert!(!talk.says("bob", "alice", "psst").contains(BELL));
    assert_eq!(talk.label(), "[#lobby · @bob 4] ");
    talk.now.instant += Duration::from_secs(3600);
    assert!(talk.says("bob", "alice", "psst").contains(BELL));
    talk.conversation.view.preferences.bell = NotifyLevel::Off;
    talk.now.instant += Duration::from_secs(3600);
    assert!(!talk.says("bob", "alice", "psst").contains(BELL));
    assert!(talk.line("/dnd 1x").contains("invalid duration"));
}

#[test]
fn every_line_says_its_place_in_more_than_the_lobby() {
    let mut talk = Talk::at_prompt();
    assert_eq!(talk.says("bob", "all", "hi"), "12:03 <bob> hi");
    talk.event(Event::Room(info("#dev", true)), None);
    assert_eq!(talk.says("bob", "all", "hi"), "12:03 #lobby <bob> hi");
    assert_eq!(talk.says("bob", "#dev", "hi"), "12:03 #dev   <bob> hi");
    talk.line("/query #dev");
    assert_eq!(talk.says("bob", "#dev", "hi"), "12:03 #dev   <bob> hi");
    talk.event(Event::Room(info("#dev", false)), None);
    assert_eq!(talk.says("bob", "all", "hi"), "12:03 <bob> hi");
}

#[test]
fn the_prompt_counts_what_is_unread_and_one_key_goes_there() {
    let mut talk = Talk::in_rooms(&["#dev", "#ops"]);
    talk.says("bob", "#dev", "one");
    talk.says("bob", "#ops", "alice?");
    talk.says("carol", "alice", "psst");
    talk.says("bob", "#dev", "two");
    assert_eq!(talk.label(), "[#lobby · ops 1! · @carol 1 · dev 2] ");
    assert_eq!(talk.alt_a(), "(label)");
    assert_eq!(talk.label(), "[#ops · @carol 1 · dev 2] ");
    let read = talk.request("read");
    assert_eq!((read.room.as_deref(), read.seq), (Some("#ops"), Some(2)));
    let history = talk.request("history");
    assert_eq!((history.room.as_deref(), history.limit), (Some("#ops"), Some(21)));
    let id = history.id.as_deref();
    assert_eq!(talk.missed(1, "bob", "#ops", "read before", id), "");
    talk.missed(2, "bob", "#ops", "alice?", id);
    let shown = talk.event(end(2), id);
    assert!(shown.starts_with("── #ops: new since 12:03 ──\n"), "{shown}");
    assert!(shown.ends_with("#ops   >bob< alice?"), "{shown}");
    talk.alt_a();
    assert_eq!(talk.label(), "[@carol · dev 2] ");
    talk.alt_a();
    assert_eq!(talk.label(), "[#dev] ");
    talk.frames.try_recv().ok();
    while talk.next_sent().is_some() {}
    assert_eq!(talk.alt_a(), "(label)\n── #lobby ──");
    assert_eq!(talk.alt_a(), "12:03 -- you have read everything");
}

#[test]
fn focus_counts_other_places_and_going_there_shows_them() {
    let mut talk = Talk::in_rooms(&["#dev"]);
    assert!(talk.line("/focus on").contains("only this room or conversation"));
    assert_eq!(talk.says("bob", "#dev", "one"), "");
    assert!(talk.conversation.waits(), "a new label is due soon");
    assert!(talk.says("bob", "#dev", "alice: two").starts_with("12:03 #dev   >bob< alice: two"));
    assert!(talk.says("carol", "alice", "psst").contains("[carol -> you] psst"));
    assert!(talk.says("bob", "all", "here").contains("#lobby <bob> here"));
    assert_eq!(talk.label(), "[#lobby · dev 2! · @carol 1] ");
    assert_eq!(talk.line("/query #dev"), "(label)");
    assert_eq!(talk.request("history").room.as_deref(), Some("#dev"));
    assert!(talk.line("/focus off").contains("as they come"));
    assert!(talk.says("bob", "all", "there").contains("<bob> there"));
}

#[test]
fn without_a_history_focus_hides_nothing() {
    let mut talk = Talk::at_prompt();
    talk.lose("the connection was lost");
    talk.come(Welcome { log: None, rooms: vec![info("#dev", true)], ..office() }, None);
    assert!(talk.line("/focus on").contains("keeps no history"));
    assert!(talk.says("bob", "#dev", "one").contains("<bob> one"));
}

#[test]
fn what_another_terminal_has_read_is_read() {
    let mut talk = Talk::in_rooms(&["#dev"]);
    talk.says("bob", "#dev", "one");
    talk.says("bob", "#dev", "two");
    talk.says("bob", "alice", "psst");
    let read = |room: Option<&str>, name: Option<&str>, seq| Event::Read {
        room: room.map(str::to_owned),
        name: name.map(str::to_owned),
        seq,
    };
    talk.event(read(Some("#dev"), None, 1), None);
    assert_eq!(talk.label(), "[#lobby · @bob 1 · dev 2] ");
    talk.event(read(Some("#dev"), None, 2), None);
    talk.event(read(None, Some("bob"), 3), None);
    assert_eq!(talk.label(), "[#lobby] ");
    talk.says("bob", "#dev", "three");
    talk.says("alice", "#dev", "from the other terminal");
    assert_eq!(talk.label(), "[#lobby] ");
}

#[test]
fn a_server_that_takes_no_positions_is_asked_once() {
    let mut talk = Talk::at_prompt();
    while talk.next_sent().is_some() {}
    talk.says("bob", "all", "one");
    talk.conversation.look();
    let read = talk.sent();
    assert_eq!((read.kind.as_deref(), read.seq, read.room), (Some("read"), Some(1), None));
    assert_eq!(talk.event(Event::error(Code::UnknownType, "no"), read.id.as_deref()), "");
    talk.says("bob", "all", "two");
    talk.conversation.look();
    talk.nothing_sent();
}

#[test]
fn what_was_missed_ends_with_a_digest_and_what_is_for_the_user() {
    let mut talk = Talk::in_rooms(&["#dev"]);
    talk.says("bob", "all", "hello");
    talk.lose("the connection was lost");
    let read = vec![ReadPosition { name: None, room: Some("#dev".into()), seq: 40 }];
    talk.come(Welcome { rooms: vec![info("#dev", true)], read, ..office() }, None);
    assert_eq!(talk.missed(2, "ivan", "all", "alice: can you?", None), "");
    talk.missed(3, "bob", "alice", "are you there?", None);
    (4..40).for_each(|seq| assert_eq!(talk.missed(seq, "bob", "all", &format!("m{seq}"), None), ""));
    talk.missed(40, "eve", "#dev", "read elsewhere", None);
    talk.missed(41, "eve", "#dev", "tests", None);
    let shown = talk.event(end(41), None);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "── new since 2026-11-20 09:30 ──");
    assert_eq!(lines[1], "12:03 -- ... 25 earlier lines: /missed shows all");
    assert!(lines[2].ends_with("<bob> m26"), "{shown}");
    let rest = &lines[lines.len() - 3..];
    assert_eq!(rest[0], "── 40 messages while you were away: #lobby 37 (1 for you), #dev 2, 1 direct ──");
    assert!(
        shown.contains("── 40")
            && rest[1] == "2026-11-20 09:30 #lobby >ivan< alice: can you?"
            && rest[2].ends_with("[bob -> you] are you there?"),
        "{shown}"
    );
    assert_eq!(talk.label(), "[#lobby · @bob 1 · dev 1] ");
    assert!(!shown.contains(BELL));
    assert!(talk.line("/missed").lines().count() > 38);
}

#[test]
fn a_few_missed_messages_come_as_they_are() {
    let mut talk = Talk::at_prompt();
    talk.says("bob", "all", "hello");
    talk.lose("the connection was lost");
    talk.come(office(), None);
    talk.missed(2, "bob", "all", "there?", None);
    let shown = talk.event(end(2), None);
    assert!(shown.starts_with("── new since 2026-11-20 09:30 ──\n"), "{shown}");
    assert!(shown.contains("<bob> there?\n── 1 message while you were away ──"), "{shown}");
    talk.lose("the connection was lost");
    talk.seq = 2;
    talk.come(office(), None);
    talk.missed(3, "bob", "all", "half", None);
    let lost = talk.lose("the connection was lost");
    assert!(lost.contains("<bob> half") && !lost.contains("while you were away"), "{lost}");
}

#[test]
fn an_ignored_user_is_silent_under_any_name() {
    let mut talk = Talk::at_prompt();
    talk.line("/ignore bob 1h");
    let whois = talk.request("whois");
    let bob = UserInfo { name: "bob".into(), key: Some(OWN.to_string()), ..UserInfo::default() };
    let shown = talk.event(Event::Whois(bob), whois.id.as_deref());
    assert!(shown.contains("you no longer see messages from bob until 13:03 (by key, so under any name)"));
    assert_eq!(talk.says("bob", "all", "alice!"), "");
    assert_eq!(talk.says("bob", "alice", "psst"), "");
    let renamed = Event::Renamed { old: "bob".into(), name: "rob".into() };
    talk.event(renamed, None);
    assert_eq!(talk.says("rob", "all", "hello"), "");
    assert_eq!(talk.label(), "[#lobby] ");
    assert!(talk.line("/r hi").contains("nobody has sent you a message yet"));
    assert!(talk.line("/ignore").contains("you ignore rob (until 13:03)"));
    assert!(talk.line("/unignore Rob").contains("you see messages from Rob again"));
    assert!(talk.says("rob", "all", "hello").contains("<rob> hello"));
    assert!(talk.line("/unignore rob").contains("you do not ignore rob"));
    assert!(talk.line("/ignore alice").contains("you cannot ignore yourself"));
}

#[test]
fn people_who_come_and_go_are_shown_as_wanted() {
    let mut talk = Talk::at_prompt();
    let crowd = |name: &str, total| Crowd { room: None, names: vec![name.into()], count: 1, total };
    assert_eq!(talk.event(Event::Joined(crowd("dan", 3)), None), "12:03 -> dan joined; 3 here");
    assert_eq!(talk.event(Event::Joined(crowd("eve", 200)), None), "");
    talk.says("carol", "all", "hello");
    assert_eq!(talk.event(Event::Left(crowd("carol", 200)), None), "12:03 <- carol left; 200 here");
    talk.says("dan", "all", "hello");
    talk.event(Event::Left(crowd("dan", 200)), None);
    assert_eq!(talk.event(Event::Joined(crowd("carol", 200)), None), "");
    assert!(talk.conversation.waits());
    talk.now.instant += Duration::from_secs(60);
    assert_eq!(text(talk.conversation.tick(talk.now)), "12:03 -> carol joined; 200 here");
    assert!(!talk.conversation.attention.presence.waits());
    talk.conversation.view.preferences.presence = PresenceLevel::Off;
    assert_eq!(talk.event(Event::Joined(crowd("dan", 3)), None), "");
    talk.conversation.view.preferences.presence = PresenceLevel::All;
    assert_eq!(talk.event(Event::Joined(crowd("eve", 200)), None), "12:03 -> eve joined; 200 here");
}

#[test]
fn being_away_stands_in_the_prompt_and_writers_are_told() {
    let mut talk = Talk::at_prompt();
    talk.line("/away lunch");
    assert_eq!(talk.request("away").msg.as_deref(), Some("lunch"));
    let away = Event::Away { why: Some("lunch".into()) };
    assert_eq!(talk.event(away, None), "12:03 -- you are away: lunch; /back ends it\n(label)");
    assert_eq!(talk.label(), "[#lobby, away] ");
    talk.line("/back");
    talk.event(Event::Away { why: None }, None);
    assert_eq!(talk.label(), "[#lobby] ");
    for told in ["12:03 [you -> carol] hi\n12:03 -- carol is away: lunch", "12:03 [you -> carol] hi"] {
        talk.line("/msg carol hi");
        let sent = talk.request("chat");
        let away = Some(Absent { name: "carol".into(), why: "lunch".into() });
        let receipt = Event::Sent { seq: Some(9), ts: TS.into(), stored: true, waits: None, away };
        assert_eq!(talk.event(receipt, sent.id.as_deref()), told);
    }
}

#[test]
fn mentions_are_searched_for_as_whole_words() {
    let mut talk = Talk::at_prompt();
    talk.line("/mentions");
    let search = talk.request("search");
    assert_eq!(search.msg.as_deref(), Some("\"alice\""));
    let id = search.id.as_deref();
    talk.missed(1, "bob", "all", "alice: one", id);
    talk.missed(2, "alice", "all", "alice says", id);
    talk.missed(3, "bob", "all", "alice-b", id);
    let shown = talk.event(end(3), id);
    assert!(shown.contains("mentions of alice:") && shown.contains("alice: one"), "{shown}");
    assert!(shown.contains("1 message") && !shown.contains("alice says"), "{shown}");
}
