//! Converts rows to accounts, rooms and messages.

use crate::chat::{Account, Kind, Message, Venue};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use jiff::Timestamp;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The columns that [`MessageReader`] reads.
pub(super) const MESSAGE: &str = "\
    SELECT m.seq, m.at, m.kind, m.room, m.to_text, m.from_name, m.from_ip, m.from_key, m.author, m.token, \
           CASE m.kind WHEN 5 THEN ifnull((SELECT o.text FROM message o WHERE o.seq = m.last), '') ELSE m.text END, \
           m.count, m.last, m.reply, m.edited \
    FROM message m";

/// The bytes of a frame besides names, ids and text, rounded up.
const FRAME_BYTES: usize = 180;

/// Messages are read in a row if at least one in so many is wanted.
const DENSE: i64 = 3;

/// A number for SQLite; ours stay below 2^63.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The inverse of [`signed`].
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// An error for a value that we never write, so the file must be damaged.
pub(super) fn damaged(column: usize, why: &str) -> Error {
    Error::FromSqlConversionFailure(column, Type::Null, why.into())
}

/// The stored form of an account.
pub(super) fn identity(account: &Account) -> Vec<u8> {
    match account {
        Account::Key(key) => [b"k", &key.as_bytes()[..]].concat(),
        Account::Token(token) => [b"t", token.as_bytes()].concat(),
    }
}

/// Parses the stored form of an account, which was in this column.
pub(super) fn account(column: usize, identity: &[u8]) -> Result<Account> {
    let wrong = || damaged(column, "not an account");
    let (kind, rest) = identity.split_first().ok_or_else(wrong)?;
    match kind {
        b'k' => Ok(Account::Key(Fingerprint::new(rest.try_into().map_err(|_| wrong())?))),
        b't' => Ok(Account::Token(std::str::from_utf8(rest).map_err(|_| wrong())?.into())),
        _ => Err(wrong()),
    }
}

pub(super) fn account_id(connection: &Connection, account: &Account) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT id FROM account WHERE identity = ?1")?;
    find.query_row([identity(account)], |row| row.get(0)).optional()
}

pub(super) fn room_id(connection: &Connection, room: &RoomName) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT id FROM room WHERE key = ?1")?;
    find.query_row([room.key().as_str()], |row| row.get(0)).optional()
}

pub(super) fn room(row: &Row<'_>, column: usize) -> Result<RoomName> {
    RoomName::new(row.get_ref(column)?.as_str()?).map_err(|_| damaged(column, "not a room"))
}

/// A text in a column. If the disk has damaged it, returns the readable part: one message must not hide the
/// others.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<Cow<'r, str>> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok(String::from_utf8_lossy(bytes)),
        other => Ok(other.as_str()?.into()),
    }
}

/// Like [`text`], for a column that may be NULL.
fn optional_text(row: &Row<'_>, column: usize) -> Result<Option<String>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => text(row, column).map(|text| Some(text.into_owned())),
    }
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|_| damaged(column, "not a time"))
}

/// Converts rows of [`MESSAGE`], without the readers' mail. Remembers their rooms and authors: checking a name
/// again for each row would take longer than all the rest.
pub(super) struct MessageReader<'c> {
    connection: &'c Connection,
    rooms: HashMap<i64, RoomName>,
    authors: HashMap<i64, Option<Account>>,
}

