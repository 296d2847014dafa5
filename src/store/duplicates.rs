//! Recognises a message that its author sends again by author, recipient and id, whatever names they use by
//! now.

use super::api::Duplicate;
use super::rows::{self, unsigned};
use crate::chat::{Entry, Kind, Message, Venue};
use crate::limits::SAME_ID_LOOKED_AT;
use crate::name::NameKey;
use rusqlite::{CachedStatement, Connection, Result, Row, params};

/// The rows to compare a message by; `None` if the row does not exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowIds {
    pub(super) author: Option<i64>,
    pub(super) room: Option<i64>,
    pub(super) receiver: Option<i64>,
}

impl RowIds {
    fn of(connection: &Connection, message: &Message) -> Result<Self> {
        let account = |account: &Option<_>| {
            account.as_ref().map_or(Ok(None), |account| rows::account_id(connection, account))
        };
        let room = match &message.venue {
            Venue::Room(room) => rows::room_id(connection, room)?,
            Venue::Direct(_) => None,
        };
        Ok(Self { author: account(&message.author)?, room, receiver: account(&message.receiver)? })
    }
}

/// Finds the entries whose messages are stored. Writes nothing.
pub(super) fn known(connection: &Connection, entries: &[Entry]) -> Result<Vec<Duplicate>> {
    let mut known = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Entry::Message(message) | Entry::Passed(message) | Entry::Refused(message) = entry {
            known.extend(look(connection, place, message)?);
        }
    }
    Ok(known)
}

/// Looks for one message.
pub(super) fn look(connection: &Connection, place: usize, message: &Message) -> Result<Option<Duplicate>> {
    if !message.is_known_again() {
        return Ok(None);
    }
    Finder::new(connection)?.find(place, message, RowIds::of(connection, message)?)
}

/// A prepared search for one message after the other.
pub(super) struct Finder<'c>(CachedStatement<'c>);

impl<'c> Finder<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self> {
        // Only the newest, so that no one can make each message cost a million comparisons.
        let sql = "SELECT CASE kind WHEN 6 THEN last ELSE seq END, at, kind, room, receiver, to_text, text, edited, \
                          EXISTS (SELECT 1 FROM mail l WHERE l.seq = m.seq AND l.state = 0) \
                   FROM message m WHERE author = ?1 AND token = ?2 ORDER BY seq DESC LIMIT ?3";
        connection.prepare_cached(sql).map(Self)
    }

    /// Looks for one message whose rows are known.
    pub(super) fn find(&mut self, place: usize, message: &Message, ids: RowIds) -> Result<Option<Duplicate>> {
        let (Some(author), Some(id)) = (ids.author, &message.id) else { return Ok(None) };
        // The message that it deletes is gone, which is enough to know. A stored deletion has the deleted
        // message's id.
        if matches!(message.kind, Kind::Deleted { .. }) {
            return Ok(None);
        }
        let mut found = self.0.query(params![author, id, SAME_ID_LOOKED_AT])?;
        while let Some(row) = found.next()? {
            if is_same(row, message, ids)? {
                let (seq, at, waits) = (unsigned(row.get(0)?), rows::instant(row, 1)?, row.get(8)?);
                return Ok(Some(Duplicate { entry: place, seq, at, waits, gone: None }));
            }
        }
        Ok(None)
    }
}

/// Whether a stored message with the same author and id is this one.
fn is_same(row: &Row<'_>, message: &Message, ids: RowIds) -> Result<bool> {
    let (kind, ..) = rows::kind_columns(message.kind);
    // The same text as an action is the same message.
    let said = [Kind::Chat, Kind::Action].map(|kind| rows::kind_columns(kind).0);
    let (gone, ..) = rows::kind_columns(Kind::Deleted { of: 0 });
    let was: u8 = row.get(2)?;
    let is_same_kind = was == kind || [was, kind].iter().all(|kind| said.contains(kind) || *kind == gone);
    // A repeat has the text from before an edit or a deletion.
    let is_changed = was == gone || row.get::<_, Option<i64>>(7)?.is_some();
    if !is_same_kind || !(is_changed || rows::text(row, 6)? == message.text) {
        return Ok(false);
    }
    Ok(match &message.venue {
        Venue::Room(_) => ids.room.is_some() && row.get::<_, Option<i64>>(3)? == ids.room,
        Venue::Direct(to) => match (row.get::<_, Option<i64>>(4)?, ids.receiver) {
            (Some(one), Some(other)) => one == other,
            // An IP address, or a recipient without an account now or then.
            _ => row.get_ref(5)?.as_str_or_null()?.is_some_and(|was| NameKey::of(was) == NameKey::of(to)),
        },
    })
}
