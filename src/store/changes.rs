//! Applies changes to messages: another text, or none.
//!
//! The message's row has its last state, which waiting mail, searches and the history show. A further row
//! tells those who had the message before; it has no text of its own, and the next change replaces it.

use super::index_tail;
use super::indexing::{self, IndexRow, Indexer};
use super::rows;
use super::weight::{self, Weights};
use crate::chat::{Kind, Mail, Message};
use rusqlite::{Connection, OptionalExtension, Result, Transaction};

/// The result of a change.
#[derive(Debug)]
pub(super) enum Applied {
    Done,
    /// The message is deleted. The row that tells of it has the message's id, so that a repeat is known again.
    Deleted(MessageId),
    /// There was nothing to change.
    Gone,
}

/// The marks by which a repeated message is recognised.
#[derive(Debug)]
pub(super) struct MessageId {
    pub(super) author: Option<i64>,
    pub(super) receiver: Option<i64>,
    pub(super) token: Option<String>,
}

/// Makes the change that the message stands for.
pub(super) fn apply(change: &Transaction<'_>, message: &Message) -> Result<Applied> {
    let mut weights = Weights::default();
    let done = match message.kind {
        Kind::Edited { of, .. } => edit(change, rows::signed(of), &message.text, &mut weights)?,
        Kind::Deleted { of } => delete(change, rows::signed(of), &mut weights)?,
        Kind::Chat | Kind::Action | Kind::Alert | Kind::Delivered { .. } | Kind::Lost { .. } => Applied::Done,
    };
    weights.write(change)?;
    Ok(done)
}

fn edit(change: &Transaction<'_>, seq: i64, text: &str, weights: &mut Weights) -> Result<Applied> {
    let Some(old) = find(change, seq)? else { return Ok(Applied::Gone) };
    forget_edit(change, seq, weights)?;
    let sql = "UPDATE message SET text = ?2, edited = 1 WHERE seq = ?1";
    change.prepare_cached(sql)?.execute(rusqlite::params![seq, text])?;
    // The index gets newer and older messages later, with their text at that time.
    if seq <= index_tail::begin(change)? {
        weights.take(old.author, old.text.len());
        weights.add(old.author, text);
        if seq > indexing::unindexed(change)? {
            change.prepare_cached("DELETE FROM pieces WHERE rowid = ?1")?.execute([seq])?;
            Indexer::new(change)?.add(&IndexRow { text: text.to_owned(), ..old })?;
        }
    }
    Ok(Applied::Done)
}

fn delete(change: &Transaction<'_>, seq: i64, weights: &mut Weights) -> Result<Applied> {
    if find(change, seq)?.is_none() {
        return Ok(Applied::Gone);
    }
    let sql = "SELECT author, receiver, token FROM message WHERE seq = ?1";
    let id = change.prepare_cached(sql)?.query_row([seq], |row| {
        Ok(MessageId { author: row.get(0)?, receiver: row.get(1)?, token: row.get(2)? })
    })?;
    forget_edit(change, seq, weights)?;
    remove(change, seq, weights)?;
    Ok(Applied::Deleted(id))
}

/// Removes the news of an edit, as the message is gone or has another text again.
pub(super) fn forget_edit(change: &Transaction<'_>, of: i64, weights: &mut Weights) -> Result<()> {
    let sql = "SELECT seq FROM message WHERE kind = 5 AND last = ?1";
    for seq in rows::numbers(change, sql, [of])? {
        remove(change, seq, weights)?;
    }
    Ok(())
}

/// Removes a row with all that belongs to it, but its room and accounts.
fn remove(change: &Transaction<'_>, seq: i64, weights: &mut Weights) -> Result<()> {
    if seq <= index_tail::begin(change)? {
        let sql = "SELECT author, length(CAST(text AS BLOB)) FROM message WHERE seq = ?1";
        let row = change.prepare_cached(sql)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)));
        let (author, bytes): (Option<i64>, i64) = row?;
        weights.take(author, usize::try_from(bytes).unwrap_or(0));
        weight::forget(change, author, seq)?;
    }
    for sql in [
        "DELETE FROM pieces WHERE rowid = ?1",
        "DELETE FROM mail WHERE seq = ?1",
        "DELETE FROM message WHERE seq = ?1",
    ] {
        change.prepare_cached(sql)?.execute([seq])?;
    }
    Ok(())
}

/// A message that may change.
fn find(change: &Transaction<'_>, seq: i64) -> Result<Option<IndexRow>> {
    let sql = "SELECT seq, at, room, from_name, text, author, TRUE FROM message WHERE seq = ?1 AND kind < 2";
    Ok(indexing::read(change, sql, [seq], usize::MAX)?.0.pop())
}

/// A message with its mail, for the rules to decide on a change.
pub(super) fn message(connection: &Connection, seq: u64) -> Result<Option<Message>> {
    let seq = rows::signed(seq);
    let sql = format!("{} WHERE m.seq = ?1", rows::MESSAGE);
    let found = connection
        .prepare_cached(&sql)?
        .query_row([seq], |row| rows::MessageReader::new(connection).message(row));
    let found = found.optional()?;
    let Some(mut message) = found else { return Ok(None) };
    let sql =
        "SELECT a.identity, l.state = 0 FROM mail l JOIN account a ON a.id = l.account WHERE l.seq = ?1";
    let mut find = connection.prepare_cached(sql)?;
    message.receiver = rows::receiver(connection, seq)?;
    let mail = find.query_map([seq], |row| {
        Ok(Mail { account: rows::account(0, row.get_ref(0)?.as_blob()?)?, waits: row.get(1)? })
    })?;
    message.mail = mail.collect::<Result<_>>()?;
    Ok(Some(message))
}
