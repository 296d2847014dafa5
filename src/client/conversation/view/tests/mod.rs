//! The look of each event.

use super::*;
use crate::fingerprint::Fingerprint;
use crate::protocol::Code;
use crate::protocol::event::Crowd;
use crate::protocol::packet::{BanInfo, KeyInfo, KeyList, RoomInfo, Sender, UserInfo};

mod screen;

const TS: &str = "2026-11-21T12:03:04.000Z";

fn state(color: bool) -> ViewState {
    let view = ViewState::new("alice".into(), color, Preferences::default(), Stamp::Time);
    ViewState {
        now: "2026-11-21T12:10:00Z".parse().unwrap(),
        palette: Palette::Many,
        ..view.in_zone(TimeZone::UTC)
    }
}

fn chat(from: &str, to: &str, msg: &str) -> Event {
    let from = Sender { name: from.into(), ip: "10.0.0.2".into(), key: Some("I3aEaKt5".into()) };
    Event::Chat {
        from,
        to: to.into(),
        msg: msg.into(),
        action: false,
        seq: Some(1),
        ts: TS.into(),
        history: false,
        reply: None,
        edited: false,
    }
}

fn lines(event: &Event) -> String {
    render(event, &state(false)).join("\n")
}

fn crowd(names: &[&str], count: usize) -> Crowd {
    Crowd { room: None, names: names.iter().map(|name| (*name).to_owned()).collect(), count, total: 9 }
}

#[test]
fn every_kind_of_event_looks_as_it_should() {
    let action = |to: &str| match chat("bob", to, "waves") {
        Event::Chat { from, to, msg, seq, ts, history, reply, edited, .. } => {
            Event::Chat { from, to, msg, action: true, seq, ts, history, reply, edited }
        }
        other => other,
    };
    let keyless = |to: &str| match chat("eve", to, "hi") {
        Event::Chat { from, to, msg, action, seq, ts, history, reply, edited } => Event::Chat {
            from: Sender { key: None, ..from },
            to,
            msg,
            action,
            seq,
            ts,
            history,
            reply,
            edited,
        },
        other => other,
    };
    for (event, expected) in [
        (chat("bob", "all", "hello"), "12:03 <bob> hello"),
        (chat("alice", "#lobby", "hello"), "12:03 <alice> hello"),
        (chat("bob", "alice", "psst"), "12:03 [bob -> you] psst"),
        (chat("alice", "bob", "psst"), "12:03 [you -> bob] psst"),
        (chat("bob", "10.0.0.7", "psst"), "12:03 [bob -> 10.0.0.7] psst"),
        (action("all"), "12:03 * bob waves"),
        (action("alice"), "12:03 [bob -> you] * bob waves"),
        (keyless("all"), "12:03 <eve?> hi"),
        (keyless("alice"), "12:03 [eve? -> you] hi"),
        (
            chat("bob", "all", "one\r\ntwo\n\nthree\n"),
            "12:03 <bob> one\n       | two\n       | \n       | three",
        ),
        (Event::Joined(crowd(&["bob"], 1)), "12:10 -> bob joined; 9 here"),
        (Event::Joined(crowd(&["alice"], 1)), ""),
        (Event::Joined(crowd(&["alice", "bob"], 2)), "12:10 -> bob joined; 9 here"),
        (Event::Left(crowd(&["bob", "eve"], 7)), "12:10 <- bob, eve and 5 more left; 9 here"),
        (Event::Left(crowd(&[], 40)), "12:10 <- 40 users left; 9 here"),
        (Event::Renamed { old: "bob".into(), name: "rob".into() }, "12:10 -- bob is now rob"),
        (Event::Renamed { old: "al".into(), name: "alice".into() }, "12:10 -- you are now alice"),
        (
            Event::Alert {
                by: "bob".into(),
                msg: "fire".into(),
                seq: Some(1),
                ts: TS.into(),
                history: false,
            },
            "12:03 *** ALERT from bob: fire",
        ),
        (Event::error(Code::NoSuchUser, "nobody"), "12:10 ! nobody"),
        (Event::Sent { seq: Some(1), ts: TS.into(), stored: true, waits: None, away: None }, ""),
        (Event::Unknown { from: Sender::server(), msg: "new".into() }, "12:10 -- server: new"),
    ] {
        assert_eq!(lines(&event), expected, "{event:?}");
    }
}

