//! Backs up a server to one file, even while the server writes, and reads such a file to restore it.
//!
//! A backup is a history with one more table, for the server's other files, and a checksum. So it can be read
//! like a history, and a plain copy of a history also works as a backup of the history alone.

use super::error::{AtPath as _, StoreError};
use super::file_watch::beside;
use super::incarnations::mark_restored;
use super::{check, checksum, connect, paths, rows, schema};
use rusqlite::backup::{Backup as Copying, StepResult};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Pages to copy between two reports of progress: 4 MB.
const PORTION_PAGES: i32 = 1024;

/// Creates the table of the server's other files.
const FILES: &str = "DROP TABLE IF EXISTS file; \
    CREATE TABLE file (name TEXT PRIMARY KEY, content BLOB NOT NULL, mode INTEGER NOT NULL) WITHOUT ROWID;";

/// One of the server's files besides its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    /// Its name in the data directory.
    pub name: String,
    /// Its content, wiped from memory when dropped.
    pub content: Zeroizing<Vec<u8>>,
    /// Its Unix permissions.
    pub mode: u32,
}

/// The size of a new backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// Messages.
    pub messages: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Copies the history at `path` and the files to a new file, checks the copy, and adds a checksum. The copy
/// has all that was committed when the backup began. `progress` gets the pages copied and their total.
///
/// # Errors
/// If `path` cannot be read or `to` cannot be written; [`StoreError::Exists`] if `to` exists. Leaves no partial file.
pub fn backup(
    path: &Path,
    to: &Path,
    files: &[BackupFile],
    progress: impl FnMut(u64, u64),
) -> Result<BackupSummary, StoreError> {
    if to.exists() {
        return Err(StoreError::Exists(to.into()));
    }
    let history = schema::open_foreign(path)?;
    let unfinished = paths::unfinished(to).map_err(|error| StoreError::of_copy(to, &error))?;
    let mut copy = copy(&history, path, unfinished.path(), to, progress)?;
    let change = copy.transaction().at(to)?;
    change.execute_batch(FILES).at(to)?;
    for file in files {
        let row = params![file.name, *file.content, file.mode];
        change.execute("INSERT INTO file VALUES (?1, ?2, ?3)", row).at(to)?;
    }
    let sum = checksum::make_place(&change).at(to)?;
    change.commit().at(to)?;
    // A copy has the damage of the original.
    check::whole(&copy, path)?;
    let messages = messages(&copy).at(to)?.0;
    copy.close().map_err(|(_, error)| error).at(to)?;
    let sealed = checksum::write(unfinished.path(), &sum).and_then(|()| unfinished.path().metadata());
    let bytes = sealed.map_err(|error| StoreError::of_copy(to, &error))?.len();
    unfinished.finish(to).map_err(|error| StoreError::of_copy(to, &error))?;
    Ok(BackupSummary { messages, bytes })
}

/// Copies a database to the empty file `unfinished`; errors name `to`.
fn copy(
    history: &Connection,
    path: &Path,
    unfinished: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Connection, StoreError> {
    let mut target = Connection::open(unfinished).at(to)?;
    // Held to the end, so that the server's writes do not restart the copy.
    let snapshot = history.unchecked_transaction().at(path)?;
    snapshot.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0)).at(path)?;
    let copying = Copying::new(&snapshot, &mut target).at(to)?;
    loop {
        let step = copying.step(PORTION_PAGES).at(to)?;
        let now = copying.progress();
        let total = u64::try_from(now.pagecount).unwrap_or(0);
        progress(total - u64::try_from(now.remaining).unwrap_or(0), total);
        match step {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => return Err(StoreError::InUse(to.into())),
            _ => {}
        }
    }
    drop(copying);
    // No log beside the file: people would forget it when they move the backup.
    target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).at(to)?;
    Ok(target)
}

