//! The newest messages, which are not yet in the index, the hours, and the sums per author.
//!
//! No receipt waits for these: the writer updates them in transactions of their own, when no message has come
//! for a moment, or once there are very many. Many messages at a time cost less than half, and a crash loses
//! none: the tail is all messages behind a number that the same transaction moves on. Until then, a search
//! looks at these messages one by one, and nothing of them is removed.

use super::hours::Hours;
use super::indexing;
use super::rows::signed;
use super::weight::Weights;
use crate::limits::{
    INDEX_STEP_BYTES, INDEX_STEP_ROWS, TAIL_IDLE_BYTES, TAIL_IDLE_ROWS, TAIL_MOST_BYTES, TAIL_MOST_ROWS,
};
use rusqlite::{Connection, OptionalExtension, Result, TransactionBehavior, params};

/// How long the tail is, about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct IndexTail {
    messages: usize,
    /// The length of their texts.
    bytes: usize,
    /// Messages since [`IndexTail::is_flooded`] was last asked.
    came: usize,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Indexed {
    messages: usize,
    bytes: usize,
    /// Whether the tail goes on.
    pub(super) more: bool,
}

impl IndexTail {
    /// Numbers that no message has count too: the first step finds out.
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let sql = "SELECT max(0, ifnull(max(seq), 0) - ?1) FROM message";
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let messages = connection.query_row(sql, [begin(connection)?], |row| row.get(0))?;
        Ok(Self { messages: size(messages), bytes: 0, came: 0 })
    }

    pub(super) fn add(&mut self, text: &str) {
        self.messages += 1;
        self.came += 1;
        self.bytes += text.len();
    }

    pub(super) fn take(&mut self, indexed: Indexed) {
        if indexed.more {
            self.messages = self.messages.saturating_sub(indexed.messages);
            self.bytes = self.bytes.saturating_sub(indexed.bytes);
        } else {
            *self = Self { came: self.came, ..Self::default() };
        }
    }

    /// Whether more messages came since the last time than a step indexes.
    pub(super) fn is_flooded(&mut self) -> bool {
        std::mem::take(&mut self.came) > INDEX_STEP_ROWS
    }

    /// Whether to index some of it while the writer has nothing else to do.
    pub(super) fn is_worth_a_step(self) -> bool {
        self.messages >= TAIL_IDLE_ROWS || self.bytes >= TAIL_IDLE_BYTES
    }

    /// Whether new messages must wait until some of it is indexed.
    pub(super) fn is_full(self) -> bool {
        self.messages >= TAIL_MOST_ROWS || self.bytes >= TAIL_MOST_BYTES
    }
}

/// Starts over if nothing says what is indexed, as in a history of a version between two releases: empties
/// what [`step`] fills, so that the tail is all messages.
pub(super) fn prepare(connection: &mut Connection) -> Result<()> {
    if noted(connection)?.is_some() {
        return Ok(());
    }
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute_batch(
        "INSERT INTO pieces (pieces) VALUES ('delete-all'); DELETE FROM hour; DELETE FROM weight; \
         DELETE FROM authored; INSERT OR REPLACE INTO meta VALUES ('unindexed', 0), ('indexed', 0)",
    )?;
    change.commit()
}

/// The tail starts after this number.
pub(super) fn begin(connection: &Connection) -> Result<i64> {
    Ok(noted(connection)?.unwrap_or_default())
}

fn noted(connection: &Connection) -> Result<Option<i64>> {
    let mut read = connection.prepare_cached("SELECT value FROM meta WHERE key = 'indexed'")?;
    read.query_row([], |row| row.get(0)).optional()
}

/// Indexes the oldest messages of the tail, in a transaction.
pub(super) fn step(connection: &mut Connection) -> Result<Indexed> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT seq, at, room, from_name, text, author, kind < 3 FROM message WHERE seq > ?1 \
               ORDER BY seq LIMIT ?2";
    let values = params![begin(&change)?, signed(INDEX_STEP_ROWS as u64)];
    let (rows, is_long) = indexing::read(&change, sql, values, INDEX_STEP_BYTES)?;
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(Indexed::default()) };
    let (mut hours, mut weights) = (Hours::default(), Weights::default());
    let mut indexer = indexing::Indexer::new(&change)?;
    for row in &rows {
        weights.wrote(row.author, row.seq, &row.text);
        if row.is_said {
            indexer.add(row)?;
            hours.note(row.seq, row.at);
        }
    }
    drop(indexer);
    hours.write(&change)?;
    weights.write(&change)?;
    change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'indexed'")?.execute([last])?;
    change.commit()?;
    let bytes = rows.iter().map(|row| row.text.len()).sum();
    Ok(Indexed { messages: rows.len(), bytes, more: is_long || rows.len() == INDEX_STEP_ROWS })
}

/// Indexes the whole tail.
pub(super) fn finish(connection: &mut Connection) -> Result<()> {
    while step(connection)?.more {}
    Ok(())
}
