//! A node's batches of its people's packets on their way to the leader.
//!
//! Batches have numbers, from 1 in each run. A turn says how many are taken, and the node sends the others
//! again, to the leader of the day.

use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// Batches that are under way at most.
const WINDOW: usize = 64;

/// How long to wait for a sign that a batch was taken before it goes again.
const AGAIN: Duration = Duration::from_millis(700);

#[derive(Debug, Default)]
pub(super) struct Uplink {
    /// Batches that were taken.
    taken: u64,
    /// In order, from `taken + 1` on.
    waiting: VecDeque<Batch>,
    /// In all that wait.
    bytes: usize,
}

#[derive(Debug)]
struct Batch {
    bytes: Bytes,
    sent: Option<Duration>,
}

impl Uplink {
    pub(super) fn add(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        self.waiting.push_back(Batch { bytes, sent: None });
    }

    /// All go again: what was sent so far may have reached nobody.
    pub(super) fn restart(&mut self) {
        self.waiting.iter_mut().for_each(|batch| batch.sent = None);
    }

    /// A turn says how many are taken. Returns whether there were so many at all.
    pub(super) fn taken(&mut self, number: u64) -> bool {
        let new = number.saturating_sub(self.taken);
        let Some(new) = usize::try_from(new).ok().filter(|new| *new <= self.waiting.len()) else {
            return false;
        };
        self.bytes -= self.waiting.drain(..new).map(|batch| batch.bytes.len()).sum::<usize>();
        self.taken = self.taken.max(number);
        true
    }

    pub(super) fn due(&mut self, now: Duration) -> Vec<(u64, Bytes)> {
        let first = self.waiting.front().and_then(|batch| batch.sent);
        if first.is_some_and(|sent| now >= sent + AGAIN) {
            // A leader takes batches in order only. If each went again at its own time, all that come later would find
            // one missing before them, for ever.
            self.restart();
        }
        let window = (self.taken + 1..).zip(&mut self.waiting).take(WINDOW);
        let due = window.filter(|(_, batch)| batch.sent.is_none());
        due.map(|(number, batch)| {
            batch.sent = Some(now);
            (number, batch.bytes.clone())
        })
        .collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many wait.
    pub(super) fn batches(&self) -> u64 {
        self.waiting.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a batch each 100 ms to a leader that takes them in order, and loses one of them. Returns how long each has
    /// waited until it was taken.
    fn waits_if_one_is_lost(lost: u64, count: u64) -> Vec<Duration> {
        let (mut uplink, mut waits, mut is_lost) = (Uplink::default(), Vec::new(), false);
        let at = |number: u64| Duration::from_millis(100 * number);
        for step in 1..=2 * count {
            if step <= count {
                uplink.add(Bytes::new());
            }
            for (number, _) in uplink.due(at(step)) {
                let is_next = number == waits.len() as u64 + 1;
                if number == lost && !std::mem::replace(&mut is_lost, true) {
                    continue;
                }
                if is_next {
                    waits.push(at(step) - at(number));
                    assert!(uplink.taken(number));
                }
            }
        }
        waits
    }

    #[test]
    fn a_lost_batch_and_those_behind_it_go_again_together_and_later_ones_do_not_wait() {
        let waits = waits_if_one_is_lost(10, 60);
        assert_eq!(waits.len(), 60);
        assert_eq!(waits[9], AGAIN);
        let late = waits.iter().filter(|wait| !wait.is_zero()).count();
        assert_eq!(late as u128, AGAIN.as_millis() / 100, "{waits:?}");
    }
}
