//! A wrong clock: operators get a warning, bans keep their length, and names stay.

use super::*;
use crate::clock::{Clock, Kept};
use crate::limits::{NAME_KEPT, NAME_TRIED};
use jiff::tz::TimeZone;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// The true time, and a clock that the test sets.
struct Set {
    clock: Clock,
    uptime: Duration,
}

impl Set {
    fn new(house: &mut House, wall: &str) -> Self {
        let set = Self { clock: Clock::new(), uptime: Duration::ZERO };
        set.show(house, wall);
        set
    }

    /// Sets the clock.
    fn show(&self, house: &mut House, wall: &str) {
        self.clock.hold(wall.parse().expect("a time"), self.uptime);
        house.now = Now::of(&self.clock.now(), TimeZone::UTC);
    }
}

const RIGHT: &str = "2026-11-21T12:00:00Z";

#[test]
fn a_ban_of_an_hour_lasts_an_hour_whatever_the_clock_is_set_to() {
    let days_later = "2026-11-24T12:30:00Z";
    for (first, then) in
        [("1970-01-01T00:01:00Z", RIGHT), (RIGHT, days_later), ("2031-01-01T00:00:00Z", RIGHT)]
    {
        let mut house = House::with_operator();
        let mut set = Set::new(&mut house, first);
        house.join_key(1, "mallory", 1);
        house.console("/ban mallory 1h").expect("done");
        house.console("/mute 10.9.9.9 1h").expect("done");
        set.uptime = HOUR / 2;
        set.show(&mut house, then);
        house.join_key(2, "mallory", 1);
        let (code, msg) = house.error(2);
        let ends: jiff::Timestamp = then.parse().expect("a time");
        let ends = ends
            .checked_add(HOUR / 2)
            .expect("a time")
            .to_zoned_datetime(TimeZone::UTC)
            .strftime("%Y-%m-%d %H:%M");
        assert_eq!(code, "banned", "{first} {then}");
        assert!(msg.contains(&format!("until {ends} UTC")), "by the clock as it is now: {msg}");
        house.ask(99, json!({"type": "bans"}));
        let bans = house.take(99, "bans").pop().and_then(|packet| packet.bans).expect("bans");
        let ends = ends.to_string().replace(' ', "T");
        assert!(
            bans.iter().all(|ban| ban.until.as_ref().is_some_and(|until| until.starts_with(&ends))),
            "{bans:?}"
        );
        // A second after its end, by the steady clock.
        let rest = HOUR / 2 + Duration::from_secs(1);
        set.uptime += rest;
        let then: jiff::Timestamp = then.parse().expect("a time");
        set.show(&mut house, &(then + rest).to_string());
        house.join_key(3, "mallory", 1);
        assert!(house.is_in(3), "{first} {then}");
    }
}

#[test]
fn a_ban_that_was_imposed_by_a_clock_a_year_ahead_does_not_last_a_year_after_a_restart() {
    for wrong in ["2027-11-21T12:00:00Z", "1970-01-01T00:00:30Z"] {
        let mut house = House::new();
        let _wrong = Set::new(&mut house, wrong);
        house.join_key(1, "mallory", 1);
        house.console("/ban mallory 2h").expect("done");
        let mut house = house.restarted();
        let _right = Set::new(&mut house, RIGHT);
        let mut out = Vec::new();
        house.chat.date_sanctions(&house.now.clone(), &mut out);
        assert!(!out.is_empty(), "it is kept");
        house.join_key(2, "mallory", 1);
        assert_eq!(house.error(2).1, "you are banned until 2026-11-21 14:00 UTC by the server's console");
        house.later(2 * HOUR);
        house.join_key(3, "mallory", 1);
        assert!(house.is_in(3), "{wrong}");
    }
}

#[test]
fn no_name_lapses_by_a_clock_that_is_ahead_for_an_hour() {
    let mut house = House::new();
    let mut set = Set::new(&mut house, RIGHT);
    house.visit(1, "alice", 1, NAME_TRIED);
    house.visit(2, "bob", 2, Duration::from_secs(1));
    set.uptime = NAME_TRIED * 2;
    set.show(&mut house, "2027-11-21T12:00:00Z");
    for (id, name) in [(3, "alice"), (4, "bob")] {
        house.join_key(id, name, 9);
        assert_eq!(house.error(id).0, "name_taken", "{name}");
    }
}

#[test]
fn what_was_used_before_the_clock_was_ever_set_does_not_lapse_when_it_is() {
    let mut house = House::new();
    let mut set = Set::new(&mut house, "1970-01-01T00:01:00Z");
    house.visit(1, "bob", 1, Duration::from_secs(1));
    set.uptime = HOUR;
    set.show(&mut house, RIGHT);
    house.join_key(2, "bob", 9);
    assert_eq!(house.error(2).0, "name_taken");
    house.visit(3, "bob", 1, Duration::from_secs(1));
    house.later(NAME_KEPT);
    house.join_key(4, "bob", 9);
    assert!(house.is_in(4), "from its next use on it lapses like others");
}

#[test]
fn operators_who_are_here_or_come_are_told_of_a_doubtful_clock_once_each() {
    let mut house = House::with_operator();
    house.join(1, "alice");
    house.act(|chat, _, out| chat.doubt_clock(Some("the clock is wrong".into()), out));
    assert_eq!(house.texts(99, "notice"), ["the clock is wrong"]);
    house.join_key(98, "oscar", 99);
    assert_eq!(house.texts(98, "notice"), ["the clock is wrong"]);
    house.act(|chat, _, out| chat.doubt_clock(None, out));
    for id in [98, 99] {
        assert_eq!(house.texts(id, "notice"), ["the server's clock is right again"]);
    }
    house.join_key(97, "oscar", 99);
    assert!(house.texts(97, "notice").is_empty() && house.texts(1, "notice").is_empty());
    house.act(|chat, _, out| chat.doubt_clock(None, out));
    assert!(house.texts(99, "notice").is_empty(), "nothing was doubted");
}

#[test]
fn a_server_that_comes_to_lead_still_doubts_its_clock() {
    let mut house = House::new();
    house.act(|chat, _, out| chat.doubt_clock(Some("the clock is wrong".into()), out));
    let records = Records { operators: vec![operator(99)], ..Records::default() };
    house.chat.reopen(Archive { records, ..Archive::default() });
    house.join_key(99, "oscar", 99);
    assert_eq!(house.texts(99, "notice"), ["the clock is wrong"]);
}

#[test]
fn a_server_that_starts_again_goes_on_from_the_time_that_was_kept() {
    let clock = Clock::held(RIGHT.parse().expect("a time"), Duration::ZERO);
    clock.now();
    let kept: Kept = clock.kept();
    let again = Clock::new();
    again.restore(kept);
    let ahead = RIGHT.parse::<jiff::Timestamp>().expect("a time").checked_add(100 * DAY).expect("a time");
    again.hold(ahead, Duration::ZERO);
    assert_eq!(again.now().settled, RIGHT.parse().expect("a time"));
}
