//! Missed messages and requested ones.

use super::*;
use crate::protocol::event::GAP;

#[test]
fn what_was_missed_is_marked_and_nothing_is_shown_twice() {
    let mut talk = Talk::new();
    assert_eq!(talk.says("bob", "all", "hello"), "12:03 <bob> hello");
    talk.lose("the connection was lost");
    talk.come(office(), None);
    assert_eq!(talk.missed(1, "bob", "all", "hello", None), "");
    assert_eq!(
        talk.missed(2, "bob", "all", "there?", None),
        "12:03 -- missed messages:\n2026-11-20 09:30 <bob> there?"
    );
    assert_eq!(talk.missed(3, "bob", "alice", "psst", None), "2026-11-20 09:30 [bob -> you] psst");
    assert_eq!(talk.missed(3, "bob", "alice", "psst", None), "");
    talk.nothing_sent();
    let gap = Event::History(HistoryEnd { seq: 5, gap: true, ..HistoryEnd::default() });
    let told = "12:03 -- 2 messages while you were away; there were others";
    assert_eq!(talk.event(gap, None), format!("{told}{GAP}"));
    let received = talk.sent();
    assert_eq!((received.kind.as_deref(), received.seq), (Some("received"), Some(5)));
    talk.seq = 4;
    assert_eq!(talk.says("bob", "all", "told before the cutover"), "");
    assert_eq!(talk.says("bob", "all", "live"), "12:03 <bob> live");
    talk.line("/r here");
    talk.sent();
    assert_eq!(talk.sent().to.as_deref(), Some("bob"));
}

#[test]
fn a_server_that_keeps_no_messages_says_whether_something_was_missed() {
    let mut talk = Talk::fresh();
    let forgetful = || Welcome { log: None, ..office() };
    talk.come(forgetful(), None);
    assert_eq!(talk.event(end(5), None), "");
    talk.lose("the connection was lost");
    talk.come(forgetful(), None);
    let gap = Event::History(HistoryEnd { seq: 5, gap: true, ..HistoryEnd::default() });
    assert!(
        talk.event(gap, None).starts_with("12:03 -- you missed messages that the server cannot show you")
    );
}

#[test]
fn the_first_time_the_latest_is_shown() {
    let mut talk = Talk::fresh();
    talk.come(office(), None);
    assert_eq!(
        talk.missed(4, "bob", "all", "one", None),
        "12:03 -- the latest messages:\n2026-11-20 09:30 <bob> one"
    );
    assert_eq!(talk.missed(5, "bob", "all", "two", None), "2026-11-20 09:30 <bob> two");
    assert_eq!(talk.event(end(5), None), "12:03 -- the last 2 messages");
}

#[test]
fn mail_that_waited_is_shown_although_later_things_were_seen() {
    let mut talk = Talk::new();
    talk.seq = 9;
    talk.says("bob", "all", "hello");
    talk.lose("the connection was lost");
    talk.come(office(), None);
    assert!(talk.missed(4, "bob", "alice", "old mail", None).contains("old mail"));
    assert_eq!(talk.missed(4, "bob", "alice", "old mail", None), "");
    assert_eq!(talk.event(end(10), None), "12:03 -- 1 message while you were away");
}

#[test]
fn another_history_has_numbers_of_its_own() {
    let mut talk = Talk::new();
    talk.seq = 70;
    talk.says("bob", "all", "hello");
    talk.lose("the connection was lost");
    talk.come(Welcome { log: Some("h2".into()), ..office() }, None);
    assert!(talk.missed(1, "bob", "all", "again", None).contains("<bob> again"));
    talk.event(end(1), None);
    talk.seq = 1;
    assert_eq!(talk.says("bob", "all", "two"), "12:03 <bob> two");
}

