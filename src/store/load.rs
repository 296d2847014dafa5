//! Reads the state from which a chat starts.

use super::checksum;
use super::commit::ArrivalCounter;
use super::date_correction;
use super::incarnations;
use super::lack;
use super::last::Last;
use super::records;
use super::rows::{self, unsigned};
use super::shared::{self, ReplicaState};
use crate::chat::{Archive, Arrival, Member, RoomRecord, Topic, Waits};
use crate::limits::SEQ_RESERVE;
use rusqlite::{Connection, Result, Transaction, TransactionBehavior};

/// Reads the state from which a chat starts, with the last reserved number. `keeps`: not only records. `shared`: the
/// incarnation that it shares with other servers.
pub(super) fn state(
    connection: &mut Connection,
    (keeps, shared): (bool, Option<&str>),
    last: Option<&Last>,
) -> Result<(ReplicaState, u64)> {
    let (archive, reserved) = match shared {
        Some(log) if keeps => {
            let state = read_shared(connection, log)?;
            let reserved = state.archive.seq;
            return Ok((state, reserved));
        }
        _ if keeps => read(connection, last)?,
        // Assigns no numbers, so it reserves none.
        _ => (read_records(connection)?, u64::MAX),
    };
    Ok((ReplicaState { archive, ..ReplicaState::default() }, reserved))
}

/// Begins a new incarnation, reads the initial state of a chat, and reserves the next numbers; returns the
/// last of these. `last` is where this server's previous run ended, if known.
fn read(connection: &mut Connection, last: Option<&Last>) -> Result<(Archive, u64)> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    begin(&change)?;
    let seq = change.query_row(
        "SELECT max(value, (SELECT ifnull(max(seq), 0) FROM message)) FROM meta WHERE key = 'reserved'",
        [],
        |row| row.get(0).map(unsigned),
    )?;
    let (lacks, seq) = lack::begin(&change, seq, last)?;
    let archive = Archive {
        lineage: Some(incarnations::begin(&change, seq + 1, last)?),
        seq,
        rooms: rooms(&change)?,
        waiting: waiting(&change)?,
        arrivals: [arrivals(&change, ARRIVALS, false)?, arrivals(&change, LOST, true)?].concat(),
        records: records::begin(&change)?,
        lacks,
    };
    date_correction::begin(&change, seq)?;
    let reserved = seq + SEQ_RESERVE;
    super::commit::set_reserved(&change, reserved)?;
    change.commit()?;
    Ok((archive, reserved))
}

/// Reads the state of a server that shares its chat and the incarnation `log` with others. Reserves no numbers: only
/// those in the servers' log count.
pub(super) fn read_shared(connection: &mut Connection, log: &str) -> Result<ReplicaState> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    begin(&change)?;
    shared::prepare(&change)?;
    let seq = match shared::seq(&change)? {
        Some(seq) => seq,
        None => incarnations::last_number(&change)?,
    };
    let archive = Archive {
        lineage: Some(incarnations::share(&change, log, seq + 1)?),
        seq,
        rooms: rooms(&change)?,
        waiting: waiting(&change)?,
        arrivals: [arrivals(&change, ARRIVALS, false)?, arrivals(&change, LOST, true)?].concat(),
        records: records::read(&change)?,
        lacks: None,
    };
    date_correction::begin(&change, seq)?;
    let (ledger, sessions) = (shared::ledger(&change)?, shared::sessions(&change)?);
    let (offers, latest_offer) = (shared::offers(&change)?, shared::latest_offer(&change)?);
    let closed = shared::closed(&change)?;
    change.commit()?;
    Ok(ReplicaState { archive, ledger, sessions, offers, latest_offer, closed })
}

/// Reads the records alone, for a server without a history. Leaves stored messages as they are.
fn read_records(connection: &mut Connection) -> Result<Archive> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    begin(&change)?;
    let archive = Archive { records: records::begin(&change)?, ..Archive::default() };
    change.commit()?;
    Ok(archive)
}

/// The id of the latest incarnation, and the highest number of a message that is or was in the history.
pub(super) fn found(connection: &Connection) -> Result<(String, u64)> {
    let sql = "SELECT max(value, (SELECT ifnull(max(seq), 0) FROM message)) FROM meta WHERE key = 'pruned'";
    let log = incarnations::latest_id(connection)?.unwrap_or_default();
    Ok((log, connection.query_row(sql, [], |row| row.get(0).map(unsigned))?))
}

