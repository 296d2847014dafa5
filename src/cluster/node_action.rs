//! The actions that a node asks of its caller.

use super::ledger::Ledger;
use super::record::{NodeId, NodeRun};
use bytes::Bytes;

/// For the caller to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAction {
    /// Append to the log, if the last record has that position.
    Append { after: u64, bytes: Bytes },
    /// Send to the leader's node: [`Node::batch`](super::Node::batch).
    Batch { to: NodeId, run: NodeRun, number: u64, bytes: Bytes },
    /// Tell the leader's node that this run is there: [`Node::alive`](super::Node::alive).
    Alive { to: NodeId, run: NodeRun },
    /// Tell all nodes that this one leads: [`Node::hear`](super::Node::hear).
    Beat { term: u64 },
    /// Carry out a turn, and store what it says in one transaction with the ledger.
    CarryOut { body: Bytes, ledger: Ledger },
    /// It leads: start the rules from what was carried out so far. Then propose a turn, even an empty one:
    /// nodes store how far they are with turns, and a log does not keep its records for ever.
    Lead,
    /// It no longer leads: the rules' state is void.
    Follow,
    /// Let the rules process a batch; before number 1, let them end all sessions of earlier runs of that
    /// node. Then propose a turn, even an empty one: it says that the batch is taken.
    Process { run: NodeRun, number: u64, bytes: Bytes },
    /// Let the rules end all sessions of that run. Then propose a turn, even an empty one.
    NodeGone(NodeRun),
    /// Its own run is over, and with it its people's sessions: end those, and call [`Node::begin_run`](super::Node::begin_run).
    Ended,
}
