//! Adds messages to the search index: new ones, and in portions those of a database that had another index.

use super::hours::Hours;
use super::rows::{self, signed};
use super::tokens;
use crate::chat::Search;
use crate::limits::{INDEX_BYTES, INDEX_ROWS};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Result, TransactionBehavior, params};

/// Adds messages to the index, with prepared statements.
pub(super) struct Indexer<'c> {
    readers: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Indexer<'c> {
    pub(super) fn new(change: &'c Connection) -> Result<Self> {
        Ok(Self {
            readers: change.prepare_cached("SELECT account FROM mail WHERE seq = ?1")?,
            insert: change.prepare_cached("INSERT INTO pieces (rowid, tokens) VALUES (?1, ?2)")?,
        })
    }

    pub(super) fn add(&mut self, row: &IndexRow) -> Result<()> {
        let venues = match row.room {
            Some(room) => vec![tokens::room_token(room)],
            None => {
                let readers =
                    self.readers.query_map([row.seq], |row| row.get(0).map(tokens::account_token))?;
                readers.collect::<Result<_>>()?
            }
        };
        let tokens = tokens::tokens(&row.text, &row.sender, &venues);
        self.insert.execute(params![row.seq, tokens]).map(drop)
    }
}

/// The number up to which messages are missing in the index; 0 if none is.
pub(super) fn unindexed(connection: &Connection) -> Result<i64> {
    let mut read = connection.prepare_cached("SELECT value FROM meta WHERE key = 'unindexed'")?;
    Ok(read.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// Makes [`step`] add all messages to an index that is empty, and to the hours.
pub(super) fn restart(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM hour", [])?;
    let sql = "INSERT OR REPLACE INTO meta SELECT key, (SELECT ifnull(max(seq), 0) FROM message) \
               FROM (SELECT 'unindexed' AS key UNION ALL SELECT 'indexed')";
    connection.execute(sql, []).map(drop)
}

/// Whether the index lacks messages that a search may match.
pub(super) fn is_behind(connection: &Connection, search: &Search) -> Result<bool> {
    let sql = "SELECT at FROM message WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
    let newest: Option<i64> =
        connection.prepare_cached(sql)?.query_row([unindexed(connection)?], |row| row.get(0)).optional()?;
    Ok(newest.is_some_and(|at| search.since.is_none_or(|since| at >= since.as_millisecond())))
}

/// A message that is not in the index.
#[derive(Debug)]
pub(super) struct IndexRow {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) room: Option<i64>,
    pub(super) sender: String,
    pub(super) text: String,
    pub(super) author: Option<i64>,
    /// Whether a user wrote it, not the server.
    pub(super) is_said: bool,
}

/// Adds the newest messages that the index lacks; returns whether more remain.
pub(super) fn step(connection: &mut Connection) -> Result<bool> {
    let unindexed = unindexed(connection)?;
    if unindexed == 0 {
        return Ok(false);
    }
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT seq, at, room, from_name, text, author, TRUE FROM message WHERE seq <= ?1 AND kind < 3 \
               ORDER BY seq DESC LIMIT ?2";
    let values = params![unindexed, signed(INDEX_ROWS as u64)];
    let (mut rows, _) = read(&change, sql, values, INDEX_BYTES)?;
    // The index is faster with rising numbers.
    rows.reverse();
    let mut hours = Hours::default();
    let next = rows.first().map_or(0, |row| row.seq - 1);
    let mut indexer = Indexer::new(&change)?;
    for row in &rows {
        indexer.add(row)?;
        hours.note(row.seq, row.at);
    }
    drop(indexer);
    hours.write(&change)?;
    change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'unindexed'")?.execute([next])?;
    change.commit()?;
    Ok(next > 0)
}

/// Reads messages until their texts exceed `most` bytes; returns whether it stopped for that reason.
pub(super) fn read(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    most: usize,
) -> Result<(Vec<IndexRow>, bool)> {
    let mut find = connection.prepare_cached(sql)?;
    let mut found = find.query(values)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        if bytes > most {
            return Ok((rows, true));
        }
        let row = IndexRow {
            seq: row.get(0)?,
            at: row.get(1)?,
            room: row.get(2)?,
            sender: rows::text(row, 3)?.into_owned(),
            text: rows::text(row, 4)?.into_owned(),
            author: row.get(5)?,
            is_said: row.get(6)?,
        };
        bytes += row.text.len();
        rows.push(row);
    }
    Ok((rows, false))
}
