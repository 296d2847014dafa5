//! A copy of a history in one file, made while a server may go on writing to it.

use super::error::StoreError;
use super::schema;
use crate::files;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Pages copied at a time, between which progress is told: 4 MB.
const PORTION_PAGES: i32 = 1024;

/// Copies the history at `path` to a new file, which has all that was committed when it began.
/// `progress` is told how many of how many pages are copied.
///
/// # Errors
/// Why it can't be read or written, [`StoreError::Exists`] if there is such a file. What was begun is
/// removed then.
pub fn backup(path: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Exists(to.into()));
    }
    let history = schema::open_foreign(path)?;
    let unfinished = beside(to);
    let copied = copy(&history, path, &unfinished, progress)
        .and_then(|()| place(&unfinished, to).map_err(|error| StoreError::of_copy(to, &error)));
    for left in ["", "-journal", "-wal", "-shm"] {
        let mut name = unfinished.clone().into_os_string();
        name.push(left);
        // There is nothing left where all went well.
        let _ = fs::remove_file(name);
    }
    copied
}

fn beside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

fn copy(
    history: &Connection,
    path: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), StoreError> {
    let read = |error: rusqlite::Error| StoreError::of(path, &error);
    let written = |error: rusqlite::Error| StoreError::of(to, &error);
    files::private()
        .write(true)
        .create_new(true)
        .open(to)
        .map_err(|error| StoreError::of_copy(to, &error))?;
    let mut target = Connection::open(to).map_err(written)?;
    // Held to the end, so that what the server writes meanwhile doesn't start the copy anew.
    let snapshot = history.unchecked_transaction().map_err(read)?;
    snapshot.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0)).map_err(read)?;
    let copying = Backup::new(&snapshot, &mut target).map_err(written)?;
    loop {
        let step = copying.step(PORTION_PAGES).map_err(written)?;
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
    // A file by itself: a log beside it would be forgotten when it is moved.
    target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(written)?;
    target.close().map_err(|(_, error)| written(error))
}

/// Gives the whole copy its name, unless there is such a file by now.
fn place(unfinished: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !to.exists() => {
            // A file system without hard links.
            fs::rename(unfinished, to)
        }
        linked => linked,
    }
}
