//! The meaning of the log's records, read from front to end.

use super::proposals::WINDOW;
use super::record::{Chain, Lead, LogRecord, NodeId, NodeRun, Taken, Turn, UnreadableRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a start that the ledger has to choose may lie after the one before: two that are chosen from the
/// same ledger are hardly ever the same.
const SPREAD: u64 = 1 << 20;

/// The state after the records up to a position. A node stores it with what it has carried out, in one
/// transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Of the last record; 0: none.
    pub position: u64,
    /// How often the lead has changed.
    pub term: u64,
    pub leader: Option<NodeRun>,
    /// Turns and parts of turns that count in this term.
    pub turns: u64,
    pub chain: Chain,
    /// The start of each node's latest run, and what the rules have taken of it.
    taken: BTreeMap<NodeId, (u64, Taken)>,
    /// A mark of the key that the records are sealed with; `None`: unknown.
    #[serde(default)]
    key_mark: Option<u64>,
}

/// The meaning of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This run leads from here on. If only a part of a turn has come, its other parts never will.
    Leads(NodeRun),
    /// To be carried out, once its last part is read.
    Turn(Turn),
    /// It does not count: its author did not lead any more, or repeats itself, or is not of the chat.
    Void,
}

/// Why a node cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    #[error(transparent)]
    Unreadable(#[from] UnreadableRecord),
    #[error("the log and this server's database are of different histories; see lanchat cluster restore")]
    OtherHistory,
    #[error(
        "the first record of the servers' log is not of a server with this chat's key; see that all have the same server.pem, \
         and if they have, stop them and start the engines with empty stores"
    )]
    OtherKey,
    #[error("the log has no record {0} any more, which this server needs; copy the database of another one")]
    Gap(u64),
    #[error(
        "another process takes part in the chat as the same server, with a copy of its data directory; stop one of the two, \
         and give each machine its own join file"
    )]
    Twice,
}

impl Ledger {
    /// Reads the next record.
    ///
    /// # Errors
    ///
    /// If the record cannot be the one after those that were read.
    pub(super) fn read(&mut self, position: u64, bytes: &[u8]) -> Result<Meaning, LogFault> {
        self.check_next(position)?;
        let record = LogRecord::read(bytes)?;
        if self.has_missed(&record) {
            return Err(LogFault::OtherHistory);
        }
        let meaning = match record {
            LogRecord::Lead(lead) if lead.term == self.term + 1 => {
                self.check(lead.chain)?;
                self.begin(&lead);
                Meaning::Leads(lead.by)
            }
            LogRecord::Turn(turn) if turn.term == self.term && turn.number == self.turns + 1 => {
                self.check(turn.chain)?;
                self.turns = turn.number;
                // A turn that its leader has not finished has taken nothing.
                for (run, taken) in turn.taken.iter().filter(|_| !turn.more) {
                    self.taken.insert(run.node, (run.start, *taken));
                }
                Meaning::Turn(turn)
            }
            LogRecord::Lead(_) | LogRecord::Turn(_) => Meaning::Void,
        };
        self.position = position;
        if meaning != Meaning::Void {
            self.chain = self.chain.with(bytes);
        }
        Ok(meaning)
    }

    /// Passes over the next record, which is not of a node: all nodes do so, because what they can open is the same. The
    /// first record shows whether this node has the key of the log; with another one it could open nothing.
    ///
    /// # Errors
    ///
    /// If it is the first record, or cannot be the one after those that were read.
    pub(super) fn pass(&mut self, position: u64) -> Result<(), LogFault> {
        self.check_next(position)?;
        if self.position == 0 {
            return Err(LogFault::OtherKey);
        }
        self.position = position;
        Ok(())
    }

    /// Whether a node can append this record only after one that this ledger does not have. Some server of the engine has
    /// given this node something else in its place.
    fn has_missed(&self, record: &LogRecord) -> bool {
        match record {
            LogRecord::Lead(lead) => lead.term > self.term + 1,
            LogRecord::Turn(turn) if turn.term == self.term => turn.number > self.turns + WINDOW as u64,
            LogRecord::Turn(turn) => turn.term > self.term,
        }
    }

    /// With a mark of the caller's key; `None`: the ledger has that of another one.
    #[must_use]
    pub fn with_key_mark(self, mark: u64) -> Option<Self> {
        let is_own = self.key_mark.is_none_or(|known| known == mark);
        is_own.then_some(Self { key_mark: Some(mark), ..self })
    }

    /// Whether the rules know this run, and none after it of the same node: only then do turns concern its people.
    pub fn knows(&self, run: NodeRun) -> bool {
        self.taken.get(&run.node).is_some_and(|(start, _)| *start == run.start)
    }

    /// The start of the latest run of the node that the rules know; 0: none.
    pub(super) fn latest_start(&self, node: NodeId) -> u64 {
        self.taken.get(&node).map_or(0, |(start, _)| *start)
    }

    /// Batches of this run that the rules have taken; `None`: it is over.
    pub fn taken(&self, run: NodeRun) -> Option<u64> {
        match self.taken.get(&run.node) {
            Some((start, _)) if *start > run.start => None,
            Some((start, Taken::Upto(number))) if *start == run.start => Some(*number),
            Some((start, Taken::Ended)) if *start == run.start => None,
            Some(_) | None => Some(0),
        }
    }

    /// Each node's latest run, and how much of it the rules have taken.
    pub fn all_taken(&self) -> impl Iterator<Item = (NodeRun, Taken)> {
        self.taken.iter().map(|(node, (start, taken))| (NodeRun { node: *node, start: *start }, *taken))
    }

    /// A start for the next run of a node: the wish, if that is later than all before.
    pub fn next_start(&self, node: NodeId, wish: u64) -> u64 {
        match self.taken.get(&node) {
            Some((start, _)) if wish <= *start => start.saturating_add(1 + wish % SPREAD),
            Some(_) | None => wish,
        }
    }

    fn begin(&mut self, lead: &Lead) {
        (self.term, self.leader, self.turns) = (lead.term, Some(lead.by), 0);
    }

    fn check_next(&self, position: u64) -> Result<(), LogFault> {
        if position == self.position + 1 { Ok(()) } else { Err(LogFault::Gap(self.position + 1)) }
    }

    fn check(&self, chain: Chain) -> Result<(), LogFault> {
        if chain == self.chain { Ok(()) } else { Err(LogFault::OtherHistory) }
    }
}
