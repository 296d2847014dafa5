//! Opens connections to a database of any schema.

use super::error::{AtPath as _, StoreError};
use super::image::{HEADER_BYTES, MAGIC, read_at};
use super::paths;
use crate::files;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long to wait for the short locks of a backup or an export.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Prepared statements that a connection keeps; we use fewer.
const PREPARED: usize = 64;

/// KiB of pages that a reading connection caches, whatever the size of the history.
pub(super) const READER_CACHE_KIB: i32 = 4 * 1024;

/// Opens another connection to an open database, whose file this is.
pub(super) fn open_reader(path: &Path, file: &File) -> Result<Connection, StoreError> {
    // SQLite deletes the log of an empty database, with everything in it.
    look_at(path, file)?;
    // Readers also write to the log's index, which is shared memory.
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).at(path)?;
    connection.pragma_update(None, "query_only", true).at(path)?;
    // Only the writer may checkpoint, because it compares the files first.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).at(path)?;
    share(&connection, READER_CACHE_KIB).at(path)?;
    Ok(connection)
}

pub(super) fn flags(access: OpenFlags) -> OpenFlags {
    // No URIs: the name of a directory may contain a question mark.
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Checks that the file is a database; an empty or short file is damaged. Not for a database that this
/// process has open: see [`look_at`].
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    look_at(path, &open_file(path)?)
}

/// Like [`look`], for a file that stays open. Closing it would drop the locks that SQLite has on it in this
/// process; another process could then think that it is the last user and delete the log.
pub(super) fn look_at(path: &Path, file: &File) -> Result<(), StoreError> {
    let mut head = [0; HEADER_BYTES];
    let read = read_at(file, 0, &mut head).at(path)?;
    let head = &head[..read];
    match read {
        _ if !MAGIC.starts_with(head) && !head.starts_with(MAGIC) => {
            Err(StoreError::NotADatabase(path.into()))
        }
        0 => Err(StoreError::Corrupt(path.into(), "the file is empty".into())),
        HEADER_BYTES.. => Ok(()),
        bytes => {
            Err(StoreError::Corrupt(path.into(), format!("the file ends within its header, at byte {bytes}")))
        }
    }
}

/// Opens a database's file for reading. Refuses a pipe or the like, there and in the place of its log, since
/// opening a pipe would wait forever.
pub(super) fn open_file(path: &Path) -> Result<File, StoreError> {
    paths::check_companions(&paths::real_path(path))?;
    files::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => StoreError::NotADatabase(path.into()),
        _ => StoreError::of_file(path, &error),
    })
}

pub(super) fn share(connection: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // Otherwise, SQLite prepares some statements again for each new value of a parameter.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "memory")
}
