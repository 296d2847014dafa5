//! What was said and could not be stored, as far as the next start has to know of it: up to which number.

use super::incarnations;
use super::last::Last;
use super::rows::{signed, unsigned};
use crate::chat::Lack;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result};

/// Notes it. Numbers only go up, so of several the last says all.
pub(super) fn note(change: &Connection, lack: Lack) -> Result<()> {
    for (key, value) in [("lacks", signed(lack.upto)), ("lacks_at", lack.at.as_millisecond())] {
        change.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", (key, value))?;
    }
    Ok(())
}

/// What a chat begins with, and the first number that is free for it: whoever comes back from then on has more
/// than whoever lacks something. `before`: what the server had last, perhaps with something that is not noted yet.
pub(super) fn begin(change: &Connection, seq: u64, before: Option<&Last>) -> Result<(Option<Lack>, u64)> {
    if let Some(before) = before.filter(|before| before.lacks > 0)
        && incarnations::is_known(change, &before.log)?
    {
        // Nobody knows when the last of it was said.
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
