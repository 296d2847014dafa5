//! The store's requests and answers.

use crate::chat::{Arrival, Entry, Message, View};
use jiff::Timestamp;
use std::time::Duration;

/// How long and how much to keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// The age up to which messages are kept; `None` for any age.
    pub age: Option<Duration>,
    /// The approximate bytes that the database may use; `None` for any number.
    pub bytes: Option<u64>,
}

/// Entries for one transaction.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// In the order of their effect.
    pub entries: Vec<Entry>,
    /// The latest number assigned when the batch was closed.
    pub seq: u64,
    /// Ranges to read right after the entries, before any later batch.
    pub cutovers: Vec<ViewRange>,
    /// How far the servers' log is followed with these entries; `None` on a server without others.
    pub ledger: Option<Vec<u8>>,
}

/// The result of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitOutcome {
    /// Messages that were stored already, and changes of messages that are gone, in order.
    pub duplicates: Vec<Duplicate>,
    /// One page per cutover, cut if it is too long.
    pub cutovers: Vec<Page>,
    /// Waiting mail that the batch's entries delivered.
    pub arrivals: Vec<Arrival>,
}

/// A message that is stored already, or a change of one that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// Its index in the batch.
    pub entry: usize,
    /// The stored message's number.
    pub seq: u64,
    /// The stored message's time.
    pub at: Timestamp,
    /// Whether the stored message still waits for its recipient.
    pub waits: bool,
    /// The number of the message that this one would have changed, but that an earlier entry deleted.
    pub gone: Option<u64>,
}

/// A view's messages with numbers above `after`, up to `upto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRange {
    /// The messages that the reader may see.
    pub view: View,
    /// Exclusive.
    pub after: u64,
    /// Inclusive.
    pub upto: u64,
    /// The reader had the messages up to this number before. Changes of later ones are in the messages
    /// themselves, so the range leaves them out.
    pub known: u64,
}

/// A part of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In order. `mail` and `receiver` are empty; `id` is set only for the author.
    pub messages: Vec<Message>,
    /// The range is complete up to this number, inclusive: the range's end, the last committed number, or the
    /// last message's number if the page is cut.
    pub reached: u64,
}

/// The point up to which a client has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeFrom {
    /// Everything up to this number.
    Seq(u64),
    /// Everything up to this time.
    Time(Timestamp),
    /// Nothing; it gets only the newest.
    Newest,
}

/// Where a returning client starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartPoint {
    /// Send messages with higher numbers.
    pub after: u64,
    /// Whether the client missed earlier messages too: too many, or no longer stored.
    pub gap: bool,
}

/// The answer to a listing or a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResult {
    /// In order, the newest last.
    pub messages: Vec<Message>,
    /// Whether older ones may exist.
    pub more: bool,
    /// Whether older ones were skipped: the time was up, or the index lacks them.
    pub partial: bool,
    /// How far back it got before the time was up; the next request continues there.
    pub reached: Option<u64>,
}
