//! The batches that a leader has taken of each node, and the nodes that it hears of.

use super::record::{NodeId, NodeRun, Taken};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Intake {
    /// The latest run of each node of which a batch was taken.
    runs: BTreeMap<NodeId, Known>,
}

#[derive(Debug)]
struct Known {
    start: u64,
    taken: Taken,
    heard: Duration,
}

impl Intake {
    /// That of a leader which begins now, with what was taken before.
    pub(super) fn new(taken: impl Iterator<Item = (NodeRun, Taken)>, now: Duration) -> Self {
        let runs = taken.map(|(run, taken)| (run.node, Known { start: run.start, taken, heard: now }));
        Self { runs: runs.collect() }
    }

    /// Whether this batch is the next one of its run, or the first one of a later run. If so, it is taken.
    pub(super) fn take(&mut self, run: NodeRun, number: u64, now: Duration) -> bool {
        match self.runs.get_mut(&run.node) {
            Some(known) if known.start == run.start => known.take(number, now),
            Some(known) if known.start > run.start => false,
            Some(_) | None if number == 1 => {
                let known = Known { start: run.start, taken: Taken::Upto(1), heard: now };
                self.runs.insert(run.node, known);
                true
            }
            Some(_) | None => false,
        }
    }

    /// A run says that it is there. Returns the earlier one of its node that is over by that, and was not
    /// before.
    pub(super) fn alive(&mut self, run: NodeRun, now: Duration) -> Option<NodeRun> {
        let known = self.runs.get_mut(&run.node)?;
        if known.start == run.start {
            known.heard = now;
        }
        let is_over = known.start < run.start && known.end();
        is_over.then_some(NodeRun { node: run.node, start: known.start })
    }

    /// Runs that are over from now on: nothing was heard of them for so long.
    pub(super) fn silent(&mut self, long: Duration, now: Duration) -> Vec<NodeRun> {
        let silent = self.runs.iter_mut().filter(|(_, known)| now >= known.heard + long);
        let gone = silent
            .filter_map(|(node, known)| known.end().then_some(NodeRun { node: *node, start: known.start }));
        gone.collect()
    }

    /// Their silence up to now was not theirs.
    pub(super) fn forgive(&mut self, now: Duration) {
        self.runs.values_mut().for_each(|known| known.heard = now);
    }

    pub(super) fn taken(&self) -> Vec<(NodeRun, Taken)> {
        let taken = self.runs.iter();
        taken.map(|(node, known)| (NodeRun { node: *node, start: known.start }, known.taken)).collect()
    }
}

impl Known {
    fn take(&mut self, number: u64, now: Duration) -> bool {
        self.heard = now;
        match self.taken {
            Taken::Upto(taken) if taken.checked_add(1) == Some(number) => {
                self.taken = Taken::Upto(number);
                true
            }
            Taken::Upto(_) | Taken::Ended => false,
        }
    }

    /// Returns whether it was not over before.
    fn end(&mut self) -> bool {
        std::mem::replace(&mut self.taken, Taken::Ended) != Taken::Ended
    }
}
