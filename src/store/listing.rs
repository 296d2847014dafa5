//! Lists the history of a room, or of two people's direct messages.

use super::api::QueryResult;
use super::rows::{self, signed};
use crate::chat::{Account, Scope, Wanted};
use rusqlite::{Connection, Result, params};

/// The newest messages of a room or a conversation.
pub(super) fn history(connection: &Connection, wanted: &Wanted, bytes: usize) -> Result<QueryResult> {
    let before = wanted.before.map_or(i64::MAX, signed);
    // One more shows whether older ones exist.
    let limit = i64::try_from(wanted.limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    let (numbers, reader) = match &wanted.scope {
        Scope::Room(room) => {
            let Some(room) = rows::room_id(connection, room)? else { return Ok(QueryResult::default()) };
            let sql = "SELECT seq FROM message WHERE room = ?1 AND seq < ?2 AND (kind < 3 OR kind = 6 AND ?4) \
                       ORDER BY seq DESC LIMIT ?3";
            (rows::numbers(connection, sql, params![room, before, limit, wanted.deleted])?, None)
        }
        Scope::Mail(own, other) => {
            let ids = (rows::account_id(connection, own)?, rows::account_id(connection, other)?);
            let (Some(own_id), Some(other_id)) = ids else { return Ok(QueryResult::default()) };
            (between(connection, own_id, other_id, before, limit)?, Some(own))
        }
    };
    listing(connection, numbers, wanted.limit, bytes, reader)
}

/// Messages from one to the other, even if others also got them; for notes to oneself, messages that no one
/// else has.
fn between(connection: &Connection, own: i64, other: i64, before: i64, limit: i64) -> Result<Vec<i64>> {
    if own == other {
        let sql = "SELECT l.seq FROM mail l JOIN message m ON m.seq = l.seq \
                   WHERE l.account = ?1 AND l.seq < ?2 AND m.author = ?1 AND m.kind < 3 \
                   AND NOT EXISTS (SELECT 1 FROM mail o WHERE o.seq = l.seq AND o.account <> ?1) \
                   ORDER BY l.seq DESC LIMIT ?3";
        return rows::numbers(connection, sql, params![own, before, limit]);
    }
    let sql = "SELECT l.seq FROM mail l CROSS JOIN mail o ON o.account = ?2 AND o.seq = l.seq \
               CROSS JOIN message m ON m.seq = l.seq \
               WHERE l.account = ?1 AND l.seq < ?3 AND m.author IN (?1, ?2) AND m.kind < 3 \
               ORDER BY l.seq DESC LIMIT ?4";
    rows::numbers(connection, sql, params![own, other, before, limit])
}

/// The messages with these numbers, given with the highest first.
fn listing(
    connection: &Connection,
    mut numbers: Vec<i64>,
    limit: usize,
    bytes: usize,
    reader: Option<&Account>,
) -> Result<QueryResult> {
    let found = numbers.len();
    numbers.truncate(limit);
    let mut messages = rows::messages(connection, &numbers, bytes, reader)?;
    let more = messages.len() < found;
    messages.reverse();
    Ok(QueryResult { messages, more, ..QueryResult::default() })
}
