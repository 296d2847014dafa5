//! The box: an address collects time for what it does wrong, and stays out while it has enough.

use crate::limits::{PENALTY_ENFORCED_ABOVE, PENALTY_MAX};
use std::time::Duration;

/// What an address may do wrong before it is anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Offence {
    /// A wrong passphrase.
    FailedAuth,
    /// A handshake that was begun and not finished in time.
    Timeout,
    /// Bytes that are none of the protocols.
    Garbage,
}

/// What an address has collected. It runs off with time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Penalties {
    until: Duration,
    boxed: bool,
}

impl Offence {
    /// After the values of OpenSSH's PerSourcePenalties.
    fn time(self) -> Duration {
        match self {
            Self::FailedAuth | Self::Garbage => Duration::from_secs(5),
            Self::Timeout => Duration::from_secs(10),
        }
    }
}

impl Penalties {
    pub(super) fn add(&mut self, offence: Offence, now: Duration) {
        self.settle(now);
        self.until = (self.until.max(now) + offence.time()).min(now + PENALTY_MAX);
        // Above two slips' time, as what has gathered runs off between them.
        self.boxed |= self.until - now > PENALTY_ENFORCED_ABOVE;
    }

    /// Whether the address is kept out.
    pub(super) fn is_boxed(&mut self, now: Duration) -> bool {
        self.settle(now);
        self.boxed
    }

    /// Whether anything is left of it.
    pub(super) fn counts(&self, now: Duration) -> bool {
        self.until > now
    }

    fn settle(&mut self, now: Duration) {
        self.boxed &= self.until > now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn two_slips_are_free_and_a_third_in_a_row_is_not() {
        for pause in [0, 1, 7, 333, 2000] {
            let at = |n: u64| SECOND + Duration::from_millis(n * pause);
            let mut penalties = Penalties::default();
            for n in 0..2 {
                penalties.add(Offence::FailedAuth, at(n));
                assert!(!penalties.is_boxed(at(n)), "{pause} ms between them");
            }
            penalties.add(Offence::Garbage, at(2));
            assert!(penalties.is_boxed(at(2)) && penalties.is_boxed(15 * SECOND), "{pause} ms between them");
            assert!(!penalties.is_boxed(16 * SECOND), "it runs off");
        }
    }

    #[test]
    fn a_handshake_that_is_dragged_out_counts_as_two() {
        let mut penalties = Penalties::default();
        penalties.add(Offence::Timeout, SECOND);
        assert!(!penalties.is_boxed(SECOND));
        penalties.add(Offence::Garbage, SECOND + Duration::from_millis(7));
        assert!(penalties.is_boxed(2 * SECOND));
    }

    #[test]
    fn slow_slips_run_off_and_a_thousand_cost_ten_minutes() {
        let mut penalties = Penalties::default();
        for n in 0..100 {
            penalties.add(Offence::Garbage, n * 6 * SECOND);
            assert!(!penalties.is_boxed(n * 6 * SECOND));
        }
        for _ in 0..1000 {
            penalties.add(Offence::Timeout, 700 * SECOND);
        }
        assert!(penalties.is_boxed(1299 * SECOND) && !penalties.is_boxed(1300 * SECOND));
    }
}
