//! The newest messages, which are not yet in the index, the hours, and the sums per author.
//!
//! No receipt waits for these, and updating them for many messages at a time costs less than half. Until
//! then, a search looks at each of these messages, and nothing is removed.

use super::hours::Hours;
use super::indexing;
use super::rows::signed;
use super::weight::Weights;
use crate::limits::{TAIL_BYTES, TAIL_IDLE_ROWS, TAIL_ROWS};
use rusqlite::{Connection, OptionalExtension, Result, TransactionBehavior, params};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct IndexTail {
    messages: usize,
    /// The length of their texts.
    bytes: usize,
}

impl IndexTail {
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let sql = "SELECT count(*), ifnull(sum(length(CAST(text AS BLOB))), 0) FROM message WHERE seq > ?1";
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        connection.query_row(sql, [begin(connection)?], |row| {
            Ok(Self { messages: size(row.get(0)?), bytes: size(row.get(1)?) })
        })
    }

    pub(super) fn add(&mut self, text: &str) {
        self.messages += 1;
        self.bytes += text.len();
    }

    /// Whether to run a step: earlier while the writer is idle.
    pub(super) fn is_due(self, is_idle: bool) -> bool {
        let most = if is_idle { TAIL_IDLE_ROWS } else { TAIL_ROWS };
        self.messages >= most || self.bytes >= TAIL_BYTES
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
         INSERT OR REPLACE INTO meta VALUES ('unindexed', 0), ('indexed', 0)",
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

/// Indexes the oldest messages of the tail; returns whether more remain.
pub(super) fn step(connection: &mut Connection) -> Result<bool> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT seq, at, room, from_name, text, author, kind < 3 FROM message WHERE seq > ?1 \
               ORDER BY seq LIMIT ?2";
    let values = params![begin(&change)?, signed(TAIL_ROWS as u64)];
    let (rows, more) = indexing::read(&change, sql, values, TAIL_BYTES)?;
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(false) };
    let (mut hours, mut weights) = (Hours::default(), Weights::default());
    for row in &rows {
        weights.add(row.author, &row.text);
        if row.is_said {
            indexing::add(&change, row)?;
            hours.note(row.seq, row.at);
        }
    }
    hours.write(&change)?;
    weights.write(&change)?;
    change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'indexed'")?.execute([last])?;
    change.commit()?;
    Ok(more || rows.len() == TAIL_ROWS)
}

pub(super) fn finish(connection: &mut Connection) -> Result<()> {
    while step(connection)? {}
    Ok(())
}
