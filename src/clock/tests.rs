//! Clocks that are right, wrong, and set.

use super::*;
use crate::limits::{CLOCK_FLOOR, CLOCK_UNKNOWN};
use proptest::prelude::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// The true time at which the tests begin.
const START: i64 = CLOCK_FLOOR + 300 * DAY;

/// A machine: the true time, its clock's deviation from it, and a server.
struct Machine {
    now: i64,
    off: i64,
    booted: i64,
    settling: Settling,
}

impl Machine {
    /// A first start with a clock that deviates by `off`.
    fn first(off: i64) -> Self {
        Self { now: START, off, booted: START, settling: Settling::new(None) }
    }

    /// A machine that has run for ten days with the right time.
    fn settled() -> Self {
        let mut machine = Self::first(0);
        machine.run(10 * DAY);
        machine
    }

    fn read(&mut self) -> Reading {
        let uptime = Duration::from_secs((self.now - self.booted).unsigned_abs());
        self.settling.read(Timestamp::from_second(self.now + self.off).unwrap(), uptime)
    }

    /// Runs for `seconds`, reading the clock every ten minutes; returns the last reading.
    fn run(&mut self, seconds: i64) -> Reading {
        let end = self.now + seconds;
        while self.now < end {
            self.read();
            self.now = end.min(self.now + 600);
        }
        self.read()
    }

    /// Is off for `away`, and starts with a clock that deviates by `off`.
    fn restart(&mut self, away: i64, off: i64) -> Reading {
        self.now += away;
        (self.off, self.booted) = (off, self.now);
        self.settling = Settling::new(Some(self.settling.kept()));
        self.read()
    }

    /// How far the settled time is ahead of the truth, in seconds.
    fn ahead(&mut self) -> i64 {
        self.read().settled.as_second() - self.now
    }
}

#[test]
fn a_first_start_believes_a_clock_that_was_set() {
    let mut machine = Machine::first(0);
    let reading = machine.read();
    assert!(reading.is_right && !reading.is_doubtful);
    assert_eq!(reading.settled.as_second(), START);
    assert_eq!(reading.steady, reading.settled, "sanctions of the first run have the right date");
}

#[test]
fn a_clock_that_was_never_set_is_doubted_and_the_first_one_that_was_is_believed() {
    let mut machine = Machine::first(60 - START);
    let reading = machine.run(2 * DAY);
    assert!(reading.is_doubtful && !reading.is_right);
    assert_eq!(reading.settled.as_second(), CLOCK_UNKNOWN + 2 * DAY);
    let steady = reading.steady;
    machine.off = 0;
    let reading = machine.read();
    assert!(reading.is_right && !reading.is_doubtful);
    assert_eq!(reading.settled.as_second(), machine.now);
    assert_eq!(reading.steady, steady, "earlier sanctions keep their length");
    assert_eq!(reading.shift, (START - 60) * 1000);
}

#[test]
fn a_clock_that_is_ahead_for_a_minute_moves_nothing() {
    for off in [DAY, 2 * DAY, 91 * DAY, YEAR] {
        let mut machine = Machine::settled();
        machine.off = off;
        let reading = machine.run(65);
        assert_eq!(machine.ahead(), 0, "{off}");
        assert!(!reading.is_right);
        assert_eq!(reading.is_doubtful, off > DAY, "{off}");
        machine.off = 0;
        let reading = machine.read();
        assert!(reading.is_right && !reading.is_doubtful);
        assert_eq!((machine.ahead(), reading.shift), (0, 0));
    }
}

#[test]
fn a_clock_that_stays_ahead_gains_a_day_and_a_day_each_day() {
    let mut machine = Machine::settled();
    machine.off = YEAR;
    let reading = machine.run(10 * DAY);
    assert!(reading.is_doubtful);
    // It has earned nothing in the hour before it was trusted.
    assert_eq!(machine.ahead(), 11 * DAY - HOUR);
    // The earlier settled time returns.
    machine.off = 0;
    let reading = machine.read();
    assert!(reading.is_right && !reading.is_doubtful);
    assert_eq!(machine.ahead(), 0);
}

