//! Writes a batch in one transaction.

use super::api::{CommitOutcome, Duplicate, WriteBatch};
use super::changes::{self, Applied, MessageId};
use super::date_correction::DateShift;
use super::duplicates::{self, Finder, RowIds};
use super::incarnations;
use super::records;
use super::rows::{self, signed, unsigned};
use super::shared;
use super::view;
use crate::chat::{Account, Arrival, Entry, Kind, Member, Message, Topic, Venue};
use crate::limits::{CUTOVER_BYTES, CUTOVER_MESSAGES, MAX_KNOWN_IDS, SEQ_RESERVE};
use crate::name::RoomName;
use rusqlite::{CachedStatement, Result, Transaction, params};
use std::collections::HashMap;

/// States of mail: it waits; it was delivered, and its author must learn of that; it is settled.
const WAITS: i64 = 0;
const ARRIVED: i64 = 1;
const DONE: i64 = 2;

const DELIVERED: &str = "\
    UPDATE mail SET state = 2 WHERE state < 2 AND state = 1 AND account = ?2 AND seq <= ?3 \
    AND (SELECT author FROM message m WHERE m.seq = mail.seq) = ?1";

const LOST: &str = "DELETE FROM lost WHERE author = ?1 AND account = ?2 AND seq <= ?3";

/// Writes the batch and reserves numbers if necessary; returns the outcome and the last reserved number.
pub(super) fn commit(
    change: Transaction<'_>,
    batch: &WriteBatch,
    ids: &mut KnownIds,
    reserved: u64,
    dates: DateShift,
) -> Result<(CommitOutcome, u64)> {
    ids.bound();
    let mut writing = Writing::new(&change, ids, dates)?;
    let mut outcome = CommitOutcome::default();
    for (place, entry) in batch.entries.iter().enumerate() {
        match entry {
            Entry::Message(message) => outcome.duplicates.extend(writing.message(place, message)?),
            Entry::Passed(message) | Entry::Refused(message) => {
                outcome.duplicates.extend(duplicates::look(&change, place, message)?);
            }
            Entry::Joined { room, member } => writing.joined(room, member)?,
            Entry::Parted { room, account } => writing.parted(room, account)?,
            Entry::Topic { room, topic } => writing.topic(room, topic.as_ref())?,
            Entry::Received { account, upto, .. } => {
                outcome.arrivals.extend(writing.received(account, *upto)?);
            }
            Entry::Record(record) => records::write(&change, record)?,
            Entry::Session(id, record) => shared::write_session(&change, *id, record.as_deref())?,
            Entry::Offer(number, record) => shared::write_offer(&change, *number, record.as_deref())?,
            Entry::Closed(number, is_closed) => shared::write_closed(&change, *number, *is_closed)?,
        }
    }
    drop(writing);
    let reserved = reserve(&change, batch.seq, reserved)?;
    if batch.seq > last_stored(batch, &outcome) {
        incarnations::note_last(&change, batch.seq)?;
    }
    if let Some(ledger) = &batch.ledger {
        shared::note(&change, ledger, batch.seq)?;
    }
    for cutover in &batch.cutovers {
        // This transaction sees all of the batch and nothing later.
        outcome.cutovers.push(view::page(&change, cutover, CUTOVER_MESSAGES, CUTOVER_BYTES, u64::MAX)?);
    }
    change.commit()?;
    Ok((outcome, reserved))
}

/// The highest number of a message that the batch stored; 0 if it stored none.
pub(super) fn last_stored(batch: &WriteBatch, outcome: &CommitOutcome) -> u64 {
    let stored = |place: usize| outcome.duplicates.binary_search_by_key(&place, |known| known.entry).is_err();
    let number = |(place, entry): (usize, &Entry)| match entry {
        Entry::Message(message) if stored(place) => Some(message.seq),
        _ => None,
    };
    batch.entries.iter().enumerate().rev().find_map(number).unwrap_or(0)
}

/// Makes sure that no number up to `seq` is assigned again after a crash.
fn reserve(change: &Transaction<'_>, seq: u64, reserved: u64) -> Result<u64> {
    if seq < reserved {
        return Ok(reserved);
    }
    let reserved = seq + SEQ_RESERVE;
    set_reserved(change, reserved)?;
    Ok(reserved)
}

/// Records `seq` as the last assigned number, unless another process has opened the history since and assigns
/// numbers.
pub(super) fn set_last(connection: &rusqlite::Connection, seq: u64, reserved: u64) -> Result<()> {
    let sql = "UPDATE meta SET value = ?1 WHERE key = 'reserved' AND value = ?2";
    if connection.execute(sql, [signed(seq), signed(reserved)])? > 0 {
        incarnations::note_last(connection, seq)?;
    }
    Ok(())
}

/// Records the last number that may have been assigned.
pub(super) fn set_reserved(change: &rusqlite::Connection, reserved: u64) -> Result<()> {
    let mut write = change.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'reserved'")?;
    write.execute([signed(reserved)]).map(drop)
}

