//! The writer's clock: the settled time, persisted between runs.

use super::date_correction::{DateCorrection, DateShift};
use crate::clock::{Clock, Kept, Reading};
use crate::limits::{CLOCK_FLOOR, CLOCK_KEPT_EVERY};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct WriterClock {
    clock: Arc<Clock>,
    dating: DateCorrection,
    kept: Option<Persisted>,
}

#[derive(Debug)]
struct Persisted {
    text: String,
    settled: Timestamp,
    uptime: Duration,
    shift: i64,
}

impl WriterClock {
    pub(super) fn new(clock: Arc<Clock>) -> Self {
        Self { clock, dating: DateCorrection::new(), kept: None }
    }

    /// Continues from the persisted time, and persists the first reading: the credit that a start has used
    /// stays used.
    pub(super) fn begin(&mut self, connection: &mut Connection, seq: u64) -> Result<()> {
        if let Some(kept) = kept(connection)? {
            self.clock.restore(kept);
        }
        self.look(connection, seq)?;
        self.keep(connection)
    }

    /// Reads the clock, and notes where dates become doubtful or can be corrected. Returns how to date a
    /// batch, and whether [`super::date_correction::step`] has work.
    pub(super) fn look(&mut self, connection: &mut Connection, seq: u64) -> Result<(DateShift, bool)> {
        let reading = self.clock.now();
        let looked = self.dating.look(connection, &reading, seq)?;
        // A crash must not lose the knowledge that the clock was set.
        if self.kept.as_ref().is_some_and(|noted| noted.shift != reading.shift) {
            self.keep(connection)?;
        }
        Ok(looked)
    }

    /// The time by which the age of messages counts. Persists the settled time before anything is removed by it.
    pub(super) fn for_removal(&mut self, connection: &Connection) -> Result<Timestamp> {
        let Reading { settled, uptime, .. } = self.clock.now();
        let is_due = self.kept.as_ref().is_none_or(|noted| {
            let gained = settled.duration_since(noted.settled).unsigned_abs();
            gained.max(uptime.saturating_sub(noted.uptime)) >= CLOCK_KEPT_EVERY
        });
        if is_due {
            self.keep(connection)?;
        }
        Ok(self.clock.for_removal())
    }

    pub(super) fn keep(&mut self, connection: &Connection) -> Result<()> {
        let Reading { settled, uptime, shift, .. } = self.clock.now();
        // All of its members have a form in JSON.
        let Ok(text) = serde_json::to_string(&self.clock.kept()) else { return Ok(()) };
        if self.kept.as_ref().is_none_or(|noted| noted.text != text) {
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('clock', ?1)", [&text])?;
        }
        self.kept = Some(Persisted { text, settled, uptime, shift });
        Ok(())
    }
}

/// The persisted settled time; in a history of an older schema, the time of its latest message.
fn kept(connection: &Connection) -> Result<Option<Kept>> {
    let text = connection.query_row("SELECT value FROM meta WHERE key = 'clock'", [], |row| row.get(0));
    if let Some(kept) = text.optional()?.and_then(|text: String| serde_json::from_str(&text).ok()) {
        return Ok(Some(kept));
    }
    let sql = "SELECT at FROM message WHERE at >= ?1 ORDER BY seq DESC LIMIT 1";
    let latest: Option<i64> = connection.query_row(sql, [CLOCK_FLOOR * 1000], |row| row.get(0)).optional()?;
    Ok(latest.and_then(|at| Timestamp::from_millisecond(at).ok()).and_then(Kept::of_history))
}
