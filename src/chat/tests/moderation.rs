//! Mutes and bans: whom they affect, how long they last, and who may impose them.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_ban_by_name_ends_all_sessions_and_hits_the_key_and_the_address() {
    let mut house = House::with_operator();
    let away = Peer { ip: [10, 7, 7, 7].into(), ..House::peer(1, Some(key(1))) };
    let keyless = Peer { key: None, encrypted: false, ..away };
    house.join_peer(1, "mallory", away);
    house.join_key(2, "mallory", 1);
    house.join_key(3, "bystander", 3);
    house.send(99, r#"{"type":"ban","name":"MALLORY","duration":"2h","id":"b"}"#);
    let done = house.take(99, "notice").pop().expect("an answer");
    assert_eq!(
        (done.msg.as_str(), done.id.as_deref()),
        ("mallory banned until 2026-11-21 14:00 UTC", Some("b"))
    );
    for id in [1, 2] {
        let bye = house.take(id, "bye").pop().expect("a bye");
        assert_eq!(bye.code.as_deref(), Some("banned"));
        assert_eq!(bye.msg, "you are banned until 2026-11-21 14:00 UTC by oscar");
        assert!(house.closed.contains(&id));
    }
    assert!(house.is_in(3));
    house.join_key(4, "eve", 1);
    assert_eq!(house.error(4).0, "banned", "the key, under another name and elsewhere");
    house.join_peer(5, "eve", Peer { key: Some(key(5)), ..away });
    assert_eq!(house.error(5).0, "banned", "the address, with another key");
    assert!(house.chat.ban_text(&keyless, &house.now).is_some());
    house.later(2 * HOUR);
    house.join_peer(6, "mallory", away);
    assert!(house.is_in(6) && house.chat.ban_text(&keyless, &house.now).is_none());
}

#[test]
fn a_ban_holds_for_a_day_unless_said_otherwise_and_outlives_a_restart() {
    let mut house = House::new();
    house.join_key(1, "mallory", 1);
    assert_eq!(house.console("/ban mallory").expect("done"), "mallory banned until 2026-11-22 12:00 UTC");
    let mut house = house.restarted();
    house.join_key(2, "mallory", 1);
    assert_eq!(
        house.error(2),
        ("banned".into(), "you are banned until 2026-11-22 12:00 UTC by the server's console".into())
    );
    house.later(24 * HOUR);
    house.join_key(3, "mallory", 1);
    assert!(house.is_in(3));
    assert_eq!(house.chat.records(&house.now).bans, [], "an expired ban is not kept");
}

#[test]
fn a_ban_of_the_key_does_not_end_the_ban_of_the_address() {
    let mut house = House::new();
    let away = Peer { ip: [10, 7, 7, 7].into(), ..House::peer(1, Some(key(1))) };
    house.join_peer(1, "mallory", away);
    house.console("/ban mallory 1h").expect("done");
    house.console(&format!("/ban key:{} 2h", key(1))).expect("done");
    house.join_peer(2, "eve", Peer { key: Some(key(2)), ..away });
    assert_eq!(house.error(2).0, "banned");
    assert_eq!(house.chat.records(&house.now).bans.len(), 1);
}

#[test]
fn who_is_away_can_be_banned_by_the_name_they_own() {
    let mut house = House::new();
    house.join_key(1, "mallory", 1);
    house.leave(1);
    house.console("/ban Mallory forever").expect("done");
    house.join_key(2, "other", 1);
    assert_eq!(house.error(2).1, "you are banned forever by the server's console");
    assert_eq!(house.console("/ban nobody").map_err(|refusal| refusal.code), Err(Code::NoSuchUser));
}