const INSERT: &str = "\
    INSERT INTO message (seq, at, kind, room, to_text, from_name, from_ip, from_key, author, token, text, count, \
                         last, receiver, reply) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/// The list has an author who writes to themselves twice; it waits if either entry does.
const ADD_MAIL: &str = "\
    INSERT INTO mail (account, seq, state) VALUES (?1, ?2, ?3) \
    ON CONFLICT DO UPDATE SET state = min(state, excluded.state)";

/// A transaction with the statements for each message, and the ids of rows that it has used.
struct Writing<'c> {
    change: &'c Transaction<'c>,
    finder: Finder<'c>,
    insert: CachedStatement<'c>,
    add_mail: CachedStatement<'c>,
    ids: &'c mut KnownIds,
    dates: DateShift,
}

/// The ids of rows that earlier batches have used. Empty after such rows are deleted, or a transaction is taken
/// back.
#[derive(Debug, Default)]
pub(super) struct KnownIds {
    accounts: HashMap<Account, i64>,
    rooms: HashMap<RoomName, i64>,
}

impl KnownIds {
    pub(super) fn clear(&mut self) {
        self.accounts.clear();
        self.rooms.clear();
    }

    /// Starts over rather than growing with all that ever wrote.
    fn bound(&mut self) {
        if self.accounts.len() > MAX_KNOWN_IDS || self.rooms.len() > MAX_KNOWN_IDS {
            self.clear();
        }
    }
}

impl<'c> Writing<'c> {
    fn new(change: &'c Transaction<'c>, ids: &'c mut KnownIds, dates: DateShift) -> Result<Self> {
        Ok(Self {
            change,
            finder: Finder::new(change)?,
            insert: change.prepare_cached(INSERT)?,
            add_mail: change.prepare_cached(ADD_MAIL)?,
            ids,
            dates,
        })
    }

    fn message(&mut self, place: usize, message: &Message) -> Result<Option<Duplicate>> {
        let author = message.author.as_ref().map(|author| self.account(author)).transpose()?;
        let (room, to) = match &message.venue {
            Venue::Room(room) => (Some(self.room(room)?), None),
            Venue::Direct(to) => (None, Some(to.as_str())),
        };
        let receiver = message.receiver.as_ref().map(|receiver| self.account(receiver)).transpose()?;
        if let Some(known) = self.finder.find(place, message, RowIds { author, room, receiver })? {
            return Ok(Some(known));
        }
        let own = MessageId { author, receiver, token: message.id.clone() };
        let MessageId { author, receiver, token } = match changes::apply(self.change, message)? {
            Applied::Done => own,
            Applied::Deleted(id) => id,
            Applied::Gone => {
                // The message was deleted first: nobody hears of this change, and its author learns why.
                let (seq, at, gone) = (message.seq, message.at, message.kind.changes());
                return Ok(Some(Duplicate { entry: place, seq, at, waits: false, gone }));
            }
        };
        let at = self.dates.of(message.at);
        let (kind, count, last) = rows::kind_columns(message.kind);
        let from = &message.from;
        // The message that it changes has the text.
        let text = if matches!(message.kind, Kind::Edited { .. }) { "" } else { message.text.as_str() };
        self.insert.execute(params![
            signed(message.seq),
            at,
            kind,
            room,
            to,
            from.name,
            from.ip,
            from.key,
            author,
            token,
            text,
            count,
            last,
            receiver,
            message.reply.map(signed),
        ])?;
        let readers = self.mail(message)?;
        match (message.kind, author) {
            (Kind::Delivered { last, .. }, Some(receiver)) => {
                self.settle(DELIVERED, receiver, &readers, last)?
            }
            (Kind::Lost { last, .. }, Some(receiver)) => self.settle(LOST, receiver, &readers, last)?,
            _ => {}
        }
        Ok(None)
    }

    /// Adds the message to its readers' mail; returns the readers.
    fn mail(&mut self, message: &Message) -> Result<Vec<i64>> {
        let mut readers = Vec::with_capacity(message.mail.len());
        for mail in &message.mail {
            let account = self.account(&mail.account)?;
            let state = if mail.waits { WAITS } else { DONE };
            self.add_mail.execute(params![account, signed(message.seq), state])?;
            if !readers.contains(&account) {
                readers.push(account);
            }
        }
        Ok(readers)
    }

    /// Settles mail whose authors now know what became of it.
    fn settle(&self, sql: &str, receiver: i64, authors: &[i64], last: u64) -> Result<()> {
        let mut settle = self.change.prepare_cached(sql)?;
        for author in authors {
            settle.execute(params![author, receiver, signed(last)])?;
        }
        Ok(())
    }

