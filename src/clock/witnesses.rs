//! The clocks of a chat's other servers, as witnesses: a message removed for its age is gone for good.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How far this machine's clock is ahead of each other server's, in milliseconds. `None`: there are no others.
#[derive(Debug, Default)]
pub(super) struct Witnesses(Option<BTreeMap<u8, i64>>);

impl Witnesses {
    /// There are other servers: without their clocks, nothing is old.
    pub(super) fn are_needed(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Another server's clock shows this time, and the own one that.
    pub(super) fn hear(&mut self, server: u8, theirs: i64, own: i64) {
        if let Some(ahead) = &mut self.0 {
            ahead.insert(server, own.saturating_sub(theirs));
        }
    }

    /// That time, or an earlier one by which at least one other clock goes.
    pub(super) fn agreed(&self, at: Timestamp) -> Timestamp {
        let Some(ahead) = &self.0 else { return at };
        let Some(least) = ahead.values().min() else { return Timestamp::MIN };
        at.checked_sub(SignedDuration::from_millis((*least).max(0))).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_millisecond(number * DAY).unwrap()
    }

    #[test]
    fn an_only_server_has_its_own_clock_alone() {
        let mut clocks = Witnesses::default();
        clocks.hear(1, 0, 500 * DAY);
        assert_eq!(clocks.agreed(day(500)), day(500));
    }

    #[test]
    fn nothing_is_old_before_another_clock_was_heard() {
        let mut clocks = Witnesses::default();
        clocks.are_needed();
        assert_eq!(clocks.agreed(day(500)), Timestamp::MIN);
    }

    #[test]
    fn a_clock_that_is_ahead_of_all_others_does_not_count() {
        let mut clocks = Witnesses::default();
        clocks.are_needed();
        clocks.hear(1, 400 * DAY, 500 * DAY);
        assert_eq!(clocks.agreed(day(500)), day(400));
        clocks.hear(2, 499 * DAY, 500 * DAY);
        assert_eq!(clocks.agreed(day(500)), day(499), "one of the others agrees");
        clocks.hear(2, 510 * DAY, 500 * DAY);
        assert_eq!(clocks.agreed(day(500)), day(500), "its own counts while it is behind");
        clocks.hear(1, 500 * DAY, 500 * DAY);
        clocks.hear(2, 500 * DAY, 500 * DAY);
        assert_eq!(clocks.agreed(day(501)), day(501), "all agree");
    }
}
