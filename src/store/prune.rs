//! Removes old messages by age and by size, a few at a time.
//!
//! Age removes all messages, even waiting mail, whose author learns of it. Size removes the oldest messages
//! of the author who has the most, but never waiting mail.

use super::api::Retention;
use super::index_tail::Indexed;
use super::weight::{self, Weights};
use super::{changes, hours, index_tail, rows};
use crate::chat::Expired;
use crate::limits::{MAIL_ROOM_PARTS, MAIL_SHARE_THOUSANDTHS, PRUNE_ROWS, PRUNE_TIME};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Result, Transaction, params};
use std::collections::BTreeSet;
use std::time::Instant;

/// Pages of the index to merge in a step, so that removed messages free their space.
const MERGE_PAGES: i32 = 64;

/// Pages to return to the file system in a step.
const VACUUM_PAGES: u32 = 256;

/// The file keeps one free page in so many for new messages, and at least [`MIN_FREE_PAGES`].
const FREE_SHARE: u64 = 8;
const MIN_FREE_PAGES: u64 = 64;

/// The most bytes that a byte of a message takes in the database, including its index entries. So the writer
/// need not measure after each message.
const STORED_PER_BYTE: u64 = 4;

#[derive(Debug, Default)]
pub(super) struct Pruned {
    pub(super) more: bool,
    /// The new messages that had to be indexed first.
    pub(super) indexed: Indexed,
    /// Waiting mail that was too old.
    pub(super) expired: Vec<Expired>,
}

struct Old {
    seq: i64,
    room: Option<i64>,
    author: Option<i64>,
    /// The length of its text.
    bytes: usize,
    is_said: bool,
    to: String,
}

/// Removes some messages that are too old or too many, of those that are in the index.
pub(super) fn step(connection: &mut Connection, keep: Retention, now: Timestamp) -> Result<Pruned> {
    let indexed = index_tail::step(connection)?;
    let mut old = too_old(connection, keep, now)?;
    if old.is_empty() && keep.bytes.map_or(Ok(false), |most| used(connection).map(|bytes| bytes > most))? {
        old = heaviest(connection)?;
    }
    if old.is_empty() {
        let more = vacuum(connection)? || indexed.more;
        return Ok(Pruned { more, indexed, expired: Vec::new() });
    }
    let change = connection.transaction()?;
    let expired = remove(&change, &old)?;
    change.commit()?;
    Ok(Pruned { more: true, indexed, expired })
}

/// The size of the database in bytes, as SQLite knows it.
pub(super) fn size(connection: &Connection) -> Result<u64> {
    Ok(pragma(connection, "page_count")?.saturating_mul(pragma(connection, "page_size")?))
}

/// The size of the database without free pages.
pub(super) fn used(connection: &Connection) -> Result<u64> {
    let pages = pragma(connection, "page_count")?.saturating_sub(pragma(connection, "freelist_count")?);
    Ok(pages * pragma(connection, "page_size")?)
}

fn pragma(connection: &Connection, name: &str) -> Result<u64> {
    connection.pragma_query_value(None, name, |row| row.get(0).map(rows::unsigned))
}

/// Bytes of mail to accept before asking again; 0 if waiting mail has used up its share. Waiting mail is
/// never removed for size, so other messages need the rest. `None` without a limit.
pub(super) fn mail_room(connection: &Connection, keep: Retention) -> Result<Option<u64>> {
    let Some(most) = keep.bytes else { return Ok(None) };
    let (used, share) = (used(connection)?, most.saturating_mul(MAIL_SHARE_THOUSANDTHS) / 1000);
    // Counting waiting mail reads all of it.
    let parts = if used > share { weight::waiting(connection)? } else { 1000 };
    let room = share.saturating_sub(used.saturating_mul(parts) / 1000);
    Ok(Some(if room == 0 && used > share {
        0
    } else {
        (room / STORED_PER_BYTE).max(share / MAIL_ROOM_PARTS).max(1)
    }))
}

/// Messages before this time, in milliseconds, are too old.
fn cutoff(keep: Retention, now: Timestamp) -> Option<i64> {
    let age = keep.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    age.map(|age| now.as_millisecond().saturating_sub(age))
}

/// Messages that are too old, the oldest first, except those with doubtful dates.
fn too_old(connection: &Connection, keep: Retention, now: Timestamp) -> Result<Vec<Old>> {
    let Some(latest) = cutoff(keep, now) else { return Ok(Vec::new()) };
    let sql = "SELECT seq, room, author, length(CAST(text AS BLOB)), kind, to_text FROM message m \
               WHERE at < ?1 AND seq <= ?3 AND NOT EXISTS \
               (SELECT 1 FROM doubtful d WHERE m.seq >= d.first AND m.seq <= ifnull(d.last, m.seq)) \
               ORDER BY at LIMIT ?2";
    find(connection, sql, params![latest, most(), index_tail::begin(connection)?])
}

