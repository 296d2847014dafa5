//! Many keys, names, connections and addresses of one attacker, and honest users beside them.

use super::*;
use crate::limits::{
    BURSTS_TOGETHER, DEFAULT_RATE_BURST, DEFAULT_RATE_PER_SECOND, LITTLE, MAX_ADDRESSED, NAME_TRIED,
    NEWS_BURST, PACES_PER_ADDRESS, PACES_PER_NETWORK, SHARE_BURST,
};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How long floods last, in seconds.
const TIME: u32 = 10;

/// The default pace's limit for that time, times these factors.
fn allowed(times: u32, bursts: u32) -> u32 {
    bursts * DEFAULT_RATE_BURST + times * TIME * DEFAULT_RATE_PER_SECOND
}

/// The same, including the part for those who send little.
fn allowed_there(times: u32) -> u32 {
    allowed(times, BURSTS_TOGETHER + BURSTS_TOGETHER / 4)
}

/// One of many keys.
fn many(number: u64) -> Fingerprint {
    let mut hash = [1; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Fingerprint::new(hash)
}

pub(super) fn at(last: u8) -> std::net::IpAddr {
    [192, 168, 1, last].into()
}

impl House {
    /// Joins with a session that only sends, so nobody hears of it.
    pub(super) fn enter_as(&mut self, id: u64, name: &str, ip: std::net::IpAddr, key: Option<Fingerprint>) {
        self.chat
            .connect(SessionId(id), Peer { ip, key, encrypted: key.is_some(), local: false, web: false });
        self.send(id, &format!(r#"{{"type":"hello","mode":"send","from":{{"name":"{name}"}}}}"#));
        assert!(self.is_in(id), "{name}");
    }

    fn ask_hello(&mut self, id: u64, name: &str) {
        self.send(id, &format!(r#"{{"type":"hello","from":{{"name":"{name}"}}}}"#));
    }

    /// Adds a user who has had their name for a while.
    fn establish(&mut self, id: u64, name: &str, ip: std::net::IpAddr, number: u8) {
        self.enter_as(id, name, ip, Some(key(number)));
        self.later(NAME_TRIED);
    }

    /// Floods from some sessions while honest ones send a message per second; returns how many messages the
    /// flood got through, and the longest that an honest sender waited.
    fn flood(&mut self, ids: impl IntoIterator<Item = u64>, honest: &[u64]) -> (u32, Duration) {
        let begun = self.now.uptime;
        let mut asked: BinaryHeap<_> = ids.into_iter().map(|id| Reverse((begun, id))).collect();
        // The flood first exhausts everything.
        asked.extend(honest.iter().map(|id| Reverse((begun + Duration::from_secs(3), *id))));
        let mut since: HashMap<u64, Duration> = HashMap::new();
        let (mut sent, mut longest) = (0, Duration::ZERO);
        while let Some(Reverse((when, id))) = asked.pop() {
            if when - begun > Duration::from_secs(TIME.into()) {
                continue;
            }
            // Make times uneven.
            self.now.uptime = self.now.uptime.max(when) + Duration::from_micros(1);
            let from = *since.entry(id).or_insert(self.now.uptime);
            if let Some(pause) = self.chat.pause(SessionId(id), 1, &self.now) {
                asked.push(Reverse((self.now.uptime + pause, id)));
                continue;
            }
            self.say(id, "all", "x");
            since.remove(&id);
            let next = match honest.contains(&id) {
                true => {
                    longest = longest.max(self.now.uptime - from);
                    Duration::from_secs(1)
                }
                false => {
                    sent += 1;
                    Duration::ZERO
                }
            };
            asked.push(Reverse((self.now.uptime + next, id)));
        }
        let waiting = honest.iter().filter_map(|id| since.get(id)).map(|from| self.now.uptime - *from);
        (sent, longest.max(waiting.max().unwrap_or_default()))
    }
}

#[test]
fn one_key_with_a_hundred_names_sends_as_much_as_one() {
    let mut house = House::new();
    for n in 0..100 {
        house.enter_as(n, &format!("mal{n}"), at(1), Some(key(1)));
    }
    let (sent, _) = house.flood(0..100, &[]);
    assert!(sent <= allowed(1, 1) && sent >= allowed(1, 1) - 2, "{sent}");
}

#[test]
fn other_names_and_connections_one_after_another_are_no_way_around_the_pace() {
    let mut house = House::new();
    let mut waited = Duration::ZERO;
    for n in 0..u64::from(DEFAULT_RATE_BURST) + 50 {
        house.enter_as(n, &format!("mal{n}"), at(1), Some(key(1)));
        while let Some(pause) = house.chat.pause(SessionId(n), 1, &house.now) {
            waited += pause;
            house.later(pause);
        }
        house.say(n, "all", "x");
        house.leave(n);
    }
    assert!(waited >= Duration::from_secs(9), "{waited:?}");
}

#[test]
fn a_hundred_keys_of_one_address_send_what_the_address_may() {
    let mut house = House::new();
    for n in 0..100 {
        house.enter_as(n.into(), &format!("mal{n}"), at(1), Some(key(n)));
    }
    let (sent, _) = house.flood(0..100, &[]);
    let most = allowed_there(PACES_PER_ADDRESS);
    assert!(sent <= most && sent > most * 3 / 4, "{sent} of {most}");
    // Connections without a key change nothing.
    for n in 100..200 {
        house.enter_as(n, &format!("mal{n}"), at(1), None);
    }
    let (more, _) = house.flood(0..200, &[]);
    assert!(more <= most, "{more}");
}

#[test]
fn a_hundred_addresses_of_one_network_send_what_the_network_may_and_each_its_share() {
    let mut house = House::new();
    for n in 0..200_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(n / 2), Some(key(n)));
    }
    let (sent, _) = house.flood(0..200, &[]);
    // Everyone who keeps to a person's pace gets through, however many there are.
    let most = allowed_there(PACES_PER_NETWORK) + allowed(100, 100);
    assert!(sent <= most, "{sent} of {most}");
}

#[test]
fn forty_addresses_with_a_hundred_keys_each_send_what_their_network_may() {
    let mut house = House::new();
    for n in 0..4000 {
        house.enter_as(n, &format!("mal{n}"), at(u8::try_from(n % 40).expect("small")), Some(many(n)));
    }
    let (sent, _) = house.flood(0..4000, &[]);
    let most = allowed_there(PACES_PER_NETWORK) + allowed(0, 40);
    assert!(sent <= most, "{sent} of {most}");
}

#[test]
fn many_who_have_had_names_for_a_while_send_little_more_than_newcomers() {
    let record = |n: u64| NameRecord {
        name: format!("mal{n}"),
        key: many(n),
        last: "2026-11-21T11:00:00Z".parse().expect("a time"),
        used: 5000,
        in_use: false,
    };
    let names = (0..1000).map(record).collect();
    let mut house = House::with(Rules::default(), Records { names, ..Records::default() });
    for n in 0..1000 {
        house.enter_as(n, &format!("mal{n}"), at(1), Some(many(n)));
    }
    assert!(house.chat.is_established(&many(7), &house.now));
    let (sent, _) = house.flood(0..1000, &[]);
    let shares = allowed(PACES_PER_ADDRESS, PACES_PER_ADDRESS);
    let most = allowed(PACES_PER_ADDRESS, BURSTS_TOGETHER) + shares;
    assert!(sent <= most && sent > shares, "{sent} of {most}");
}

#[test]
fn two_hundred_behind_one_router_come_back_at_once_and_wait_for_nothing() {
    let mut house = House::new();
    for n in 0..200 {
        house.chat.connect(SessionId(n), Peer { ip: at(1), ..House::peer(0, Some(many(n))) });
    }
    for packet in 0..4 {
        for n in 0..200 {
            assert_eq!(house.chat.pause(SessionId(n), 1, &house.now), None, "{n} {packet}");
            match packet {
                0 => house.ask_hello(n, &format!("user{n}")),
                _ => house.send(n, r#"{"type":"time"}"#),
            }
        }
    }
}

#[test]
fn on_a_lan_of_500_of_whom_one_has_200_keys_and_40_addresses_nobody_else_waits() {
    let mut house = House::new();
    // One of them shares the attacker's address.
    house.establish(900, "alice", at(1), 201);
    house.enter_as(901, "newcomer", at(200), Some(key(202)));
    house.enter_as(902, "netcat", at(201), None);
    for n in 0..200 {
        house.enter_as(n, &format!("mal{n}"), at(u8::try_from(n % 40).expect("small")), Some(many(n)));
    }
    let (sent, longest) = house.flood(0..200, &[900, 901, 902]);
    assert!(sent > 1000, "it is a flood: {sent}");
    assert_eq!(longest, Duration::ZERO);
}

#[test]
fn a_newcomer_at_the_address_of_a_flood_gets_their_turns() {
    let mut house = House::new();
    for n in 0..100_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(1), Some(key(n)));
    }
    house.enter_as(900, "newcomer", at(1), Some(key(202)));
    let (_, longest) = house.flood(0..100, &[900]);
    assert!(longest > Duration::ZERO && longest < Duration::from_secs(3), "{longest:?}");
}

#[test]
fn whoever_comes_to_the_address_of_a_flood_is_in_at_once() {
    let mut house = House::new();
    for n in 0..100_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(1), Some(key(n)));
    }
    house.flood(0..100, &[]);
    house.chat.connect(SessionId(900), Peer { ip: at(1), ..House::peer(0, Some(key(202))) });
    for packet in [r#"{"type":"ping"}"#, r#"{"type":"hello","from":{"name":"newcomer"}}"#] {
        assert_eq!(house.chat.pause(SessionId(900), 1, &house.now), None);
        house.send(900, packet);
    }
    assert!(house.is_in(900) && house.chat.pause(SessionId(900), 1, &house.now).is_some());
}