#[test]
fn networks_and_keys_are_banned_as_written() {
    let mut house = House::new();
    let at = |ip: [u8; 4], n: u8| Peer { ip: ip.into(), ..House::peer(1, Some(key(n))) };
    house.chat.connect(SessionId(1), at([192, 168, 1, 77], 1));
    house.join_peer(2, "bob", at([192, 168, 2, 1], 2));
    house.console("/ban ip:192.168.1.0/24 1h").expect("done");
    assert!(house.closed.contains(&1) && house.is_in(2), "a connection without a name ends, too");
    house.console(&format!("/ban key:{}", key(2))).expect("done");
    assert!(house.closed.contains(&2));
    let v6 = Peer { ip: "fe80::1".parse().expect("an address"), ..House::peer(1, None) };
    house.console("/ban fe80::/64").expect("done");
    house.join_peer(3, "eve", v6);
    assert_eq!(house.error(3).0, "banned");
    for (line, code) in [
        ("/ban ip:192.168.1.0/40", Code::BadCommand),
        ("/ban key:short", Code::BadCommand),
        ("/ban bob soon", Code::BadCommand),
    ] {
        assert_eq!(house.console(line).map_err(|refusal| refusal.code), Err(code), "{line}");
    }
}

#[test]
fn the_servers_own_machine_is_never_banned_by_address() {
    let mut house = House::with_operator();
    let own = Peer { ip: [127, 0, 0, 1].into(), key: None, encrypted: false, local: true, web: false };
    house.join_peer(1, "script", own);
    let refusal = house.console("/ban script").expect_err("no key and no address to ban");
    assert_eq!(refusal.code, Code::NotAllowed);
    house.join_peer(2, "alice", Peer { key: Some(key(1)), encrypted: true, ..own });
    house.console("/ban ip:0.0.0.0/0").expect("done");
    assert!(house.is_in(1) && house.is_in(2), "the machine's own users stay");
    assert!(house.is_in(99), "and so does an operator, wherever they are");
    assert!(house.chat.ban_text(&own, &house.now).is_none());
    house.console("/ban alice").expect("the key can be banned");
    assert!(house.is_in(1) && !house.is_in(2));
    let (_, row) = &house.chat.records(&house.now).bans[1];
    assert_eq!((row.key, row.ips.len()), (Some(key(1)), 0));
}

#[test]
fn a_ban_of_many_ends_a_few_at_a_time_and_none_of_them_is_heard_meanwhile() {
    let mut house = House::with_operator();
    (1..=20).for_each(|id| house.join(id, &format!("guest{id}")));
    house.join_peer(50, "alice", Peer { ip: [192, 168, 0, 1].into(), ..House::peer(50, None) });
    let ban = Operate::Ban { name: "ip:10.0.0.0/8".into(), duration: None };
    let mut out = Vec::new();
    house.chat.operate(&ban, None, &house.now, &mut out).expect("done");
    assert!(house.chat.has_more() && house.is_in(20), "not all at once");
    let before = house.chat.latest();
    house.say(20, "all", "you will not hear this");
    assert_eq!((house.chat.latest(), house.error_code(20)), (before, Some("banned".into())));
    assert!((1..=20).all(|id| !house.is_in(id)) && house.is_in(50));
}

#[test]
fn whoever_is_muted_is_found_in_whatever_way_they_are() {
    let mut house = House::with_operator();
    (1..=3).for_each(|id| house.join(id, &format!("Guest{id}")));
    house.join_key(4, "alice", 4);
    for (id, who) in [(1, "ip:10.0.0.1"), (2, "ip:10.0.0.0/30"), (3, "GUEST3"), (4, "alice")] {
        assert!(!house.chat.is_silenced(SessionId(id), &house.now));
        house.console(&format!("/mute {who} 1h")).expect(who);
        assert!(house.chat.is_silenced(SessionId(id), &house.now), "{who}");
        house.console(&format!("/unmute {who}")).expect(who);
        assert!(!house.chat.is_silenced(SessionId(id), &house.now), "{who}");
    }
    house.console("/mute ip:10.0.0.0/8 1h").expect("done");
    house.later(Duration::from_secs(3601));
    assert!(!house.chat.is_silenced(SessionId(1), &house.now), "an expired mute silences nobody");
    house.console("/bans").expect("a list");
}