impl<'c> MessageReader<'c> {
    /// For one snapshot, in which no name changes.
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, rooms: HashMap::new(), authors: HashMap::new() }
    }

    pub(super) fn message(&mut self, row: &Row<'_>) -> Result<Message> {
        let venue = match optional_text(row, 4)? {
            Some(to) => Venue::Direct(to),
            None => Venue::Room(self.room(row.get(3)?)?),
        };
        let author = row.get::<_, Option<i64>>(8)?.map(|author| self.author(author)).transpose()?.flatten();
        Ok(Message {
            seq: unsigned(row.get(0)?),
            at: instant(row, 1)?,
            kind: kind(row)?,
            venue,
            receiver: None,
            from: Sender {
                name: text(row, 5)?.into_owned(),
                ip: text(row, 6)?.into_owned(),
                key: optional_text(row, 7)?,
            },
            author,
            id: optional_text(row, 9)?,
            text: text(row, 10)?.into_owned(),
            reply: row.get::<_, Option<i64>>(13)?.map(unsigned),
            edited: row.get::<_, Option<i64>>(14)?.is_some(),
            mail: Vec::new(),
        })
    }

    fn room(&mut self, id: i64) -> Result<RoomName> {
        if let Some(known) = self.rooms.get(&id) {
            return Ok(known.clone());
        }
        let mut find = self.connection.prepare_cached("SELECT name FROM room WHERE id = ?1")?;
        let name = find.query_row([id], |row| room(row, 0)).optional()?;
        let name = name.ok_or_else(|| damaged(3, "a room that does not exist"))?;
        self.rooms.insert(id, name.clone());
        Ok(name)
    }

    /// `None` if a repair could not save the account.
    fn author(&mut self, id: i64) -> Result<Option<Account>> {
        if let Some(known) = self.authors.get(&id) {
            return Ok(known.clone());
        }
        let mut find = self.connection.prepare_cached("SELECT identity FROM account WHERE id = ?1")?;
        let author = find.query_row([id], |row| account(0, row.get_ref(0)?.as_blob()?)).optional()?;
        self.authors.insert(id, author.clone());
        Ok(author)
    }
}

/// The account of a direct message's recipient.
pub(super) fn receiver(connection: &Connection, seq: i64) -> Result<Option<Account>> {
    let sql = "SELECT a.identity FROM message m JOIN account a ON a.id = m.receiver WHERE m.seq = ?1";
    let mut find = connection.prepare_cached(sql)?;
    find.query_row([seq], |row| account(0, row.get_ref(0)?.as_blob()?)).optional()
}

