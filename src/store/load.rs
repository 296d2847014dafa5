//! What a chat begins with, read from the history.

use super::books;
use super::checksum;
use super::commit::Arrivals;
use super::date_correction;
use super::incarnations;
use super::lack;
use super::last::Last;
use super::rows::{self, unsigned};
use crate::chat::{Archive, Member, RoomRecord, Topic, Waits};
use crate::limits::SEQ_RESERVE;
use rusqlite::{Connection, Result, Transaction, TransactionBehavior};

/// Begins a new incarnation, reads what a chat begins with, and reserves the next numbers; returns up to
/// where. `last` is what this server had before, as far as it knows.
pub(super) fn read(connection: &mut Connection, last: Option<&Last>) -> Result<(Archive, u64)> {
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
        arrivals: [arrivals(&change)?, lost(&change)?].concat(),
        records: books::begin(&change)?,
        lacks,
    };
    date_correction::begin(&change, seq)?;
    let reserved = seq + SEQ_RESERVE;
    super::commit::set_reserved(&change, reserved)?;
    change.commit()?;
    Ok((archive, reserved))
}

/// The books alone, where messages are neither kept nor told: what there is of a history stays as it is.
pub(super) fn read_books(connection: &mut Connection) -> Result<Archive> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    begin(&change)?;
    let archive = Archive { records: books::begin(&change)?, ..Archive::default() };
    change.commit()?;
    Ok(archive)
}

/// Which history this is, and the latest number of a message that is or was in it.
pub(super) fn found(connection: &Connection) -> Result<(String, u64)> {
    let sql = "SELECT max(value, (SELECT ifnull(max(seq), 0) FROM message)) FROM meta WHERE key = 'pruned'";
    let log = incarnations::latest_id(connection)?.unwrap_or_default();
    Ok((log, connection.query_row(sql, [], |row| row.get(0).map(unsigned))?))
}

/// What a history has that is new.
fn begin(change: &Transaction<'_>) -> Result<()> {
    change.execute_batch("INSERT OR IGNORE INTO meta VALUES ('reserved', 0), ('pruned', 0)")?;
    // A backup that was put in place by hand.
    checksum::remove(change)
}

/// Rooms that have members, and the lobby if it has a topic. What only people without a key and a
/// token were in ended with the server.
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

/// What has arrived, and whose author was not told before the server ended.
fn arrivals(change: &Transaction<'_>) -> Result<Vec<crate::chat::Arrival>> {
    let mut find = change.prepare(
        "SELECT l.seq, r.identity, m.to_text, a.identity FROM mail l JOIN account r ON r.id = l.account \
         JOIN message m ON m.seq = l.seq JOIN account a ON a.id = m.author \
         WHERE l.state < 2 AND l.state = 1 ORDER BY l.seq",
    )?;
    let mut found = find.query([])?;
    let mut arrivals = Arrivals::default();
    while let Some(row) = found.next()? {
        let account = rows::account(1, row.get_ref(1)?.as_blob()?)?;
        arrivals.add(row, 2, &account, unsigned(row.get(0)?))?;
    }
    Ok(arrivals.all)
}

/// What was removed for its age, and whose author was not told before the server ended.
fn lost(change: &Transaction<'_>) -> Result<Vec<crate::chat::Arrival>> {
    let mut find = change.prepare(
        "SELECT o.seq, r.identity, o.name, a.identity FROM lost o JOIN account r ON r.id = o.account \
         JOIN account a ON a.id = o.author ORDER BY o.seq",
    )?;
    let mut found = find.query([])?;
    let mut lost = Arrivals::default();
    while let Some(row) = found.next()? {
        let account = rows::account(1, row.get_ref(1)?.as_blob()?)?;
        lost.add(row, 2, &account, unsigned(row.get(0)?))?;
    }
    Ok(lost.all.into_iter().map(|arrival| crate::chat::Arrival { is_lost: true, ..arrival }).collect())
}
