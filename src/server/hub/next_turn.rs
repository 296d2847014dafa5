//! Results of the rules on their way to the log.

use super::hub_state::HubState;
use super::node_work::RulesStage;
use crate::chat::Now;
use crate::cluster::{NodeRun, Taken};
use crate::server::output_batch::{OutputBatch, TurnNews};
use bytes::Bytes;

/// A result of the rules, on its way to the log.
#[derive(Debug)]
pub(in crate::server) struct NextTurn {
    term: u64,
    taken: Vec<(NodeRun, Taken)>,
    batch: OutputBatch,
    news: TurnNews,
}

/// The same as bytes.
#[derive(Debug)]
pub(in crate::server) struct WrittenTurn {
    term: u64,
    taken: Vec<(NodeRun, Taken)>,
    body: Bytes,
}

impl NextTurn {
    /// Takes time: not for the lock.
    pub(in crate::server) fn write(self) -> WrittenTurn {
        let Self { term, taken, batch, news } = self;
        WrittenTurn { term, taken, body: batch.into_turn(news).into() }
    }
}

impl HubState {
    /// The next result of the rules, if the log has room for it and no turn waits for the output. While one does, the
    /// results grow into a larger turn, as an only server's batch does.
    pub(super) fn next_turn(&mut self, now: &Now) -> Option<NextTurn> {
        let seat = self.node.as_mut().filter(|seat| seat.stage == RulesStage::Here)?;
        if !seat.node.has_window() || !seat.work.is_empty() {
            return None;
        }
        let (term, taken) = seat.node.taken()?;
        if self.batch.is_empty() && seat.told_taken.as_ref() == Some(&taken) {
            return None;
        }
        seat.told_taken = Some(taken.clone());
        let (batch, present) = (self.take_batch(&mut Vec::new()), self.chat.present());
        let before = self.node.as_mut().map_or(0, |seat| std::mem::replace(&mut seat.told_seq, batch.seq));
        // There is room for more.
        self.take_inbound(now);
        Some(NextTurn { term, taken, batch, news: TurnNews { before, present } })
    }

    /// Has the log take a result of the rules.
    pub(super) fn propose(&mut self, turn: WrittenTurn, now: &Now) {
        let WrittenTurn { term, taken, body } = turn;
        self.node(now, |seat, out| seat.node.propose(term, taken, &body, now.uptime, out));
    }
}
