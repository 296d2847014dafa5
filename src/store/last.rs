//! The file beside the database that says where the server's last run ended.
//!
//! The next start uses it to notice an older or another database, or one whose log was removed or cut. It
//! also records that messages were passed on without being stored: it is overwritten in place, which works on
//! a full disk. The file is a convenience, so the server ignores one that is damaged.
//!
//! It is written after each commit and never synced: it is exact after a kill, and after a power cut it never
//! claims more than the database has.

use crate::files;
use crate::text::safe_line;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Its name, in the database's directory.
const FILE: &str = "history.last";

/// Bytes to read of it; it has about 60.
const MAX_BYTES: u64 = 1024;

/// Where a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Last {
    pub(super) log: String,
    /// The last number that it assigned, or the one before its first.
    pub(super) seq: u64,
    /// Not 0 if later messages were passed on without being stored. One digit, so that the text never gets
    /// shorter.
    #[serde(default)]
    pub(super) lacks: u8,
}

/// Where the previous run ended, if known.
pub(super) fn load(database: &Path) -> Option<Last> {
    let mut bytes = Vec::new();
    files::open(&path(database)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(super) fn save(database: &Path, log: &str, seq: u64) {
    let path = path(database);
    let last = Last { log: log.to_owned(), seq, lacks: 0 };
    let written = serde_json::to_vec(&last).map_err(Into::into).and_then(|json| files::replace(&path, &json));
    if let Err(error) = written {
        tracing::warn!(
            event = "end_not_recorded",
            "cannot write {}: {error}; the next start will not notice if the database is replaced by an older one",
            path.display()
        );
    }
}

#[derive(Debug)]
pub(super) struct LastFile(Option<(File, String)>);

impl LastFile {
    /// Writes the file and keeps it open.
    pub(super) fn begin(database: &Path, log: &str, seq: u64) -> Self {
        save(database, log, seq);
        let opened = OpenOptions::new().write(true).open(path(database));
        Self(opened.ok().map(|file| (file, log.to_owned())))
    }

    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Writes the latest number, which must never fall, so that the text never gets shorter. `lacks` says
    /// that later messages are not stored.
    pub(super) fn note(&mut self, seq: u64, lacks: bool) {
        let Some((file, log)) = &mut self.0 else { return };
        let last = Last { log: log.clone(), seq, lacks: lacks.into() };
        let json = serde_json::to_vec(&last).unwrap_or_default();
        // One write, so that a kill cannot interrupt it.
        if let Err(error) = file.rewind().and_then(|()| file.write_all(&json)) {
            tracing::debug!(event = "end_not_recorded", %error, "cannot write history.last");
            self.0 = None;
        }
    }
}

/// Warns that the database is gone, although the file remains.
pub(super) fn warn_gone(database: &Path) {
    tracing::warn!(
        event = "history_gone",
        "{} is gone, with all messages, names, operators, members, bans and mutes of this server, which starts with an \
         empty history; if you have a backup, stop the server and restore it with `lanchat restore FILE`",
        database.display()
    );
}

/// Warns that the database is older than the last run, or another one.
pub(super) fn warn(database: &Path, last: &Last) {
    tracing::warn!(
        event = "history_older",
        "{} is older than the end of this server's last run ({} {}), or another database: a backup was restored, the \
         file was replaced, or its log (-wal) was removed or cut; clients get the messages that are new to them and \
         learn of the gap",
        database.display(),
        safe_line(&last.log),
        last.seq
    );
}

fn path(database: &Path) -> PathBuf {
    database.with_file_name(FILE)
}