pub(super) fn numbers(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<i64>> {
    connection.prepare_cached(sql)?.query_map(values, |row| row.get(0))?.collect()
}

/// The messages with these numbers, in this order, until their frames exceed `bytes`; at least one. Includes
/// the `id` only if `reader` is the author.
pub(super) fn messages(
    connection: &Connection,
    numbers: &[i64],
    bytes: usize,
    reader: Option<&Account>,
) -> Result<Vec<Message>> {
    some_messages(connection, numbers, bytes, reader, |_| true).map(|(messages, _)| messages)
}

/// Like [`messages`], but only those that are wanted; also returns the last number that it has looked at,
/// unless it has looked at all.
pub(super) fn some_messages(
    connection: &Connection,
    numbers: &[i64],
    bytes: usize,
    reader: Option<&Account>,
    is_wanted: impl Fn(&Message) -> bool,
) -> Result<(Vec<Message>, Option<i64>)> {
    let mut rows = MessageReader::new(connection);
    let mut messages: Vec<Message> = Vec::with_capacity(numbers.len());
    let (mut size, mut last, mut is_cut) = (0_usize, 0, false);
    each(connection, numbers, |row| {
        let mut message = rows.message(row)?;
        let number = signed(message.seq);
        if is_wanted(&message) {
            size = size.saturating_add(frame_bytes(&message));
            if size > bytes && !messages.is_empty() {
                is_cut = true;
                return Ok(ControlFlow::Break(()));
            }
            if reader.is_none() || message.author.as_ref() != reader {
                message.id = None;
            }
            messages.push(message);
        }
        last = number;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((messages, is_cut.then_some(last)))
}

/// Reads the messages with these numbers, which exist.
fn each(
    connection: &Connection,
    numbers: &[i64],
    mut read: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Ok(()) };
    let many = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
    if (many - 1..many.saturating_mul(DENSE)).contains(&(last - first)) {
        // Going on to the next row costs a third of finding one.
        let sql = format!("{MESSAGE} WHERE m.seq >= ?1 AND m.seq <= ?2 ORDER BY m.seq");
        let mut find = connection.prepare_cached(&sql)?;
        let mut found = find.query([first, last])?;
        let mut wanted = numbers.iter().peekable();
        while let Some(row) = found.next()? {
            let number: i64 = row.get(0)?;
            if wanted.next_if(|wanted| **wanted == number).is_some() && read(row)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    let mut find = connection.prepare_cached(&format!("{MESSAGE} WHERE m.seq = ?1"))?;
    for number in numbers {
        if find.query_row([number], &mut read)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The bytes of the message on the wire.
pub(super) fn frame_bytes(message: &Message) -> usize {
    let escaped = |byte: u8| match byte {
        0..=0x1f => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    let of = |text: &str| text.bytes().map(escaped).sum::<usize>();
    let Sender { name, ip, key } = &message.from;
    let to = if let Venue::Direct(to) = &message.venue { to.len() } else { 0 };
    // A name appears at most twice.
    let others = 2 * of(name) + ip.len() + key.as_ref().map_or(0, String::len) + to;
    FRAME_BYTES + others + message.id.as_deref().map_or(0, of) + of(&message.text)
}

/// The values of the columns `kind`, `count` and `last`.
pub(super) fn kind_columns(kind: Kind) -> (u8, Option<u32>, Option<i64>) {
    match kind {
        Kind::Chat => (0, None, None),
        Kind::Action => (1, None, None),
        Kind::Alert => (2, None, None),
        Kind::Delivered { count, last } => (3, Some(count), Some(signed(last))),
        Kind::Lost { count, last } => (4, Some(count), Some(signed(last))),
        Kind::Edited { of, action } => (5, Some(action.into()), Some(signed(of))),
        Kind::Deleted { of } => (6, None, Some(signed(of))),
    }
}

fn kind(row: &Row<'_>) -> Result<Kind> {
    Ok(match row.get::<_, u8>(2)? {
        0 => Kind::Chat,
        1 => Kind::Action,
        2 => Kind::Alert,
        3 => Kind::Delivered { count: row.get(11)?, last: unsigned(row.get(12)?) },
        4 => Kind::Lost { count: row.get(11)?, last: unsigned(row.get(12)?) },
        5 => Kind::Edited { of: unsigned(row.get(12)?), action: row.get(11)? },
        6 => Kind::Deleted { of: unsigned(row.get(12)?) },
        _ => return Err(damaged(2, "not a kind of message")),
    })
}

/// Deletes a room that has neither members nor messages.
pub(super) fn forget_room(connection: &Connection, room: i64) -> Result<()> {
    // The lobby has no member rows, but may have a topic.
    let sql = "UPDATE room SET topic = NULL, topic_by = NULL WHERE id = ?1 AND key <> '#lobby' \
               AND topic IS NOT NULL AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1)";
    connection.prepare_cached(sql)?.execute([room])?;
    let sql = "DELETE FROM room WHERE id = ?1 AND topic IS NULL \
               AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1) \
               AND NOT EXISTS (SELECT 1 FROM message WHERE room = ?1)";
    connection.prepare_cached(sql)?.execute([room]).map(drop)
}

/// Deletes an account without other rows.
pub(super) fn forget_account(connection: &Connection, account: i64) -> Result<()> {
    let sql = "DELETE FROM account WHERE id = ?1 \
               AND NOT EXISTS (SELECT 1 FROM member WHERE account = ?1) \
               AND NOT EXISTS (SELECT 1 FROM mail WHERE account = ?1) \
               AND NOT EXISTS (SELECT 1 FROM lost WHERE account = ?1 OR author = ?1) \
               AND NOT EXISTS (SELECT 1 FROM message WHERE author = ?1)";
    connection.prepare_cached(sql)?.execute([account]).map(drop)
}
