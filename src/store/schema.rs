//! The database's form: how it is opened, made, and brought from an older form to this one.

use super::connect::{BUSY_WAIT, READER_CACHE_KIB, flags, look, look_at, share};
use super::error::StoreError;
use super::health::Health;
use super::watch::beside;
use super::{check as whole, place};
use crate::files;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::File;
use std::io;
use std::path::Path;

/// Marks a database as ours: "LCHT".
pub(super) const APPLICATION_ID: i32 = 0x4c43_4854;

/// What leads from one form to the next, each with the number of the form that it leads to. They were
/// run on people's histories and so never change; a new one is added at the end.
const MIGRATIONS: &[(u32, &str)] = &[(1, include_str!("schema/1.sql")), (2, include_str!("schema/2.sql"))];

/// Pages of the write-ahead log from which on it is copied into the database: 4 MB.
const CHECKPOINT_PAGES: u32 = 1000;

/// Bytes of the write-ahead log that stay on disk once they are copied.
const LOG_KEPT_BYTES: u32 = 16 * 1024 * 1024;

/// KiB of pages that a connection holds in memory, whatever the size of the history.
const WRITER_CACHE_KIB: i32 = 8 * 1024;

/// Opens the database to write to it, making or migrating it if need be, and begins to watch its file.
pub(super) fn open_watched(path: &Path) -> Result<(Connection, Health), StoreError> {
    if !path.exists() {
        make(path)?;
    }
    look(path)?;
    let path = place::lead(path)?;
    place::has_one_name(&path)?;
    // Before SQLite opens it: see there.
    let health = Health::watch(&path)?;
    let connection = open_again(&path, health.files().file())?;
    Ok((connection, health))
}

/// The same for a test that knows no server.
#[cfg(test)]
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_watched(path).map(|(connection, _)| connection)
}

/// Opens the database to write to it, whose file this is.
pub(super) fn open_again(path: &Path, file: &File) -> Result<Connection, StoreError> {
    place::has_own_parts(path)?;
    // To SQLite a file of one byte is an empty one, which it would begin anew, over a log that has all.
    look_at(path, file)?;
    whole::size(path, file)?;
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let mut connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(of)?;
    if connection.is_readonly("main").map_err(of)? {
        return Err(StoreError::ReadOnly(path.into()));
    }
    connection.busy_timeout(BUSY_WAIT).map_err(of)?;
    check(&connection, path)?;
    tune(&connection, path)?;
    migrate(&mut connection, MIGRATIONS).map_err(of)?;
    Ok(connection)
}

/// Opens a history that a server may be writing to, to read it only.
pub(super) fn open_foreign(path: &Path) -> Result<Connection, StoreError> {
    look(path)?;
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).map_err(of)?;
    share(&connection, READER_CACHE_KIB).map_err(of)?;
    if check(&connection, path)? == 0 {
        return Err(StoreError::Missing(path.into()));
    }
    Ok(connection)
}

/// Makes an empty history that is its owner's alone. It has its name once it is whole, so that a file that
/// is empty or cut is a damaged one.
fn make(path: &Path) -> Result<(), StoreError> {
    let log = beside(path, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(StoreError::Corrupt(path.into(), format!("it is gone, and {} is left", log.display())));
    }
    let of = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => StoreError::ReadOnly(path.into()),
        _ => StoreError::of_file(path, &error),
    };
    if let Some(parent) = path.parent() {
        files::create_directory(parent).map_err(of)?;
    }
    let unfinished = place::unfinished(path).map_err(of)?;
    begin(unfinished.path(), MIGRATIONS).map_err(|error| StoreError::of(path, &error))?;
    match unfinished.finish(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(of(error)),
        _ => Ok(()),
    }
}

/// Makes a history of the form to which `steps` lead of an empty file.
fn begin(path: &Path, steps: &[(u32, &str)]) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    // Before anything is written: it is part of the file's form.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    migrate(&mut connection, steps)?;
    connection.close().map_err(|(_, error)| error)
}

