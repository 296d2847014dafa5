//! Several servers with one chat: which of them decides, and what each of them carries out.
//!
//! The nodes share a log, which puts records in one order and loses none that it has acknowledged. One node
//! leads: it runs the rules, and each result of the rules, a *turn*, is a record, or several if it is large.
//! Every node reads the log from front to end and carries out the turns: it stores what they say, also who is
//! here, and tells its own people. A node becomes the leader by appending a [`Lead`], and
//! starts the rules from what it has stored.
//!
//! Whether a record counts depends only on the records before it (`ledger`). So all nodes agree on it,
//! however late their view is, and a leader that was replaced without knowing it can append what it likes. An outsider's
//! record, which no node has appended, takes its place in the log and counts for nothing.
//! Clocks and timeouts decide when a node *tries* to lead, and when a leader takes a silent node for gone,
//! and nothing else.
//!
//! Packets of people go up to the leader in numbered batches (`uplink`). The rules take each one once: the
//! turns say how many they have taken of each *run* of a node, a new leader goes on from there (`intake`),
//! and a node sends again what no turn has mentioned. A node begins a run when it starts. A run is over for
//! good as soon as the leader hears of a later run of the same node, or has heard nothing of it for
//! `node::SILENCE`: its people's sessions end. If the node was only cut off, it reads in the log
//! that its run is over, and begins another.
//!
//! This module knows no sockets, no runtime and no clock. Its caller passes in the time and what has come,
//! and carries out the [`NodeAction`]s.

mod doubles;
mod intake;
mod ledger;
mod node;
mod node_action;
mod proposals;
mod record;
mod uplink;

pub use ledger::{Ledger, LogFault};
pub use node::Node;
pub use node_action::NodeAction;
pub use record::{Chain, Lead, LogRecord, NodeId, NodeRun, Taken, Turn, UnreadableRecord};

#[cfg(test)]
mod tests;
