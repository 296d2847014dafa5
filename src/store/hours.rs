//! The numbers of each hour's messages, so that a search by time need not look at all messages.
//!
//! An hour has a lowest and a highest number; all of its messages are in between. If the clock was set back,
//! messages of other hours may be there, too.

use crate::chat::Search;
use jiff::Timestamp;
use rusqlite::{Connection, Result, Transaction};
use std::collections::BTreeMap;

/// Milliseconds per hour, as in the schema's trigger.
const HOUR: i64 = 3_600_000;

/// The lowest and the highest number of each hour, collected before writing.
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

/// The range of numbers, inclusive, of all messages from the search's time.
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

pub(super) fn forget(change: &Transaction<'_>) -> Result<()> {
    let sql = "DELETE FROM hour WHERE last < ifnull((SELECT min(seq) FROM message), 0)";
    change.prepare_cached(sql)?.execute([]).map(drop)
}
