//! Which messages have come already, so that none is shown twice: not at the seam between what was
//! missed and what is said now, nor where two connections overlap.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::client::connection::{Progress, Return};
use crate::protocol::event::Welcome;

/// Direct messages whose numbers are remembered: many more than wait for somebody.
const MAX_DIRECTS: usize = 4096;

/// The messages that have come.
#[derive(Debug)]
pub(crate) struct Seen {
    /// All up to there, but for mail that has waited.
    progress: Progress,
    /// Numbers of direct messages: mail that has waited may be older than what was seen of rooms.
    directs: BTreeSet<u64>,
}

impl Seen {
    /// Goes on from there.
    pub(crate) fn new(progress: Progress) -> Self {
        Self { progress, directs: BTreeSet::new() }
    }

    /// A server has let this client in: see [`Progress::welcomed`]. Numbers above what both have in common
    /// are those of other messages now.
    pub(crate) fn welcomed(&mut self, welcome: &Welcome, resumes: bool) -> Return {
        let back = self.progress.welcomed(welcome, resumes);
        self.directs.split_off(&self.progress.seq().saturating_add(1));
        back
    }

    /// All that was missed has come, up to that number.
    pub(crate) fn caught_up(&self, seq: u64) {
        self.progress.caught_up(seq);
    }

    /// All up to that number has been shown.
    pub(crate) fn reach(&self, seq: u64) {
        self.progress.reach(seq);
    }

    /// Notes that a message has come; false if it had come before. One without a number was not
    /// stored, and does not come again.
    pub(crate) fn is_new(&mut self, seq: Option<u64>, is_direct: bool, history: bool) -> bool {
        let Some(seq) = seq else { return true };
        let is_behind = seq <= self.progress.seq();
        let is_known = is_direct && !self.directs.insert(seq);
        if self.directs.len() > MAX_DIRECTS {
            self.directs.pop_first();
        }
        if is_known || (is_behind && !(is_direct && history)) {
            return false;
        }
        self.progress.reach(seq);
        true
    }
}
