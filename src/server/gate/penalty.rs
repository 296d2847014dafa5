//! Penalties: misbehaviour adds time to an address's account, and the address is restricted while it has
//! enough.

use crate::limits::{PENALTY_ENFORCED_ABOVE, PENALTY_MAX};
use std::time::Duration;

/// Misbehaviour of a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Offence {
    /// A wrong passphrase.
    FailedAuth,
    /// A handshake that did not finish in time.
    Timeout,
    /// Bytes that belong to no known protocol.
    Garbage,
}

/// An address's account, which runs down with time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Penalties {
    until: Duration,
    enforced: bool,
}

impl Offence {
    /// As in OpenSSH's PerSourcePenalties.
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
        // Above the time of two mistakes, because the account runs down between them.
        self.enforced |= self.until - now > PENALTY_ENFORCED_ABOVE;
    }

    pub(super) fn is_penalized(&mut self, now: Duration) -> bool {
        self.settle(now);
        self.enforced
    }

    /// Whether any penalty is left.
    pub(super) fn counts(&self, now: Duration) -> bool {
        self.until > now
    }

    fn settle(&mut self, now: Duration) {
        self.enforced &= self.until > now;
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
                assert!(!penalties.is_penalized(at(n)), "{pause} ms between them");
            }
            penalties.add(Offence::Garbage, at(2));
            assert!(
                penalties.is_penalized(at(2)) && penalties.is_penalized(15 * SECOND),
                "{pause} ms between them"
            );
            assert!(!penalties.is_penalized(16 * SECOND), "it runs off");
        }
    }

    #[test]
    fn a_handshake_that_is_dragged_out_counts_as_two() {
        let mut penalties = Penalties::default();
        penalties.add(Offence::Timeout, SECOND);
        assert!(!penalties.is_penalized(SECOND));
        penalties.add(Offence::Garbage, SECOND + Duration::from_millis(7));
        assert!(penalties.is_penalized(2 * SECOND));
    }

    #[test]
    fn slow_slips_run_off_and_a_thousand_cost_ten_minutes() {
        let mut penalties = Penalties::default();
        for n in 0..100 {
            penalties.add(Offence::Garbage, n * 6 * SECOND);
            assert!(!penalties.is_penalized(n * 6 * SECOND));
        }
        for _ in 0..1000 {
            penalties.add(Offence::Timeout, 700 * SECOND);
        }
        assert!(penalties.is_penalized(1299 * SECOND) && !penalties.is_penalized(1300 * SECOND));
    }
}
