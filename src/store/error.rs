//! Why the history cannot be used, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the history cannot be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The schema is newer than this program knows.
    #[error(
        "{path} was written by a newer lanchat (schema {found}, this one knows {known}); update lanchat, or \
         choose another --data-dir"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The latest schema version that this program knows.
        known: u32,
    },
    /// The file is not a database.
    #[error(
        "{0} is not a database; save what is in it with `lanchat repair`, replace it with a backup \
         (`lanchat restore FILE`), or choose another --data-dir"
    )]
    NotADatabase(PathBuf),
    /// Another program's database.
    #[error("{0} is another program's database; move it away, or choose another --data-dir")]
    Foreign(PathBuf),
    /// The file does not exist, but should.
    #[error(
        "there is no history at {0}; check --data-dir, or, if the file was deleted, restore a backup with \
         `lanchat restore FILE`"
    )]
    Missing(PathBuf),
    /// The file has a hard link. SQLite would keep a separate log for each name.
    #[error(
        "{0} has a second name (a hard link), and a server that uses that name would damage it; make it a separate \
         file: cp -p history.db copy && mv copy history.db"
    )]
    Linked(PathBuf),
    /// The database was moved and replaced by a link, but its log was not moved.
    #[error("{0} holds the latest messages of {1} but was left behind; move it to {1}-wal")]
    LeftBehind(PathBuf, PathBuf),
    /// A pipe, a link or a directory where the log belongs.
    #[error("{0} is not a regular file, but the history needs that name for its log; move it away")]
    NotAFile(PathBuf),
    /// No permission to write.
    #[error("cannot write {0}; make the file and its directory writable, or choose another --data-dir")]
    ReadOnly(PathBuf),
    /// No permission to read.
    #[error("cannot open {0}: {1}; run lanchat as the user who owns the file, or choose another --data-dir")]
    Denied(PathBuf, String),
    /// The disk is full.
    #[error("cannot write {0}: the disk is full; make room on it, or keep less with --retain-size")]
    Full(PathBuf),
    /// A server of several has followed their log with it, and now there is no engine file.
    #[error(
        "{0} is the history of a server of several, which no server may use alone; start with --engine-file, or run \
         `lanchat cluster restore` first, so that it leaves the others' log for good"
    )]
    OfSeveral(PathBuf),
    /// The engine file is of another chat, or the log is another one.
    #[error(
        "{0} follows another log than that of the engine file; start with the engine file of its own chat, or run \
         `lanchat cluster restore` first if that log is lost"
    )]
    OfOtherLog(PathBuf),
    /// A server has used it alone after it was a part of the chat.
    #[error(
        "{0} went its own way after it was part of this chat, so it does not fit any more; put the history of another \
         server in its place (`lanchat backup` there, `lanchat restore FILE` here)"
    )]
    WentAlone(PathBuf),
    /// The content is inconsistent.
    #[error(
        "{0} is damaged ({1}); stop the server, then save what is readable with `lanchat repair`, or replace the file \
         with a backup (`lanchat restore FILE`)"
    )]
    Corrupt(PathBuf, String),
    /// Deleted or moved while the server runs.
    #[error(
        "{0} was deleted or moved away while the server was running; move it back, or stop the server, restore a \
         backup with `lanchat restore FILE`, and start the server again"
    )]
    Gone(PathBuf),
    /// Replaced while the server runs.
    #[error(
        "{0} was replaced by another file while the server was running; move the original file back, or stop the \
         server, restore the new file with `lanchat restore FILE` if it is a backup, and start the server again"
    )]
    Replaced(PathBuf),
    /// The file now holds another history, or an earlier state of this one.
    #[error(
        "{0} was overwritten with another history, or its log (-wal) was cut, while the server was running; stop the \
         server, restore a backup with `lanchat restore FILE`, and start the server again"
    )]
    Overwritten(PathBuf),
    /// Another program holds a lock.
    #[error("{0} is in use by another program; close that program and try again")]
    InUse(PathBuf),
    /// The disk or the system failed.
    #[error("cannot use {0}: {1}; check the disk, or choose another --data-dir")]
    Unusable(PathBuf, String),
    /// A repair found nothing.
    #[error("{0} contains nothing that can be saved; replace it with a backup (`lanchat restore FILE`)")]
    Hopeless(PathBuf),
    /// Not a backup.
    #[error("{0} is not a backup of a lanchat server: {1}; give a file that `lanchat backup` wrote")]
    NoBackup(PathBuf, String),
    /// The backup's checksum is wrong.
    #[error(
        "{0} does not match its checksum: it was changed after the backup, or its disk damaged it; use another \
         backup, or restore this one anyway with `lanchat restore --unchecked FILE`"
    )]
    Altered(PathBuf),
    /// The target of a copy exists.
    #[error("{0} already exists; choose another name, or remove the file")]
    Exists(PathBuf),
    /// A copy cannot be written.
    #[error("cannot write {0}: {1}; choose another place")]
    Unwritable(PathBuf, String),
    /// No message in this room is kept.
    #[error("the history has no room {0}; omit --room to see all messages")]
    NoRoom(String),
    /// There is nobody to forget.
    #[error("{0}")]
    NoPerson(String),
    /// A search or listing exceeded its time limit.
    #[error(
        "this search takes too long; use longer words, search one room (in:#ROOM), or a shorter time (after:7d)"
    )]
    TooSlow,
    /// The store was closed.
    #[error("the history is closed; start the server again")]
    Closed,
}

/// Adds the path to an error.
pub(super) trait AtPath<T> {
    fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> AtPath<T> for rusqlite::Result<T> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::of(path, &error))
    }
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::of_file(path, &error))
    }
}

impl StoreError {
    /// Converts an SQLite error about the database at `path`.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let text = error.to_string();
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::NotADatabase => Self::NotADatabase(path),
                ErrorCode::DatabaseCorrupt => Self::Corrupt(path, text),
                ErrorCode::DiskFull => Self::Full(path),
                ErrorCode::ReadOnly => Self::ReadOnly(path),
                ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Self::Denied(path, text),
                ErrorCode::OperationInterrupted => Self::TooSlow,
                // The search index reports its own damage as an error without a kind.
                _ if text.starts_with("invalid fts5 file format") => Self::Corrupt(path, text),
                // Our SQL is correct, so the schema must be wrong.
                _ if text.starts_with("no such ") => Self::Corrupt(path, text),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse(path),
                _ => Self::Unusable(path, text),
            },
            // Our SQL is correct, so a table or a column must have another name.
            rusqlite::Error::SqlInputError { msg, .. } => Self::Corrupt(path, msg.clone()),
            // A row holds a value that we never write, or is missing although others refer to it.
            rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt(path, text),
            _ => Self::Unusable(path, text),
        }
    }

    /// Converts a system error about the file at `path`.
    pub fn of_file(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied(path, error.to_string()),
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            _ => Self::Unusable(path, error.to_string()),
        }
    }

    /// Converts a system error about a new copy at `path`.
    pub(super) fn of_copy(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path.into()),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path.into()),
            _ => Self::Unwritable(path.into(), error.to_string()),
        }
    }

    /// Whether only another file can help.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::Corrupt(..)
                | Self::NotADatabase(_)
                | Self::Overwritten(_)
                | Self::Foreign(_)
                | Self::Newer { .. }
        )
    }

    /// Whether it helps to move the file back.
    pub(super) fn is_misplaced(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Replaced(_))
    }
}
