//! How long to wait before the next attempt: twice as long each time, and never all clients at the
//! same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(4);

/// The pauses between attempts.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The pause before the next attempt: between half of the present bound and all of it.
    pub(super) fn next_pause(&mut self) -> Duration {
        let bound = self.next;
        self.next = (bound * 2).min(LONGEST);
        let mut random = [0; 1];
        // Without randomness the clients come back together; that is all.
        let _ = getrandom::fill(&mut random);
        bound / 2 + bound / 2 * u32::from(random[0]) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_stay_within_it() {
        let mut backoff = Backoff::default();
        let mut bound = FIRST;
        for _ in 0..10 {
            let pause = backoff.next_pause();
            assert!(pause >= bound / 2 && pause <= bound, "{pause:?} of {bound:?}");
            bound = (bound * 2).min(LONGEST);
        }
        assert_eq!(bound, LONGEST);
    }
}
