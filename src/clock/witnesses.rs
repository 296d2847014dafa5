//! The clocks of a chat's other servers, as witnesses: a message removed for its age is gone for good, and people see the
//! times of the server that leads.

use crate::limits::{CLOCK_STEP, CLOCK_WITNESS};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// The clocks of the other servers, by number. Without any of them, nothing is old.
#[derive(Debug, Default)]
pub(super) struct Witnesses(BTreeMap<u8, Witness>);

#[derive(Debug, Clone, Copy)]
struct Witness {
    /// How far this machine's clock is ahead of it, in milliseconds.
    ahead: i64,
    /// When it was heard.
    at: Duration,
}

impl Witnesses {
    /// Another server's clock shows this time, and the own one that.
    pub(super) fn hear(&mut self, server: u8, theirs: i64, (own, uptime): (i64, Duration)) {
        self.0.insert(server, Witness { ahead: own.saturating_sub(theirs), at: uptime });
    }

    /// How far this machine's clock is ahead of those of other servers, in milliseconds, if more servers agree on another
    /// time than on this one's.
    pub(super) fn outvoted(&self, uptime: Duration) -> Option<i64> {
        let fresh = self.0.values().filter(|other| uptime < other.at + CLOCK_WITNESS);
        let heard: Vec<i64> = fresh.map(|other| other.ahead).collect();
        let agreeing = |ahead: i64| heard.iter().filter(|other| agree(**other, ahead)).count();
        let others = heard.iter().filter(|ahead| !agree(**ahead, 0));
        let most = others.max_by_key(|ahead| agreeing(**ahead)).copied()?;
        let own = 1 + agreeing(0);
        (agreeing(most) > own).then_some(most)
    }

    /// That time, or an earlier one by which at least one other clock goes.
    pub(super) fn agreed(&self, at: Timestamp) -> Timestamp {
        let Some(least) = self.0.values().map(|other| other.ahead).min() else { return Timestamp::MIN };
        at.checked_sub(SignedDuration::from_millis(least.max(0))).unwrap_or(Timestamp::MIN)
    }
}

/// Whether two clocks are so close that neither is wrong.
fn agree(one: i64, other: i64) -> bool {
    u128::from(one.abs_diff(other)) < CLOCK_STEP.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_millisecond(number * DAY).unwrap()
    }

    #[test]
    fn nothing_is_old_before_another_clock_was_heard() {
        assert_eq!(Witnesses::default().agreed(day(500)), Timestamp::MIN);
    }

    #[test]
    fn a_clock_that_is_ahead_of_all_others_does_not_count() {
        let mut clocks = Witnesses::default();
        clocks.hear(1, 400 * DAY, (500 * DAY, Duration::ZERO));
        assert_eq!(clocks.agreed(day(500)), day(400));
        clocks.hear(2, 499 * DAY, (500 * DAY, Duration::ZERO));
        assert_eq!(clocks.agreed(day(500)), day(499), "one of the others agrees");
        clocks.hear(2, 510 * DAY, (500 * DAY, Duration::ZERO));
        assert_eq!(clocks.agreed(day(500)), day(500), "its own counts while it is behind");
        clocks.hear(1, 500 * DAY, (500 * DAY, Duration::ZERO));
        clocks.hear(2, 500 * DAY, (500 * DAY, Duration::ZERO));
        assert_eq!(clocks.agreed(day(501)), day(501), "all agree");
    }

    /// Whether this clock is outvoted if it is so many seconds ahead of each of the others.
    fn is_outvoted(ahead: &[i64]) -> bool {
        let mut clocks = Witnesses::default();
        for (server, ahead) in (1..).zip(ahead) {
            clocks.hear(server, 1_000_000, (1_000_000 + ahead * 1000, Duration::ZERO));
        }
        clocks.outvoted(Duration::ZERO).is_some()
    }

    #[test]
    fn a_clock_is_outvoted_by_more_that_agree_on_another_time() {
        assert!(!is_outvoted(&[]));
        assert!(!is_outvoted(&[500]), "nobody knows which of two is right");
        assert!(is_outvoted(&[500, 501]));
        assert!(is_outvoted(&[-500, -501]));
        assert!(!is_outvoted(&[500, -500]), "each shows another time");
        assert!(!is_outvoted(&[500, 20]), "one agrees with this one");
        assert!(!is_outvoted(&[20, -20]));
        assert!(is_outvoted(&[500, 500, 500, 0]));
        assert!(!is_outvoted(&[500, 500, 0, 0]));
    }

    #[test]
    fn a_clock_that_was_not_heard_for_long_votes_no_longer() {
        let mut clocks = Witnesses::default();
        clocks.hear(1, 0, (DAY, Duration::ZERO));
        clocks.hear(2, 0, (DAY, CLOCK_WITNESS));
        assert_eq!(clocks.outvoted(CLOCK_WITNESS), None);
        clocks.hear(1, 0, (DAY, CLOCK_WITNESS));
        assert_eq!(clocks.outvoted(CLOCK_WITNESS), Some(DAY));
    }
}
