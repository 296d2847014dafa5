//! Records up to which number messages may be missing, because the server passed them on without storing
//! them.

use super::incarnations;
use super::last::Last;
use super::rows::{signed, unsigned};
use crate::chat::Lack;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result};

/// Records it. Numbers only rise, so the last record covers all.
pub(super) fn note(change: &Connection, lack: Lack) -> Result<()> {
    for (key, value) in [("lacks", signed(lack.upto)), ("lacks_at", lack.at.as_millisecond())] {
        change.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", (key, value))?;
    }
    Ok(())
}

/// Reads what is missing and the number to continue from: clients that connect from now on have a higher one
/// than those that lack something. `before` may tell of messages that the database does not know of.
pub(super) fn begin(change: &Connection, seq: u64, before: Option<&Last>) -> Result<(Option<Lack>, u64)> {
    if let Some(before) = before.filter(|before| before.lacks > 0)
        && incarnations::is_known(change, &before.log)?
    {
        // The time of the last message is unknown.
        note(change, Lack { upto: before.seq.min(seq), at: Timestamp::now() })?;
    }
    let number = |key| {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        change.query_row(sql, [key], |row| row.get::<_, i64>(0)).optional()
    };
    let (Some(upto), Some(at)) = (number("lacks")?.map(unsigned), number("lacks_at")?) else {
        return Ok((None, seq));
    };
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
    Ok((Some(Lack { upto, at }), seq.max(upto + 1)))
}
