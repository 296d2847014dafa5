//! Messages that were dated by a clock that was not right are dated anew once it is.
//!
//! They are known by their numbers: an episode begins with the next message when the clock is set, or is
//! not right at the start, and ends when it is set again or found right. Then how far it was set since
//! tells by how much they are to be dated later. After a start in between nothing tells that: a date that
//! can't be true becomes the time at which the clock was found right, so that no message goes too early.

use super::rows::signed;
use crate::clock::Reading;
use crate::limits::DATED_ROWS;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};

/// What is known of the clock by whom messages are dated.
#[derive(Debug)]
pub(super) struct DateCorrection {
    shift: i64,
    /// `None`: it was not looked at yet.
    is_right: Option<bool>,
}

/// How the messages of a batch are to be dated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateShift {
    /// What the clock shows, and how far it has been set just now; in milliseconds.
    step: Option<(i64, i64)>,
}

impl DateShift {
    /// The date of a message, in milliseconds: one that was taken before the clock was set counts as taken
    /// by the clock as it is now.
    pub(super) fn of(self, at: Timestamp) -> i64 {
        let at = at.as_millisecond();
        match self.step {
            Some((wall, step)) if (wall - step - at).abs() < (wall - at).abs() => at.saturating_add(step),
            _ => at,
        }
    }
}

impl DateCorrection {
    pub(super) fn new() -> Self {
        Self { shift: 0, is_right: None }
    }

    /// What the clock says now; `seq` is the latest number that is kept, of a message dated by what it said
    /// before. Returns whether messages are to be [dated](step).
    pub(super) fn look(
        &mut self,
        connection: &mut Connection,
        reading: &Reading,
        seq: u64,
    ) -> Result<(DateShift, bool)> {
        let step = reading.shift - self.shift;
        if step == 0 && Some(reading.is_right) == self.is_right {
            return Ok((DateShift::default(), false));
        }
        let change = connection.transaction()?;
        end(&change, seq)?;
        if reading.is_right {
            resolve(&change, reading)?;
        } else {
            let sql = "INSERT OR REPLACE INTO doubtful (first, since, shift) VALUES (?1, ?2, ?3)";
            change.execute(sql, params![signed(seq) + 1, reading.settled.as_millisecond(), reading.shift])?;
        }
        change.commit()?;
        (self.shift, self.is_right) = (reading.shift, Some(reading.is_right));
        let step = (step != 0).then_some((reading.wall.as_millisecond(), step));
        Ok((DateShift { step }, reading.is_right))
    }
}

/// What a start does: nothing tells how far the clock was set since an earlier run.
pub(super) fn begin(change: &Transaction<'_>, seq: u64) -> Result<()> {
    end(change, seq)?;
    change.execute("UPDATE doubtful SET shift = NULL WHERE later IS NULL AND found IS NULL", []).map(drop)
}

/// The episode that goes on ends with that number.
fn end(change: &Transaction<'_>, seq: u64) -> Result<()> {
    change.execute("DELETE FROM doubtful WHERE last IS NULL AND first > ?1", [signed(seq)])?;
    change.execute("UPDATE doubtful SET last = ?1 WHERE last IS NULL", [signed(seq)]).map(drop)
}

/// The clock is right.
fn resolve(change: &Transaction<'_>, reading: &Reading) -> Result<()> {
    let sql = "UPDATE doubtful SET later = ?1 - shift \
               WHERE later IS NULL AND found IS NULL AND shift IS NOT NULL";
    change.execute(sql, [reading.shift])?;
    let sql = "UPDATE doubtful SET found = ?1 WHERE later IS NULL AND found IS NULL";
    change.execute(sql, [reading.wall.as_millisecond()]).map(drop)
}

/// An episode whose messages can be dated.
struct Episode {
    first: i64,
    last: i64,
    since: i64,
    later: Option<i64>,
    found: Option<i64>,
}

/// DateShift some of the messages that can be; returns whether there is more to do.
pub(super) fn step(connection: &mut Connection) -> Result<bool> {
    let change = connection.transaction()?;
    let sql = "SELECT first, last, since, later, found FROM doubtful \
               WHERE last IS NOT NULL AND (later IS NOT NULL OR found IS NOT NULL) ORDER BY first LIMIT 1";
    let next = change.query_row(sql, [], |row| {
        let (first, last, since) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Episode { first, last, since, later: row.get(3)?, found: row.get(4)? })
    });
    let Some(episode) = next.optional()? else { return Ok(false) };
    let Episode { first, last, since, later, found } = episode;
    let rows = i64::try_from(DATED_ROWS).unwrap_or(i64::MAX);
    let sql = "SELECT max(seq) FROM (SELECT seq FROM message WHERE seq >= ?1 AND seq <= ?2 \
               ORDER BY seq LIMIT ?3)";
    let upto: Option<i64> = change.query_row(sql, [first, last, rows], |row| row.get(0))?;
    match (upto, later, found) {
        (Some(upto), Some(later), _) if later != 0 => {
            let sql = "UPDATE message SET at = at + ?3 WHERE seq >= ?1 AND seq <= ?2";
            change.execute(sql, [first, upto, later])?;
        }
        (Some(upto), None, Some(found)) => {
            let sql = "UPDATE message SET at = ?4 WHERE seq >= ?1 AND seq <= ?2 AND (at < ?3 OR at > ?4)";
            change.execute(sql, [first, upto, since, found])?;
        }
        _ => {}
    }
    match upto.filter(|upto| *upto < last && later != Some(0)) {
        Some(upto) => change.execute("UPDATE doubtful SET first = ?2 WHERE first = ?1", [first, upto + 1])?,
        None => change.execute("DELETE FROM doubtful WHERE first = ?1", [first])?,
    };
    change.commit()?;
    Ok(true)
}
