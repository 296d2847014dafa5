//! Opens and creates databases, and migrates them from older schemas.

use super::connect::{BUSY_WAIT, READER_CACHE_KIB, flags, look, look_at, share};
use super::error::{AtPath as _, StoreError};
use super::file_watch::beside;
use super::health::Health;
use super::{check as whole, paths, upgrade_copy};
use crate::files;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::File;
use std::io;
use std::path::Path;

/// Marks a database as ours: "LCHT".
pub(super) const APPLICATION_ID: i32 = 0x4c43_4854;

/// The migrations, each with the schema version that it leads to. They have run on people's histories, so
/// they never change; add new ones at the end.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("schema/1.sql")),
    (2, include_str!("schema/2.sql")),
    (3, include_str!("schema/3.sql")),
    (4, include_str!("schema/4.sql")),
];

/// Pages of the write-ahead log that trigger a checkpoint: 8 MB, so that a page that changes with each message
/// is seldom copied.
const CHECKPOINT_PAGES: u32 = 2000;

/// Bytes of the write-ahead log that stay on disk after a checkpoint.
const LOG_KEPT_BYTES: u32 = 32 * 1024 * 1024;

/// KiB of pages that the writing connection caches, whatever the size of the history.
const WRITER_CACHE_KIB: i32 = 8 * 1024;

/// Opens the database for writing, creates or migrates it if necessary, and starts to watch its file.
pub(super) fn open_watched(path: &Path) -> Result<(Connection, Health), StoreError> {
    if !path.exists() {
        make(path)?;
    }
    look(path)?;
    let path = paths::resolve(path)?;
    paths::check_links(&path)?;
    // Before SQLite opens the file: `FileWatch` must never close a descriptor that SQLite has locks on.
    let health = Health::watch(&path)?;
    let connection = open_again(&path, health.files().file())?;
    Ok((connection, health))
}

#[cfg(test)]
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_watched(path).map(|(connection, _)| connection)
}

/// Opens the database, whose file this is, for writing.
pub(super) fn open_again(path: &Path, file: &File) -> Result<Connection, StoreError> {
    paths::check_companions(path)?;
    // SQLite takes a file of one byte for an empty one and would start over, despite a log with all messages.
    look_at(path, file)?;
    whole::size(path, file)?;
    let mut connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).at(path)?;
    if connection.is_readonly("main").at(path)? {
        return Err(StoreError::ReadOnly(path.into()));
    }
    connection.busy_timeout(BUSY_WAIT).at(path)?;
    let found = check(&connection, path)?;
    tune(&connection, path)?;
    if (1..latest()).contains(&found) {
        upgrade_copy::make(&connection, path, found)?;
    }
    upgrade_copy::expire(path);
    migrate(&mut connection, MIGRATIONS).at(path)?;
    Ok(connection)
}

/// Opens a history for reading, even while a server writes to it.
pub(super) fn open_foreign(path: &Path) -> Result<Connection, StoreError> {
    look(path)?;
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).at(path)?;
    share(&connection, READER_CACHE_KIB).at(path)?;
    if check(&connection, path)? == 0 {
        return Err(StoreError::Missing(path.into()));
    }
    Ok(connection)
}

/// Creates an empty history that only its owner can read. It gets its name once it is complete, so an empty
/// or short file is always damaged.
fn make(path: &Path) -> Result<(), StoreError> {
    let log = beside(path, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(StoreError::Corrupt(
            path.into(),
            format!("the file is gone, but {} is left", log.display()),
        ));
    }
    let of = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => StoreError::ReadOnly(path.into()),
        _ => StoreError::of_file(path, &error),
    };
    if let Some(parent) = path.parent() {
        files::create_directory(parent).map_err(of)?;
    }
    let unfinished = paths::unfinished(path).map_err(of)?;
    begin(unfinished.path(), MIGRATIONS).at(path)?;
    match unfinished.finish(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(of(error)),
        _ => Ok(()),
    }
}

/// Creates a history with the schema of the last of these steps in an empty file.
fn begin(path: &Path, steps: &[(u32, &str)]) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    // Only possible before the first write.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    migrate(&mut connection, steps)?;
    connection.close().map_err(|(_, error)| error)
}

/// Creates a history with an older schema in an empty file and opens it; `None` if the version is unknown.
pub(super) fn make_older(path: &Path, form: u32) -> Result<Option<Connection>, StoreError> {
    let Some(steps) = MIGRATIONS.iter().position(|(version, _)| *version == form) else { return Ok(None) };
    begin(path, &MIGRATIONS[..=steps]).at(path)?;
    Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).at(path).map(Some)
}

/// Migrates a history from [`make_older`] to the latest schema.
pub(super) fn renew(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate(connection, MIGRATIONS)
}

pub(super) fn latest() -> u32 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// Checks that the database is ours; returns its schema version, 0 for a new one.
fn check(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let id: i32 = number(connection, "application_id").at(path)?;
    let found: u32 = number(connection, "user_version").at(path)?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).at(path)?;
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

fn tune(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| refused(path, &error))?;
    if mode != "wal" {
        let why = format!("its file system does not support shared memory (journal mode {mode})");
        return Err(StoreError::Unusable(path.into(), why));
    }
    share(connection, WRITER_CACHE_KIB).at(path)?;
    // A commit returns only when it is on the disk.
    connection.pragma_update(None, "synchronous", "full").at(path)?;
    // On macOS, only this makes the disk flush its own cache; elsewhere, it has no effect.
    connection.pragma_update(None, "fullfsync", true).at(path)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).at(path)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES).at(path)
}

/// SQLite reports a directory where it cannot create the log as a file that it cannot open.
fn refused(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => StoreError::ReadOnly(path.into()),
        _ => StoreError::of(path, error),
    }
}

/// Migrates the database to the last of these steps, or leaves it unchanged.
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
        let unfinished = paths::unfinished(&path).unwrap();
        let nowhere = dir.path().join("nowhere").join("history.db");
        assert!(unfinished.finish(&nowhere).is_err());
    }
}
