//! A leader's turns on their way into the log.
//!
//! Each is appended at the position after the one before, without waiting for that one's answer. An answer decides
//! nothing: a turn is in the log once the leader reads it there. If a record of somebody else takes a place, all turns
//! that wait move on by one, and are appended again.

use super::record::{Chain, LogRecord, NodeRun, Turn};
use std::collections::VecDeque;
use std::time::Duration;

/// Turns that are under way at most. From 16 on, a log of three nodes gets no faster.
const WINDOW: usize = 16;

/// How long to wait for a turn to be read back before it is appended again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Proposals {
    term: u64,
    /// Turns so far.
    number: u64,
    /// Over these.
    chain: Chain,
    /// In order; the front is the next that counts.
    waiting: VecDeque<Proposal>,
}

#[derive(Debug)]
struct Proposal {
    bytes: Vec<u8>,
    /// When it was last appended where it belongs now.
    sent: Option<Duration>,
    /// Whether the log has refused that.
    is_refused: bool,
}

impl Proposals {
    pub(super) fn new(term: u64, chain: Chain) -> Self {
        Self { term, number: 0, chain, waiting: VecDeque::new() }
    }

    pub(super) fn add(&mut self, taken: Vec<(NodeRun, u64)>, body: Vec<u8>) {
        self.number += 1;
        let turn = Turn { term: self.term, number: self.number, chain: self.chain, taken, body };
        let bytes = LogRecord::Turn(turn).to_bytes();
        self.chain = self.chain.with(&bytes);
        self.waiting.push_back(Proposal { bytes, sent: None, is_refused: false });
    }

    /// The front is in the log. So what came too early for the log may have its turn now.
    pub(super) fn settle(&mut self) {
        self.waiting.pop_front();
        self.waiting.iter_mut().filter(|proposal| proposal.is_refused).for_each(Proposal::again);
    }

    /// The log has not taken the one at this place.
    pub(super) fn refused(&mut self, place: usize) {
        if let Some(proposal) = self.waiting.get_mut(place) {
            proposal.is_refused = true;
        }
    }

    /// All belong one position further on.
    pub(super) fn shift(&mut self) {
        self.waiting.iter_mut().for_each(Proposal::again);
    }

    /// What to append now: each with the position of the record before it. `position`: of the last record read.
    pub(super) fn due(&mut self, position: u64, now: Duration) -> Vec<(u64, Vec<u8>)> {
        let window = self.waiting.iter_mut().take(WINDOW).enumerate();
        let is_due = |sent: Option<Duration>| sent.is_none_or(|sent| now >= sent + AGAIN);
        let due = window.filter(|(_, proposal)| is_due(proposal.sent));
        due.map(|(place, proposal)| {
            proposal.sent = Some(now);
            (position + place as u64, proposal.bytes.clone())
        })
        .collect()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Proposal {
    fn again(&mut self) {
        (self.sent, self.is_refused) = (None, false);
    }
}