/// Makes a history of an older form of an empty file, and opens it; `None`: there is no such form.
pub(super) fn make_older(path: &Path, form: u32) -> Result<Option<Connection>, StoreError> {
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let Some(steps) = MIGRATIONS.iter().position(|(version, _)| *version == form) else { return Ok(None) };
    begin(path, &MIGRATIONS[..=steps]).map_err(of)?;
    Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(of).map(Some)
}

/// Brings a history that was made by [`make_older`] to this form.
pub(super) fn renew(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate(connection, MIGRATIONS)
}

/// The latest form.
pub(super) fn latest() -> u32 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// Whether the database is ours, and which form it has; 0: none yet.
fn check(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let id: i32 = number(connection, "application_id").map_err(of)?;
    let found: u32 = number(connection, "user_version").map_err(of)?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(of)?;
    let known = latest();
    match id {
        APPLICATION_ID if found > known => Err(StoreError::Newer { path: path.into(), found, known }),
        APPLICATION_ID => Ok(found),
        0 if tables == 0 && found == 0 => Ok(0),
        _ => Err(StoreError::Foreign(path.into())),
    }
}

fn number<T: rusqlite::types::FromSql>(connection: &Connection, pragma: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

/// How it is written.
fn tune(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| refused(path, &error))?;
    if mode != "wal" {
        let why = format!("its file system has no shared memory (journal mode {mode})");
        return Err(StoreError::Unusable(path.into(), why));
    }
    share(connection, WRITER_CACHE_KIB).map_err(of)?;
    // A commit is on the disk when it returns, and not only in the system's memory.
    connection.pragma_update(None, "synchronous", "full").map_err(of)?;
    // On a Mac only this has the disk itself write what it was given; elsewhere it changes nothing.
    connection.pragma_update(None, "fullfsync", true).map_err(of)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(of)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES).map_err(of)
}

/// A directory in which no log can be made is told by SQLite as a file that can't be opened.
fn refused(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => StoreError::ReadOnly(path.into()),
        _ => StoreError::of(path, error),
    }
}

/// Brings the database to the latest form of `steps`, or leaves it as it was.
fn migrate(connection: &mut Connection, steps: &[(u32, &str)]) -> rusqlite::Result<()> {
    let found: u32 = number(connection, "user_version")?;
    let mut missing = steps.iter().filter(|(version, _)| *version > found).peekable();
    if missing.peek().is_none() {
        return Ok(());
    }
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (version, sql) in missing {
        change.execute_batch(sql)?;
        change.pragma_update(None, "user_version", version)?;
    }
    change.pragma_update(None, "application_id", APPLICATION_ID)?;
    change.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> u32 {
        number(connection, "user_version").unwrap()
    }

    #[test]
    fn migrations_are_numbered_in_order() {
        let versions: Vec<u32> = MIGRATIONS.iter().map(|(version, _)| *version).collect();
        assert_eq!(versions, Vec::from_iter(1..=versions.len() as u32));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_form_whole() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = (1, "CREATE TABLE a (x); INSERT INTO a VALUES (1);");
        migrate(&mut connection, &[first]).unwrap();
        let steps = [first, (2, "ALTER TABLE a ADD y; DELETE FROM a;"), (3, "CREATE TABLE b (x); nonsense;")];
        assert!(migrate(&mut connection, &steps).is_err());
        assert_eq!(version(&connection), 1);
        let rows: u32 = connection.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        assert!(connection.prepare("SELECT y FROM a").is_err());
        migrate(&mut connection, &steps[..2]).unwrap();
        assert_eq!(version(&connection), 2);
    }

    #[test]
    fn a_history_that_another_made_meanwhile_is_as_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.db");
        make(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        make(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_history_that_cannot_have_its_name_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.db");
        let unfinished = place::unfinished(&path).unwrap();
        let nowhere = dir.path().join("nowhere").join("history.db");
        assert!(unfinished.finish(&nowhere).is_err());
    }
}
