//! The poll's reports about a connection's socket, and whether reading it brings anything.

use crate::limits::MAX_EMPTY_SLICES;
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
    /// Slices that were read since the last packet.
    empty_slices: u8,
}

impl Readiness {
    /// A socket that may have received something before it was polled.
    pub(super) fn begin() -> Self {
        Self { is_readable: true, is_new: true, ..Self::default() }
    }

    /// Records a report. Returns whether there is something to read, even if only an end.
    pub(super) fn note(&mut self, is_readable: bool, has_end: bool, is_broken: bool) -> bool {
        if has_end || is_broken {
            self.ended.get_or_insert_with(Instant::now);
        }
        self.is_broken |= is_broken;
        self.is_readable |= is_readable || self.ended.is_some();
        self.is_readable
    }

    /// Counts a slice that was read. Returns whether there were too many without a packet.
    pub(super) fn count_slice(&mut self, has_packet: bool) -> bool {
        let was_most = self.empty_slices == MAX_EMPTY_SLICES;
        self.empty_slices = if has_packet { 0 } else { self.empty_slices.saturating_add(1) };
        was_most && !has_packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_FRAME_BYTES, PACED_SLICE_BYTES};

    #[test]
    fn the_longest_frame_never_waits_and_more_that_is_empty_does() {
        let mut readiness = Readiness::default();
        for _ in 0..3 {
            assert!((0..MAX_FRAME_BYTES.div_ceil(PACED_SLICE_BYTES)).all(|_| !readiness.count_slice(false)));
            assert!(!readiness.count_slice(true));
        }
        assert!((0..MAX_EMPTY_SLICES).all(|_| !readiness.count_slice(false)));
        assert!(readiness.count_slice(false) && readiness.count_slice(false));
        assert!(
            !readiness.count_slice(true) && !readiness.count_slice(false),
            "a packet begins the count again"
        );
    }
}
