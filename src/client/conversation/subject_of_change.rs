//! Which message a change is about: its old words while the client has them, then its time.

use std::collections::BTreeMap;

use crate::protocol::Event;

/// Times of messages to keep: some hours of a busy chat, in a few hundred kilobytes.
const MAX_TIMES: usize = 2000;

/// The client's knowledge of a changed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChangedMessage {
    /// Its first words.
    Words(String),
    /// The server's time stamp.
    Time(String),
    Unknown,
}

/// When each of the last messages was said.
#[derive(Debug, Default)]
pub(super) struct MessageTimes(BTreeMap<u64, String>);

impl MessageTimes {
    pub(super) fn note(&mut self, event: &Event) {
        if let Event::Chat { seq: Some(seq), ts, .. } = event {
            self.0.insert(*seq, ts.clone());
            if self.0.len() > MAX_TIMES {
                self.0.pop_first();
            }
        }
    }

    pub(super) fn of(&self, seq: u64) -> Option<&String> {
        self.0.get(&seq)
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
