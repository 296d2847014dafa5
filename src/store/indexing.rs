//! The index of pieces: what goes into it as messages are stored, and, a portion at a time, of messages of
//! a database whose index was another one.

use super::hours::Hours;
use super::rows::{self, signed};
use super::words;
use crate::chat::Search;
use crate::limits::{INDEX_BYTES, INDEX_ROWS};
use rusqlite::{Connection, OptionalExtension, Result, TransactionBehavior, params};

/// Puts a message into the index: of a room, or in the mail of readers.
pub(super) fn add(
    connection: &Connection,
    seq: i64,
    text: &str,
    sender: &str,
    room: Option<i64>,
    readers: &[i64],
) -> Result<()> {
    let venues = match room {
        Some(room) => vec![words::room_token(room)],
        None => readers.iter().map(|id| words::account_token(*id)).collect(),
    };
    let tokens = words::tokens(text, sender, &venues);
    let mut insert = connection.prepare_cached("INSERT INTO pieces (rowid, tokens) VALUES (?1, ?2)")?;
    insert.execute(params![seq, tokens]).map(drop)
}

/// The number up to which messages are still to be put into the index; 0: all are in it.
pub(super) fn unindexed(connection: &Connection) -> Result<i64> {
    let mut read = connection.prepare_cached("SELECT value FROM meta WHERE key = 'unindexed'")?;
    Ok(read.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// Has all messages put into an index that is empty, and into its hours.
pub(super) fn restart(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM hour", [])?;
    let sql = "INSERT OR REPLACE INTO meta SELECT 'unindexed', ifnull(max(seq), 0) FROM message";
    connection.execute(sql, []).map(drop)
}

/// Whether messages that a search may mean are still to be put into the index.
pub(super) fn is_behind(connection: &Connection, search: &Search) -> Result<bool> {
    let sql = "SELECT at FROM message WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
    let newest: Option<i64> =
        connection.prepare_cached(sql)?.query_row([unindexed(connection)?], |row| row.get(0)).optional()?;
    Ok(newest.is_some_and(|at| search.since.is_none_or(|since| at >= since.as_millisecond())))
}

/// A message that is not in the index.
struct Row {
    seq: i64,
    at: i64,
    room: Option<i64>,
    sender: String,
    text: String,
}

/// Puts the newest messages of those that are not in the index into it; returns whether there are more.
pub(super) fn step(connection: &mut Connection) -> Result<bool> {
    let unindexed = unindexed(connection)?;
    if unindexed == 0 {
        return Ok(false);
    }
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut rows = newest(&change, unindexed)?;
    // The index takes rising numbers at once, and of others one at a time.
    rows.reverse();
    let mut hours = Hours::default();
    let next = rows.first().map_or(0, |row| row.seq - 1);
    for Row { seq, at, room, sender, text } in rows {
        let mut find = change.prepare_cached("SELECT account FROM mail WHERE seq = ?1")?;
        let readers: Vec<i64> = find.query_map([seq], |row| row.get(0))?.collect::<Result<_>>()?;
        add(&change, seq, &text, &sender, room, &readers)?;
        hours.note(seq, at);
    }
    hours.write(&change)?;
    change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'unindexed'")?.execute([next])?;
    change.commit()?;
    Ok(next > 0)
}

fn newest(connection: &Connection, upto: i64) -> Result<Vec<Row>> {
    let mut find = connection.prepare_cached(
        "SELECT seq, at, room, from_name, text FROM message WHERE seq <= ?1 AND kind < 3 ORDER BY seq DESC LIMIT ?2",
    )?;
    let mut found = find.query(params![upto, signed(INDEX_ROWS as u64)])?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let row = Row {
            seq: row.get(0)?,
            at: row.get(1)?,
            room: row.get(2)?,
            sender: rows::text(row, 3)?.into_owned(),
            text: rows::text(row, 4)?.into_owned(),
        };
        bytes += row.text.len();
        rows.push(row);
        if bytes > INDEX_BYTES {
            break;
        }
    }
    Ok(rows)
}
