//! What the disk and SQLite allow: the same messages in a plain table with two indexes, and the same
//! durability.

use anyhow::Result;
use lanchat::chat::{Account, Entry, Message, Venue};
use lanchat::store::WriteBatch;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::Path;

/// The columns of the store's table, and the two indexes without which nobody catches up in a room and no
/// repeat is found.
const SCHEMA: &str = "\
    CREATE TABLE message (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, room INTEGER, \
        to_text TEXT, from_name TEXT NOT NULL, from_ip TEXT NOT NULL, from_key TEXT, author INTEGER, token TEXT, \
        text TEXT NOT NULL, count INTEGER, last INTEGER, receiver INTEGER, reply INTEGER, edited INTEGER); \
    CREATE INDEX message_room ON message (room) WHERE room IS NOT NULL; \
    CREATE INDEX message_author ON message (author, token) WHERE author IS NOT NULL;";

const INSERT: &str = "\
    INSERT INTO message (seq, at, kind, room, to_text, from_name, from_ip, from_key, author, token, text, receiver) \
    VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// A table without a store around it.
pub struct Floor {
    connection: Connection,
    rooms: HashMap<String, i64>,
    accounts: HashMap<Account, i64>,
}

impl Floor {
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        anyhow::ensure!(mode == "wal", "the journal mode is {mode}");
        connection.pragma_update(None, "synchronous", "full")?;
        // As the store does.
        connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
        connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
        connection.pragma_update(None, "cache_size", -8192)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, rooms: HashMap::new(), accounts: HashMap::new() })
    }

    /// Writes a batch in a transaction.
    pub fn write(&mut self, batch: &WriteBatch) -> Result<()> {
        let change = self.connection.transaction()?;
        {
            let mut insert = change.prepare_cached(INSERT)?;
            for entry in &batch.entries {
                let Entry::Message(message) = entry else { continue };
                let author = message.author.as_ref().map(|account| number(&mut self.accounts, account));
                let receiver = message.receiver.as_ref().map(|account| number(&mut self.accounts, account));
                let (room, to) = match &message.venue {
                    Venue::Room(room) => (Some(number(&mut self.rooms, &room.as_str().to_owned())), None),
                    Venue::Direct(to) => (None, Some(to)),
                };
                let Message { seq, at, from, id, text, .. } = &**message;
                insert.execute(params![
                    *seq as i64,
                    at.as_millisecond(),
                    room,
                    to,
                    from.name,
                    from.ip,
                    from.key,
                    author,
                    id,
                    text,
                    receiver,
                ])?;
            }
        }
        change.commit().map_err(Into::into)
    }
}

fn number<T: Clone + Eq + std::hash::Hash>(known: &mut HashMap<T, i64>, one: &T) -> i64 {
    let next = known.len() as i64 + 1;
    *known.entry(one.clone()).or_insert(next)
}
