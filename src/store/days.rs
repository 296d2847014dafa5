//! Which numbers the messages of a day have, so that a search by time need not look at all.
//!
//! A day has a lowest and a highest number, and all of it lies in between, also where the clock was set in
//! the meantime and other days lie there too.

use super::rows::signed;
use crate::chat::{Message, Search};
use jiff::Timestamp;
use rusqlite::{Connection, Result, Transaction};
use std::collections::BTreeMap;

/// Milliseconds of a day, as the trigger in the schema has them.
const DAY: i64 = 86_400_000;

/// Days of messages that are written together: of each the lowest and the highest number.
#[derive(Debug, Default)]
pub(super) struct Days(BTreeMap<i64, (i64, i64)>);

impl Days {
    pub(super) fn add(&mut self, message: &Message) {
        self.note(signed(message.seq), message.at.as_millisecond());
    }

    pub(super) fn note(&mut self, seq: i64, at: i64) {
        let (first, last) = self.0.entry(at / DAY).or_insert((seq, seq));
        *first = seq.min(*first);
        *last = seq.max(*last);
    }

    pub(super) fn write(&self, change: &Transaction<'_>) -> Result<()> {
        let sql = "INSERT INTO day VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
                   SET first = min(first, excluded.first), last = max(last, excluded.last) \
                   WHERE excluded.first < first OR excluded.last > last";
        let mut write = change.prepare_cached(sql)?;
        for (day, (first, last)) in &self.0 {
            write.execute([*day, *first, *last])?;
        }
        Ok(())
    }
}

/// The numbers, both inclusive, between which all lies that was said at the time of the search.
pub(super) fn range(connection: &Connection, search: &Search) -> Result<(i64, i64)> {
    let edge = |sql, at: Option<Timestamp>, without: i64, none: i64| -> Result<i64> {
        let Some(at) = at else { return Ok(without) };
        let mut find = connection.prepare_cached(sql)?;
        let found: Option<i64> = find.query_row([at.as_millisecond() / DAY], |row| row.get(0))?;
        Ok(found.unwrap_or(none))
    };
    let low = edge("SELECT min(first) FROM day WHERE day >= ?1", search.since, i64::MIN, i64::MAX)?;
    let high = edge("SELECT max(last) FROM day WHERE day <= ?1", search.until, i64::MAX, i64::MIN)?;
    Ok((low, high))
}

/// Forgets days of which no message is kept.
pub(super) fn forget(change: &Transaction<'_>) -> Result<()> {
    let sql = "DELETE FROM day WHERE last < ifnull((SELECT min(seq) FROM message), 0)";
    change.prepare_cached(sql)?.execute([]).map(drop)
}
