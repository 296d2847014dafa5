//! How a connection to the database is opened, whatever the form of that.

use super::error::StoreError;
use super::image::{HEADER_BYTES, MAGIC, read_at};
use crate::files;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a backup's or an export's short locks are waited for.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// SQL texts that a connection keeps prepared; there are fewer.
const PREPARED: usize = 64;

/// KiB of pages that a connection which reads holds in memory, whatever the size of the history.
pub(super) const READER_CACHE_KIB: i32 = 4 * 1024;

/// Opens a further connection to a database that is open, whose file this is.
pub(super) fn open_reader(path: &Path, file: &File) -> Result<Connection, StoreError> {
    // SQLite removes the log of a database that is empty, and all that is in it.
    look_at(path, file)?;
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    // The log's index is shared memory, which a reader writes to as well.
    let connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(of)?;
    connection.pragma_update(None, "query_only", true).map_err(of)?;
    // Only the writer, who looks at the files first, brings the log into the database.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(of)?;
    share(&connection, READER_CACHE_KIB).map_err(of)?;
    Ok(connection)
}

/// How SQLite is to open it.
pub(super) fn flags(access: OpenFlags) -> OpenFlags {
    // No URIs: a directory's name may hold a question mark.
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Whether the file is a database. An empty or short one is a damaged one. Not for a database that this process
/// has open: see [`look_at`].
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    look_at(path, &open_file(path)?)
}

/// The same of a file that stays open: to close one drops the locks that SQLite has on it in this process, and
/// whoever else has the database open then takes itself for the last, and removes the log.
pub(super) fn look_at(path: &Path, file: &File) -> Result<(), StoreError> {
    let mut head = [0; HEADER_BYTES];
    let read = read_at(file, 0, &mut head).map_err(|error| StoreError::of_file(path, &error))?;
    let head = &head[..read];
    match read {
        _ if !MAGIC.starts_with(head) && !head.starts_with(MAGIC) => {
            Err(StoreError::NotADatabase(path.into()))
        }
        0 => Err(StoreError::Corrupt(path.into(), "it is empty".into())),
        HEADER_BYTES.. => Ok(()),
        1 => Err(StoreError::Corrupt(path.into(), "it has 1 byte".into())),
        bytes => Err(StoreError::Corrupt(path.into(), format!("it has {bytes} bytes"))),
    }
}

/// Opens a database's file to read it.
pub(super) fn open_file(path: &Path) -> Result<File, StoreError> {
    files::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => StoreError::NotADatabase(path.into()),
        _ => StoreError::of_file(path, &error),
    })
}

/// What all connections have in common.
pub(super) fn share(connection: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "memory")
}
