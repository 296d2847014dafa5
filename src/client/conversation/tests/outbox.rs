//! Messages on their way, over connections that break.

use super::*;

#[test]
fn a_message_is_shown_once_the_server_has_it() {
    let mut talk = Talk::new();
    assert_eq!(talk.line("hello"), "");
    let packet = talk.sent();
    assert_eq!((packet.to.as_deref(), packet.text()), (Some("all"), "hello"));
    assert_eq!(talk.conversation.pending(), 1);
    assert_eq!(talk.receipt(&packet), "12:03 <alice> hello");
    assert_eq!(talk.conversation.pending(), 0);
    assert_eq!(talk.receipt(&packet), "");
}

#[test]
fn what_the_server_refuses_is_said_with_the_message() {
    let mut talk = Talk::new();
    talk.line("/msg bob psst");
    let id = talk.sent().id;
    let shown = talk.event(Event::error(Code::NoSuchUser, "there is no bob"), id.as_deref());
    assert_eq!(shown, "12:03 ! there is no bob\n12:03 ! not sent: (to bob) psst");
}

#[test]
fn what_was_under_way_or_typed_while_the_link_is_down_waits_and_goes_in_order() {
    let mut talk = Talk::new();
    talk.line("one");
    let first = talk.sent();
    talk.line("/me two");
    talk.line("/msg bob three");
    let second = talk.sent();
    assert_eq!(
        talk.lose("the connection was lost"),
        "12:03 ! the connection was lost; reconnecting\n(label)"
    );
    assert_eq!(talk.conversation.label(), "[#lobby, reconnecting, 3 waiting] ");
    assert_eq!(talk.line("four"), "12:03 -- will be sent when connected: four\n(label)");
    assert_eq!(talk.line("/users"), "12:03 ! not sent: you are not connected at the moment");
    talk.now.instant += Duration::from_secs(65);
    assert_eq!(
        talk.come(Welcome { name: "alice-2".into(), ..office() }, Some("alice")),
        "12:03 -- connected again after 1m; 2 users here\n\
         12:03 -- the name alice is taken, so you are alice-2; to change it: /nick NAME\n(label)"
    );
    // The server may have had some of it: that comes with what was missed.
    talk.nothing_sent();
    assert_eq!(talk.line("five"), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby, 5 waiting] ");
    assert_eq!(
        talk.missed(7, "alice", "all", "one", first.id.as_deref()),
        "09:30 <alice> one\n(label)",
        "the user has not missed it"
    );
    assert_eq!(talk.event(end(7), None), "(label)");
    assert_eq!(talk.sent().kind.as_deref(), Some("users"));
    let again = talk.sent();
    assert_eq!((again.text(), again.id.as_deref(), again.action), ("two", second.id.as_deref(), Some(true)));
    // The connection of this test takes three packets at a time.
    let third = talk.sent();
    assert_eq!((third.to.as_deref(), third.text()), (Some("bob"), "three"));
    talk.seq = 7;
    assert_eq!(talk.receipt(&third), "12:03 [you -> bob] three\n(label)");
    assert_eq!((talk.sent().text(), talk.sent().text()), ("four", "five"));
    assert_eq!(talk.conversation.label(), "[#lobby] ");
}

#[test]
fn a_server_that_keeps_nothing_is_not_sent_twice_what_it_may_have_passed_on() {
    let mut talk = Talk::fresh();
    let forgetful = || Welcome { log: None, ..office() };
    talk.come(forgetful(), None);
    assert_eq!(talk.sent().kind.as_deref(), Some("users"));
    talk.line("one");
    assert_eq!(
        talk.lose("the connection was lost"),
        "12:03 ! the connection was lost; reconnecting\n12:03 ! may not have been delivered: one\n(label)"
    );
    talk.line("two");
    talk.come(forgetful(), None);
    talk.sent();
    assert_eq!(talk.sent().text(), "two");
}