/// Completes a database that is new, or that a user restored by copying a backup.
fn begin(change: &Transaction<'_>) -> Result<()> {
    change.execute_batch("INSERT OR IGNORE INTO meta VALUES ('reserved', 0), ('pruned', 0)")?;
    checksum::remove(change)
}

/// Reads rooms with members, and the lobby if it has a topic. A room whose members all had neither a key nor
/// a token ended with the server.
fn rooms(change: &Transaction<'_>) -> Result<Vec<RoomRecord>> {
    change.execute(
        "UPDATE room SET topic = NULL, topic_by = NULL WHERE topic IS NOT NULL AND key <> '#lobby' \
         AND NOT EXISTS (SELECT 1 FROM member WHERE room = room.id)",
        [],
    )?;
    let mut find = change.prepare(
        "SELECT id, name, topic, topic_by FROM room \
         WHERE topic IS NOT NULL OR EXISTS (SELECT 1 FROM member WHERE room = room.id) ORDER BY id",
    )?;
    let mut found = find.query([])?;
    let mut rooms = Vec::new();
    while let Some(row) = found.next()? {
        let topic = match row.get::<_, Option<String>>(2)? {
            Some(text) => Some(Topic { text, by: row.get::<_, Option<String>>(3)?.unwrap_or_default() }),
            None => None,
        };
        rooms.push(RoomRecord { name: rows::room(row, 1)?, topic, members: members(change, row.get(0)?)? });
    }
    Ok(rooms)
}

fn members(change: &Transaction<'_>, room: i64) -> Result<Vec<Member>> {
    let mut find = change.prepare_cached(
        "SELECT a.identity, m.name, m.since FROM member m JOIN account a ON a.id = m.account \
         WHERE m.room = ?1 ORDER BY m.account",
    )?;
    let members = find.query_map([room], |row| {
        let account = rows::account(0, row.get_ref(0)?.as_blob()?)?;
        Ok(Member { account, name: row.get(1)?, since: unsigned(row.get(2)?) })
    })?;
    members.collect()
}

fn waiting(change: &Transaction<'_>) -> Result<Vec<Waits>> {
    let mut find = change.prepare(
        "SELECT r.identity, a.identity, m.kind < 3, count(*) FROM mail l JOIN account r ON r.id = l.account \
         JOIN message m ON m.seq = l.seq LEFT JOIN account a ON a.id = m.author \
         WHERE l.state < 2 AND l.state = 0 GROUP BY l.account, m.author, m.kind < 3",
    )?;
    let waiting = find.query_map([], |row| {
        let author = row.get_ref(1)?.as_blob_or_null()?;
        Ok(Waits {
            account: rows::account(0, row.get_ref(0)?.as_blob()?)?,
            author: author.map(|author| rows::account(1, author)).transpose()?,
            is_said: row.get(2)?,
            count: row.get(3)?,
        })
    })?;
    waiting.collect()
}

/// Delivered mail whose author did not learn of it before the server ended.
const ARRIVALS: &str = "\
    SELECT l.seq, r.identity, m.to_text, a.identity FROM mail l JOIN account r ON r.id = l.account \
    JOIN message m ON m.seq = l.seq JOIN account a ON a.id = m.author \
    WHERE l.state < 2 AND l.state = 1 ORDER BY l.seq";

/// Mail removed for its age, whose author did not learn of it before the server ended.
const LOST: &str = "\
    SELECT o.seq, r.identity, o.name, a.identity FROM lost o JOIN account r ON r.id = o.account \
    JOIN account a ON a.id = o.author ORDER BY o.seq";

fn arrivals(change: &Transaction<'_>, sql: &str, is_lost: bool) -> Result<Vec<Arrival>> {
    let mut find = change.prepare(sql)?;
    let mut found = find.query([])?;
    let mut arrivals = ArrivalCounter::default();
    while let Some(row) = found.next()? {
        let account = rows::account(1, row.get_ref(1)?.as_blob()?)?;
        arrivals.add(row, 2, &account, unsigned(row.get(0)?))?;
    }
    Ok(arrivals.all.into_iter().map(|arrival| Arrival { is_lost, ..arrival }).collect())
}
