//! Several servers with one chat: which of them decides, and what each of them carries out.
//!
//! The nodes share a log, which puts records in one order and loses none that it has acknowledged. One node leads: it
//! runs the rules, and each result of the rules, a *turn*, is a record. Every node reads the log from front to end and
//! carries out the turns for its own people. A node becomes the leader by appending a [`Lead`](record::Lead).
//!
//! Whether a record counts depends only on the records before it ([`ledger`]). So all nodes agree on it, however late
//! their view is, and a leader that was replaced without knowing it can append what it likes. Clocks and timeouts decide
//! when a node *tries* to lead, and nothing else.
//!
//! This module knows no sockets, no runtime and no clock. Its caller passes in the time and what has come, and carries
//! out the [`Action`](node::Action)s.

pub mod ledger;
pub mod node;
mod proposals;
pub mod record;
mod uplink;

#[cfg(test)]
mod tests;
