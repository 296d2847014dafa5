//! Checks that a database is intact: its size at the start, then every page in the background.

use super::error::{AtPath as _, StoreError};
use super::file_watch::beside;
use super::health::{CheckState, Health, SharedConnection};
use super::image::{Header, Log};
use super::lock::lock;
use super::{connect, paths, prune};
use crate::limits::{CHECK_AGAIN, CHECK_LOG_BYTES, CHECK_PAGES, CHECK_REST, CHECK_TRIES, CHECK_WHOLE_BYTES};
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Checks everything except that each row is in its indexes, which would take several times as long.
const ALL: &str = "PRAGMA quick_check(1)";

/// Also checks each row's index entries, and the search index.
const THOROUGH: &str = "PRAGMA integrity_check(1)";

/// KiB of pages that a check caches: it reads each page once.
const CACHE_KIB: i32 = 512;

/// Checks that the file and its log together have all pages that the header counts.
pub(super) fn size(path: &Path, file: &File) -> Result<(), StoreError> {
    let bytes = file.metadata().at(path)?.len();
    if bytes == 0 {
        return Err(StoreError::Corrupt(path.into(), "the file is empty".into()));
    }
    // The caller reports a file without a header as not a database.
    let Some(header) = Header::read(file).at(path)? else { return Ok(()) };
    let log = Log::read(&beside(&paths::real_path(path), "-wal"), header.page_bytes).at(path)?;
    let pages = bytes / u64::from(header.page_bytes);
    let said = log.pages().unwrap_or(header.pages);
    let lacks =
        (pages + 1..=u64::from(said)).any(|page| u32::try_from(page).is_ok_and(|page| !log.has(page)));
    if !lacks
        || (pages + 1 == u64::from(said) && bytes % u64::from(header.page_bytes) == 0 && is_whole(path, file))
    {
        return Ok(());
    }
    let why = format!("{pages} of {said} pages are left");
    Err(StoreError::Corrupt(path.into(), why))
}

/// Whether SQLite finds nothing wrong: it never writes a free page at the end.
fn is_whole(path: &Path, file: &File) -> bool {
    let checked = connect::open_reader(path, file).and_then(|connection| whole(&connection, path));
    checked.is_ok()
}

/// Checks all pages of a database that no one else has open.
pub(super) fn whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check(connection, path, ALL)
}

/// Like [`whole`], and compares rows and indexes.
pub(super) fn thoroughly(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check(connection, path, THOROUGH)
}

fn check(connection: &Connection, path: &Path, sql: &str) -> Result<(), StoreError> {
    let said: String = connection.query_row(sql, [], |row| row.get(0)).at(path)?;
    verdict(path, &said)
}

/// Converts the result of SQLite's check to one line.
fn verdict(path: &Path, said: &str) -> Result<(), StoreError> {
    if said == "ok" {
        return Ok(());
    }
    let lines = said.lines().filter(|line| !line.starts_with("***"));
    Err(StoreError::Corrupt(path.into(), lines.collect::<Vec<_>>().join("; ")))
}

/// Runs the background check when wanted, until it is closed. Reports damage to all threads.
pub(super) fn run(health: &Arc<Health>) {
    let own = health.reader();
    while health.next_check() {
        let begun = Instant::now();
        let checked = parts(health, &own)
            .and_then(|parts| parts.iter().try_for_each(|part| patiently(health, part, &own)));
        match checked {
            Ok(()) => tracing::debug!(
                event = "history_intact",
                "checked the history in {:?}: it is intact",
                begun.elapsed()
            ),
            Err(StoreError::TooSlow) if health.is_closed() => {}
            Err(StoreError::TooSlow) => {
                tracing::info!(event = "history_not_checked", "the history is too busy for a check")
            }
            Err(error) => {
                tracing::debug!(event = "history_damaged", "the check of the history found: {error}");
                health.tell(&error);
            }
        }
        health.set_check(CheckState::Done);
    }
}

/// The statements that check the database in portions.
fn parts(health: &Health, own: &SharedConnection) -> Result<Vec<String>, StoreError> {
    health.may_read()?;
    let mut own = lock(own);
    let connection = own.insert(connect::open_reader(health.path(), health.files().file())?);
    if prune::size(connection).at(health.path())? <= CHECK_WHOLE_BYTES {
        return Ok(vec![ALL.into()]);
    }
    // Includes the tables that make up the search index, but not the virtual table itself.
    let sql = "SELECT 'PRAGMA quick_check(''' || replace(name, '''', '''''') || ''')' FROM sqlite_schema \
               WHERE type = 'table' AND rootpage > 0 ORDER BY rootpage";
    let mut find = connection.prepare(sql).at(health.path())?;
    let parts = find.query_map([], |row| row.get(0)).at(health.path())?;
    parts.collect::<rusqlite::Result<_>>().at(health.path())
}

/// Runs one statement, and repeats it if it had to give way.
fn patiently(health: &Arc<Health>, part: &str, own: &SharedConnection) -> Result<(), StoreError> {
    for tried in 0..CHECK_TRIES {
        // Each attempt rests less, to finish sooner.
        match once(health, part, own, CHECK_REST.checked_shr(tried).unwrap_or(0)) {
            Err(StoreError::TooSlow) => {}
            done => return done,
        }
        if !health.rest(CHECK_AGAIN) {
            break;
        }
    }
    Err(StoreError::TooSlow)
}

fn once(health: &Arc<Health>, part: &str, own: &SharedConnection, rest: u32) -> Result<(), StoreError> {
    health.may_read()?;
    let mut own = lock(own);
    if health.is_closed() {
        return Err(StoreError::TooSlow);
    }
    let connection = own.insert(connect::open_reader(health.path(), health.files().file())?);
    connection.pragma_update(None, "cache_size", -CACHE_KIB).at(health.path())?;
    connection.progress_handler(CHECK_PAGES, Some(pace(health, rest))).at(health.path())?;
    let said: rusqlite::Result<String> = connection.query_row(part, [], |row| row.get(0));
    *own = None;
    verdict(health.path(), &said.at(health.path())?)
}

/// A progress handler that rests `rest` times as long as the check worked, and tells it when to give way.
fn pace(health: &Arc<Health>, rest: u32) -> impl FnMut() -> bool + Send + 'static {
    let health = Arc::clone(health);
    let log = beside(health.path(), "-wal");
    let mut begun = Instant::now();
    move || {
        let is_open = health.rest(begun.elapsed() * rest);
        begun = Instant::now();
        !is_open || health.is_urgent() || log.metadata().is_ok_and(|log| log.len() > CHECK_LOG_BYTES)
    }
}
