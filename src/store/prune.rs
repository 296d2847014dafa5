//! Old messages removed, by age and by size, a few at a time.

use super::question::Keep;
use super::{hours, rows};
use crate::limits::{PRUNE_ROWS, PRUNE_TIME};
use jiff::Timestamp;
use rusqlite::{Connection, Result, Transaction};
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

/// A message that is to go.
struct Old {
    seq: i64,
    room: Option<i64>,
    author: Option<i64>,
}

/// Removes some of what is too old or too much; returns whether there is more to do.
pub(super) fn step(connection: &mut Connection, keep: Keep, now: Timestamp) -> Result<bool> {
    let is_over = keep.bytes.map_or(Ok(false), |most| used(connection).map(|bytes| bytes > most))?;
    let latest = if is_over { i64::MAX } else { cutoff(keep, now) };
    let old = oldest(connection, latest)?;
    if old.is_empty() {
        return vacuum(connection);
    }
    let change = connection.transaction()?;
    remove(&change, &old)?;
    change.commit()?;
    Ok(true)
}

/// Bytes of the database that are in use.
pub(super) fn used(connection: &Connection) -> Result<u64> {
    let [pages, free, size] = ["page_count", "freelist_count", "page_size"].map(|name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(rows::unsigned)
    });
    Ok(pages?.saturating_sub(free?) * size?)
}

/// The time in milliseconds before which messages are too old.
fn cutoff(keep: Keep, now: Timestamp) -> i64 {
    let age = keep.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    age.map_or(i64::MIN, |age| now.as_millisecond().saturating_sub(age))
}

/// The oldest messages, as long as they are from before `latest`.
fn oldest(connection: &Connection, latest: i64) -> Result<Vec<Old>> {
    if latest == i64::MIN {
        return Ok(Vec::new());
    }
    let mut find =
        connection.prepare_cached("SELECT seq, at, room, author FROM message ORDER BY seq LIMIT ?1")?;
    let mut found = find.query([i64::try_from(PRUNE_ROWS).unwrap_or(i64::MAX)])?;
    let mut old = Vec::new();
    while let Some(row) = found.next()? {
        if row.get::<_, i64>(1)? >= latest {
            break;
        }
        old.push(Old { seq: row.get(0)?, room: row.get(2)?, author: row.get(3)? });
    }
    Ok(old)
}

fn remove(change: &Transaction<'_>, old: &[Old]) -> Result<()> {
    let until = Instant::now() + PRUNE_TIME;
    let (mut rooms, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    let mut last = 0;
    for Old { seq, room, author } in old {
        rooms.extend(*room);
        accounts.extend(*author);
        let mut readers = change.prepare_cached("SELECT account FROM mail WHERE seq = ?1")?;
        for account in readers.query_map([seq], |row| row.get::<_, i64>(0))? {
            accounts.insert(account?);
        }
        for sql in [
            "DELETE FROM pieces WHERE rowid = ?1",
            "DELETE FROM mail WHERE seq = ?1",
            "DELETE FROM message WHERE seq = ?1",
        ] {
            change.prepare_cached(sql)?.execute([seq])?;
        }
        last = *seq;
        if Instant::now() > until {
            break;
        }
    }
    for room in rooms {
        rows::forget_room(change, room)?;
    }
    for account in accounts {
        rows::forget_account(change, account)?;
    }
    change
        .prepare_cached("INSERT INTO pieces (pieces, rank) VALUES ('merge', ?1)")?
        .execute([MERGE_PAGES])?;
    hours::forget(change)?;
    change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'pruned'")?.execute([last]).map(drop)
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
