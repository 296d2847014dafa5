//! The poll's reports about a connection's socket.

use std::time::Instant;

/// The poll's reports about the socket. It reports each thing once, and an end together with the last bytes
/// before it.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    /// There may be something to read.
    pub(super) is_readable: bool,
    /// When the peer closed its side. Reading then reaches the end without further reports.
    pub(super) ended: Option<Instant>,
    /// Nothing can be written either.
    pub(super) is_broken: bool,
    /// No packet has come yet.
    pub(super) is_new: bool,
}

impl Readiness {
    /// Records a report. Returns whether there is something to read, even if only an end.
    pub(super) fn note(&mut self, is_readable: bool, has_end: bool, is_broken: bool) -> bool {
        if has_end || is_broken {
            self.ended.get_or_insert_with(Instant::now);
        }
        self.is_broken |= is_broken;
        self.is_readable |= is_readable || self.ended.is_some();
        self.is_readable
    }
}
