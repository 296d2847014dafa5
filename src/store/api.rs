//! What the store is given and asked, and what it answers.

use crate::chat::{Arrival, Entry, Message, View};
use jiff::Timestamp;
use std::time::Duration;

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Messages younger than this; `None`: whatever their age.
    pub age: Option<Duration>,
    /// Bytes of the database that are in use, about; `None`: any number.
    pub bytes: Option<u64>,
}

/// What is committed at once.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// In the order in which they hold.
    pub entries: Vec<Entry>,
    /// The latest number given when the batch was closed.
    pub seq: u64,
    /// What is read right after the entries, before anything of a later batch.
    pub seams: Vec<ViewRange>,
}

/// What came of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitOutcome {
    /// Messages that their author had sent before, in order.
    pub duplicates: Vec<Duplicate>,
    /// One for each seam, cut if there is much.
    pub seams: Vec<Page>,
    /// Mail that waited and was received by the batch's entries.
    pub arrivals: Vec<Arrival>,
}

/// A message that its author had sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// Its place in the batch.
    pub entry: usize,
    /// The number of the one that is stored.
    pub seq: u64,
    /// When that was taken.
    pub at: Timestamp,
    /// Whether that still waits for somebody.
    pub waits: bool,
}

/// What of a view has a number above `after`, up to `upto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRange {
    /// What may be seen.
    pub view: View,
    /// Exclusive.
    pub after: u64,
    /// Inclusive.
    pub upto: u64,
}

/// Some of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In order. Their `mail` and `receiver` are empty, and their `id` is there only for their author.
    pub messages: Vec<Message>,
    /// All of the span up to here, inclusive, has been given: its end, or what is committed; the last
    /// message's number if the page is cut.
    pub reached: u64,
}

/// What somebody has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeFrom {
    /// Everything up to this number.
    Seq(u64),
    /// Everything up to this time.
    Time(Timestamp),
    /// Nothing, and is given only the newest.
    Newest,
}

/// Where somebody who was away begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartPoint {
    /// What has a higher number is to be given.
    pub after: u64,
    /// Whether something before that was missed as well: too much of it, or no longer kept.
    pub gap: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResult {
    /// In order, the newest last.
    pub messages: Vec<Message>,
    /// Whether there are older ones, or may be.
    pub more: bool,
    /// Whether older ones were not looked at: it took too long, or they are not in the index yet.
    pub partial: bool,
    /// How far back it was looked when it took too long: from there on is what to ask for next.
    pub reached: Option<u64>,
}