#[test]
fn who_waits_for_their_address_is_told_so() {
    let mut house = House::new();
    for n in 0..100_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(1), Some(key(n)));
    }
    house.join_peer(900, "newcomer", Peer { ip: at(1), ..House::peer(900, Some(key(202))) });
    house.texts(900, "notice");
    house.flood(0..100, &[]);
    // They send much.
    while let Some(pause) = house.chat.pause(SessionId(900), LITTLE + 1, &house.now) {
        house.later(pause);
    }
    house.say(900, "all", &"x".repeat(2000));
    let told = house.texts(900, "notice");
    assert_eq!(
        told,
        ["more than 50 messages per second come from your address; yours are delayed, not dropped"]
    );
}

#[test]
fn established_is_who_has_had_a_name_for_a_while_or_is_an_operator() {
    let mut house = House::with_operator();
    house.enter_as(1, "alice", at(1), Some(key(1)));
    assert!(!house.chat.is_established(&key(1), &house.now));
    assert!(house.chat.is_established(&key(99), &house.now));
    house.later(NAME_TRIED);
    assert!(house.chat.is_established(&key(1), &house.now));
    let mut house = house.restarted();
    assert!(house.chat.is_established(&key(1), &house.now), "over a restart");
    house.later(crate::limits::NAME_KEPT + Duration::from_secs(1));
    assert!(!house.chat.is_established(&key(1), &house.now), "as long as the name is theirs");
}

