//! How fast is too fast, and what happens then.

use super::super::who::Correspondent;
use super::*;
use crate::limits::{
    DEFAULT_RATE_BURST, JOIN_BURST, MAX_CORRESPONDENTS, MAX_PAUSE, NEWS_BURST, PACE_UNIT_BYTES,
};

impl House {
    /// Sends a packet like the server: waits while it must. Returns for how long.
    fn paced(&mut self, id: u64, json: &str) -> Duration {
        let begun = self.now.uptime;
        while let Some(pause) = self.chat.pause(SessionId(id), 1, &self.now) {
            assert!(!pause.is_zero() && pause <= MAX_PAUSE);
            self.later(pause);
        }
        self.send(id, json);
        self.now.uptime - begun
    }

    fn chat_all(&mut self, id: u64, count: u32) -> Duration {
        (0..count).map(|n| self.paced(id, &format!(r#"{{"to":"all","msg":"{n}"}}"#))).sum()
    }
}

#[test]
fn a_burst_goes_through_and_what_is_more_waits_and_is_not_lost() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "bob");
    // The hello counted as one.
    assert_eq!(house.chat_all(1, DEFAULT_RATE_BURST - 1), Duration::ZERO);
    let waited = house.chat_all(1, 50);
    assert!((Duration::from_millis(9_800)..=Duration::from_secs(10)).contains(&waited), "{waited:?}");
    assert_eq!(house.texts(2, "chat").len(), 69);
    assert!(house.closed.is_empty());
    let told = house.texts(1, "notice");
    assert_eq!(
        told,
        ["you send faster than 5 messages per second; further messages are delayed, not dropped"],
        "once"
    );
    house.later(Duration::from_secs(60));
    house.chat_all(1, DEFAULT_RATE_BURST + 5);
    assert_eq!(house.texts(1, "notice").len(), 1, "and once more when it begins again");
}

#[test]
fn who_ends_just_at_the_burst_is_told_nothing() {
    let mut house = House::new();
    house.join(1, "alice");
    house.chat_all(1, DEFAULT_RATE_BURST - 1);
    assert!(house.chat.pause(SessionId(1), 1, &house.now).is_some());
    house.later(Duration::from_secs(3));
    house.chat_all(1, 1);
    assert!(house.texts(1, "notice").is_empty());
}

#[test]
fn all_sessions_of_a_user_share_the_pace_and_other_users_have_their_own() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join_key(2, "alice", 1);
    house.join(3, "bob");
    house.chat_all(1, DEFAULT_RATE_BURST);
    assert!(house.chat.pause(SessionId(2), 1, &house.now).is_some());
    assert!(house.chat.pause(SessionId(3), 1, &house.now).is_none());
}

