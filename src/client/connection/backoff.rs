//! How long to wait before the next attempt: briefly at first, so that a server's restart is hardly noticed;
//! then twice as long each time. Random, so that clients do not all return at the same moment.

use std::time::Duration;

/// A restart takes seconds at most. Until then, an attempt costs the server's machine two packets.
const QUICK: Duration = Duration::from_millis(250);

/// The number of short pauses.
const QUICK_PAUSES: u32 = 16;

const LONGEST: Duration = Duration::from_secs(4);

#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    quick: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: QUICK, quick: QUICK_PAUSES }
    }
}

impl Backoff {
    /// The pause before the next attempt: a random time between half of the present bound and all of it.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let bound = self.next;
        match self.quick.checked_sub(1) {
            Some(left) => self.quick = left,
            None => self.next = (bound * 2).min(LONGEST),
        }
        let mut random = [0; 1];
        // Without randomness, the clients merely return together.
        let _ = getrandom::fill(&mut random);
        bound / 2 + bound / 2 * u32::from(random[0]) / 255
    }

    /// Ends the short pauses: the server is there, but overloaded.
    pub(crate) fn slow_down(&mut self) {
        self.quick = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_within(pause: Duration, bound: Duration) {
        assert!(pause >= bound / 2 && pause <= bound, "{pause:?} of {bound:?}");
    }

    #[test]
    fn the_first_seconds_have_quick_pauses_and_then_they_grow_to_their_bound() {
        let mut backoff = Backoff::default();
        (0..QUICK_PAUSES).for_each(|_| assert_within(backoff.next_pause(), QUICK));
        let mut bound = QUICK;
        for _ in 0..10 {
            assert_within(backoff.next_pause(), bound);
            bound = (bound * 2).min(LONGEST);
        }
        assert_eq!(bound, LONGEST);
    }

    #[test]
    fn a_server_that_has_too_much_to_do_gets_longer_pauses_at_once() {
        let mut backoff = Backoff::default();
        backoff.slow_down();
        assert_within(backoff.next_pause(), QUICK);
        assert_within(backoff.next_pause(), QUICK * 2);
    }
}
