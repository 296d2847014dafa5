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
const AGAIN: Duration = Duration::from_millis(1500);

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

    /// Another leader knows nothing that was sent to the one before.
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
        let is_due = |sent: Option<Duration>| sent.is_none_or(|sent| now >= sent + AGAIN);
        let window = (self.taken + 1..).zip(&mut self.waiting).take(WINDOW);
        let due = window.filter(|(_, batch)| is_due(batch.sent));
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