#[test]
fn a_day_is_asked_for_in_the_users_zone() {
    let mut talk = Talk::new();
    let (day, next) = ("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z");
    for line in ["/history 2026-11-20 50", "/history yesterday 50"] {
        talk.line(line);
        let ask = talk.sent();
        assert_eq!((ask.kind.as_deref(), ask.text(), ask.limit), (Some("search"), "", Some(50)));
        assert_eq!(ask.since, Some(crate::protocol::Since::Time(day.into())));
        assert_eq!((ask.room.as_deref(), ask.until.as_deref()), (Some("#lobby"), Some(next)));
        talk.missed(3, "bob", "all", "tea", ask.id.as_deref());
        let told = talk.event(end(0), ask.id.as_deref());
        assert!(told.starts_with("12:03 -- messages of #lobby on 2026-11-20:\n"), "{told}");
        assert!(told.ends_with("<bob> tea\n12:03 -- 1 message; there are no older ones"), "{told}");
    }
    talk.line("/history #dev today");
    assert_eq!(talk.sent().room.as_deref(), Some("#dev"));
    let told = talk.line("/history bob yesterday");
    assert!(told.ends_with("for what bob wrote to you: /search from:bob after:2026-11-20"), "{told}");
    talk.line("/history bob 20");
    let ask = talk.sent();
    assert_eq!((ask.name.as_deref(), ask.limit), (Some("bob"), Some(20)));
}

#[test]
fn what_is_asked_for_stands_between_two_lines_and_moves_nothing() {
    let mut talk = Talk::new();
    talk.line("/history 5");
    let ask = talk.sent();
    assert_eq!((ask.kind.as_deref(), ask.limit), (Some("history"), Some(5)));
    let id = ask.id.as_deref();
    assert_eq!(talk.missed(8, "bob", "all", "tea", id), "");
    let more = || Event::History(HistoryEnd { count: 1, more: true, ..HistoryEnd::default() });
    assert_eq!(
        talk.event(more(), id),
        "12:03 -- the last messages of #lobby:\n2026-11-20 09:30 <bob> tea\n\
         12:03 -- 1 message; Enter or /more shows older ones"
    );
    talk.line("/more");
    let ask = talk.sent();
    assert_eq!((ask.kind.as_deref(), ask.before, ask.limit), (Some("history"), Some(8), Some(5)));
    let told = talk.event(end(0), ask.id.as_deref());
    assert_eq!(told, "12:03 -- older messages of #lobby: none");
    assert!(talk.line("/more").starts_with("12:03 ! there is no further page"));
    talk.line("/history #games 300");
    let ask = talk.sent();
    assert_eq!((ask.room.as_deref(), ask.limit), (Some("#games"), Some(300)));
    talk.missed(7, "bob", "#games", "chess", ask.id.as_deref());
    let told = talk.event(more(), ask.id.as_deref());
    assert!(told.ends_with("1 message, the most at a time; Enter or /more shows older ones"), "{told}");
    assert_eq!(talk.says("bob", "all", "number 1"), "12:03 <bob> number 1");
    talk.line("/search red tea from:bob");
    let ask = talk.sent();
    assert_eq!((ask.text(), ask.name.as_deref()), ("red tea", Some("bob")));
    assert_eq!(talk.event(end(0), ask.id.as_deref()), "12:03 -- messages with \"red tea\" from bob: none");
    for (more, said) in
        [(true, "older ones were not searched"), (false, "older ones are still being indexed")]
    {
        talk.line("/search after:7d");
        let ask = talk.sent();
        assert_eq!(ask.since, Some(crate::protocol::Since::Time("7d".into())));
        let end = Event::History(HistoryEnd { partial: true, more, ..HistoryEnd::default() });
        let told = talk.event(end, ask.id.as_deref());
        assert!(told.starts_with("12:03 -- messages after 7d: none"), "{told}");
        assert!(told.contains(said), "{told}");
    }
    talk.line("/search before:2026-11-21T12:00:00+01:00");
    let ask = talk.sent();
    assert_eq!(ask.until.as_deref(), Some("2026-11-21T11:00:00.000Z"));
    talk.event(end(0), ask.id.as_deref());
    talk.line("/history");
    let id = talk.sent().id;
    let none = Event::error(Code::NoHistory, "this server keeps no history");
    assert_eq!(talk.event(none, id.as_deref()), "12:03 ! this server keeps no history");
    assert_eq!(talk.conversation.awaited(), 0);
}