impl House {
    fn error_code(&mut self, id: u64) -> Option<String> {
        self.take(id, "bye").pop().and_then(|packet| packet.code)
    }
}

#[test]
fn a_new_connection_is_refused_at_once_if_it_is_banned_and_an_operators_is_not() {
    let mut house = House::with_operator();
    house.console("/ban ip:10.0.0.0/8").expect("done");
    let come = |house: &mut House, id: u64, key: Option<Fingerprint>| {
        house.chat.connect(SessionId(id), House::peer(id, key));
        house.act(|chat, now, out| chat.screen(SessionId(id), now, out));
    };
    come(&mut house, 1, Some(key(1)));
    assert_eq!(house.error(1).0, "banned");
    assert!(house.closed.contains(&1));
    come(&mut house, 2, Some(key(99)));
    assert!(!house.closed.contains(&2), "nobody locks themselves out with a network that is too wide");
}

#[test]
fn who_comes_while_the_server_goes_is_sent_away() {
    let mut house = House::new();
    house.act(|chat, _, out| chat.shut_down(out));
    house.connect(1);
    house.act(|chat, now, out| chat.screen(SessionId(1), now, out));
    assert_eq!(house.take(1, "bye")[0].code.as_deref(), Some("shutting_down"));
    assert!(house.closed.contains(&1));
}

#[test]
fn an_unban_by_name_key_or_address_takes_back_what_was_banned() {
    let mut house = House::new();
    for (id, line) in [(1, "/unban mallory".to_owned()), (2, format!("/unban key:{}", key(1)))] {
        house.join_key(id, "mallory", 1);
        assert!(house.is_in(id));
        house.console("/ban mallory").expect("done");
        assert!(house.console(&line).is_ok());
        assert_eq!(house.console(&line).map_err(|refusal| refusal.code), Err(Code::NoSuchUser));
    }
    house.console("/ban ip:10.0.0.0/8").expect("done");
    assert!(house.console("/unban ip:10.0.0.0/16").is_err());
    house.console("/unban 10.0.0.0/8").expect("done");
    house.join_key(3, "mallory", 1);
    assert!(house.is_in(3));
}