#[test]
fn starts_with_a_clock_ahead_do_not_add_up() {
    for off in [3 * DAY, 5 * DAY, YEAR] {
        let mut machine = Machine::settled();
        for _ in 0..50 {
            machine.restart(5, off);
        }
        let ahead = machine.ahead();
        assert!(ahead <= DAY + 50 * 5 * 4, "{off}: {ahead} s ahead");
        assert_eq!(machine.read().is_doubtful, off == YEAR, "{off}");
    }
}

#[test]
fn a_clock_that_was_set_ahead_while_the_server_ran_gains_nothing_by_a_restart() {
    for off in [2 * HOUR, DAY, 6 * DAY] {
        let mut machine = Machine::settled();
        machine.off = off;
        machine.run(60);
        for _ in 0..3 {
            machine.restart(5, off);
            assert!(machine.ahead().abs() <= 60, "{off}: {}", machine.ahead());
        }
        machine.run(2 * HOUR);
        assert!(machine.ahead() >= off.min(DAY), "it is believed as it is without a restart");
    }
}

#[test]
fn a_clock_that_was_set_and_is_right_again_is_believed_at_the_next_start() {
    let mut machine = Machine::settled();
    for off in [6 * DAY, 0] {
        machine.off = off;
        machine.run(60);
    }
    machine.restart(DAY / 2, 0);
    assert_eq!(machine.ahead(), 0);
}

#[test]
fn a_start_a_year_ahead_moves_nothing_and_the_right_clock_is_not_doubted_afterwards() {
    let mut machine = Machine::settled();
    assert!(machine.restart(5, YEAR).is_doubtful);
    machine.run(60);
    let reading = machine.restart(5, 0);
    assert!(reading.is_right && !reading.is_doubtful);
    assert!(machine.ahead().abs() <= 5);
}

#[test]
fn a_machine_in_office_hours_keeps_up_and_is_never_doubted() {
    let mut machine = Machine::settled();
    for day in 0..60 {
        let away = if day % 5 == 4 { 15 * HOUR + 2 * DAY } else { 15 * HOUR };
        assert!(!machine.restart(away, 0).is_doubtful, "day {day}");
        machine.run(9 * HOUR);
        let behind = -machine.ahead();
        assert!((0..=DAY).contains(&behind), "day {day}: {behind} s behind");
    }
}

#[test]
fn a_machine_that_was_off_for_months_catches_up_late() {
    let mut machine = Machine::settled();
    let reading = machine.restart(90 * DAY, 0);
    assert!(reading.is_doubtful);
    assert_eq!(machine.ahead(), -90 * DAY);
    machine.run(80 * DAY);
    let behind = -machine.ahead();
    assert!((8 * DAY..=9 * DAY + HOUR).contains(&behind), "{behind}");
    machine.run(10 * DAY);
    assert_eq!(machine.ahead(), 0);
    assert!(machine.read().is_right);
}

#[test]
fn a_clock_that_is_behind_is_doubted_for_an_hour_and_then_believed() {
    // It was a year ahead when the server first started.
    let mut machine = Machine::first(YEAR);
    machine.run(600);
    machine.off = 0;
    let reading = machine.run(HOUR - 600);
    assert!(reading.is_doubtful);
    let steady = reading.steady;
    let reading = machine.run(1200);
    assert!(reading.is_right && !reading.is_doubtful);
    assert_eq!(machine.ahead(), 0);
    assert_eq!(reading.steady.as_second() - steady.as_second(), 1200);
    // The wrong clock is not trusted again, although it was once.
    machine.run(DAY);
    machine.off = YEAR;
    machine.run(60);
    assert_eq!(machine.ahead(), 0);
}

#[test]
fn a_clock_that_was_behind_for_hours_and_is_right_again_is_known_again() {
    let mut machine = Machine::settled();
    machine.restart(60, -100 * DAY);
    machine.run(5 * HOUR);
    assert_eq!(machine.ahead(), -100 * DAY);
    let reading = machine.restart(60, 0);
    assert!(reading.is_right && !reading.is_doubtful);
    assert!(machine.ahead().abs() <= 120);
}

