//! What the records of the log amount to, read from front to end.

use super::record::{Chain, Lead, LogRecord, NodeId, NodeRun, Turn, Unreadable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state after the records up to a position. A node stores it with what it has carried out, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Of the last record; 0: none.
    pub position: u64,
    /// How often the lead has changed.
    pub term: u64,
    pub leader: Option<NodeRun>,
    /// Turns that count in this term.
    pub turns: u64,
    pub chain: Chain,
    /// Batches that the rules have taken, of each node's latest run.
    taken: BTreeMap<NodeId, (u64, u64)>,
}

/// What a record means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// This run leads from here on.
    Leads(NodeRun),
    /// To be carried out.
    Turn(Turn),
    /// It does not count: its author did not lead any more, or repeats itself.
    Void,
}

/// Why a node cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the log and this server's database are of different histories; see lanchat cluster restore")]
    OtherHistory,
    #[error("the log has no record {0} any more, which this server needs; copy the database of another one")]
    Gap(u64),
}

impl Ledger {
    /// Reads the next record.
    ///
    /// # Errors
    ///
    /// If the record cannot be the one after those that were read.
    pub fn read(&mut self, position: u64, bytes: &[u8]) -> Result<Step, LogFault> {
        if position != self.position + 1 {
            return Err(LogFault::Gap(self.position + 1));
        }
        let step = match LogRecord::read(bytes)? {
            LogRecord::Lead(lead) if lead.term == self.term + 1 => {
                self.expect(lead.chain)?;
                self.begin(&lead);
                Step::Leads(lead.by)
            }
            LogRecord::Turn(turn) if turn.term == self.term && turn.number == self.turns + 1 => {
                self.expect(turn.chain)?;
                self.turns = turn.number;
                for (run, number) in &turn.taken {
                    self.taken.insert(run.node, (run.start, *number));
                }
                Step::Turn(turn)
            }
            LogRecord::Lead(_) | LogRecord::Turn(_) => Step::Void,
        };
        self.position = position;
        if step != Step::Void {
            self.chain = self.chain.with(bytes);
        }
        Ok(step)
    }

    /// Batches of this run that the rules have taken; `None`: a later run has replaced it.
    pub fn taken(&self, run: NodeRun) -> Option<u64> {
        match self.taken.get(&run.node) {
            Some((start, _)) if *start > run.start => None,
            Some((start, number)) if *start == run.start => Some(*number),
            Some(_) | None => Some(0),
        }
    }

    fn begin(&mut self, lead: &Lead) {
        (self.term, self.leader, self.turns) = (lead.term, Some(lead.by), 0);
    }

    fn expect(&self, chain: Chain) -> Result<(), LogFault> {
        if chain == self.chain { Ok(()) } else { Err(LogFault::OtherHistory) }
    }
}
