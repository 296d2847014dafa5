//! A node's batches of its people's packets on their way to the leader.
//!
//! The rules take each batch exactly once: batches have numbers, a turn says how many are taken, and what is not taken
//! goes again to whoever leads. Before a leader takes the first one, it needs to know which people are here: their
//! *roll*. Whoever becomes the leader gets it anew.

use super::record::NodeRun;
use std::collections::VecDeque;
use std::time::Duration;

/// Batches that are under way at most.
const WINDOW: usize = 64;

/// How long to wait for a sign that a batch or a roll was taken before it goes again.
const AGAIN: Duration = Duration::from_millis(1500);

#[derive(Debug)]
pub(super) struct Uplink {
    /// Batches that were taken.
    taken: u64,
    /// In order, from `taken + 1` on.
    waiting: VecDeque<Batch>,
    roll: Roll,
}

#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    sent: Option<Duration>,
}

/// Whether the leader knows who is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Roll {
    Unknown,
    Sent(Duration),
    Known,
}

/// What goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The caller adds who is here.
    Roll,
    Batch(u64, Vec<u8>),
}

impl Uplink {
    pub(super) fn new() -> Self {
        Self { taken: 0, waiting: VecDeque::new(), roll: Roll::Unknown }
    }

    pub(super) fn add(&mut self, bytes: Vec<u8>) {
        self.waiting.push_back(Batch { bytes, sent: None });
    }

    /// Another leader knows nothing that was sent to the one before.
    pub(super) fn restart(&mut self) {
        self.roll = Roll::Unknown;
        self.waiting.iter_mut().for_each(|batch| batch.sent = None);
    }

    /// A turn of the present leader says how many are taken, and so that it knows who is here.
    pub(super) fn taken(&mut self, number: u64) {
        self.roll = Roll::Known;
        let new = number.saturating_sub(self.taken);
        let new = usize::try_from(new).unwrap_or(usize::MAX).min(self.waiting.len());
        self.waiting.drain(..new);
        self.taken = self.taken.max(number);
    }

    pub(super) fn due(&mut self, now: Duration) -> Vec<Due> {
        match self.roll {
            Roll::Sent(at) if now < at + AGAIN => return Vec::new(),
            Roll::Unknown | Roll::Sent(_) => {
                self.roll = Roll::Sent(now);
                return vec![Due::Roll];
            }
            Roll::Known => {}
        }
        let is_due = |sent: Option<Duration>| sent.is_none_or(|sent| now >= sent + AGAIN);
        let window = (self.taken + 1..).zip(&mut self.waiting).take(WINDOW);
        let due = window.filter(|(_, batch)| is_due(batch.sent));
        due.map(|(number, batch)| {
            batch.sent = Some(now);
            Due::Batch(number, batch.bytes.clone())
        })
        .collect()
    }
}

/// What a leader has taken of each node.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// Runs whose roll it knows, and their batches that it has taken.
    known: Vec<(NodeRun, u64)>,
}

impl Intake {
    /// A run's roll; `taken`: its batches that were taken before. Returns whether it is new.
    pub(super) fn roll(&mut self, run: NodeRun, taken: u64) -> bool {
        if self.known.iter().any(|(known, _)| known.node == run.node && known.start >= run.start) {
            return false;
        }
        self.known.retain(|(known, _)| known.node != run.node);
        self.known.push((run, taken));
        true
    }

    /// Whether this batch is the next one of its run, which is then taken.
    pub(super) fn take(&mut self, run: NodeRun, number: u64) -> bool {
        let next = self.known.iter_mut().find(|(known, taken)| *known == run && *taken + 1 == number);
        next.map(|(_, taken)| *taken = number).is_some()
    }

    pub(super) fn taken(&self) -> Vec<(NodeRun, u64)> {
        self.known.clone()
    }
}