#[test]
fn a_muted_user_is_told_until_when_and_heard_by_nobody() {
    let mut house = House::with_operator();
    house.join_key(1, "mallory", 1);
    house.join(2, "bob");
    house.send(99, r#"{"to":"server","msg":"/mute mallory 10m"}"#);
    assert_eq!(house.texts(99, "notice"), ["mallory muted until 2026-11-21 12:10 UTC"]);
    for to in ["all", "bob", "10.0.0.2"] {
        house.say(1, to, "spam");
        let (code, msg) = house.error(1);
        assert_eq!(code, "muted");
        assert!(msg.starts_with("you are muted until 2026-11-21 12:10 UTC by oscar"), "{msg}");
    }
    assert!(house.take(2, "chat").is_empty());
    let (_, mute) = house.chat.records(&house.now).mutes.remove(0);
    assert_eq!((mute.key, mute.ips), (Some(key(1)), vec![]), "the address has nothing to do with it");
    house.send(1, r#"{"type":"nick","name":"innocent"}"#);
    assert_eq!(house.error(1).0, "muted");
    house.leave(1);
    house.join_key(3, "another", 1);
    house.say(3, "all", "spam");
    assert_eq!(house.error(3).0, "muted", "the key is muted, not the name");
    house.say(2, "server", "/time");
    assert_eq!(house.texts(2, "time").len(), 1);
    house.later(Duration::from_secs(600));
    house.say(3, "all", "sorry");
    assert_eq!(house.texts(2, "chat"), ["sorry"]);
}

#[test]
fn who_has_no_key_is_muted_by_name_and_address_and_others_there_are_not() {
    let mut house = House::new();
    let place = Peer { ip: [10, 5, 5, 5].into(), ..House::peer(1, None) };
    house.join_peer(1, "mallory", place);
    house.join_peer(2, "bob", place);
    house.join_peer(3, "carol", Peer { key: Some(key(3)), encrypted: true, ..place });
    house.console("/mute mallory").expect("done");
    for (id, heard) in [(1, false), (2, true), (3, true)] {
        house.say(id, "all", "hi");
        assert_eq!(house.take(id, "error").is_empty(), heard, "{id}");
    }
    house.leave(1);
    house.join_peer(4, "mallory", place);
    house.say(4, "all", "hi again");
    assert_eq!(house.error(4).0, "muted");
    house.console("/unmute mallory").expect("done");
    house.say(4, "all", "thanks");
    assert!(house.take(4, "error").is_empty());
}

#[test]
fn operators_have_no_power_over_operators_and_the_console_has() {
    let mut house = House::with_operator();
    house.join_key(1, "peer", 1);
    house.console("/op peer").expect("done");
    for line in ["/kick peer", "/mute peer", "/ban peer", "/deop peer", "/kick oscar", "/ban oscar"] {
        house.say(99, "server", line);
        assert_eq!(house.error(99).0, "not_allowed", "{line}");
    }
    house.console("/mute peer").expect("done");
    house.say(1, "all", "x");
    assert_eq!(house.error(1).0, "muted");
    house.console("/ban peer").expect("done");
    assert!(house.closed.contains(&1));
}

#[test]
fn bans_and_mutes_are_listed_the_latest_first() {
    let mut house = House::with_operator();
    house.join_key(1, "mallory", 1);
    house.join(2, "eve");
    house.console("/mute mallory forever").expect("done");
    house.later(HOUR);
    house.console("/ban ip:172.16.0.0/12 2d").expect("done");
    house.later(HOUR);
    house.send(99, r#"{"type":"mute","name":"eve"}"#);
    house.inboxes.clear();
    house.send(99, r#"{"type":"bans"}"#);
    let bans = house.take(99, "bans").pop().expect("a list");
    assert_eq!(bans.total, Some(3));
    assert_eq!(
        bans.msg,
        format!(
            "eve muted by oscar until 2026-11-21T15:00:00Z\n\
             ip:172.16.0.0/12 banned by console until 2026-11-23T13:00:00Z\n\
             key:{} (mallory) muted by console forever",
            key(1)
        )
    );
}

#[test]
fn a_list_with_the_longest_members_fits_a_frame() {
    let since = Timestamp::UNIX_EPOCH;
    let long = "\u{10FFFF}".repeat(5000);
    let row = |n: u32| BanRecord {
        key: Some(key(1)),
        ips: vec![Net::host(std::net::Ipv4Addr::from(n).into()); 2],
        name: Some(long.clone()),
        by: long.clone(),
        since,
        until: Some(Timestamp::MAX),
        rest: serde_json::Map::new(),
    };
    let records = Records { bans: (0..500).map(|n| (n, row(n))).collect(), ..Records::default() };
    let house = House::with(Rules::default(), records);
    let frame = house.chat.bans(&house.now).into_event().to_packet("op", Some("x".repeat(64))).to_frame();
    assert!(frame.len() <= MAX_FRAME_BYTES, "{}", frame.len());
}

#[test]
fn what_operators_do_is_logged_with_key_name_and_address() {
    let mut house = House::with_operator();
    house.join_key(1, "mallory", 1);
    house.log.clear();
    house.say(99, "server", "/kick mallory");
    house.join_key(2, "mallory", 1);
    house.say(99, "server", "/ban mallory 1h");
    house.say(99, "server", "/unban mallory");
    let oscar = format!("oscar ({}, 10.0.0.99)", key(99));
    assert_eq!(
        house.log,
        [
            format!("{oscar} disconnected mallory ({}, 10.0.0.1)", key(1)),
            format!("{oscar}: mallory banned until 2026-11-21 13:00 UTC ({}, 10.0.0.2)", key(1)),
            format!("{oscar}: mallory is no longer banned"),
        ]
    );
}
