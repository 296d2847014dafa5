//! Sees from the kinds of the records that pass how a transfer ended: for the log, and for a sender that missed the
//! end. Looks at no content but the code of a record that ends a transfer early.

use crate::protocol::record::{RECORD_HEAD_BYTES, RecordKind, StopCode, StopRecord};

/// The most bytes of such a record to hold.
const MAX_STOP_BYTES: usize = 4096;

/// Watches what one side sends. Bytes that are not records make it give up.
#[derive(Debug, Default)]
pub(super) struct RecordWatch {
    /// The beginning of a head.
    head: Vec<u8>,
    /// The present record, and how much of its content is missing.
    kind: Option<RecordKind>,
    missing: usize,
    stop: Vec<u8>,
    has_stored: bool,
    is_lost: bool,
}

impl RecordWatch {
    /// Takes bytes that pass.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_lost {
            let taken = if self.missing > 0 { self.content(bytes) } else { self.head(bytes) };
            bytes = &bytes[taken..];
        }
    }

    fn content(&mut self, bytes: &[u8]) -> usize {
        let taken = self.missing.min(bytes.len());
        self.missing -= taken;
        if self.kind == Some(RecordKind::Stop) {
            let room = MAX_STOP_BYTES.saturating_sub(self.stop.len());
            self.stop.extend_from_slice(&bytes[..taken.min(room)]);
        }
        self.has_stored |= self.missing == 0 && self.kind == Some(RecordKind::Stored);
        taken
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        let taken = (RECORD_HEAD_BYTES - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..taken]);
        if let Ok(head) = <[u8; RECORD_HEAD_BYTES]>::try_from(self.head.as_slice()) {
            self.head.clear();
            match RecordKind::read_head(head) {
                Ok((kind, length)) => (self.kind, self.missing) = (Some(kind), length),
                Err(_) => self.is_lost = true,
            }
        }
        taken
    }

    /// Whether this side, a receiver, has said that it has everything.
    pub(super) fn has_stored(&self) -> bool {
        self.has_stored
    }

    /// Why this side has ended the transfer early, if it has said so.
    pub(super) fn stop(&self) -> Option<StopCode> {
        let is_whole = self.kind == Some(RecordKind::Stop) && self.missing == 0 && !self.is_lost;
        let read =
            || serde_json::from_slice(&self.stop).map_or(StopCode::Other, |stop: StopRecord| stop.code);
        is_whole.then(read)
    }

    /// Whether this side has sent records, and nothing else.
    pub(super) fn has_records(&self) -> bool {
        self.kind.is_some() && !self.is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::record::{FileRecord, Have, Stored};

    fn watched(records: &[FileRecord<'_>], step: usize) -> RecordWatch {
        let bytes: Vec<u8> = records.iter().flat_map(FileRecord::to_bytes).collect();
        let mut watch = RecordWatch::default();
        bytes.chunks(step).for_each(|part| watch.see(part));
        watch
    }

    #[test]
    fn the_end_is_seen_however_the_bytes_are_cut() {
        for step in [1, 3, 7, 1000, 1 << 20] {
            let have = FileRecord::Have(Have::nothing());
            let stored =
                watched(&[have.clone(), FileRecord::Alive, FileRecord::Stored(Stored { bytes: 7 })], step);
            assert!(stored.has_stored() && stored.has_records() && stored.stop().is_none(), "{step}");
            let data = [b'O'; 70_000];
            let stop = StopRecord { code: StopCode::Changed, msg: "why".into() };
            let stopped = watched(&[FileRecord::Data(&data), FileRecord::Stop(stop)], step);
            assert_eq!((stopped.has_stored(), stopped.stop()), (false, Some(StopCode::Changed)), "{step}");
            let half = &FileRecord::Stored(Stored { bytes: 7 }).to_bytes()[..6];
            let mut watch = RecordWatch::default();
            half.chunks(step).for_each(|part| watch.see(part));
            assert!(!watch.has_stored(), "{step}");
        }
    }

    #[test]
    fn other_bytes_say_nothing_and_take_no_memory() {
        let mut watch = RecordWatch::default();
        watch.see(b"thanks");
        watch.see(&FileRecord::Stored(Stored { bytes: 7 }).to_bytes());
        assert!(!watch.has_stored() && !watch.has_records() && watch.stop().is_none());
        let stop = StopRecord { code: StopCode::Io, msg: "x".repeat(60_000) };
        let watch = watched(&[FileRecord::Stop(stop)], 1000);
        assert_eq!(watch.stop(), Some(StopCode::Other));
        assert!(watch.stop.capacity() <= 2 * MAX_STOP_BYTES);
    }
}