/// The number of messages in a history, and the time of the latest.
fn messages(history: &Connection) -> rusqlite::Result<(u64, Option<i64>)> {
    let sql = "SELECT count(*), max(at) FROM message";
    history.query_row(sql, [], |row| Ok((rows::unsigned(row.get(0)?), row.get(1)?)))
}

/// Whether a backup is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumState {
    /// Each byte is unchanged.
    Valid,
    /// The backup was changed.
    Wrong,
    /// No checksum: an earlier version made the backup, or it is a plain copy of a history.
    Missing,
}

/// A backup that can be restored.
#[derive(Debug)]
pub struct Backup {
    path: PathBuf,
    history: Connection,
    /// `None` if it holds a history alone.
    files: Option<Vec<BackupFile>>,
    /// Whether it is unchanged.
    pub checksum: ChecksumState,
    /// Messages in it.
    pub messages: u64,
    /// The time of the latest message.
    pub latest: Option<jiff::Timestamp>,
}

impl Backup {
    /// Opens and checks a backup. One that opens can be restored.
    ///
    /// # Errors
    /// [`StoreError::NoBackup`] with the reason, [`StoreError::Newer`], or why it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::read(path).map_err(|error| {
            let why = match error {
                StoreError::Missing(_) if path.exists() => "it is empty".to_owned(),
                StoreError::Missing(_) => "the file does not exist".to_owned(),
                StoreError::NotADatabase(_) => "it is not a database".to_owned(),
                StoreError::Foreign(_) => "it is another program's database".to_owned(),
                StoreError::Corrupt(_, why) => format!("it is damaged: {why}"),
                other => return other,
            };
            StoreError::NoBackup(path.into(), why)
        })
    }

    fn read(path: &Path) -> Result<Self, StoreError> {
        if path.is_dir() {
            return Err(StoreError::NoBackup(path.into(), "it is a directory".into()));
        }
        let file = connect::open_file(path)?;
        check::size(path, &file)?;
        let history = schema::open_foreign(path)?;
        check::whole(&history, path)?;
        let files = if history.table_exists(None, "file").at(path)? {
            let mut find = history.prepare("SELECT name, content, mode FROM file").at(path)?;
            let files = find.query_map([], |row| {
                Ok(BackupFile { name: row.get(0)?, content: Zeroizing::new(row.get(1)?), mode: row.get(2)? })
            });
            Some(files.at(path)?.collect::<rusqlite::Result<_>>().at(path)?)
        } else {
            None
        };
        let found = match checksum::find(&history).at(path)? {
            Some(sum) if checksum::is_right(path, &sum).at(path)? => ChecksumState::Valid,
            Some(_) => ChecksumState::Wrong,
            None => ChecksumState::Missing,
        };
        let (messages, latest) = messages(&history).at(path)?;
        let latest = latest.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        Ok(Self { path: path.into(), history, files, checksum: found, messages, latest })
    }

    /// The server's other files; `None` in a backup of the history alone.
    pub fn files(&self) -> Option<&[BackupFile]> {
        self.files.as_deref()
    }

    /// Writes the history to a new file, and marks it as restored.
    ///
    /// # Errors
    /// If the file cannot be written; then it does not exist.
    pub fn unpack(&self, to: &Path, progress: impl FnMut(u64, u64)) -> Result<(), StoreError> {
        let unfinished = paths::unfinished(to).map_err(|error| StoreError::of_copy(to, &error))?;
        let copy = copy(&self.history, &self.path, unfinished.path(), to, progress)?;
        // The server's key must be in its own file only.
        copy.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).at(to)?;
        copy.execute_batch("DROP TABLE IF EXISTS file").at(to)?;
        mark_restored(&copy).at(to)?;
        checksum::remove(&copy).at(to)?;
        copy.close().map_err(|(_, error)| error).at(to)?;
        unfinished.finish(to).map_err(|error| StoreError::of_copy(to, &error))
    }
}

/// The paths of a database and of the files beside it.
pub fn parts(path: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| beside(path, ending))
}
