//! The file beside the database that says what the server had last, so that it notices at its next start
//! that it was given an older database, or another one, or that its log was removed or cut; and that something
//! was said which it could not store: the file is written over in its place, which a full disk allows. It is a
//! convenience: whatever is wrong with it, nothing is said.
//!
//! It is written after each commit and not synced: after a kill it is exact, and after a power cut it says no
//! more than the database has.

use crate::files;
use crate::text::safe_line;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Its name, in the directory of the database.
const FILE: &str = "history.last";

/// Bytes that are read of it; it has 60.
const MAX_BYTES: u64 = 1024;

/// What the server had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Last {
    /// The incarnation of the history.
    pub(super) log: String,
    /// A number that was given, or the one before the first.
    pub(super) seq: u64,
    /// Not 0: something was said after that, and is stored nowhere. One digit, so that the text gets no shorter.
    #[serde(default)]
    pub(super) lacks: u8,
}

/// What the server had before this start, if that is known.
pub(super) fn load(database: &Path) -> Option<Last> {
    let mut bytes = Vec::new();
    files::open(&path(database)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Notes what the server has.
pub(super) fn save(database: &Path, log: &str, seq: u64) {
    let path = path(database);
    let last = Last { log: log.to_owned(), seq, lacks: 0 };
    let written = serde_json::to_vec(&last).map_err(Into::into).and_then(|json| files::replace(&path, &json));
    if let Err(error) = written {
        tracing::warn!(
            "{} can't be written: {error}; a database that is put back goes unnoticed at the next start",
            path.display()
        );
    }
}

/// The file, open to be written again and again.
#[derive(Debug)]
pub(super) struct LastFile(Option<(File, String)>);

impl LastFile {
    /// Notes what the server has, and goes on to.
    pub(super) fn begin(database: &Path, log: &str, seq: u64) -> Self {
        save(database, log, seq);
        let opened = OpenOptions::new().write(true).open(path(database));
        Self(opened.ok().map(|file| (file, log.to_owned())))
    }

    /// One that notes nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The latest number is this now: never a lower one than before, so that the text is as long or longer.
    /// `lacks`: something was said after it that is not stored.
    pub(super) fn note(&mut self, seq: u64, lacks: bool) {
        let Some((file, log)) = &mut self.0 else { return };
        let last = Last { log: log.clone(), seq, lacks: lacks.into() };
        let json = serde_json::to_vec(&last).unwrap_or_default();
        // In one go, so that no kill comes in between.
        if let Err(error) = file.rewind().and_then(|()| file.write_all(&json)) {
            tracing::debug!(%error, "what the server has can't be noted");
            self.0 = None;
        }
    }
}

/// Tells that the database of which `last` tells is not there any more.
pub(super) fn warn_gone(database: &Path) {
    tracing::warn!(
        "{} is gone, and with it what this server had kept: messages, names, operators, members, bans and mutes; \
         it begins anew; to have a backup of them, stop the server and put it back with `lanchat restore FILE`",
        database.display()
    );
}

/// Tells that the database is not what the server had.
pub(super) fn warn(database: &Path, last: &Last) {
    tracing::warn!(
        "{} is older than what this server had last ({} {}), or another one: a backup was put back, the file was \
         replaced, or its log (-wal) was removed or cut; clients are given what is new to them and told of the gap",
        database.display(),
        safe_line(&last.log),
        last.seq
    );
}

fn path(database: &Path) -> PathBuf {
    database.with_file_name(FILE)
}
