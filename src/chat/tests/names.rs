//! Owners of names.

use super::*;
use crate::limits::{
    ALIVE_EVERY, NAME_KEPT, NAME_KEPT_TRIED, NAME_TRIED, NAMES_GATHERED, NAMES_PAUSE, RECORDS_PORTION,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

impl House {
    /// Joins with the key, stays for that time, and leaves.
    pub(super) fn visit(&mut self, id: u64, name: &str, number: u8, time: Duration) {
        self.join_key(id, name, number);
        assert!(self.is_in(id), "{:?}", self.error(id));
        self.later(time);
        self.leave(id);
    }

    /// Why the name is not available.
    fn refusal(&mut self, id: u64) -> ServerPacket {
        assert!(self.closed.contains(&id) && !self.is_in(id));
        self.take(id, "error").pop().expect("an error")
    }
}

#[test]
fn a_name_belongs_to_the_first_key_that_used_it_while_its_owner_is_away() {
    let mut house = House::new();
    house.visit(1, "alice", 1, NAME_TRIED);
    house.join_key(2, "Alice", 2);
    let error = house.refusal(2);
    assert_eq!(
        (error.code.as_deref(), error.msg.as_str()),
        (
            Some("name_taken"),
            "\"Alice\" belongs to another key (seen today). Try Alice-2, or use the device you used before."
        )
    );
    assert_eq!(error.name.as_deref(), Some("Alice-2"));
    house.join(3, "alice");
    assert_eq!(house.refusal(3).code.as_deref(), Some("name_taken"), "not without a key either");
    house.join_key(4, "alice", 1);
    assert!(house.is_in(4), "its owner gets it");
    house.join_key(5, "alice", 2);
    assert!(house.refusal(5).msg.contains("(here now)"));
}

#[test]
fn how_long_ago_the_owner_was_seen_is_told_in_days() {
    let mut house = House::new();
    house.visit(1, "alice", 1, NAME_TRIED);
    for (id, wait, seen) in [(2, DAY / 2, "seen yesterday"), (3, DAY * 8, "seen 9 days ago")] {
        house.later(wait);
        house.join_key(id, "alice", 2);
        let msg = house.refusal(id).msg;
        assert!(msg.contains(seen), "{msg}");
    }
}

#[test]
fn a_name_that_looks_like_anothers_is_refused_whether_its_owner_is_here_or_not() {
    let mut house = House::new();
    house.visit(1, "Ivan", 1, NAME_TRIED);
    house.join(2, "morn");
    for (id, name, like) in [(3, "lvan", "Ivan"), (4, "m0rn", "morn"), (5, "rnorn", "morn")] {
        house.join_key(id, name, 2);
        let error = house.refusal(id);
        assert_eq!(error.code.as_deref(), Some("name_taken"));
        assert!(
            error.msg.starts_with(&format!("\"{name}\" looks like \"{like}\", which is taken. Try ")),
            "{}",
            error.msg
        );
    }
    house.join_key(6, "lvan", 1);
    assert!(house.is_in(6), "one's own look-alike is one's own");
}

#[test]
fn who_has_no_key_owns_nothing_and_is_put_out_by_nobody() {
    let mut house = House::new();
    house.join(1, "bob");
    house.join_key(2, "bob", 1);
    assert_eq!(house.refusal(2).msg, "the name bob is taken. Try bob-2.");
    house.leave(1);
    assert_eq!(house.chat.records(&house.now).names, []);
    house.join_key(3, "bob", 1);
    assert!(house.is_in(3));
}

#[test]
fn the_same_key_and_name_are_one_user_and_a_token_never_is_a_key() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join_key(2, "alice", 1);
    assert_eq!((house.is_in(2), house.chat.present()), (true, 1));
    house.join_key(3, "work", 1);
    assert_eq!(house.chat.present(), 2, "another name is another user");
    house.connect(4);
    house.send(4, r#"{"type":"hello","from":{"name":"alice"},"token":"alice"}"#);
    assert!(!house.is_in(4));
    house.chat.connect(SessionId(5), House::peer(5, Some(key(2))));
    house.send(5, r#"{"type":"hello","from":{"name":"carol"},"token":"shared"}"#);
    house.connect(6);
    house.send(6, r#"{"type":"hello","from":{"name":"carol"},"token":"shared"}"#);
    assert!(house.is_in(5) && !house.is_in(6), "the token of a client with a key does not count");
}

#[test]
fn what_is_passed_on_bears_the_tag_of_the_senders_key_and_none_for_the_unverified() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.join(2, "bob");
    house.say(1, "all", "hi");
    house.say(2, "all", "hi");
    assert_eq!(house.take(2, "chat")[0].from.key, Some(key(1).tag()));
    assert_eq!(house.take(1, "chat")[0].from.key, None);
    house.send(2, r#"{"type":"users"}"#);
    let users = house.take(2, "users")[0].users.clone().expect("users");
    assert_eq!((users[0].key.clone(), users[0].plaintext), (Some(key(1).tag()), None));
    assert_eq!((users[1].key.clone(), users[1].plaintext), (None, Some(true)));
    house.send(2, r#"{"type":"whois","name":"alice"}"#);
    let whois = house.take(2, "whois").pop().expect("an answer");
    assert_eq!(whois.user.expect("a user").key, Some(key(1).to_string()));
    assert!(whois.msg.contains(&key(1).spoken()), "{}", whois.msg);
}

#[test]
fn a_welcome_tells_the_own_key() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    assert_eq!(house.take(1, "welcome")[0].key, Some(key(1).to_string()));
    house.join(2, "bob");
    assert_eq!(house.take(2, "welcome")[0].key, None);
}

#[test]
fn a_name_is_kept_for_a_month_and_one_that_was_only_tried_for_two_days() {
    let mut house = House::new();
    house.visit(1, "alice", 1, NAME_TRIED);
    house.visit(2, "bob", 2, NAME_TRIED - Duration::from_secs(1));
    let second = Duration::from_secs(1);
    for (wait, alice, bob) in [(NAME_KEPT_TRIED - second, true, true), (2 * second, true, false)] {
        house.later(wait);
        assert_eq!(house.owns("alice"), alice);
        assert_eq!(house.owns("bob"), bob);
    }
    house.later(NAME_KEPT - NAME_KEPT_TRIED - 700 * second);
    assert!(house.owns("alice"));
    house.later(700 * second);
    assert!(!house.owns("alice"));
    assert_eq!(house.chat.records(&house.now).names, []);
    house.join_key(3, "alice", 3);
    assert!(house.is_in(3) && house.owns("alice"), "it is the next one's");
}

impl House {
    pub(super) fn owns(&self, name: &str) -> bool {
        self.chat.owned.owner(&crate::name::Name::new(name).expect("a name"), self.now.at()).is_some()
    }
}

#[test]
fn a_short_use_again_and_again_adds_up() {
    let mut house = House::new();
    for id in 1..=3 {
        house.visit(id, "alice", 1, NAME_TRIED / 3);
    }
    house.later(2 * NAME_KEPT_TRIED);
    assert!(house.owns("alice"));
}

#[test]
fn a_fourth_name_frees_the_one_that_was_used_longest_ago() {
    let mut house = House::new();
    for (id, name) in ["one", "two", "three"].into_iter().enumerate() {
        house.visit(id as u64, name, 1, NAME_TRIED);
    }
    house.visit(10, "one", 1, NAME_TRIED);
    house.visit(11, "four", 1, NAME_TRIED);
    let owned: Vec<_> = ["one", "two", "three", "four"].into_iter().filter(|name| house.owns(name)).collect();
    assert_eq!(owned, ["one", "three", "four"]);
}

#[test]
fn names_and_their_owners_outlive_a_restart() {
    let mut house = House::new();
    house.visit(1, "alice", 1, NAME_TRIED);
    house.join_key(2, "bob", 2);
    house.later(NAME_TRIED);
    let mut house = house.restarted();
    house.later(2 * NAME_KEPT_TRIED);
    for name in ["alice", "bob"] {
        assert!(house.owns(name), "{name}: a name in use counts as used until now");
    }
    house.join_key(1, "b0b", 3);
    assert!(!house.is_in(1));
}

#[test]
fn a_power_cut_after_a_quiet_time_makes_no_name_lapse_that_was_in_use() {
    for (before, days) in [(Duration::ZERO, 2), (NAME_TRIED, 31)] {
        let mut house = House::new();
        house.visit(1, "bob", 1, before);
        house.join_key(2, "bob", 1);
        house.later(NAMES_GATHERED);
        // Nobody joins or leaves for days; the timer fires when it said.
        for _ in 0..days * 24 * 6 {
            house.later(ALIVE_EVERY);
        }
        let mut house = house.crashed();
        house.later(NAME_KEPT_TRIED / 2);
        assert!(house.owns("bob"), "after {days} days");
        house.join_key(3, "bob", 2);
        assert_eq!(house.error(3).0, "name_taken");
    }
}

#[test]
fn a_name_in_use_is_written_down_daily_at_the_latest() {
    let mut house = House::new();
    house.join_key(1, "bob", 1);
    for _ in 0..36 {
        house.later(HOUR);
        let row = house.stored.name("bob").expect("a row");
        let age = house.now.clock.timestamp().duration_since(row.last).unsigned_abs();
        assert!(age < DAY && row.in_use, "{age:?}");
    }
    let row = house.stored.name("bob").expect("a row");
    assert!(row.used >= 12 * 3600, "{}", row.used);
}

#[test]
fn a_new_name_is_kept_before_its_owner_is_welcomed_and_a_known_one_costs_nothing_at_once() {
    let kept = |house: &mut House, id: u64, number: u8| {
        house.is_holding = true;
        house.join_key(id, "bob", number);
        house.is_holding = false;
        let is_row =
            |step: &house::Step| matches!(step, house::Step::Delivery(Delivery::Keep(Entry::Record(_))));
        let is_welcome = |step: &house::Step| matches!(step, house::Step::Delivery(Delivery::Answer(_)));
        let row = house.batch.iter().position(is_row);
        let welcome = house.batch.iter().position(is_welcome).expect("a welcome");
        house.settle();
        row.map(|row| row < welcome)
    };
    let mut house = House::new();
    assert_eq!(kept(&mut house, 1, 1), Some(true));
    house.leave(1);
    let mut house = house.restarted();
    assert_eq!(kept(&mut house, 2, 1), None);
    house.later(NAMES_GATHERED);
    assert!(house.stored.name("bob").expect("a row").in_use);
}

#[test]
fn a_crowds_comings_and_goings_are_written_a_few_at_a_time() {
    let names = (0..100_u8).map(|n| NameRecord {
        name: format!("user{n}"),
        key: key(n),
        last: "2026-11-21T11:00:00Z".parse().expect("a time"),
        used: 5000,
        in_use: false,
    });
    let mut house = House::with(Rules::default(), Records { names: names.collect(), ..Records::default() });
    (0..100).for_each(|n| house.join_key(n.into(), &format!("user{n}"), n));
    let written = |house: &House| {
        (0..100).filter(|n| house.stored.name(&format!("user{n}")).is_some_and(|row| row.in_use)).count()
    };
    assert_eq!(written(&house), 0);
    house.later(NAMES_GATHERED);
    assert_eq!(written(&house), RECORDS_PORTION);
    while written(&house) < 100 {
        let due = house.chat.due().expect("more is due");
        assert!(due <= house.now.uptime + NAMES_PAUSE);
        house.later(NAMES_PAUSE);
    }
    let house = house.crashed();
    assert!(house.owns("user99"));
}

#[test]
fn a_name_whose_time_is_over_goes_from_the_disk_too() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    house.leave(1);
    house.later(NAMES_GATHERED);
    assert!(house.stored.name("alice").is_some());
    house.later(NAME_KEPT_TRIED + DAY);
    assert!(house.stored.name("alice").is_none());
}

#[test]
fn a_change_of_name_keeps_the_old_one_and_takes_no_others() {
    let mut house = House::new();
    house.visit(1, "carol", 3, NAME_TRIED);
    house.join_key(2, "alice", 1);
    house.send(2, r#"{"type":"nick","name":"car0l"}"#);
    let (code, msg) = house.error(2);
    assert_eq!(code, "name_taken");
    assert_eq!(msg, "\"car0l\" looks like \"carol\", which is taken. Try car0l-2.");
    house.send(2, r#"{"type":"nick","name":"alicia"}"#);
    assert!(house.owns("alice") && house.owns("alicia"));
    house.send(2, r#"{"type":"nick","name":"ALICIA"}"#);
    assert_eq!(house.texts(2, "renamed").len(), 2, "another spelling is not another name");
}

#[test]
fn when_the_first_numbers_are_taken_a_free_one_is_found_all_the_same() {
    let mut house = House::new();
    for name in ["山田太郎", "bob"] {
        let numbered = std::iter::once(name.to_owned()).chain((2..10).map(|n| format!("{name}-{n}")));
        for (id, taken) in (2..).zip(numbered) {
            house.join(id, &taken);
            assert!(house.is_in(id));
        }
        house.join_key(1, name, 1);
        let free = house.refusal(1).name.expect("a name that is free");
        assert!(free.len() > name.len() + 2, "{free}");
        house.join(20, &free);
        assert!(house.is_in(20), "{free}");
        house = House::new();
    }
}

#[test]
fn a_server_may_want_ascii_names() {
    let mut house = House::with(Rules { ascii_names: true, ..Rules::default() }, Records::default());
    house.join(1, "José");
    assert_eq!(house.error(1).0, "bad_name");
    house.join(2, "Jose");
    assert!(house.is_in(2));
}

#[test]
fn a_key_is_known_that_owns_a_name_or_is_a_members_or_an_operators() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.join(2, "guest");
    house.act(|chat, now, out| chat.add_member(key(2), [10, 0, 0, 9].into(), "", now, out));
    let known = |house: &House, number: u8| house.chat.is_known(&key(number), &house.now);
    assert_eq!([1, 2, 3, 99].map(|number| known(&house, number)), [true, true, false, true]);
    let (mut rows, mut from) = (Vec::new(), Some(0));
    while let Some(place) = from {
        from = house.chat.more_holders(place, 2, &house.now, &mut rows);
    }
    let rows: BTreeMap<u64, Option<Fingerprint>> =
        rows.into_iter().map(|row| (row.session.0, row.known)).collect();
    assert_eq!(rows, [(1, Some(key(1))), (2, None), (99, Some(key(99)))].into());
    house.leave(1);
    assert!(known(&house, 1));
    house.later(NAME_KEPT_TRIED + DAY);
    assert!(!known(&house, 1), "not once the name is free");
}

#[test]
fn in_a_small_lobby_everybody_else_is_told_of_a_new_name_once() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "bob");
    house.send(1, r#"{"type":"nick","name":"alicia"}"#);
    assert_eq!((house.take(1, "renamed").len(), house.take(2, "renamed").len()), (1, 1));
}
