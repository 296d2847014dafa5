//! The incarnations of the history: each start of a server begins one.
//!
//! The latest row has no last number. `meta` stores what the messages alone cannot tell: `last` is the
//! highest assigned number if no message has it, and `restored` says that this database replaced a later one.

use super::last::Last;
use super::rows::{self, signed, unsigned};
use crate::chat::{Incarnation, Lineage};
use crate::limits::MAX_INCARNATIONS;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Random bytes of an incarnation's id.
const ID_BYTES: usize = 8;

/// Ends the latest incarnation and begins the next, whose first number is `first`. `before` is where the
/// previous run ended, if known.
pub(super) fn begin(change: &Connection, first: u64, before: Option<&Last>) -> Result<Lineage> {
    begin_as(change, &new_id()?, first, before)
}

/// Goes on with the incarnation that several servers share, or begins it.
pub(super) fn share(change: &Connection, id: &str, first: u64) -> Result<Lineage> {
    if latest_id(change)?.as_deref() == Some(id) {
        return Lineage::new(read(change)?).ok_or_else(|| rows::damaged(0, "no incarnation"));
    }
    begin_as(change, id, first, None)
}

fn begin_as(change: &Connection, id: &str, first: u64, before: Option<&Last>) -> Result<Lineage> {
    let latest = latest(change)?;
    let last = last_number(change)?;
    let is_older = before.map_or(Ok(false), |before| is_older(change, last, before))?;
    let is_put_back = change.execute("DELETE FROM meta WHERE key = 'restored'", [])? > 0;
    change.execute(
        "UPDATE incarnation SET last = max(?1, first - 1) WHERE number = ?2 AND last IS NULL",
        params![signed(last), latest],
    )?;
    let restored = is_put_back || is_older;
    change.execute(
        "INSERT INTO incarnation (id, first, restored) VALUES (?1, ?2, ?3)",
        params![id, signed(first), restored],
    )?;
    forget(change)?;
    let rows = read(change)?;
    Lineage::new(rows).ok_or_else(|| rows::damaged(0, "no incarnation"))
}

/// The id of the latest incarnation, if any.
pub(super) fn latest_id(connection: &Connection) -> Result<Option<String>> {
    let sql = "SELECT id FROM incarnation ORDER BY number DESC LIMIT 1";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

pub(super) fn is_known(connection: &Connection, id: &str) -> Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM incarnation WHERE id = ?1)", [id], |row| row.get(0))
}

/// Records that the database replaces a later one, for the next incarnation.
pub(super) fn mark_restored(connection: &Connection) -> Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('restored', 1)", []).map(drop)
}

/// Records the highest assigned number if no message has it.
pub(super) fn note_last(connection: &Connection, seq: u64) -> Result<()> {
    let mut write = connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('last', ?1)")?;
    write.execute([signed(seq)]).map(drop)
}

fn latest(change: &Connection) -> Result<Option<i64>> {
    change.query_row("SELECT max(number) FROM incarnation", [], |row| row.get(0))
}

/// The highest number that a client may have: of a message, of a removed one, or of one that was never
/// stored.
pub(super) fn last_number(change: &Connection) -> Result<u64> {
    let sql = "SELECT max((SELECT ifnull(max(seq), 0) FROM message), \
               (SELECT ifnull(max(value), 0) FROM meta WHERE key IN ('last', 'pruned')))";
    change.query_row(sql, [], |row| row.get(0).map(unsigned))
}

/// Whether the database lacks the end of the previous run.
fn is_older(change: &Connection, last: u64, before: &Last) -> Result<bool> {
    let mut find =
        change.prepare("SELECT max(?2, ifnull(last, first - 1)) FROM incarnation WHERE id = ?1")?;
    let has = find.query_row(params![before.log, signed(last)], |row| row.get(0).map(unsigned)).optional()?;
    Ok(has.is_none_or(|has| has < before.seq))
}

/// Keeps the bound. The starts of a server that fails again and again go first: they assigned no numbers, so
/// clients that know them also know the ones before.
fn forget(change: &Connection) -> Result<()> {
    let kept = i64::try_from(MAX_INCARNATIONS).unwrap_or(i64::MAX);
    for is_empty in ["last < first AND restored = 0", "TRUE"] {
        change.execute(
            &format!(
                "DELETE FROM incarnation WHERE number IN (SELECT number FROM incarnation WHERE {is_empty} \
                 AND last IS NOT NULL ORDER BY number LIMIT max(0, (SELECT count(*) FROM incarnation) - ?1))"
            ),
            [kept],
        )?;
    }
    Ok(())
}

fn read(change: &Connection) -> Result<Vec<Incarnation>> {
    let mut find = change.prepare("SELECT id, first, last, restored FROM incarnation ORDER BY number")?;
    let rows = find.query_map([], |row| {
        Ok(Incarnation {
            id: row.get::<_, String>(0)?.into(),
            first: unsigned(row.get(1)?),
            last: row.get::<_, Option<i64>>(2)?.map(unsigned),
            restored: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn new_id() -> Result<String> {
    let mut random = [0; ID_BYTES];
    getrandom::fill(&mut random)
        .map_err(|error| rows::damaged(0, &format!("the system has no random numbers: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
