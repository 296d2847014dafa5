//! The copy of a history that is made before its schema changes, so that people can return to the earlier
//! version.

use super::error::{AtPath as _, StoreError};
use super::file_watch::beside;
use super::paths;
use crate::limits::UPGRADE_COPY_KEPT;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

/// `history.db.before-` and the schema version end such a copy's name.
const ENDING: &str = ".before-schema-";

/// Copies the history at `path` before its schema changes to `version`. Keeps a copy that an earlier,
/// interrupted attempt made.
pub(super) fn make(history: &Connection, path: &Path, version: u32) -> Result<(), StoreError> {
    let to = beside(path, format!("{ENDING}{version}"));
    if to.exists() {
        return Ok(());
    }
    let unfinished = paths::unfinished(&to).map_err(|error| StoreError::of_copy(&to, &error))?;
    // Compact, and complete even if the log has messages that are not in the file yet.
    history.execute("VACUUM INTO ?1", [unfinished.path().to_string_lossy()]).at(&to)?;
    let is_synced =
        fs::OpenOptions::new().write(true).open(unfinished.path()).and_then(|file| file.sync_all());
    let finished = is_synced.and_then(|()| unfinished.finish(&to));
    finished.map_err(|error| StoreError::of_copy(&to, &error))?;
    tracing::info!(
        event = "history_copied",
        "the history has a new form; a copy in the old one is in {}, for 30 days",
        to.display()
    );
    Ok(())
}

/// Deletes copies that are too old: they have messages that the history may have had to remove.
pub(super) fn expire(path: &Path) {
    for copy in all(path) {
        let age = copy.metadata().and_then(|found| found.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > UPGRADE_COPY_KEPT)
            && let Err(error) = fs::remove_file(&copy)
        {
            tracing::warn!(
                event = "history_copy_left",
                "cannot delete {}, which is no longer needed: {error}",
                copy.display()
            );
        }
    }
}

/// The copies of the history at `path`.
pub fn all(path: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let start = format!("{}{ENDING}", name.to_string_lossy());
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_copy = |name: &str| name.strip_prefix(&start).is_some_and(|rest| rest.parse::<u32>().is_ok());
    entries.filter(|entry| is_copy(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;
    use std::time::SystemTime;

    fn texts(path: &Path) -> Vec<String> {
        let copy = Connection::open(path).unwrap();
        let mut find = copy.prepare("SELECT text FROM message ORDER BY seq").unwrap();
        find.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn before_a_new_schema_a_copy_is_made_and_after_a_month_it_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.db");
        fs::write(&path, "").unwrap();
        let old = schema::make_older(&path, 2).unwrap().unwrap();
        let sql = "INSERT INTO message (seq, at, kind, from_name, from_ip, text) VALUES (1, 1, 0, 'al', '', 'old words')";
        old.execute(sql, []).unwrap();
        old.close().unwrap();
        drop(schema::open(&path).unwrap());
        let copy = dir.path().join("history.db.before-schema-2");
        assert_eq!(all(&path), std::slice::from_ref(&copy));
        assert_eq!(
            (texts(&copy), texts(&path)),
            (vec!["old words".to_owned()], vec!["old words".to_owned()])
        );
        let version = |path: &Path| {
            let history = Connection::open(path).unwrap();
            history.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).unwrap()
        };
        assert_eq!((version(&copy), version(&path)), (2, schema::latest()));
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&copy.metadata().unwrap().permissions()) & 0o777,
            0o600
        );
        // The next start finds nothing to change, and the copy is young.
        drop(schema::open(&path).unwrap());
        assert!(copy.exists());
        let file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
        file.set_modified(SystemTime::now() - UPGRADE_COPY_KEPT - UPGRADE_COPY_KEPT / 30).unwrap();
        drop(schema::open(&path).unwrap());
        assert!(!copy.exists());
    }

    #[test]
    fn without_a_copy_the_schema_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.db");
        fs::write(&path, "").unwrap();
        drop(schema::make_older(&path, 1).unwrap());
        // Nothing can be written there.
        let pid = std::process::id();
        fs::create_dir(dir.path().join(format!("history.db.before-schema-1.{pid}.new"))).unwrap();
        let error = schema::open(&path).unwrap_err().to_string();
        assert!(error.contains("history.db.before-schema-1"), "{error}");
        let history = Connection::open(&path).unwrap();
        assert_eq!(history.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).unwrap(), 1);
    }
}
