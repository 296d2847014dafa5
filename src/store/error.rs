//! Why the history can't be used, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the history can't be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A later version of the program has changed its form.
    #[error(
        "{path} was written by a newer lanchat (schema {found}, this one knows {known}); update lanchat, or \
         choose another --data-dir"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The form that it has.
        found: u32,
        /// The latest form that this program knows.
        known: u32,
    },
    /// It is no database at all.
    #[error(
        "{0} is no database; save what is in it with `lanchat repair`, put a backup in its place with \
         `lanchat restore FILE`, or choose another --data-dir"
    )]
    NotADatabase(PathBuf),
    /// It is another program's.
    #[error("{0} is another program's database; move it away, or choose another --data-dir")]
    Foreign(PathBuf),
    /// There is none, where there must be one.
    #[error(
        "there is no history at {0}; name the server's --data-dir, or put a backup in its place with `lanchat restore FILE` if it was deleted"
    )]
    Missing(PathBuf),
    /// It has another name, under which another server could open it: SQLite would keep a log for each.
    #[error(
        "{0} has another name, too (a hard link), and a server of that one would damage it; make it a file of its \
         own: cp -p history.db copy && mv copy history.db"
    )]
    Linked(PathBuf),
    /// It was moved, and a link left in its place; not so its log.
    #[error("{0} holds the latest messages of {1} and was left behind; move it to {1}-wal")]
    LeftBehind(PathBuf, PathBuf),
    /// What lies beside it can't be its log.
    #[error("{0} is not an ordinary file, and stands where the history has its log; move it away")]
    Odd(PathBuf),
    /// It may not be written.
    #[error("{0} can't be written; make it and its directory writable, or choose another --data-dir")]
    ReadOnly(PathBuf),
    /// It may not be read.
    #[error("{0} can't be opened: {1}; run this as the user who owns it, or choose another --data-dir")]
    Denied(PathBuf, String),
    /// The disk has no room left.
    #[error("{0} can't grow, the disk is full; make room on it, or keep less with --retain-size")]
    Full(PathBuf),
    /// What is in it contradicts itself.
    #[error(
        "{0} is damaged ({1}); with the server stopped, `lanchat repair` saves what can be saved, and \
         `lanchat restore FILE` puts a backup in its place"
    )]
    Corrupt(PathBuf, String),
    /// It was deleted or moved away under the server.
    #[error(
        "{0} was deleted or moved away while the server runs; move it back, or stop the server, put a backup \
         in its place with `lanchat restore FILE`, and start it again"
    )]
    Gone(PathBuf),
    /// It was replaced under the server.
    #[error(
        "{0} was replaced by another file while the server runs; move the first one back, or stop the server, \
         use `lanchat restore FILE` if it is a backup, and start it again"
    )]
    Replaced(PathBuf),
    /// Its content is that of another one, or of an earlier time.
    #[error(
        "{0} was overwritten with another history, or its log (-wal) was cut, while the server runs; stop the \
         server, put a backup in its place with `lanchat restore FILE`, and start it again"
    )]
    Overwritten(PathBuf),
    /// Another program has it.
    #[error("{0} is in use by another program; end that, and try again")]
    InUse(PathBuf),
    /// The disk or the system failed.
    #[error("{0} can't be used: {1}; see to the disk, or choose another --data-dir")]
    Unusable(PathBuf, String),
    /// Nothing in it can be saved.
    #[error(
        "there is nothing in {0} that can be saved; put a backup in its place with `lanchat restore FILE`"
    )]
    Hopeless(PathBuf),
    /// It can't be put back.
    #[error("{0} is no backup of a lanchat server: {1}; name a file that `lanchat backup` made")]
    NoBackup(PathBuf, String),
    /// It is not as it was made.
    #[error(
        "{0} was changed since it was made, or its disk has changed it: the sum over it is not right; use another \
         backup, or put it back all the same with `lanchat restore --unchecked FILE`"
    )]
    Altered(PathBuf),
    /// There is such a file already.
    #[error("{0} exists already; name another file, or remove it")]
    Exists(PathBuf),
    /// A copy can't be written.
    #[error("{0} can't be written: {1}; choose another place")]
    Unwritable(PathBuf, String),
    /// Nothing is kept of that room.
    #[error("there is no room {0} in the history; leave --room out to see all")]
    NoRoom(String),
    /// A search took too long.
    #[error(
        "that takes too long to find; look for longer words, in one room (in:#ROOM), or of a shorter time (after:7d)"
    )]
    TooSlow,
    /// The store has been closed.
    #[error("the history is closed; start the server again")]
    Closed,
}

impl StoreError {
    /// What SQLite says about the database at `path`.
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
                // The index of words tells damage to itself as an error of no kind.
                _ if text.starts_with("invalid fts5 file format") => Self::Corrupt(path, text),
                // What is asked is right, so the schema can't be.
                _ if text.starts_with("no such ") => Self::Corrupt(path, text),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse(path),
                _ => Self::Unusable(path, text),
            },
            // What is asked is right, so the schema can't be: a table or a column has another name.
            rusqlite::Error::SqlInputError { msg, .. } => Self::Corrupt(path, msg.clone()),
            // A row that holds what is never written, or is not there though others name it.
            rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt(path, text),
            _ => Self::Unusable(path, text),
        }
    }

    /// What the system says about the file at `path`.
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

    /// What the system says about a copy at `path`.
    pub(super) fn of_copy(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path.into()),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path.into()),
            _ => Self::Unwritable(path.into(), error.to_string()),
        }
    }

    /// Whether only another file helps.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Corrupt(..)
                | Self::NotADatabase(_)
                | Self::Overwritten(_)
                | Self::Foreign(_)
                | Self::Newer { .. }
        )
    }

    /// Whether it helps to put the file back where it was.
    pub(super) fn is_misplaced(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Replaced(_))
    }
}
