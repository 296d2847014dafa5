//! Where a node is in the log, and whether what the engine says of the log fits.

use super::api::{ApiFault, StreamInfo, code};
use super::fitness::check_majority;
use std::time::Duration;
use tokio::time::Instant;

/// How long the log has to look lost before it is: servers that have just started may not know all that is in it, and one
/// that was cut off takes itself for the leader at first.
const DOUBT: Duration = Duration::from_secs(10);

/// How often the log has to say that it does not have a record before the record is missing.
const MAX_MISSED: u8 = 3;

#[derive(Debug)]
pub(super) struct LogReading {
    next: u64,
    /// When the log was created.
    log: Option<String>,
    /// Whether it has read any.
    has_begun: bool,
    /// Since when it looks lost.
    doubted: Option<Instant>,
    /// How often in a row the log did not have the next record.
    missed: u8,
}

/// The result of a look at the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Survey {
    /// The position of its last record.
    Good(u64),
    Unclear,
    /// The positions of its first and its last record.
    Lost(u64, u64),
}

impl LogReading {
    pub(super) fn after(position: u64) -> Self {
        Self { next: position + 1, log: None, has_begun: false, doubted: None, missed: 0 }
    }

    /// The position of the record to read next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whether a record was read since the node has begun to follow.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The next record has been read.
    pub(super) fn advance(&mut self) {
        self.has_begun = true;
        self.next += 1;
        self.missed = 0;
    }

    /// The log says that it does not have the next record.
    pub(super) fn miss(&mut self) {
        self.missed += 1;
    }

    /// Whether the log goes on from here, by what the engine has just said of it.
    pub(super) fn judge(&mut self, found: Result<StreamInfo, ApiFault>, now: Instant) -> Survey {
        let (first, last) = match found {
            // Without a leader, a server that lags behind may have answered.
            Ok(info) if check_majority(&info).is_err() => return Survey::Unclear,
            Ok(info) => {
                let other = self.log.as_ref().is_some_and(|log| *log != info.created);
                let (first, last) = (info.state.first_seq, info.state.last_seq);
                // An empty log has no first record.
                let first = if last == 0 { 1 } else { first };
                if other || self.next < first {
                    return Survey::Lost(first, last);
                }
                if self.next > last {
                    // Someone said that the log had more than it has.
                    self.missed = 0;
                }
                if self.missed >= MAX_MISSED {
                    return Survey::Lost(self.next + 1, last);
                }
                if self.next <= last + 1 {
                    self.log = Some(info.created);
                    self.doubted = None;
                    return Survey::Good(last);
                }
                (first, last)
            }
            Err(fault) if fault.is_code(&[code::STREAM_NOT_FOUND]) && self.next > 1 => (1, 0),
            Err(_) => return Survey::Unclear,
        };
        let since = *self.doubted.get_or_insert(now);
        if now < since + DOUBT { Survey::Unclear } else { Survey::Lost(first, last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The answer of three servers about a log with these records.
    fn log(created: &str, first: u64, last: u64, leader: &str) -> Result<StreamInfo, ApiFault> {
        let info = json!({
            "config": {"name": "l", "subjects": ["s"], "retention": "limits", "storage": "file", "discard": "old",
                "num_replicas": 3},
            "created": created,
            "state": {"bytes": 1, "first_seq": first, "last_seq": last},
            "cluster": {"leader": leader, "replicas": [{"name": "n2", "active": 1}, {"name": "n3", "active": 1}]},
        });
        Ok(serde_json::from_value(info).unwrap())
    }

    #[test]
    fn a_log_that_goes_on_is_good_and_another_or_a_later_one_is_lost() {
        let (mut place, now) = (LogReading::after(10), Instant::now());
        assert_eq!(place.judge(log("monday", 1, 12, "n1"), now), Survey::Good(12));
        assert_eq!(place.judge(log("monday", 1, 10, "n1"), now), Survey::Good(10));
        assert_eq!(place.judge(log("tuesday", 1, 12, "n1"), now), Survey::Lost(1, 12));
        assert_eq!(LogReading::after(10).judge(log("monday", 12, 90, "n1"), now), Survey::Lost(12, 90));
    }

    #[test]
    fn a_log_that_is_too_short_is_lost_only_if_it_stays_so() {
        let (mut place, now) = (LogReading::after(10), Instant::now());
        assert_eq!(place.judge(log("monday", 1, 4, "n1"), now), Survey::Unclear);
        assert_eq!(place.judge(log("monday", 1, 10, "n1"), now + DOUBT), Survey::Good(10));
        assert_eq!(place.judge(log("monday", 1, 4, "n1"), now + DOUBT), Survey::Unclear);
        assert_eq!(place.judge(log("monday", 1, 4, "n1"), now + 2 * DOUBT), Survey::Lost(1, 4));
    }

    #[test]
    fn a_server_that_answers_without_a_leader_says_nothing_of_the_log() {
        let (mut place, now) = (LogReading::after(10), Instant::now());
        assert_eq!(place.judge(log("monday", 1, 4, ""), now), Survey::Unclear);
        assert_eq!(place.judge(log("monday", 1, 4, ""), now + 2 * DOUBT), Survey::Unclear);
    }

    #[test]
    fn a_record_that_the_log_does_not_have_is_lost_at_the_third_answer() {
        let (mut place, now) = (LogReading::after(10), Instant::now());
        place.miss();
        place.miss();
        assert_eq!(place.judge(log("monday", 1, 12, "n1"), now), Survey::Good(12));
        place.miss();
        assert_eq!(place.judge(log("monday", 1, 12, "n1"), now), Survey::Lost(12, 12));
        assert_eq!(place.judge(log("monday", 1, 10, "n1"), now), Survey::Good(10), "it is not there yet");
        place.advance();
        assert_eq!(place.judge(log("monday", 1, 12, "n1"), now), Survey::Good(12));
    }
}
