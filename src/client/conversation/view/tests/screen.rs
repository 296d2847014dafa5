//! The look of lines above a prompt.

use super::*;
use crate::client::conversation::outlet::ScreenSize;

/// A view of a screen with that many columns.
fn screen(columns: usize, color: bool) -> ViewState {
    ViewState { outlet: Outlet::Prompt(ScreenSize { rows: 24, columns }), ..state(color) }
}

fn narrow(color: bool) -> ViewState {
    screen(40, color)
}

fn at(ts: &str, msg: &str) -> Event {
    match chat("bob", "all", msg) {
        Event::Chat { from, to, msg, action, seq, history, reply, edited, .. } => {
            Event::Chat { from, to, msg, action, seq, ts: ts.into(), history, reply, edited }
        }
        other => other,
    }
}

fn past(event: Event) -> Event {
    match event {
        Event::Chat { from, to, msg, action, seq, ts, reply, edited, .. } => {
            Event::Chat { from, to, msg, action, seq, ts, history: true, reply, edited }
        }
        other => other,
    }
}

#[test]
fn a_long_message_breaks_at_words_under_its_text() {
    let long = chat(
        "bob",
        "all",
        "please have a look when you get a chance, at https://example.org/a/very/long/path",
    );
    assert_eq!(
        render(&long, &narrow(false)),
        [
            "12:03 <bob> please have a look when you",
            "            get a chance, at",
            "    https://example.org/a/very/long/path"
        ]
    );
    let code = chat("bob", "all", "see:\n\tif x:\n\t\treturn the whole thing and then some");
    assert_eq!(
        render(&code, &narrow(false)),
        [
            "12:03 <bob> see:",
            "       |     if x:",
            "       |         return the whole thing",
            "         and then some"
        ]
    );
    let address = "https://example.org/a/very/very/long";
    let moved = render(&chat("bob", "all", &format!("see {address} there")), &narrow(false));
    assert_eq!(
        moved,
        ["12:03 <bob> see".to_owned(), format!("    {address}"), "            there".to_owned()]
    );
    let tiny = render(&chat("bob", "all", "narrow screens wrap too"), &screen(16, false));
    assert_eq!(tiny, ["12:03 <bob> ", "  narrow screens", "  wrap too"]);
    let far = chat("a-rather-long-name-of-a-user", "all", "one two three four");
    assert_eq!(
        render(&far, &narrow(false)),
        ["12:03 <a-rather-long-name-of-a-user> one", "        two three four"]
    );
}

#[test]
fn lines_stay_whole_without_a_screen_and_for_who_wants_that() {
    let long = chat("bob", "all", &"word ".repeat(40));
    assert_eq!(render(&long, &state(false)).len(), 1);
    let preferences = Preferences { wrap: false, ..Preferences::default() };
    assert_eq!(render(&long, &ViewState { preferences, ..narrow(false) }).len(), 1);
    assert!(render(&long, &narrow(false)).len() > 4);
}

#[test]
fn a_line_tells_each_new_day_live_and_in_the_past() {
    let mut view = narrow(false);
    let mut shown = Vec::new();
    let mut show = |event: &Event, view: &ViewState| shown.extend(render(event, view));
    show(&at("2026-11-21T12:03:00Z", "today"), &view);
    show(&past(at("2026-11-19T12:03:00Z", "old")), &view);
    show(&past(at("2026-11-20T09:00:00Z", "less old")), &view);
    show(&Event::Notice("the client's line about them".into()), &view);
    show(&at("2026-11-21T12:04:00Z", "again"), &view);
    view.now = "2026-11-22T00:01:00Z".parse().unwrap();
    show(&Event::Notice("after midnight".into()), &view);
    show(&past(at("2025-12-31T09:00:00Z", "last year")), &view);
    assert_eq!(
        shown,
        [
            "12:03 <bob> today",
            "── Thursday 19 November ──",
            "12:03 <bob> old",
            "── Friday 20 November ──",
            "09:00 <bob> less old",
            "12:10 -- the client's line about them",
            "── Saturday 21 November ──",
            "12:04 <bob> again",
            "── Sunday 22 November ──",
            "00:01 -- after midnight",
            "── Wednesday 31 December 2025 ──",
            "09:00 <bob> last year"
        ]
    );
    assert_eq!(
        render(&past(at("2026-11-19T12:03:00Z", "old")), &state(false)),
        ["2026-11-19 12:03 <bob> old"]
    );
}

#[test]
fn times_are_the_users_own_in_zone_and_format() {
    let tokyo = || TimeZone::get("Asia/Tokyo").unwrap();
    let view = narrow(false).in_zone(tokyo());
    assert_eq!(render(&chat("bob", "all", "hi"), &view), ["21:03 <bob> hi"]);
    let muted = Event::error(Code::Muted, "you are muted until 2026-11-21 13:00 UTC by oscar");
    assert_eq!(render(&muted, &view)[0], "21:10 ! you are muted until 22:00 by");
    let banned = Event::Notice("eve banned until 2026-12-24 18:00 UTC".into());
    assert_eq!(
        render(&banned, &state(false).in_zone(tokyo())),
        ["21:10 -- eve banned until 2026-12-25 03:00"]
    );
    let odd = "until 2026-13-99 99:99 UTC, 12 UTC, é2026-11-21 13:00 UTC";
    assert_eq!(lines(&Event::Notice(odd.into())), "12:10 -- until 2026-13-99 99:99 UTC, 12 UTC, é13:00");
    let ban = |until: Option<&str>| BanInfo {
        kind: "ban".into(),
        who: "eve".into(),
        by: "oscar".into(),
        until: until.map(str::to_owned),
        ..BanInfo::default()
    };
    let bans = Event::Bans { bans: vec![ban(Some("2026-11-21T13:00:00Z")), ban(None)], total: 2 };
    assert_eq!(
        render(&bans, &state(false).in_zone(tokyo())),
        ["12:10 -- eve banned by oscar until 2026-11-21 22:00", "         eve banned by oscar until forever"]
            .map(|line| line.replace("12:10", "21:10").replace("until forever", "forever"))
    );
    for (format, expected) in [
        ("%H:%M:%S", "12:03:04 <bob> one\n          | two"),
        ("", "<bob> one\n | two"),
        ("%I:%M %p", "12:03 PM <bob> one\n          | two"),
        ("%!", "12:03 <bob> one\n       | two"),
    ] {
        let preferences = Preferences { time: format.into(), ..Preferences::default() };
        let view = ViewState { preferences, ..state(false) };
        assert_eq!(render(&chat("bob", "all", "one\ntwo"), &view).join("\n"), expected, "{format}");
    }
}