    fn joined(&mut self, room: &RoomName, member: &Member) -> Result<()> {
        let id = self.room(room)?;
        let account = self.account(&member.account)?;
        // The creator's spelling of an empty room's name counts.
        let sql =
            "UPDATE room SET name = ?2 WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1)";
        self.change.prepare_cached(sql)?.execute(params![id, room.as_str()])?;
        let sql = "INSERT INTO member (room, account, name, since) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET name = excluded.name, since = excluded.since";
        self.change
            .prepare_cached(sql)?
            .execute(params![id, account, member.name, signed(member.since)])
            .map(drop)
    }

    fn parted(&mut self, room: &RoomName, account: &Account) -> Result<()> {
        let (Some(room), Some(account)) =
            (rows::room_id(self.change, room)?, rows::account_id(self.change, account)?)
        else {
            return Ok(());
        };
        let sql = "DELETE FROM member WHERE room = ?1 AND account = ?2";
        self.change.prepare_cached(sql)?.execute([room, account])?;
        rows::forget_room(self.change, room)?;
        rows::forget_account(self.change, account)?;
        self.ids.clear();
        Ok(())
    }

    fn topic(&mut self, room: &RoomName, topic: Option<&Topic>) -> Result<()> {
        let id = self.room(room)?;
        let (text, by) = topic.map(|topic| (&topic.text, &topic.by)).unzip();
        let sql = "UPDATE room SET topic = ?2, topic_by = ?3 WHERE id = ?1";
        self.change.prepare_cached(sql)?.execute(params![id, text, by]).map(drop)
    }

    /// Marks mail up to that number as delivered; returns its authors.
    fn received(&self, account: &Account, upto: u64) -> Result<Vec<Arrival>> {
        let Some(id) = rows::account_id(self.change, account)? else { return Ok(Vec::new()) };
        let mut find = self.change.prepare_cached(
            "SELECT l.seq, m.kind >= 3 OR m.author IS NULL OR m.author = l.account, m.to_text, a.identity \
             FROM mail l JOIN message m ON m.seq = l.seq LEFT JOIN account a ON a.id = m.author \
             WHERE l.state < 2 AND l.state = 0 AND l.account = ?1 AND l.seq <= ?2 ORDER BY l.seq",
        )?;
        let mut waiting = find.query(params![id, signed(upto)])?;
        let mut settled: Vec<(i64, i64)> = Vec::new();
        let mut arrivals = ArrivalCounter::default();
        while let Some(row) = waiting.next()? {
            let (seq, is_done) = (row.get(0)?, row.get(1)?);
            settled.push((seq, if is_done { DONE } else { ARRIVED }));
            if !is_done {
                arrivals.add(row, 2, account, unsigned(seq))?;
            }
        }
        drop(waiting);
        let mut settle =
            self.change.prepare_cached("UPDATE mail SET state = ?3 WHERE account = ?1 AND seq = ?2")?;
        for (seq, state) in settled {
            settle.execute(params![id, seq, state])?;
        }
        Ok(arrivals.all)
    }

    fn account(&mut self, account: &Account) -> Result<i64> {
        if let Some(id) = self.ids.accounts.get(account) {
            return Ok(*id);
        }
        let id = match rows::account_id(self.change, account)? {
            Some(id) => id,
            None => {
                let mut insert = self.change.prepare_cached("INSERT INTO account (identity) VALUES (?1)")?;
                insert.insert([rows::identity(account)])?
            }
        };
        self.ids.accounts.insert(account.clone(), id);
        Ok(id)
    }

    fn room(&mut self, room: &RoomName) -> Result<i64> {
        if let Some(id) = self.ids.rooms.get(room) {
            return Ok(*id);
        }
        let id = match rows::room_id(self.change, room)? {
            Some(id) => id,
            None => {
                let mut insert =
                    self.change.prepare_cached("INSERT INTO room (name, key) VALUES (?1, ?2)")?;
                insert.insert([room.as_str(), room.key().as_str()])?
            }
        };
        self.ids.rooms.insert(room.clone(), id);
        Ok(id)
    }
}

/// Counts deliveries by author and receiver.
#[derive(Debug, Default)]
pub(super) struct ArrivalCounter {
    /// Ordered by first message.
    pub(super) all: Vec<Arrival>,
    places: HashMap<(Account, Account), usize>,
}

impl ArrivalCounter {
    /// Adds a row that has the receiver's name in `column` and the author's identity in the next one.
    pub(super) fn add(
        &mut self,
        row: &rusqlite::Row<'_>,
        column: usize,
        account: &Account,
        seq: u64,
    ) -> Result<()> {
        let name: Option<String> = row.get(column)?;
        let author = rows::account(column + 1, row.get_ref(column + 1)?.as_blob()?)?;
        let place = *self.places.entry((author.clone(), account.clone())).or_insert(self.all.len());
        if place == self.all.len() {
            let (account, name) = (account.clone(), String::new());
            self.all.push(Arrival { author, account, name, count: 0, last: 0, is_lost: false });
        }
        let arrival = &mut self.all[place];
        arrival.count += 1;
        arrival.last = seq;
        arrival.name = name.unwrap_or_default();
        Ok(())
    }
}