#[test]
fn what_nobody_takes_from_the_established_is_no_way_around_for_them() {
    let mut house = House::new();
    house.establish(900, "alice", at(1), 201);
    for n in 0..100_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(1), Some(key(n)));
    }
    let (_, longest) = house.flood(0..100, &[900]);
    assert_eq!(longest, Duration::ZERO);
    let (mut sent, mut tries) = (0, 0);
    while tries < 100 {
        tries += 1;
        if house.chat.pause(SessionId(900), 1, &house.now).is_some() {
            continue;
        }
        house.say(900, "all", "x");
        sent += 1;
    }
    assert!(sent <= SHARE_BURST + 1, "{sent}");
}

#[test]
fn a_message_to_an_address_counts_as_one_to_each_who_is_there() {
    let mut house = House::new();
    for n in 0..40_u8 {
        house.chat.connect(SessionId(n.into()), Peer { ip: at(1), ..House::peer(0, Some(key(n))) });
        house.ask_hello(n.into(), &format!("user{n}"));
    }
    house.enter_as(100, "mal", at(2), Some(key(100)));
    house.say(100, "192.168.1.1", "x");
    // 41 of 20, and a second gives 5.
    let mut waited = Duration::ZERO;
    while let Some(pause) = house.chat.pause(SessionId(100), 1, &house.now) {
        waited += pause;
        house.later(pause);
    }
    assert!((Duration::from_secs(4)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
    house.enter_as(101, "honest", at(2), Some(key(101)));
    assert_eq!(house.chat.pause(SessionId(101), 1, &house.now), None, "and nobody else's");
}

#[test]
fn a_message_to_an_address_with_more_people_than_the_bound_is_refused_with_the_remedy() {
    let mut house = House::new();
    let bound = u8::try_from(MAX_ADDRESSED).expect("a small number");
    for n in 0..=bound {
        house.chat.connect(SessionId(n.into()), Peer { ip: at(1), ..House::peer(0, Some(key(n))) });
        house.ask_hello(n.into(), &format!("user{n}"));
    }
    house.join(200, "alice");
    house.say(200, "192.168.1.1", "x");
    let (code, msg) = house.error(200);
    assert_eq!((code.as_str(), msg.contains("write to all, or to a room")), ("not_allowed", true), "{msg}");
}

#[test]
fn news_count_for_all_names_and_sessions_of_a_key() {
    let mut house = House::new();
    for n in 0..20 {
        house.join(100 + n, &format!("user{n}"));
    }
    let (mut renamed, mut joined, mut written) = (0, 0, 0);
    for n in 0..20 {
        house.join_peer(n, &format!("mal{n}"), House::peer(1, Some(key(1))));
        joined += u32::from(house.is_in(n));
    }
    for n in 0..20 {
        house.send(n, &format!(r#"{{"type":"nick","name":"new{n}","id":"x"}}"#));
        renamed += house.take(n, "renamed").iter().filter(|packet| packet.id.is_some()).count();
    }
    assert_eq!((joined, renamed), (crate::limits::JOIN_BURST, NEWS_BURST as usize));
    for n in 0..20 {
        house.enter_as(50, &format!("m{n}"), at(1), Some(key(1)));
        house.send(50, &format!(r#"{{"to":"user{n}","msg":"hi","id":"x"}}"#));
        written += house.take(50, "sent").len();
        house.leave(50);
        house.gone.remove(&50);
    }
    assert_eq!(written, NEWS_BURST as usize, "first messages, although each reconnected");
}

#[test]
fn a_script_that_comes_for_each_message_may_write_to_the_same_person_at_any_time() {
    let mut house = House::new();
    house.join(1, "bob");
    for n in 100..150 {
        house.enter_as(n, "script", at(1), Some(key(1)));
        house.say(n, "bob", "a disk is full");
        house.leave(n);
    }
    assert_eq!(house.texts(1, "chat").len(), 50);
}

#[test]
fn the_servers_own_machine_is_an_address_of_its_own_and_of_no_network() {
    let mut house = House::new();
    for n in 0..100_u8 {
        house.enter_as(n.into(), &format!("mal{n}"), at(n % 50 + 2), Some(key(n)));
    }
    house.flood(0..100, &[]);
    let own = Peer { ip: at(1), local: true, ..House::peer(0, Some(key(200))) };
    for n in 200..202 {
        house.chat.connect(SessionId(n), own);
        house.ask_hello(n, &format!("cron{n}"));
    }
    for _ in 0..DEFAULT_RATE_BURST / 2 {
        assert_eq!(house.chat.pause(SessionId(200), 1, &house.now), None);
        house.say(200, "all", "x");
        house.say(201, "all", "x");
    }
    assert!(
        house.chat.pause(SessionId(201), 1, &house.now).is_some(),
        "its scripts with one key share a pace"
    );
}

#[test]
fn with_several_servers_the_session_s_own_one_charges_it_for_what_only_the_rules_know() {
    let mut house = House::new();
    house.chat.keep_sessions();
    let ip = [10, 0, 0, 9].into();
    for id in 1..=5 {
        let peer = Peer { ip, key: Some(key(id as u8)), encrypted: true, local: false, web: false };
        house.join_peer(id, &format!("user{id}"), peer);
    }
    house.send(1, r#"{"to":"10.0.0.9","msg":"to all there"}"#);
    assert_eq!(house.charged, [(SessionId(1), 4)]);
    for _ in 0..100 {
        house.send(1, r#"{"to":"all","msg":"hi"}"#);
    }
    assert!(house.chat.pause(SessionId(1), 1, &house.now).is_none(), "it has its pace there");
}