#[test]
fn a_long_text_counts_as_the_several_that_it_is() {
    let mut house = House::new();
    house.join(1, "alice");
    let text = "x".repeat(PACE_UNIT_BYTES * (DEFAULT_RATE_BURST as usize - 1));
    assert_eq!(house.paced(1, &format!(r#"{{"to":"all","msg":"{text}"}}"#)), Duration::ZERO);
    assert!(house.chat.pause(SessionId(1), 1, &house.now).is_some());
}

#[test]
fn a_text_counts_as_long_as_it_is_written_in_json() {
    let mut house = House::new();
    house.join(1, "alice");
    let text = "\\u0001".repeat(PACE_UNIT_BYTES * (DEFAULT_RATE_BURST as usize - 1) / 6);
    house.paced(1, &format!(r#"{{"to":"all","msg":"{text}"}}"#));
    assert!(house.chat.pause(SessionId(1), 1, &house.now).is_some());
}

#[test]
fn a_packet_counts_by_what_it_is_besides_its_text_too() {
    let junk = "0,".repeat(MAX_FRAME_BYTES / 2 - 100);
    for frame in [format!(r#"{{"type":"ping","x":[{junk}0]}}"#), format!(r#"{{"type":"ping","x":[{junk}]}}"#)]
    {
        let mut house = House::new();
        house.join(1, "alice");
        for _ in 0..2 {
            match ClientPacket::parse(frame.as_bytes()) {
                Ok(_) => house.send(1, &frame),
                Err(error) => house.act(|chat, now, out| {
                    chat.receive_garbage(SessionId(1), Garbage::of(frame.as_bytes(), &error), now, out)
                }),
            }
        }
        let wait = house.chat.pause(SessionId(1), 1, &house.now);
        assert_eq!(wait, Some(MAX_PAUSE), "32 at once are more than a second's too many");
    }
}

#[test]
fn who_has_no_name_yet_keeps_to_the_pace_too_and_slips_count() {
    let mut house = House::new();
    house.connect(1);
    for _ in 0..DEFAULT_RATE_BURST / 2 {
        house.paced(1, r#"{"type":"ping"}"#);
        house.act(|chat, now, out| chat.receive_garbage(SessionId(1), Garbage::unframed(), now, out));
    }
    assert!(house.chat.pause(SessionId(1), 1, &house.now).is_some());
}

#[test]
fn off_turns_everything_off() {
    let mut house = House::with(Rules { rate: None, ..Rules::default() }, Records::default());
    house.join(1, "alice");
    assert_eq!(house.chat_all(1, 1000), Duration::ZERO);
    for n in 0..50 {
        house.send(1, &format!(r#"{{"type":"nick","name":"alice{n}"}}"#));
    }
    assert!(house.take(1, "error").is_empty());
}

#[test]
fn asking_for_a_taken_name_counts_like_having_it() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "bob");
    for _ in 0..NEWS_BURST {
        house.send(1, r#"{"type":"nick","name":"bob"}"#);
        assert_eq!(house.error(1).0, "name_taken", "a user may try a few");
    }
    house.send(1, r#"{"type":"nick","name":"bob"}"#);
    assert_eq!(house.error(1).0, "rate_limited");
    house.join_peer(3, "cron", Peer { local: true, ..House::peer(3, None) });
    for _ in 0..2 * NEWS_BURST {
        house.send(3, r#"{"type":"nick","name":"bob"}"#);
        assert_eq!(house.error(3).0, "name_taken");
    }
}

#[test]
fn coming_for_a_taken_name_counts_for_whatever_one_comes() {
    for mode in ["chat", "send", "tail"] {
        let mut house = House::new();
        house.join(1, "bob");
        let mut come = |id: u64| {
            house.chat.connect(SessionId(id), House::peer(7, Some(key(1))));
            house.send(id, &format!(r#"{{"type":"hello","from":{{"name":"bob"}},"mode":"{mode}"}}"#));
            house.error(id).0
        };
        assert!((2..2 + u64::from(JOIN_BURST)).all(|id| come(id) == "name_taken"));
        assert_eq!(come(99), "rate_limited");
    }
}

#[test]
fn names_are_changed_six_times_a_minute() {
    let mut house = House::new();
    house.join(1, "alice");
    for n in 0..NEWS_BURST {
        house.send(1, &format!(r#"{{"type":"nick","name":"n{n}"}}"#));
        assert!(house.take(1, "error").is_empty());
    }
    house.send(1, r#"{"type":"nick","name":"more"}"#);
    let error = ("rate_limited".into(), "you change your name too often; try again in 10 s".into());
    assert_eq!(house.error(1), error);
    house.later(Duration::from_secs(10));
    house.send(1, r#"{"type":"nick","name":"more"}"#);
    assert!(house.take(1, "error").is_empty());
}

#[test]
fn strangers_are_written_to_six_times_a_minute_and_acquaintances_at_any_time() {
    let mut house = House::new();
    house.join(1, "alice");
    for n in 0..20 {
        house.join(100 + n, &format!("user{n}"));
    }
    house.say(110, "alice", "a question");
    for n in 0..u64::from(NEWS_BURST) {
        house.say(1, &format!("user{n}"), "hi");
        assert!(house.take(1, "error").is_empty());
    }
    house.say(1, "user7", "hi");
    let (code, msg) = house.error(1);
    assert_eq!((code.as_str(), msg.ends_with("try again in 10 s")), ("rate_limited", true), "{msg}");
    for (to, why) in
        [("user0", "known"), ("user10", "they wrote first"), ("alice", "oneself"), ("all", "the lobby")]
    {
        house.say(1, to, "hi");
        assert!(house.take(1, "error").is_empty(), "{why}");
    }
    house.say(1, "10.0.0.112", "hi");
    assert_eq!(house.error(1).0, "rate_limited", "an address is a stranger too");
}

#[test]
fn what_is_remembered_of_correspondents_is_bounded() {
    let mut house = House::new();
    house.join(1, "alice");
    for n in 0..MAX_CORRESPONDENTS as u64 + 10 {
        house.join(100 + n, &format!("user{n}"));
        house.say(1, &format!("user{n}"), "hi");
        house.later(Duration::from_secs(10));
    }
    let alice = Correspondent::of(Some(&Account::Token("alice".into())), None).expect("a correspondent");
    assert_eq!(house.chat.acquaintances.of(alice), MAX_CORRESPONDENTS);
    assert!(house.take(1, "error").is_empty());
}

#[test]
fn comings_are_counted_over_reconnects_by_key_or_by_place_and_name() {
    let mut house = House::new();
    let place = House::peer(1, None);
    let keyed = House::peer(1, Some(key(1)));
    for (name, peer) in [("alice", keyed), ("bob", place)] {
        for n in 0..u64::from(JOIN_BURST) {
            house.join_peer(n, name, peer);
            assert!(house.is_in(n), "{name} {n}");
            house.leave(n);
        }
        house.join_peer(50, name, peer);
        let error = ("rate_limited".into(), "you come and go too often; try again in 10 s".into());
        assert_eq!(house.error(50), error);
    }
    house.join_peer(51, "carol", place);
    assert!(house.is_in(51), "someone else there");
    house.later(Duration::from_secs(10));
    house.join_peer(52, "alice", keyed);
    assert!(house.is_in(52));
}

#[test]
fn sessions_that_announce_nobody_come_as_often_as_they_like() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    for n in 10..100 {
        house.join_key(n, "alice", 1);
        assert!(house.is_in(n), "a further session is not an arrival");
        house.leave(n);
    }
    for n in 100..200 {
        house.chat.connect(SessionId(n), House::peer(n, Some(key(2))));
        house.send(n, r#"{"type":"hello","mode":"send","from":{"name":"script"}}"#);
        assert!(house.is_in(n), "nor is one that sends and goes");
        house.leave(n);
    }
}

#[test]
fn leaving_and_coming_back_is_no_way_around_the_pace() {
    let mut house = House::new();
    house.join(1, "reader");
    let send = |house: &mut House, n: u64, peer: Peer| {
        house.chat.connect(SessionId(n), peer);
        let name = if peer.key.is_some() { "script" } else { "netcat" };
        house.send(n, &format!(r#"{{"type":"hello","mode":"send","from":{{"name":"{name}"}}}}"#));
        let waited = house.paced(n, r#"{"to":"all","msg":"hi"}"#);
        house.leave(n);
        waited
    };
    for key in [Some(key(2)), None] {
        let peer = House::peer(7, key);
        let (burst, more) = (u64::from(DEFAULT_RATE_BURST), 20);
        let waited: Duration = (0..burst + more).map(|n| send(&mut house, 100 + n, peer)).sum();
        assert!((Duration::from_secs(3)..=Duration::from_secs(5)).contains(&waited), "{waited:?}");
        assert_eq!(house.texts(1, "chat").len(), 40, "nothing is lost");
        house.later(Duration::from_secs(60));
        assert_eq!(send(&mut house, 200, peer), Duration::ZERO, "it comes back with time");
        house.texts(1, "chat");
    }
}

#[test]
fn on_the_servers_own_machine_only_the_pace_of_messages_holds() {
    let mut house = House::new();
    let own = Peer { local: true, ..House::peer(1, None) };
    for n in 0..50 {
        house.join_peer(n, "cron", own);
        assert!(house.is_in(n));
        house.leave(n);
    }
    house.join_peer(60, "cron", own);
    for n in 0..15 {
        house.send(60, &format!(r#"{{"type":"nick","name":"cron{n}"}}"#));
    }
    assert!(house.take(60, "error").is_empty());
    house.chat_all(60, DEFAULT_RATE_BURST);
    assert!(house.chat.pause(SessionId(60), 1, &house.now).is_some());
}
