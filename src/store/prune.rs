//! Old messages removed, by age and by size, a few at a time.
//!
//! By age all go, whoever said them: mail that waits too, and its author is told. By size the oldest of
//! the author of whom most is kept, and never what waits for somebody.

use super::api::Retention;
use super::weight::{self, Weights};
use super::{hours, index_tail, rows};
use crate::chat::Expired;
use crate::limits::{MAIL_ROOM_PARTS, MAIL_SHARE_THOUSANDTHS, PRUNE_ROWS, PRUNE_TIME};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Result, Transaction, params};
use std::collections::BTreeSet;
use std::time::Instant;

/// Pages of the index that are merged in a step, so that what was removed frees its space.
const MERGE_PAGES: i32 = 64;

/// Pages given back to the file system in a step.
const VACUUM_PAGES: u32 = 256;

/// Free pages that the file keeps for what comes: one in so many, and at least [`MIN_FREE_PAGES`].
const FREE_SHARE: u64 = 8;
/// See [`FREE_SHARE`].
const MIN_FREE_PAGES: u64 = 64;

/// Bytes of the database that a byte of a message takes at most, its entries in the indexes included, so that
/// nobody has to look each time whether there is room left.
const STORED_PER_BYTE: u64 = 4;

/// What came of a step.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// Whether there is more to do.
    pub(super) more: bool,
    /// Mail that waited and was too old.
    pub(super) expired: Vec<Expired>,
}

/// A message that is to go.
struct Old {
    seq: i64,
    room: Option<i64>,
    author: Option<i64>,
    /// Of its text.
    bytes: usize,
    is_said: bool,
    to: String,
}

/// Removes some of what is too old or too much.
pub(super) fn step(connection: &mut Connection, keep: Retention, now: Timestamp) -> Result<Pruned> {
    index_tail::finish(connection)?;
    let mut old = too_old(connection, keep, now)?;
    if old.is_empty() && keep.bytes.map_or(Ok(false), |most| used(connection).map(|bytes| bytes > most))? {
        old = heaviest(connection)?;
    }
    if old.is_empty() {
        return Ok(Pruned { more: vacuum(connection)?, expired: Vec::new() });
    }
    let change = connection.transaction()?;
    let expired = remove(&change, &old)?;
    change.commit()?;
    Ok(Pruned { more: true, expired })
}

/// Bytes that the database says to have.
pub(super) fn size(connection: &Connection) -> Result<u64> {
    let [pages, size] = ["page_count", "page_size"].map(|name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(rows::unsigned)
    });
    Ok(pages?.saturating_mul(size?))
}

/// Bytes of the database that are in use.
pub(super) fn used(connection: &Connection) -> Result<u64> {
    let [pages, free, size] = ["page_count", "freelist_count", "page_size"].map(|name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(rows::unsigned)
    });
    Ok(pages?.saturating_sub(free?) * size?)
}

/// Bytes of messages, as they are weighed, that may come to wait for somebody until this is to be asked duplicates; 0:
/// mail that waits takes all the room that it may. It can't be removed, and what else is said needs some. `None`:
/// any number.
pub(super) fn mail_room(connection: &Connection, keep: Retention) -> Result<Option<u64>> {
    let Some(most) = keep.bytes else { return Ok(None) };
    let (used, share) = (used(connection)?, most.saturating_mul(MAIL_SHARE_THOUSANDTHS) / 1000);
    // To count what waits reads all of it.
    let parts = if used > share { weight::waiting(connection)? } else { 1000 };
    let room = share.saturating_sub(used.saturating_mul(parts) / 1000);
    Ok(Some(if room == 0 && used > share {
        0
    } else {
        (room / STORED_PER_BYTE).max(share / MAIL_ROOM_PARTS).max(1)
    }))
}

/// The time in milliseconds before which messages are too old.
fn cutoff(keep: Retention, now: Timestamp) -> Option<i64> {
    let age = keep.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    age.map(|age| now.as_millisecond().saturating_sub(age))
}

/// Messages that are too old, the oldest first; none of those whose dates are not known yet.
fn too_old(connection: &Connection, keep: Retention, now: Timestamp) -> Result<Vec<Old>> {
    let Some(latest) = cutoff(keep, now) else { return Ok(Vec::new()) };
    let sql = "SELECT seq, room, author, length(CAST(text AS BLOB)), kind, to_text FROM message m \
               WHERE at < ?1 AND NOT EXISTS \
               (SELECT 1 FROM doubtful d WHERE m.seq >= d.first AND m.seq <= ifnull(d.last, m.seq)) \
               ORDER BY at LIMIT ?2";
    find(connection, sql, params![latest, most()])
}

/// The oldest messages of the author of whom most is kept.
fn heaviest(connection: &Connection) -> Result<Vec<Old>> {
    let Some(author) = weight::heaviest(connection)? else { return Ok(Vec::new()) };
    let sql = "SELECT seq, room, author, length(CAST(text AS BLOB)), kind, to_text FROM message m \
               WHERE author IS nullif(?1, 0) AND NOT EXISTS \
               (SELECT 1 FROM mail l WHERE l.seq = m.seq AND l.state = 0) \
               ORDER BY seq LIMIT ?2";
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

/// Removes them, as many as there is time for; returns what of them waited for somebody.
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
        weights.take(message.author, message.bytes);
        for sql in [
            "DELETE FROM pieces WHERE rowid = ?1",
            "DELETE FROM mail WHERE seq = ?1",
            "DELETE FROM message WHERE seq = ?1",
        ] {
            change.prepare_cached(sql)?.execute([message.seq])?;
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
    // The highest of those that are gone: who has less is told of a gap.
    let sql = "UPDATE meta SET value = max(value, ?1) WHERE key = 'pruned'";
    change.prepare_cached(sql)?.execute([last])?;
    Ok(expired)
}

/// Notes that mail for `account` is lost, until its author is told.
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

/// Gives some of many free pages back; returns whether there are more.
fn vacuum(connection: &Connection) -> Result<bool> {
    let [pages, free] = ["page_count", "freelist_count"].map(|name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(rows::unsigned)
    });
    let kept = (pages? / FREE_SHARE).max(MIN_FREE_PAGES);
    if free? <= kept {
        return Ok(false);
    }
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    Ok(true)
}
