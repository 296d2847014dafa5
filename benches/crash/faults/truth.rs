//! Reads a database from copies, without the server.

use super::person::ROOM;
use crate::storm::judge;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The database's file, and what belongs to it.
pub const FILES: [&str; 3] = ["history.db", "history.db-wal", "history.db-shm"];

/// A message as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    pub seq: u64,
    pub from: String,
    pub to: String,
    pub text: String,
}

/// The stored messages, and the members of the room since when.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub kept: Vec<Kept>,
    pub members: Vec<(String, u64)>,
}

impl Truth {
    /// Of the database in a directory that no server uses; nothing if there is none.
    pub fn read(dir: &Path) -> Self {
        if !dir.join(FILES[0]).exists() {
            return Self::default();
        }
        let copy = tempfile::tempdir().expect("a directory");
        copy_files(dir, copy.path());
        let kept = judge::read_store(copy.path()).into_iter().map(|stored| {
            let heard = stored.heard;
            Kept { seq: heard.seq, from: heard.from, to: heard.to, text: heard.text }
        });
        Self { kept: kept.collect(), members: members(copy.path()) }
    }

    /// The same, of which texts are only as long as it takes to tell them apart.
    pub fn brief(mut self) -> Self {
        self.kept.iter_mut().for_each(|kept| kept.text = key(&kept.text).to_owned());
        self
    }

    /// Whether a user must get a stored message.
    pub fn is_for(&self, kept: &Kept, name: &str) -> bool {
        kept.from != name
            && match kept.to.as_str() {
                "all" => true,
                ROOM => self.members.iter().any(|(member, since)| *member == name && kept.seq > *since),
                to => to == name,
            }
    }

    pub fn texts(&self) -> HashSet<String> {
        self.kept.iter().map(|kept| kept.text.clone()).collect()
    }
}

/// The part of a text that distinguishes it from others.
pub fn key(text: &str) -> &str {
    text.split(": ").next().unwrap_or_default()
}

/// Puts the database of one directory into another one, in the place of what is there.
pub fn copy_files(from: &Path, to: &Path) {
    for file in FILES {
        remove(&to.join(file));
    }
    // Not what lies in shared memory: it is made anew from the log.
    for file in &FILES[..2] {
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).expect("a copy");
        }
    }
}

pub fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{}: {error}", path.display()),
        _ => {}
    }
}

fn members(dir: &Path) -> Vec<(String, u64)> {
    let history = rusqlite::Connection::open(dir.join(FILES[0])).expect("a history");
    let query =
        "SELECT member.name, since FROM member JOIN room ON room.id = member.room WHERE room.key = '#room'";
    let mut statement = history.prepare(query).expect("the schema");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())));
    rows.expect("rows").map(|row| row.expect("a member")).collect()
}
