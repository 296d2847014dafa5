//! Checks that the database's files are still those that were opened: SQLite keeps writing to a file that was
//! deleted, moved, replaced or cut.
//!
//! Unix tells a replaced file by device and inode, and writes of other programs by size and time. On Windows,
//! no one can delete, move or replace an open database, so size and time are enough.

use super::error::{AtPath as _, StoreError};
use super::lock::lock;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// The files beside an open database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    /// Must stay open while connections exist: closing any descriptor of a file drops the locks that SQLite
    /// has on it in this process.
    file: File,
    /// Whether the file system gives each file its own id.
    has_ids: bool,
    known: Mutex<LastWritten>,
}

/// The files after this program's last write.
#[derive(Debug, Default)]
struct LastWritten {
    written: Option<(u64, Option<SystemTime>)>,
    beside: [Option<FileId>; 2],
    log: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileState {
    /// The files are as this program left them.
    Unchanged,
    /// Another program wrote to the database or cut its log; messages may be missing.
    Changed,
    /// The log or its index is gone, so new readers cannot open the database.
    LogMissing,
}

/// Device and inode.
type FileId = (u64, u64);

impl FileWatch {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).at(path)?;
        let has_ids = file_id(&file.metadata().at(path)?) == file_id(&path.metadata().at(path)?);
        let known = Mutex::new(LastWritten::default());
        Ok(Self { path: path.into(), file, has_ids, known })
    }

    /// The watched file, for reading.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Checks that the path still leads to the file.
    pub(super) fn check_path(&self) -> Result<Metadata, StoreError> {
        // Does not follow links: a link in the file's place would have no log beside it.
        let found = match self.path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Gone(self.path.clone()));
            }
            Err(error) => return Err(StoreError::of_file(&self.path, &error)),
        };
        let own = self.file.metadata().at(&self.path)?;
        if self.has_ids && file_id(&found) != file_id(&own) {
            return Err(StoreError::Replaced(self.path.clone()));
        }
        Ok(own)
    }

    /// Compares the files with those that this program left.
    pub(super) fn look(&self) -> Result<FileState, StoreError> {
        let found = self.check_path()?;
        let known = lock(&self.known);
        if known.written.is_some_and(|written| written != stamp(&found)) {
            return Ok(FileState::Changed);
        }
        let is_bare = |(place, known): (usize, &Option<FileId>)| {
            known.is_some() && self.has_ids && self.beside(place) != *known
        };
        if known.beside.iter().enumerate().any(is_bare) {
            return Ok(FileState::LogMissing);
        }
        Ok(if self.log() < known.log { FileState::Changed } else { FileState::Unchanged })
    }

    /// Notes the files after a write of this program. Ignores a file that has become shorter than before, and
    /// shorter than the database's own size in `bytes`: another program has just cut it.
    pub(super) fn note(&self, bytes: impl FnOnce() -> Option<u64>) {
        let Ok(found) = self.file.metadata() else { return };
        let mut known = lock(&self.known);
        let is_shorter = known.written.is_some_and(|(before, _)| found.len() < before);
        if !is_shorter || bytes().is_some_and(|bytes| found.len() >= bytes) {
            known.written = Some(stamp(&found));
        }
        known.log = self.log();
        for place in 0..BESIDE.len() {
            if known.beside[place].is_none() {
                known.beside[place] = self.beside(place);
            }
        }
    }

    /// Forgets what the files were like.
    pub(super) fn forget(&self) {
        *lock(&self.known) = LastWritten::default();
    }

    fn log(&self) -> u64 {
        beside(&self.path, BESIDE[0]).metadata().map_or(0, |log| log.len())
    }

    fn beside(&self, place: usize) -> Option<FileId> {
        beside(&self.path, BESIDE[place]).metadata().ok().and_then(|found| file_id(&found))
    }
}

/// The path beside a database with this ending.
pub(super) fn beside(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn stamp(found: &Metadata) -> (u64, Option<SystemTime>) {
    (found.len(), found.modified().ok())
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems return None")]
pub(super) fn file_id(found: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

/// Windows lets nobody remove, replace or rename a file that SQLite has open.
#[cfg(not(unix))]
pub(super) fn file_id(_: &Metadata) -> Option<FileId> {
    None
}
