//! The tables of a server that shares its chat with others: how far it has followed their log, and the sessions and
//! offers at all of them.
//!
//! A batch writes all of it in its transaction, so a database is always the state after one record of the log. All these
//! servers assign numbers in one incarnation, because only those in the log count.

use super::error::{AtPath as _, StoreError};
use super::rows::{damaged, signed, unsigned};
use super::{incarnations, schema};
use crate::chat::{Archive, NodeSet, OfferRecord, SessionId, SessionRecord};
use rusqlite::{Connection, OptionalExtension as _, Result, TransactionBehavior, params};
use std::path::Path;

/// The state after a record of the log.
#[derive(Debug, Clone, Default)]
pub struct ReplicaState {
    /// All that a chat starts from.
    pub archive: Archive,
    /// How far the log was followed, as a batch said; `None`: not at all.
    pub ledger: Option<Vec<u8>>,
    /// The sessions at all servers.
    pub sessions: Vec<SessionRecord>,
    /// Open offers of files, and the highest number that one had.
    pub offers: Vec<OfferRecord>,
    pub latest_offer: u64,
    /// The servers that were started as closed ones.
    pub closed: NodeSet,
}

/// Older versions and servers without others do not know these tables.
const TABLES: &str = "\
    CREATE TABLE IF NOT EXISTS shared_log (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID; \
    CREATE TABLE IF NOT EXISTS shared_session (id INTEGER PRIMARY KEY, record BLOB NOT NULL); \
    CREATE TABLE IF NOT EXISTS shared_offer (number INTEGER PRIMARY KEY, record BLOB NOT NULL);";

/// Forgets how far the log was followed, the sessions and the offers, so that the servers can begin another log with this history.
/// A closed chat stays closed. Returns the number of the latest message.
///
/// # Errors
/// If the history cannot be changed.
pub fn leave_log(path: &Path) -> Result<u64, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.into()));
    }
    let (mut history, _health) = schema::open_watched(path)?;
    leave(&mut history).at(path)
}

fn leave(history: &mut Connection) -> Result<u64> {
    let change = history.transaction_with_behavior(TransactionBehavior::Immediate)?;
    prepare(&change)?;
    change.execute_batch(
        "DELETE FROM shared_log WHERE key = 'ledger'; DELETE FROM shared_session; \
         DELETE FROM shared_offer",
    )?;
    let seq = match seq(&change)? {
        Some(seq) => seq,
        None => incarnations::last_number(&change)?,
    };
    change.commit()?;
    Ok(seq)
}

pub(super) fn prepare(change: &Connection) -> Result<()> {
    change.execute_batch(TABLES)
}

/// Checks that a history fits `log`, the incarnation that several servers share, or a server alone (`None`).
///
/// # Errors
/// What is wrong and what to do.
pub(super) fn check(
    history: &Connection,
    log: Option<&str>,
    path: &Path,
) -> std::result::Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'shared_log')";
    let has_table: bool = history.query_row(sql, [], |row| row.get(0)).at(path)?;
    let follows = has_table && ledger(history).at(path)?.is_some();
    let Some(log) = log else {
        return if follows { Err(StoreError::OfSeveral(path.into())) } else { Ok(()) };
    };
    if incarnations::latest_id(history).at(path)?.as_deref() == Some(log) {
        return Ok(());
    }
    if follows {
        return Err(StoreError::OfOtherLog(path.into()));
    }
    match incarnations::is_known(history, log).at(path)? {
        true => Err(StoreError::WentAlone(path.into())),
        false => Ok(()),
    }
}

/// The last number that the log has assigned; `None`: the log was not followed yet.
pub(super) fn seq(connection: &Connection) -> Result<Option<u64>> {
    let sql = "SELECT value FROM shared_log WHERE key = 'seq'";
    connection.query_row(sql, [], |row| row.get(0).map(unsigned)).optional()
}

pub(super) fn ledger(connection: &Connection) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT value FROM shared_log WHERE key = 'ledger'";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

pub(super) fn note(change: &Connection, ledger: &[u8], seq: u64) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO shared_log VALUES ('ledger', ?1), ('seq', ?2)";
    change.prepare_cached(sql)?.execute(params![ledger, signed(seq)]).map(drop)
}

pub(super) fn sessions(connection: &Connection) -> Result<Vec<SessionRecord>> {
    let mut find = connection.prepare("SELECT record FROM shared_session ORDER BY id")?;
    let rows = find.query_map([], |row| {
        let record = row.get_ref(0)?.as_blob()?;
        rmp_serde::from_slice(record).map_err(|error| damaged(0, &format!("not a session: {error}")))
    })?;
    rows.collect()
}

/// Writes the new state of a session; `None`: it has ended.
pub(super) fn write_session(
    change: &Connection,
    id: SessionId,
    record: Option<&SessionRecord>,
) -> Result<()> {
    let Some(record) = record else {
        let sql = "DELETE FROM shared_session WHERE id = ?1";
        return change.prepare_cached(sql)?.execute([signed(id.0)]).map(drop);
    };
    let bytes = rmp_serde::to_vec_named(record)
        .map_err(|error| damaged(0, &format!("cannot write a session: {error}")))?;
    let sql = "INSERT OR REPLACE INTO shared_session VALUES (?1, ?2)";
    change.prepare_cached(sql)?.execute(params![signed(id.0), bytes]).map(drop)
}

pub(super) fn offers(connection: &Connection) -> Result<Vec<OfferRecord>> {
    let mut find = connection.prepare("SELECT record FROM shared_offer ORDER BY number")?;
    let rows = find.query_map([], |row| {
        let record = row.get_ref(0)?.as_blob()?;
        rmp_serde::from_slice(record).map_err(|error| damaged(0, &format!("not an offer: {error}")))
    })?;
    rows.collect()
}

/// The highest number that an offer had.
pub(super) fn latest_offer(connection: &Connection) -> Result<u64> {
    let sql = "SELECT value FROM shared_log WHERE key = 'offer'";
    let latest = connection.query_row(sql, [], |row| row.get(0).map(unsigned)).optional()?;
    Ok(latest.unwrap_or_default())
}

/// Writes the new state of an offer; `None`: it has ended.
pub(super) fn write_offer(change: &Connection, number: u64, record: Option<&OfferRecord>) -> Result<()> {
    let sql = "INSERT INTO shared_log VALUES ('offer', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)";
    change.prepare_cached(sql)?.execute([signed(number)])?;
    let Some(record) = record else {
        let sql = "DELETE FROM shared_offer WHERE number = ?1";
        return change.prepare_cached(sql)?.execute([signed(number)]).map(drop);
    };
    let bytes = rmp_serde::to_vec_named(record)
        .map_err(|error| damaged(0, &format!("cannot write an offer: {error}")))?;
    let sql = "INSERT OR REPLACE INTO shared_offer VALUES (?1, ?2)";
    change.prepare_cached(sql)?.execute(params![signed(number), bytes]).map(drop)
}

/// The servers that were started as closed ones.
pub(super) fn closed(connection: &Connection) -> Result<NodeSet> {
    let sql = "SELECT value FROM shared_log WHERE key = 'closed'";
    let bits: Option<u16> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(NodeSet::from_bits(bits.unwrap_or_default()))
}

pub(super) fn write_closed(change: &Connection, number: u8, is_closed: bool) -> Result<()> {
    let all = closed(change)?.with(number, is_closed);
    let sql = "INSERT OR REPLACE INTO shared_log VALUES ('closed', ?1)";
    change.prepare_cached(sql)?.execute([all.bits()]).map(drop)
}