#[test]
fn users_stand_in_columns_operators_first_and_a_page_ends_with_the_screen() {
    let user = |n: usize| UserInfo {
        name: format!("user{n}"),
        ip: "10.0.0.2".into(),
        key: (n != 3).then(|| "I3aEaKt5".into()),
        operator: (n == 0).then_some(true),
        ..UserInfo::default()
    };
    let users: Vec<UserInfo> = (0..9).map(user).collect();
    let view = narrow(false);
    let (lines, count) = view.users_page("9 users here", &users, false, 2);
    assert_eq!(
        lines,
        [
            "12:10 -- 9 users here:",
            "         @user0  user1   user2   user3?",
            "         user4   user5   user6   user7"
        ]
    );
    assert_eq!(count, 8);
    assert_eq!(view.users_page("2 users", &users[..2], false, 9).0, ["12:10 -- 2 users: @user0, user1"]);
    let (lines, count) = view.users_page("9 users here", &users, true, 2);
    assert_eq!(
        lines,
        [
            "12:10 -- 9 users here:",
            "         @user0  10.0.0.2  key I3aEaKt5",
            "         user1   10.0.0.2  key I3aEaKt5"
        ]
    );
    assert_eq!(count, 2);
}

#[test]
fn rooms_stand_one_on_a_line_with_a_mark_for_ones_own() {
    let room = |name: &str, topic: Option<&str>, members, joined| RoomInfo {
        name: name.into(),
        topic: topic.map(str::to_owned),
        members,
        here: 2,
        joined,
    };
    let rooms = [
        room("#dev", Some("deploys, breakage and what we do about it"), 12, true),
        room("#games", None, 2, false),
    ];
    assert_eq!(
        screen(60, false).rooms_page("2 rooms", &rooms, 20).0,
        [
            "12:10 -- 2 rooms:",
            "         * #dev     2 of 12 here  deploys, breakage and what",
            "                                  we do about it",
            "           #games   2 of  2 here"
        ]
    );
    assert_eq!(
        state(false).rooms_page("2 rooms", &rooms, 20).0,
        [
            "12:10 -- 2 rooms: #dev (2 users here, 10 offline): deploys, breakage and what we do about it, #games (2 users here)"
        ]
    );
}

#[test]
fn a_user_is_described_in_lines_also_one_who_is_offline() {
    let user = UserInfo {
        name: "bob".into(),
        ip: "10.0.0.2".into(),
        since: Some(TS.into()),
        sessions: Some(2),
        operator: Some(true),
        key: None,
        plaintext: Some(true),
        web: None,
        last: None,
        away: Some("lunch".into()),
        nodes: vec!["a".into(), "c".into()],
    };
    assert_eq!(
        render(&Event::Whois(user.clone()), &screen(80, false)),
        [
            "12:10 -- bob from 10.0.0.2, operator",
            "         at          servers a and c",
            "         here since  2026-11-21 12:03, 2 connections",
            "         away        lunch",
            "         encrypted   no: others on the network can read along",
            "         key         none: anyone could be using the name"
        ]
    );
    let offline = UserInfo { last: Some(TS.into()), since: None, plaintext: None, operator: None, ..user };
    assert_eq!(
        render(&Event::Whois(offline), &screen(80, false))[0],
        "12:10 -- bob is offline, last here 2026-11-21 12:03"
    );
}

#[test]
fn words_that_a_search_found_are_marked_also_where_lines_break() {
    let sought = Arc::new(Sought::read("look chance"));
    let event = past(at(TS, "please have a Look when you get a chance"));
    let hit = render_hit(&event, &narrow(true), &sought).join("\n");
    assert!(
        hit.contains("\x1b[1m\x1b[4mLook\x1b[0m") && hit.contains("\x1b[1m\x1b[4mchance\x1b[0m"),
        "{hit:?}"
    );
    let plain = anstream::adapter::strip_str(&hit).to_string();
    assert_eq!(plain, "12:03 <bob> please have a Look when you\n            get a chance");
    assert_eq!(render_hit(&event, &narrow(false), &sought).join("\n"), plain);
}

#[test]
fn what_is_past_is_dim_from_end_to_end() {
    for line in render(&past(at(TS, "one\ntwo")), &narrow(true)) {
        let bright =
            line.split("\x1b[2m").map(|part| part.split_once("\x1b[0m").map_or(part, |(_, rest)| rest));
        assert!(
            bright.clone().all(|text| text.trim().is_empty()),
            "{line:?} {:?}",
            bright.collect::<Vec<_>>()
        );
    }
}