#[test]
fn who_is_here_and_who_somebody_is() {
    let key = Fingerprint::new([7; 32]);
    let user = |name: &str| UserInfo {
        name: name.into(),
        ip: "10.0.0.2".into(),
        key: Some(key.to_string()),
        ..UserInfo::default()
    };
    let users = Event::Users {
        room: None,
        users: vec![user("alice"), user("bob")],
        total: 7,
        next: Some("bob".into()),
    };
    assert_eq!(lines(&users), "12:10 -- 7 users here: alice, bob");
    let whois = |since: &str| Event::Whois(UserInfo { since: Some(since.into()), ..user("bob") });
    assert_eq!(lines(&whois(TS)), format!("12:10 -- {}", whois("2026-11-21 12:03").text()));
    let keyless = UserInfo { key: None, plaintext: Some(true), ..user("eve") };
    let users = Event::Users { room: None, users: vec![user("bob"), keyless], total: 2, next: None };
    assert_eq!(lines(&users), "12:10 -- 2 users here: bob, eve?");
    let page = |name: &str, away: Option<&str>| UserInfo {
        web: Some(true),
        away: away.map(str::to_owned),
        ..user(name)
    };
    let users = vec![user("bob"), page("ann", None), page("kim", Some("lunch"))];
    let users = Event::Users { room: None, users, total: 3, next: None };
    assert_eq!(lines(&users), "12:10 -- 3 users here: bob, ann (web), kim (away, web)");
}

/// Every member that a peer or a hostile server fills in.
fn hostile(text: &str) -> Vec<Event> {
    let text = || text.to_owned();
    let sender = || Sender { name: text(), ip: text(), key: Some(text()) };
    let user = UserInfo {
        name: text(),
        ip: text(),
        since: Some(text()),
        sessions: Some(3),
        operator: Some(true),
        key: Some(text()),
        plaintext: Some(true),
        web: Some(true),
        last: Some(text()),
        away: Some(text()),
        nodes: vec![text()],
    };
    let welcome = Welcome {
        server: crate::protocol::packet::ServerInfo { id: text(), name: text(), version: text() },
        name: text(),
        ip: text(),
        motd: text(),
        ..Welcome::default()
    };
    let crowd = || Crowd { room: None, names: vec![text(), text()], count: 9, total: 9 };
    let chat = |to: String, action| Event::Chat {
        from: sender(),
        to,
        msg: text(),
        action,
        seq: Some(1),
        ts: text(),
        history: false,
        reply: None,
        edited: false,
    };
    vec![
        Event::Welcome(Box::new(welcome)),
        chat("all".into(), false),
        chat("all".into(), true),
        chat(text(), false),
        chat(text(), true),
        Event::Joined(crowd()),
        Event::Left(crowd()),
        Event::Renamed { old: text(), name: text() },
        Event::Users { room: None, users: vec![user.clone()], total: 1, next: Some(text()) },
        Event::Time { time: text(), ts: text(), uptime: 1 },
        Event::Alert { by: text(), msg: text(), seq: Some(1), ts: text(), history: false },
        Event::Whois(UserInfo { last: None, ..user.clone() }),
        Event::Whois(user),
        Event::Notice(text()),
        Event::Storing { works: false, msg: text() },
        Event::Error { code: None, msg: text(), name: Some(text()) },
        Event::Bye { code: None, msg: text(), server: None },
        Event::Pake { pake: text(), msg: text() },
        Event::Operator { operator: true, msg: text() },
        Event::Bans {
            bans: vec![BanInfo {
                kind: text(),
                who: text(),
                name: Some(text()),
                by: text(),
                until: Some(text()),
            }],
            total: 3,
        },
        Event::Keys {
            list: KeyList::Operators,
            keys: vec![KeyInfo { key: text(), name: text(), by: Some(text()), ..KeyInfo::default() }],
            total: 3,
            next: Some(text()),
        },
        Event::Unknown { from: sender(), msg: text() },
    ]
}

#[test]
fn no_member_of_any_event_reaches_the_terminal_unsafe() {
    for event in hostile("a\x1b[2J\x1b]0;owned\x07\r\u{9b}31m\u{202e}b\x08") {
        for line in render(&event, &state(false)) {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{event:?}: {line:?}");
        }
    }
}

#[test]
fn a_line_end_in_a_message_cannot_pass_for_another_message() {
    for event in hostile("hi\n12:04 <bob> I resign") {
        for line in render(&event, &state(false)) {
            assert!(!line.starts_with("12:04"), "{event:?}: {line:?}");
        }
    }
}

#[test]
fn colours_are_there_only_when_wanted_and_end_where_they_begin() {
    let colored = render(&chat("bob", "all", "hello"), &state(true)).join("\n");
    assert!(colored.contains("\x1b[") && colored.contains("\x1b[0m"), "{colored:?}");
    let plain = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(plain, "12:03 <bob> hello");
}
