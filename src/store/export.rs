//! Reads all messages of a history, even while a server writes to it.

use super::error::{AtPath as _, StoreError};
use super::{rows, schema, view};
use crate::chat::{Message, Venue};
use crate::name::{NameKey, RoomName};
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

const PORTION: usize = 500;

/// Which messages to export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// From this time on.
    pub since: Option<Timestamp>,
    /// From this room.
    pub room: Option<RoomName>,
    /// Direct messages from or to this name.
    pub with: Option<String>,
}

/// Messages in the order of their numbers, without the server's notices about mail.
#[derive(Debug)]
pub struct Export {
    path: PathBuf,
    history: Connection,
    filter: ExportFilter,
    with: Option<NameKey>,
    room: Option<i64>,
    read: VecDeque<Message>,
    after: i64,
    /// The number before the first message, and the last one.
    ends: (u64, u64),
    is_over: bool,
}

impl Export {
    /// Opens the history at `path` for reading.
    ///
    /// # Errors
    /// Why it cannot be read; [`StoreError::NoRoom`] if it does not know the filter's room.
    pub fn open(path: &Path, filter: ExportFilter) -> Result<Self, StoreError> {
        let history = schema::open_foreign(path)?;
        let room = match &filter.room {
            Some(room) => {
                let id = rows::room_id(&history, room).at(path)?;
                Some(id.ok_or_else(|| StoreError::NoRoom(room.to_string()))?)
            }
            None => None,
        };
        let after = match filter.since {
            Some(time) => rows::signed(view::before(&history, time).at(path)?),
            None => 0,
        };
        let last = history.query_row("SELECT ifnull(max(seq), 0) FROM message", [], |row| row.get(0));
        let ends = (rows::unsigned(after), last.map(rows::unsigned).at(path)?);
        let with = filter.with.as_deref().map(NameKey::of);
        let read = VecDeque::new();
        Ok(Self { path: path.into(), history, filter, with, room, read, after, ends, is_over: false })
    }

    /// The number before the first message, and the last one, for a progress bar.
    pub fn ends(&self) -> (u64, u64) {
        self.ends
    }

    fn fill(&mut self) -> rusqlite::Result<()> {
        let of_room = if self.room.is_some() { "m.room = ?3 AND " } else { "?3 IS NULL AND " };
        let sql =
            format!("{} WHERE {of_room} m.seq > ?1 AND m.kind < 3 ORDER BY m.seq LIMIT ?2", rows::MESSAGE);
        let mut find = self.history.prepare_cached(&sql)?;
        let mut found = find.query(rusqlite::params![self.after, PORTION as i64, self.room])?;
        let mut reader = rows::MessageReader::new(&self.history);
        let mut count = 0;
        while let Some(row) = found.next()? {
            let message = reader.message(row)?;
            count += 1;
            self.after = rows::signed(message.seq);
            if is_wanted(&message, self.filter.since, self.with.as_ref()) {
                self.read.push_back(message);
            }
        }
        self.is_over = count < PORTION;
        Ok(())
    }
}

impl Iterator for Export {
    type Item = Result<Message, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.read.is_empty() && !self.is_over {
            if let Err(error) = self.fill() {
                self.is_over = true;
                return Some(Err(StoreError::of(&self.path, &error)));
            }
        }
        self.read.pop_front().map(Ok)
    }
}

fn is_wanted(message: &Message, since: Option<Timestamp>, with: Option<&NameKey>) -> bool {
    let is_with = match (with, &message.venue) {
        (None, _) => true,
        (Some(_), Venue::Room(_)) => false,
        (Some(name), Venue::Direct(to)) => {
            NameKey::of(&message.from.name) == *name || NameKey::of(to) == *name
        }
    };
    is_with && since.is_none_or(|since| message.at >= since)
}
