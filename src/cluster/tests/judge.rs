//! Watches the log and the nodes, and says what is wrong.

use super::super::ledger::{Ledger, Meaning};
use super::super::node::SILENCE;
use super::super::record::{NodeId, NodeRun};
use super::chat::{Body, Change, Person, State, from_bytes};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// One start of a program on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) place: usize,
    pub(super) boot: u64,
}

#[derive(Default)]
pub(super) struct Judge {
    pub(super) ledger: Ledger,
    /// Of a turn whose last part did not come yet.
    part: Vec<u8>,
    /// The state after each turn, as the first node had it.
    states: HashMap<u64, State>,
    /// Batches whose result is in the log: the last number of each run.
    shown: BTreeMap<NodeRun, u64>,
    /// Sessions that their client has left.
    pub(super) left: BTreeSet<Person>,
    begun: BTreeSet<NodeRun>,
    /// Runs whose process is dead or has begun another one.
    pub(super) over: BTreeSet<NodeRun>,
    /// Runs that a leader had reason to take for gone.
    gone: BTreeSet<NodeRun>,
    /// When a process that leads heard of a run, or began to lead.
    heard: HashMap<(Process, Option<NodeRun>), Duration>,
    pub(super) faults: Vec<String>,
    /// How often something happened.
    pub(super) met: BTreeMap<&'static str, u32>,
}

impl Judge {
    pub(super) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// The log has one more record.
    pub(super) fn logged(&mut self, record: Option<&[u8]>) {
        let before = self.ledger.clone();
        let Some(bytes) = record else {
            self.meet("an outsider's record");
            return self.ledger.pass(before.position + 1).unwrap();
        };
        match self.ledger.read(before.position + 1, bytes) {
            Ok(Meaning::Turn(turn)) => {
                self.part.extend_from_slice(&turn.body);
                if turn.more {
                    self.meet("a part of a turn");
                } else {
                    let body = std::mem::take(&mut self.part);
                    self.turn(&before, &from_bytes(&body));
                }
            }
            Ok(Meaning::Leads(_)) => {
                self.meet("a leader");
                if !std::mem::take(&mut self.part).is_empty() {
                    self.meet("a turn without its last part");
                }
            }
            Ok(Meaning::Void) => self.meet("a record that does not count"),
            Err(fault) => self.faults.push(fault.to_string()),
        }
    }

    fn turn(&mut self, before: &Ledger, body: &Body) {
        for (run, number) in &body.of {
            if before.taken(*run).is_none() {
                self.faults.push(format!("batch {number} of {run:?} was taken when that was over"));
            }
            let last = self.shown.insert(*run, *number).unwrap_or(0);
            if last + 1 != *number {
                self.faults.push(format!("batch {number} of {run:?} was taken after {last}"));
            }
        }
        for change in &body.changes {
            let Change::Goes(person) = change else { continue };
            let run = person.0;
            if !self.left.contains(person) && !self.gone.contains(&run) && !self.is_over(run) {
                self.faults.push(format!("{person:?} went without a reason"));
            }
        }
    }

    /// A node has carried out the turn that ends there.
    pub(super) fn carried_out(&mut self, node: NodeId, position: u64, state: &State) {
        let first = self.states.entry(position).or_insert_with(|| state.clone());
        if first != state {
            self.faults.push(format!("{node:?} has another state at {position}"));
        }
    }

    pub(super) fn begins(&mut self, run: NodeRun) {
        if !self.begun.insert(run) {
            self.faults.push(format!("{run:?} begins twice"));
        }
    }

    /// Whether its process is dead or in another run. A clock that went back makes a run older than one
    /// before it.
    fn is_over(&self, run: NodeRun) -> bool {
        let later = NodeRun { start: run.start + 1, ..run }..=NodeRun { start: u64::MAX, ..run };
        self.over.contains(&run) || self.begun.range(later).next().is_some()
    }

    pub(super) fn leads(&mut self, leader: Process, now: Duration) {
        self.heard.retain(|(process, _), _| *process != leader);
        self.heard.insert((leader, None), now);
    }

    /// A process hears of a run.
    pub(super) fn heard(&mut self, by: Process, run: NodeRun, now: Duration) {
        self.heard.insert((by, Some(run)), now);
    }

    /// A leader takes a run for gone.
    pub(super) fn gone(&mut self, by: Process, run: NodeRun, now: Duration) {
        let last = [None, Some(run)].into_iter().filter_map(|run| self.heard.get(&(by, run)).copied()).max();
        let is_silent = last.is_some_and(|last| now >= last + SILENCE);
        let is_over = self.is_over(run);
        self.meet(if is_over { "the end of a run before" } else { "the end of a silent run" });
        if is_silent || is_over {
            self.gone.insert(run);
        } else {
            self.faults.push(format!("{by:?} takes {run:?} for gone at {now:?}, heard of at {last:?}"));
        }
    }
}