#[test]
fn people_elsewhere_are_not_sent_what_was_meant_for_others() {
    let mut talk = Talk::new();
    talk.line("one");
    let loss = Loss { why: "the server is shutting down".into(), since: talk.now.instant, goes_on: false };
    talk.conversation.gone(&loss, talk.now);
    talk.line("/msg bob two");
    assert_eq!(talk.conversation.label(), "[#lobby, no server, 2 waiting] ");
    let server = ServerInfo { id: "00".into(), name: "lab".into(), version: "0.1.0".into() };
    let shown = talk.come(Welcome { server, ..office() }, None);
    let said = "12:03 ! not sent: one\n12:03 ! not sent: (to bob) two\n(label)";
    assert!(shown.contains("connected to lab") && shown.ends_with(said), "{shown}");
    talk.event(end(0), None);
    assert_eq!(talk.sent().kind.as_deref(), Some("users"));
    talk.nothing_sent();
    assert_eq!(talk.conversation.unsent(), 2);
}

#[test]
fn what_a_slow_connection_does_not_take_yet_waits() {
    let mut talk = Talk::new();
    for n in 0..3 {
        assert_eq!(talk.line(&n.to_string()), "");
    }
    assert_eq!(talk.line("four"), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby, 1 waiting] ");
    let first = talk.sent();
    assert_eq!(talk.receipt(&first), "12:03 <alice> 0\n(label)");
    assert_eq!(talk.conversation.label(), "[#lobby] ");
    let rest: Vec<_> = (0..3).map(|_| talk.sent()).collect();
    assert_eq!(rest.iter().map(ClientPacket::text).collect::<Vec<_>>(), ["1", "2", "four"]);
}

#[test]
fn more_than_can_wait_is_refused_and_said() {
    let mut talk = Talk::new();
    talk.lose("the connection was lost");
    for _ in 0..1000 {
        assert!(talk.line("x").contains("will be sent when connected"));
    }
    assert_eq!(
        talk.line("one more"),
        "12:03 ! not sent, because too many messages are waiting: one more\n(back: one more)"
    );
    assert_eq!((talk.conversation.pending(), talk.conversation.unsent()), (1000, 1));
}

#[test]
fn at_the_end_what_has_no_receipt_is_said_line_by_line() {
    let mut talk = Talk::new();
    talk.line("one");
    talk.come(office(), None);
    talk.line("/me two");
    assert_eq!(
        text(talk.conversation.abandon()),
        "12:03 ! may not have been delivered: one\n12:03 ! not sent: /me two"
    );
    assert_eq!(talk.conversation.pending(), 0);
}

#[test]
fn a_spell_without_storing_is_told_once() {
    let mut talk = Talk::new();
    let mut send = |stored| {
        talk.line("hello");
        let packet = talk.sent();
        talk.seq += 1;
        talk.receipt_with(&packet, stored, None)
    };
    assert!(send(false).starts_with("12:03 <alice> hello\n12:03 ! not stored: "));
    assert_eq!(send(false), "12:03 <alice> hello");
    assert_eq!(send(true), "12:03 <alice> hello");
    assert!(send(false).contains("! not stored: "));
}

#[test]
fn status_says_that_nothing_is_stored_until_it_is_again() {
    let mut talk = Talk::new();
    let storing = |works, msg: &str| Event::Storing { works, msg: msg.into() };
    let told = talk.event(storing(false, "not stored: make room"), None);
    assert_eq!(told, "12:03 -- not stored: make room");
    assert!(talk.line("/status").contains("-- not stored: make room\n"));
    talk.line("hello");
    let packet = talk.sent();
    assert_eq!(talk.receipt_with(&packet, false, None), "12:03 <alice> hello", "the user knows");
    talk.event(storing(true, "stored again"), None);
    assert!(!talk.line("/status").contains("make room"));
    talk.event(storing(false, "not stored: make room"), None);
    talk.lose("the connection was lost");
    talk.come(office(), None);
    assert!(!talk.line("/status").contains("make room"), "the server says so again if need be");
    talk.come(Welcome { log: None, ..office() }, None);
    assert!(talk.line("/status").contains("this server stores no messages"));
}

