//! The newest records, as a node hears of them.
//!
//! Each append goes to the log's subject, where all nodes listen, and its answer to a subject of all nodes. So a node
//! has a record and its position as soon as the log has acknowledged it, and asks nobody for it. Each of the two can get
//! lost, or come first.

use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Halves that wait for the other one, and records that wait for those before them. The node asks the log for those
/// beyond.
const MAX_WAITING: usize = 256;

#[derive(Debug, Default)]
pub(super) struct FreshRecords {
    /// By the subject for the answer, the oldest first.
    halves: VecDeque<(String, Half)>,
    /// By position.
    whole: BTreeMap<u64, Bytes>,
}

#[derive(Debug)]
enum Half {
    Bytes(Bytes),
    Position(u64),
}

impl FreshRecords {
    /// An append that wants its answer there.
    pub(super) fn append(&mut self, reply: &str, bytes: Bytes) {
        match self.other_half(reply) {
            Some(Half::Position(position)) => self.keep(position, bytes),
            Some(Half::Bytes(_)) | None => self.wait(reply, Half::Bytes(bytes)),
        }
    }

    /// The log has taken the append with its answer there, at this position.
    pub(super) fn acknowledged(&mut self, reply: &str, position: u64) {
        match self.other_half(reply) {
            Some(Half::Bytes(bytes)) => self.keep(position, bytes),
            Some(Half::Position(_)) | None => self.wait(reply, Half::Position(position)),
        }
    }

    /// Takes the record at this position, and forgets those before it.
    pub(super) fn take(&mut self, position: u64) -> Option<Bytes> {
        if self.whole.first_key_value().is_some_and(|(first, _)| *first < position) {
            self.whole = self.whole.split_off(&position);
        }
        self.whole.remove(&position)
    }

    /// The position of the first record that waits for those before it.
    pub(super) fn first(&self) -> Option<u64> {
        self.whole.first_key_value().map(|(first, _)| *first)
    }

    fn other_half(&mut self, reply: &str) -> Option<Half> {
        let at = self.halves.iter().position(|(waits, _)| waits == reply)?;
        self.halves.remove(at).map(|(_, half)| half)
    }

    fn wait(&mut self, reply: &str, half: Half) {
        if self.halves.len() == MAX_WAITING {
            self.halves.pop_front();
        }
        self.halves.push_back((reply.to_owned(), half));
    }

    fn keep(&mut self, position: u64, bytes: Bytes) {
        self.whole.insert(position, bytes);
        if self.whole.len() > MAX_WAITING {
            self.whole.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_there_once_both_halves_are_in_either_order() {
        let mut fresh = FreshRecords::default();
        fresh.append("r.1", Bytes::from_static(b"one"));
        assert_eq!(fresh.take(7), None);
        fresh.acknowledged("r.2", 8);
        fresh.acknowledged("r.1", 7);
        fresh.append("r.2", Bytes::from_static(b"two"));
        assert_eq!(fresh.first(), Some(7));
        assert_eq!(fresh.take(7).as_deref(), Some(&b"one"[..]));
        assert_eq!(fresh.take(8).as_deref(), Some(&b"two"[..]));
        assert_eq!(fresh.take(8), None);
    }

    #[test]
    fn records_before_the_one_that_is_taken_are_forgotten() {
        let mut fresh = FreshRecords::default();
        for number in 1..=3_u64 {
            fresh.append(&number.to_string(), Bytes::new());
            fresh.acknowledged(&number.to_string(), number);
        }
        assert_eq!(fresh.take(3), Some(Bytes::new()));
        assert_eq!(fresh.first(), None);
    }

    #[test]
    fn what_waits_is_bounded_and_the_nearest_records_stay() {
        let mut fresh = FreshRecords::default();
        let many = 3 * MAX_WAITING as u64;
        (0..many).for_each(|number| fresh.append(&format!("unanswered {number}"), Bytes::new()));
        assert_eq!(fresh.halves.len(), MAX_WAITING);
        for number in 1..=many {
            fresh.append(&number.to_string(), Bytes::new());
            fresh.acknowledged(&number.to_string(), number);
        }
        assert_eq!((fresh.whole.len(), fresh.first()), (MAX_WAITING, Some(1)));
    }
}
