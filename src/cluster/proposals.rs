//! A leader's turns on their way into the log.
//!
//! Each is appended at the position after the one before, without waiting for that one's answer. An answer
//! decides nothing: a turn is in the log once the leader reads it there. If a record of another node takes a
//! place, all turns that wait move on by one. At first the front alone is appended again: the appends that are
//! under way take the next places in turn, where they do not count, and if all were appended again at each of
//! those, they would do the same, without end. A large turn goes in parts, and each part is treated like a turn.

use super::record::{Chain, LogRecord, NodeRun, Taken, Turn};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// Longest body of a record. A log's servers take records of 1 MiB.
pub(super) const PART_BYTES: usize = 256 * 1024;

/// Turns that are under way at most. From 16 on, a log of three nodes gets no faster. All nodes have to know the same
/// number: one that reads of a turn further on has missed some.
pub(super) const WINDOW: usize = 16;

/// How long to wait for a turn to be read back before it is appended again.
const AGAIN: Duration = Duration::from_secs(1);

/// The same if its answer will not come.
const AGAIN_UNANSWERED: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Proposals {
    term: u64,
    /// Turns and parts so far.
    number: u64,
    /// Over these.
    chain: Chain,
    /// In order; the front is the next that counts.
    waiting: VecDeque<Proposal>,
    /// How many are under way at most: one, from a foreign record until the front is in the log.
    window: usize,
    /// Longest body of a record.
    part: usize,
}

#[derive(Debug)]
struct Proposal {
    bytes: Bytes,
    /// When it was last appended where it belongs now.
    sent: Option<Duration>,
    fate: Fate,
}

/// The answer to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    /// The log has not taken it there.
    Refused,
    /// There will be no answer, and it may be in the log.
    Unanswered,
}

impl Proposals {
    pub(super) fn new(term: u64, chain: Chain, part: usize) -> Self {
        Self { term, number: 0, chain, waiting: VecDeque::new(), window: WINDOW, part }
    }

    pub(super) fn add(&mut self, taken: Vec<(NodeRun, Taken)>, body: &Bytes) {
        let mut start = 0;
        while body.len() - start > self.part {
            self.add_part(true, Vec::new(), body.slice(start..start + self.part));
            start += self.part;
        }
        self.add_part(false, taken, body.slice(start..));
    }

    fn add_part(&mut self, more: bool, taken: Vec<(NodeRun, Taken)>, body: Bytes) {
        self.number += 1;
        let turn = Turn { term: self.term, number: self.number, chain: self.chain, more, taken, body };
        let bytes = LogRecord::Turn(turn).to_bytes();
        self.chain = self.chain.with(&bytes);
        self.waiting.push_back(Proposal { bytes, sent: None, fate: Fate::Open });
    }

    /// The front is in the log. So what came too early for the log may have its turn now.
    pub(super) fn settle(&mut self) {
        self.waiting.pop_front();
        self.window = WINDOW;
        let early = self.waiting.iter_mut().filter(|proposal| proposal.fate == Fate::Refused);
        early.for_each(Proposal::again);
    }

    /// The log has not taken the one at this place.
    pub(super) fn refused(&mut self, place: usize) {
        if let Some(proposal) = self.waiting.get_mut(place) {
            proposal.fate = Fate::Refused;
        }
    }

    /// Nobody knows whether the log has taken the one at this place.
    pub(super) fn unanswered(&mut self, place: usize) {
        if let Some(proposal) = self.waiting.get_mut(place) {
            proposal.fate = Fate::Unanswered;
        }
    }

    /// All belong one position further on.
    pub(super) fn shift(&mut self) {
        self.window = 1;
        self.waiting.iter_mut().for_each(Proposal::again);
    }

    /// To be appended now, each with the position of the record before it. `position`: of the last record read.
    pub(super) fn due(&mut self, position: u64, now: Duration) -> Vec<(u64, Bytes)> {
        let window = self.waiting.iter_mut().take(self.window).enumerate();
        let due = window.filter(|(_, proposal)| proposal.is_due(now));
        due.map(|(place, proposal)| {
            (proposal.sent, proposal.fate) = (Some(now), Fate::Open);
            (position + place as u64, proposal.bytes.clone())
        })
        .collect()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether one more would be appended at once.
    pub(super) fn has_window(&self) -> bool {
        self.waiting.len() < WINDOW
    }
}

impl Proposal {
    fn is_due(&self, now: Duration) -> bool {
        let wait = if self.fate == Fate::Unanswered { AGAIN_UNANSWERED } else { AGAIN };
        self.sent.is_none_or(|sent| now >= sent + wait)
    }

    fn again(&mut self) {
        (self.sent, self.fate) = (None, Fate::Open);
    }
}
