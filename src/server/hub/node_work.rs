//! Work that the log of several servers gives each of them.

use crate::cluster::{Ledger, LogFault};
use crate::security::NotSealed;
use bytes::Bytes;

/// Why a server cannot follow the log any further.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum FollowFault {
    #[error(transparent)]
    Log(#[from] LogFault),
    #[error(
        "the servers' log has a record that this server cannot read: {0}; see that all have the same server.pem"
    )]
    Sealed(NotSealed),
}

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
