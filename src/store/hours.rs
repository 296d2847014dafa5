//! Which numbers the messages of an hour have, so that a search by time need not look at all.
//!
//! An hour has a lowest and a highest number, and all of it lies in between, also where the clock was set in
//! the meantime and other hours lie there too.

use crate::chat::Search;
use jiff::Timestamp;
use rusqlite::{Connection, Result, Transaction};
use std::collections::BTreeMap;

/// Milliseconds of an hour, as the trigger in the schema has them.
const HOUR: i64 = 3_600_000;

/// Hours of messages that are written together: of each the lowest and the highest number.
#[derive(Debug, Default)]
pub(super) struct Hours(BTreeMap<i64, (i64, i64)>);

impl Hours {
    pub(super) fn note(&mut self, seq: i64, at: i64) {
        let (first, last) = self.0.entry(at / HOUR).or_insert((seq, seq));
        *first = seq.min(*first);
        *last = seq.max(*last);
    }

    pub(super) fn write(&self, change: &Transaction<'_>) -> Result<()> {
        let sql = "INSERT INTO hour VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
                   SET first = min(first, excluded.first), last = max(last, excluded.last) \
                   WHERE excluded.first < first OR excluded.last > last";
        let mut write = change.prepare_cached(sql)?;
        for (hour, (first, last)) in &self.0 {
            write.execute([*hour, *first, *last])?;
        }
        Ok(())
    }
}

/// The numbers, both inclusive, between which all lies that was said at the time of the search.
pub(super) fn range(connection: &Connection, search: &Search) -> Result<(i64, i64)> {
    let edge = |sql, at: Option<Timestamp>, without: i64, none: i64| -> Result<i64> {
        let Some(at) = at else { return Ok(without) };
        let mut find = connection.prepare_cached(sql)?;
        let found: Option<i64> = find.query_row([at.as_millisecond() / HOUR], |row| row.get(0))?;
        Ok(found.unwrap_or(none))
    };
    let low = edge("SELECT min(first) FROM hour WHERE hour >= ?1", search.since, i64::MIN, i64::MAX)?;
    let high = edge("SELECT max(last) FROM hour WHERE hour <= ?1", search.until, i64::MAX, i64::MIN)?;
    Ok((low, high))
}

/// Forgets hours of which no message is kept.
pub(super) fn forget(change: &Transaction<'_>) -> Result<()> {
    let sql = "DELETE FROM hour WHERE last < ifnull((SELECT min(seq) FROM message), 0)";
    change.prepare_cached(sql)?.execute([]).map(drop)
}
