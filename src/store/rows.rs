//! Rows as what they stand for: accounts, rooms and messages.

use crate::chat::{Account, Kind, Message, Venue};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use jiff::Timestamp;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row};
use std::borrow::Cow;

/// What [`message`] reads.
pub(super) const MESSAGE: &str = "\
    SELECT m.seq, m.at, m.kind, r.name, m.to_text, m.from_name, m.from_ip, m.from_key, a.identity, m.token, \
           m.text, m.count, m.last \
    FROM message m LEFT JOIN room r ON r.id = m.room LEFT JOIN account a ON a.id = m.author";

/// What a frame has besides names, ids and text, in bytes, or a little more.
const FRAME_BYTES: usize = 180;

/// A number as SQLite has it; there is none above 2^63.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same back.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A value that is never written, so that the file must be damaged.
pub(super) fn damaged(column: usize, why: &str) -> Error {
    Error::FromSqlConversionFailure(column, Type::Null, why.into())
}

/// How an account is written.
pub(super) fn identity(account: &Account) -> Vec<u8> {
    match account {
        Account::Key(key) => [b"k", &key.as_bytes()[..]].concat(),
        Account::Token(token) => [b"t", token.as_bytes()].concat(),
    }
}

/// The account that is written so, in a column of that number.
pub(super) fn account(column: usize, identity: &[u8]) -> Result<Account> {
    let wrong = || damaged(column, "that is no account");
    let (kind, rest) = identity.split_first().ok_or_else(wrong)?;
    match kind {
        b'k' => Ok(Account::Key(Fingerprint::new(rest.try_into().map_err(|_| wrong())?))),
        b't' => Ok(Account::Token(std::str::from_utf8(rest).map_err(|_| wrong())?.into())),
        _ => Err(wrong()),
    }
}

/// The account's row, if there is one.
pub(super) fn account_id(connection: &Connection, account: &Account) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT id FROM account WHERE identity = ?1")?;
    find.query_row([identity(account)], |row| row.get(0)).optional()
}

/// The room's row, if there is one.
pub(super) fn room_id(connection: &Connection, room: &RoomName) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT id FROM room WHERE key = ?1")?;
    find.query_row([room.key().as_str()], |row| row.get(0)).optional()
}

/// A room's name in a column.
pub(super) fn room(row: &Row<'_>, column: usize) -> Result<RoomName> {
    RoomName::new(row.get_ref(column)?.as_str()?).map_err(|_| damaged(column, "that is no room"))
}

/// A text in a column. Where the disk has changed it, it is shown as far as it can be read: what one message
/// says must not keep anybody from the others.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<Cow<'r, str>> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok(String::from_utf8_lossy(bytes)),
        other => Ok(other.as_str()?.into()),
    }
}

/// The same where there may be none.
fn optional_text(row: &Row<'_>, column: usize) -> Result<Option<String>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => text(row, column).map(|text| Some(text.into_owned())),
    }
}

/// An instant in a column.
pub(super) fn instant(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|_| damaged(column, "that is no instant"))
}

/// A row of [`MESSAGE`]. Whose mail it is in is not read.
pub(super) fn message(row: &Row<'_>) -> Result<Message> {
    let venue = match optional_text(row, 4)? {
        Some(to) => Venue::Direct(to),
        None => Venue::Room(room(row, 3)?),
    };
    let author = match row.get_ref(8)?.as_blob_or_null()? {
        Some(identity) => Some(account(8, identity)?),
        None => None,
    };
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
        mail: Vec::new(),
    })
}

/// The messages of those numbers, in that order, until their frames have `bytes` in all; at least one.
/// An `id` is told to `reader` if it is their own.
pub(super) fn messages(
    connection: &Connection,
    numbers: &[i64],
    bytes: usize,
    reader: Option<&Account>,
) -> Result<Vec<Message>> {
    let mut read = connection.prepare_cached(&format!("{MESSAGE} WHERE m.seq = ?1"))?;
    let mut messages: Vec<Message> = Vec::with_capacity(numbers.len());
    let mut size = 0_usize;
    for number in numbers {
        let mut message = read.query_row([number], message)?;
        size = size.saturating_add(frame_bytes(&message));
        if size > bytes && !messages.is_empty() {
            break;
        }
        if reader.is_none() || message.author.as_ref() != reader {
            message.id = None;
        }
        messages.push(message);
    }
    Ok(messages)
}

/// What the message takes on the wire, in bytes.
pub(super) fn frame_bytes(message: &Message) -> usize {
    let escaped = |byte: u8| match byte {
        0..=0x1f => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    let of = |text: &str| text.bytes().map(escaped).sum::<usize>();
    let Sender { name, ip, key } = &message.from;
    let to = if let Venue::Direct(to) = &message.venue { to.len() } else { 0 };
    // Names are told twice at most, and there is nothing in them to be escaped but what is counted here.
    let others = 2 * of(name) + ip.len() + key.as_ref().map_or(0, String::len) + to;
    FRAME_BYTES + others + message.id.as_deref().map_or(0, of) + of(&message.text)
}

/// What stands in the columns `kind`, `count` and `last`.
pub(super) fn kind_columns(kind: Kind) -> (u8, Option<u32>, Option<i64>) {
    match kind {
        Kind::Chat => (0, None, None),
        Kind::Action => (1, None, None),
        Kind::Alert => (2, None, None),
        Kind::Delivered { count, last } => (3, Some(count), Some(signed(last))),
        Kind::Lost { count, last } => (4, Some(count), Some(signed(last))),
    }
}

fn kind(row: &Row<'_>) -> Result<Kind> {
    Ok(match row.get::<_, u8>(2)? {
        0 => Kind::Chat,
        1 => Kind::Action,
        2 => Kind::Alert,
        3 => Kind::Delivered { count: row.get(11)?, last: unsigned(row.get(12)?) },
        4 => Kind::Lost { count: row.get(11)?, last: unsigned(row.get(12)?) },
        _ => return Err(damaged(2, "that is no kind of message")),
    })
}

/// Forgets a room that has no members and of which no message is kept.
pub(super) fn forget_room(connection: &Connection, room: i64) -> Result<()> {
    // The lobby has no members of its own, and a topic all the same.
    let sql = "UPDATE room SET topic = NULL, topic_by = NULL WHERE id = ?1 AND key <> '#lobby' \
               AND topic IS NOT NULL AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1)";
    connection.prepare_cached(sql)?.execute([room])?;
    let sql = "DELETE FROM room WHERE id = ?1 AND topic IS NULL \
               AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1) \
               AND NOT EXISTS (SELECT 1 FROM message WHERE room = ?1)";
    connection.prepare_cached(sql)?.execute([room]).map(drop)
}

/// Forgets an account that nothing is kept of.
pub(super) fn forget_account(connection: &Connection, account: i64) -> Result<()> {
    let sql = "DELETE FROM account WHERE id = ?1 \
               AND NOT EXISTS (SELECT 1 FROM member WHERE account = ?1) \
               AND NOT EXISTS (SELECT 1 FROM mail WHERE account = ?1) \
               AND NOT EXISTS (SELECT 1 FROM lost WHERE account = ?1 OR author = ?1) \
               AND NOT EXISTS (SELECT 1 FROM message WHERE author = ?1)";
    connection.prepare_cached(sql)?.execute([account]).map(drop)
}
