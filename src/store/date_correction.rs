//! Corrects the dates of messages that were dated by a wrong clock, once the clock is right.
//!
//! The messages are known by their numbers: an episode begins with the next message when the clock is set, or
//! is wrong at the start, and ends when it is set again or found right. The sum of the steps in between is
//! the correction. If the server was restarted in between, the correction is unknown: then an impossible date
//! becomes the time at which the clock was found right, so no message is removed too early.

use super::rows::signed;
use crate::clock::Reading;
use crate::limits::DATED_ROWS;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};

/// The last known state of the clock that dates messages.
#[derive(Debug)]
pub(super) struct DateCorrection {
    shift: i64,
    /// `None` before the first reading.
    is_right: Option<bool>,
}

/// A step of the clock since the last batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateShift {
    /// The clock's time and the step, in milliseconds.
    step: Option<(i64, i64)>,
}

impl DateShift {
    /// The date of a message, in milliseconds, by the clock as it is now, even if the server received the
    /// message before the step.
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

    /// Takes in a reading of the clock; earlier readings dated the messages up to `seq`. Returns whether
    /// [`step`] has messages to correct.
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

/// Ends the episodes of an earlier run, whose correction is unknown.
pub(super) fn begin(change: &Transaction<'_>, seq: u64) -> Result<()> {
    end(change, seq)?;
    change.execute("UPDATE doubtful SET shift = NULL WHERE later IS NULL AND found IS NULL", []).map(drop)
}

/// Ends the current episode at that number.
fn end(change: &Transaction<'_>, seq: u64) -> Result<()> {
    change.execute("DELETE FROM doubtful WHERE last IS NULL AND first > ?1", [signed(seq)])?;
    change.execute("UPDATE doubtful SET last = ?1 WHERE last IS NULL", [signed(seq)]).map(drop)
}

/// Resolves all episodes, now that the clock is right.
fn resolve(change: &Transaction<'_>, reading: &Reading) -> Result<()> {
    let sql = "UPDATE doubtful SET later = ?1 - shift \
               WHERE later IS NULL AND found IS NULL AND shift IS NOT NULL";
    change.execute(sql, [reading.shift])?;
    let sql = "UPDATE doubtful SET found = ?1 WHERE later IS NULL AND found IS NULL";
    change.execute(sql, [reading.wall.as_millisecond()]).map(drop)
}

/// Corrects the dates of some messages; returns whether more remain.
pub(super) fn step(connection: &mut Connection) -> Result<bool> {
    let change = connection.transaction()?;
    let sql = "SELECT first, last, since, later, found FROM doubtful \
               WHERE last IS NOT NULL AND (later IS NOT NULL OR found IS NOT NULL) ORDER BY first LIMIT 1";
    let next = change.query_row(sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?))
    });
    let Some((first, last, since, later, found)) = next.optional()? else { return Ok(false) };
    let (later, found): (Option<i64>, Option<i64>) = (later, found);
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
