//! Whether the database's files are still those that were opened: SQLite itself goes on writing to a file
//! that was deleted, moved away, replaced or cut.
//!
//! On Unix the file at the path is compared by device and inode, and what others write to it is told by its
//! size and time. Elsewhere (Windows) a database that is open can't be deleted, moved or replaced, so that
//! only its size and time are looked at.

use super::error::StoreError;
use super::lock::lock;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// What belongs to a database that is open, besides the file itself.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// See the module.
#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    /// Never closed while there are connections: closing any descriptor of a file drops the locks that
    /// SQLite has on it in this process.
    file: File,
    /// Whether the file system tells files from each other.
    tells: bool,
    known: Mutex<LastWritten>,
}

/// The files when this program wrote them last.
#[derive(Debug, Default)]
struct LastWritten {
    written: Option<(u64, Option<SystemTime>)>,
    beside: [Option<FileId>; 2],
    /// How long the log was.
    log: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileState {
    /// All is as this program left it.
    Unchanged,
    /// Another program has written to the database, or cut its log: whether all is there still is to be seen.
    Changed,
    /// The database is there, and what belongs to it is not: it takes no new readers so.
    LogMissing,
}

/// Which file: device and inode.
type FileId = (u64, u64);

impl FileWatch {
    /// Begins to watch the file that is at the path now.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let of = |error| StoreError::of_file(path, &error);
        let file = File::open(path).map_err(of)?;
        let tells = file_id(&file.metadata().map_err(of)?) == file_id(&path.metadata().map_err(of)?);
        let known = Mutex::new(LastWritten::default());
        Ok(Self { path: path.into(), file, tells, known })
    }

    /// The file that is watched, to be read and not to be closed.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether the path still leads to the file.
    pub(super) fn place(&self) -> Result<Metadata, StoreError> {
        // A link that has taken its place has no log beside it.
        let found = match self.path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Gone(self.path.clone()));
            }
            Err(error) => return Err(StoreError::of_file(&self.path, &error)),
        };
        let own = self.file.metadata().map_err(|error| StoreError::of_file(&self.path, &error))?;
        if self.tells && file_id(&found) != file_id(&own) {
            return Err(StoreError::Replaced(self.path.clone()));
        }
        Ok(own)
    }

    /// Compares the files with what this program left.
    pub(super) fn look(&self) -> Result<FileState, StoreError> {
        let found = self.place()?;
        let known = lock(&self.known);
        if known.written.is_some_and(|written| written != stamp(&found)) {
            return Ok(FileState::Changed);
        }
        let is_bare = |(place, known): (usize, &Option<FileId>)| {
            known.is_some() && self.tells && self.beside(place) != *known
        };
        if known.beside.iter().enumerate().any(is_bare) {
            return Ok(FileState::LogMissing);
        }
        Ok(if self.log() < known.log { FileState::Changed } else { FileState::Unchanged })
    }

    /// What is there now, this program has written; unless it is shorter than before, and than the `bytes` that
    /// the database says to have: that is somebody else's work of just now.
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

    /// Whatever is there, it is not known.
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

/// The file of that ending beside a database.
pub(super) fn beside(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn stamp(found: &Metadata) -> (u64, Option<SystemTime>) {
    (found.len(), found.modified().ok())
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
pub(super) fn file_id(found: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub(super) fn file_id(_: &Metadata) -> Option<FileId> {
    None
}
