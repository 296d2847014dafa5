//! Work that the log of several servers gives each of them.

use crate::cluster::Ledger;
use bytes::Bytes;

/// Work for the output, in order.
#[derive(Debug)]
pub(in crate::server) enum NodeWork {
    CarryOut {
        body: Bytes,
        ledger: Ledger,
        /// Whether it concerns this process's sessions.
        is_own: bool,
    },
    /// Read the state from which the rules start, of that term.
    Open { term: u64 },
}

/// Whether the rules run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RulesStage {
    Elsewhere,
    /// Until the state is read that they start from.
    Opening,
    Here,
}