/// The oldest messages of the author who has the most, except waiting mail.
fn heaviest(connection: &Connection) -> Result<Vec<Old>> {
    let Some(author) = weight::heaviest(connection)? else { return Ok(Vec::new()) };
    let sql = "SELECT m.seq, m.room, m.author, length(CAST(m.text AS BLOB)), m.kind, m.to_text \
               FROM authored b CROSS JOIN message m ON m.seq = b.seq WHERE b.author = ?1 AND NOT EXISTS \
               (SELECT 1 FROM mail l WHERE l.seq = b.seq AND l.state = 0) \
               ORDER BY b.seq LIMIT ?2";
    find(connection, sql, params![author, most()])
}

fn most() -> i64 {
    i64::try_from(PRUNE_ROWS).unwrap_or(i64::MAX)
}

fn find(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<Old>> {
    let mut find = connection.prepare_cached(sql)?;
    let old = find.query_map(values, |row| {
        Ok(Old {
            seq: row.get(0)?,
            room: row.get(1)?,
            author: row.get(2)?,
            bytes: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            is_said: row.get::<_, i64>(4)? < 3,
            to: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
        })
    })?;
    old.collect()
}

/// Removes as many as time allows; returns those that waited.
fn remove(change: &Transaction<'_>, old: &[Old]) -> Result<Vec<Expired>> {
    let until = Instant::now() + PRUNE_TIME;
    let (mut rooms, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    let (mut weights, mut expired, mut last) = (Weights::default(), Vec::new(), 0);
    for message in old {
        rooms.extend(message.room);
        accounts.extend(message.author);
        let sql = "SELECT account, state = 0 FROM mail WHERE seq = ?1";
        let mut readers = change.prepare_cached(sql)?;
        for reader in readers.query_map([message.seq], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (account, waits): (i64, bool) = reader?;
            accounts.insert(account);
            if waits {
                expired.push(lose(change, message, account)?);
            }
        }
        if message.is_said {
            changes::forget_edit(change, message.seq, &mut weights)?;
        }
        for sql in ["DELETE FROM pieces WHERE rowid = ?1", "DELETE FROM mail WHERE seq = ?1"] {
            change.prepare_cached(sql)?.execute([message.seq])?;
        }
        // The news of an edit may have gone with its message.
        if change.prepare_cached("DELETE FROM message WHERE seq = ?1")?.execute([message.seq])? > 0 {
            weights.take(message.author, message.bytes);
            weight::forget(change, message.author, message.seq)?;
        }
        last = last.max(message.seq);
        if Instant::now() > until {
            break;
        }
    }
    weights.write(change)?;
    for room in rooms {
        rows::forget_room(change, room)?;
    }
    for account in accounts {
        rows::forget_account(change, account)?;
    }
    let merge = "INSERT INTO pieces (pieces, rank) VALUES ('merge', ?1)";
    change.prepare_cached(merge)?.execute([MERGE_PAGES])?;
    hours::forget(change)?;
    // A client that has less than the highest removed number learns of a gap.
    let sql = "UPDATE meta SET value = max(value, ?1) WHERE key = 'pruned'";
    change.prepare_cached(sql)?.execute([last])?;
    Ok(expired)
}

/// Records that mail for `account` is lost, until its author learns of it.
fn lose(change: &Transaction<'_>, message: &Old, account: i64) -> Result<Expired> {
    let identity = |column, id: i64| {
        let mut find = change.prepare_cached("SELECT identity FROM account WHERE id = ?1")?;
        find.query_row([id], |row| rows::account(column, row.get_ref(0)?.as_blob()?))
    };
    let author = message.author.filter(|author| message.is_said && *author != account);
    if let Some(author) = author {
        let sql = "INSERT OR REPLACE INTO lost (author, account, seq, name) VALUES (?1, ?2, ?3, ?4)";
        change.prepare_cached(sql)?.execute(params![author, account, message.seq, message.to])?;
    }
    Ok(Expired {
        account: identity(0, account)?,
        name: message.to.clone(),
        author: message.author.map(|author| identity(0, author)).transpose()?,
        is_said: message.is_said,
        seq: rows::unsigned(message.seq),
    })
}

/// Returns some free pages to the file system if there are many; returns whether more remain.
fn vacuum(connection: &Connection) -> Result<bool> {
    let kept = (pragma(connection, "page_count")? / FREE_SHARE).max(MIN_FREE_PAGES);
    if pragma(connection, "freelist_count")? <= kept {
        return Ok(false);
    }
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    Ok(true)
}