#[test]
fn a_clock_that_stands_at_1970_is_never_believed() {
    let mut machine = Machine::settled();
    machine.restart(60, -START);
    let reading = machine.run(30 * DAY);
    assert!(reading.is_doubtful);
    assert_eq!(machine.ahead(), -60);
    machine.off = 0;
    assert!(machine.read().is_right);
}

#[test]
fn what_ntp_corrects_is_followed_at_once() {
    for off in [-290, -20, 20, 290] {
        let mut machine = Machine::settled();
        machine.off = off;
        let reading = machine.read();
        assert!(reading.is_right && !reading.is_doubtful);
        assert_eq!(machine.ahead(), off);
    }
}

#[test]
fn a_laptop_that_slept_overnight_is_not_doubted() {
    let mut machine = Machine::settled();
    // Uptime stands still while the machine sleeps.
    (machine.now, machine.booted) = (machine.now + 10 * HOUR, machine.booted + 10 * HOUR);
    assert!(!machine.run(600).is_doubtful);
    assert!(machine.run(HOUR).is_right);
    assert_eq!(machine.ahead(), 0);
}

#[test]
fn a_history_without_a_kept_time_goes_by_its_latest_message() {
    let latest = Timestamp::from_second(START).unwrap();
    let mut machine = Machine::first(YEAR);
    machine.settling = Settling::new(Kept::of_history(latest));
    assert!(machine.read().is_doubtful);
    assert_eq!(machine.ahead(), 0);
    assert_eq!(Kept::of_history(Timestamp::UNIX_EPOCH), None);
}

#[test]
fn what_is_kept_is_read_again() {
    let mut machine = Machine::settled();
    machine.restart(60, -100 * DAY);
    machine.run(5 * HOUR);
    let kept = machine.settling.kept();
    assert!(kept.earlier.is_some());
    let text = serde_json::to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
}

#[test]
fn a_held_clock_shows_what_it_is_set_to() {
    let wall = Timestamp::from_second(START).unwrap();
    let clock = Clock::held(wall, Duration::from_secs(3));
    assert_eq!(clock.now().settled, wall);
    clock.hold(wall, Duration::from_secs(5));
    assert_eq!(clock.now().uptime, Duration::from_secs(5));
}

proptest! {
    /// Whatever a clock shows, the time that the server ran limits what it can delete early.
    #[test]
    fn no_clock_gains_more_than_the_credit(
        events in prop::collection::vec((any::<bool>(), 1..20 * HOUR, -2 * YEAR..2 * YEAR), 1..40)
    ) {
        let mut machine = Machine::settled();
        let mut ran = 0;
        for (is_restart, seconds, off) in events {
            if is_restart {
                machine.restart(0, off);
            } else {
                machine.off = off;
                machine.run(seconds);
                ran += seconds;
            }
            let reading = machine.read();
            // Deletion uses the earlier of the two.
            let deletes = reading.settled.min(reading.wall).as_second() - machine.now;
            prop_assert!(deletes <= DAY + 3 * ran, "{deletes} after {ran}");
            prop_assert!(reading.steady.as_second() - machine.now <= DAY + 3 * ran);
        }
    }
}

#[test]
fn with_other_servers_sanctions_go_by_the_clock_that_all_of_them_compare() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let steady = |clock: &Clock| {
        clock.hold(at(START), Duration::ZERO);
        clock.now();
        clock.hold(at(START + HOUR), Duration::from_secs(5));
        clock.now().steady
    };
    let several = Clock::new();
    several.needs_witnesses();
    assert_eq!(steady(&several), at(START + HOUR), "the clock was set");
    assert_eq!(steady(&Clock::new()), at(START + 5), "a server alone keeps their length");
}

#[test]
fn an_only_server_has_its_own_clock_alone() {
    let clock = Clock::held(Timestamp::from_second(START).unwrap(), Duration::ZERO);
    clock.hear(1, 0);
    assert_eq!(clock.for_removal(), Timestamp::from_second(START).unwrap());
    assert_eq!(clock.outvoted(), None);
    clock.needs_witnesses();
    assert_eq!(clock.for_removal(), Timestamp::MIN, "none of the others was heard");
}