#[test]
fn who_is_away_is_told_once_and_so_is_that_they_have_it() {
    let mut talk = Talk::new();
    let mut write = |waits| {
        talk.line("/msg bob psst");
        let packet = talk.sent();
        talk.seq += 1;
        talk.receipt_with(&packet, true, waits)
    };
    let away = "12:03 [you -> bob] psst\n12:03 -- bob is offline and will get your message later";
    assert_eq!(write(Some("bob")), away);
    assert_eq!(write(Some("bob")), "12:03 [you -> bob] psst");
    assert_eq!(write(None), "12:03 [you -> bob] psst");
    assert_eq!(write(Some("bob")), away);
    let (name, ts) = ("bob".into(), TS.into());
    let delivered = Event::Delivered { name, count: 3, lost: 0, last: 4, seq: Some(9), ts, history: false };
    assert_eq!(talk.event(delivered, None), "12:03 -- bob has received 3 messages that waited");
}

#[test]
fn a_receipt_that_is_late_is_told_once() {
    let mut talk = Talk::new();
    talk.line("hello");
    assert_eq!(text(talk.conversation.tick(talk.now)), "");
    talk.now.instant += Duration::from_secs(1);
    assert_eq!(
        text(talk.conversation.tick(talk.now)),
        "12:03 -- not confirmed by the server yet: hello\n(label)"
    );
    assert_eq!(talk.conversation.label(), "[#lobby, 1 waiting] ");
    assert_eq!(text(talk.conversation.tick(talk.now)), "");
}

#[test]
fn a_message_over_the_servers_bound_is_not_sent() {
    let mut talk = Talk::new();
    let long = "x".repeat(10_001);
    let refused = talk.line(&long);
    assert!(refused.contains("not sent: the message has 10001 bytes"), "{refused}");
    assert!(refused.ends_with(&format!("(back: {long})")), "{refused}");
    assert!(talk.line(&format!("/msg bob {long}")).ends_with(&format!("(back: /msg bob {long})")));
    assert!(talk.next_sent().is_none());
}

#[test]
fn the_label_says_how_many_wait_whatever_happened_before() {
    let mut talk = Talk::fresh();
    talk.come(Welcome { log: None, ..office() }, None);
    talk.line("into the dark");
    talk.now.instant += Duration::from_secs(1);
    text(talk.conversation.tick(talk.now));
    assert_eq!(talk.conversation.label(), "[#lobby, 1 waiting] ");
    assert!(talk.lose("the connection was lost").ends_with("(label)"));
    assert_eq!(talk.conversation.label(), "[#lobby, reconnecting] ");
    assert!(talk.line("another").ends_with("(label)"));
    assert_eq!(talk.conversation.label(), "[#lobby, reconnecting, 1 waiting] ");
}

#[test]
fn what_waits_goes_to_the_server_to_which_the_last_one_gave_way() {
    for (follows, arrives) in [(true, true), (false, false)] {
        let mut talk = Talk::new();
        talk.lose("the server gives way to lab");
        talk.line("hello");
        let lab = ServerInfo { id: "0a1b2c3d".into(), name: "lab".into(), ..ServerInfo::default() };
        let shown = talk.arrive(Welcome { server: lab, name: "alice".into(), ..office() }, None, follows);
        assert_eq!(shown.contains("not sent"), !arrives, "{shown}");
        talk.event(end(talk.seq), None);
        let sent: Vec<_> = std::iter::from_fn(|| talk.next_sent()).collect();
        assert_eq!(sent.iter().any(|packet| packet.text() == "hello"), arrives, "{sent:?}");
    }
}
