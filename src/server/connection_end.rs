//! How and since when a connection ends.

use std::time::Instant;

#[derive(Debug)]
pub(super) struct ConnectionEnd {
    pub(super) since: Instant,
    pub(super) mode: CloseMode,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseMode {
    /// The peer may read what was sent.
    Orderly,
    /// Nothing more can be written. Earlier input still counts.
    Broken,
    /// At once, in both directions.
    Aborted,
    /// Not here: the socket was handed out.
    HandedOut,
}

impl ConnectionEnd {
    pub(super) fn now(mode: CloseMode) -> Box<Self> {
        Box::new(Self { since: Instant::now(), mode })
    }
}
