//! Imports the files that held the records before the database did: one file per kind, one JSON object per
//! line.
//!
//! The first start imports them and renames them.

use super::error::{AtPath as _, StoreError};
use super::records;
use crate::chat::{Record, Records, Sanction};
use crate::encoding;
use crate::files;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// Each file with the commands that replace editing it.
const FILES: [(&str, &str); 5] = [
    ("names", "/owners lists the owners of names, /release frees a name"),
    ("operators", "/operators lists operators, /op and /deop change them"),
    ("members", "/members lists members, /admit and /dismiss change them"),
    ("bans", "/bans lists bans, /ban and /unban change them"),
    ("mutes", "/bans lists mutes, /mute and /unmute change them"),
];

/// The ending that an imported file gets.
const TAKEN: &str = "taken-over";

/// The progress recorded in `meta`: imported, then also renamed.
const IMPORTED: i64 = 1;
const DONE: i64 = 2;

/// Imports the files beside the database at `path`, or completes an interrupted import.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let sql = "SELECT value FROM meta WHERE key = 'books'";
    let progress: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional().at(path)?;
    if progress == Some(DONE) {
        warn_of_new(directory);
        return Ok(());
    }
    if progress.is_none() {
        let records = read_all(directory)?;
        import(connection, records).at(path)?;
    }
    put_away(directory)?;
    set_progress(connection, DONE).at(path)
}

fn set_progress(connection: &Connection, progress: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('books', ?1)", [progress]).map(drop)
}

fn import(connection: &mut Connection, records: Records) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Records { operators, members, bans, mutes, names, reads: _ } = records;
    let operators = operators.into_iter().map(|row| Record::Operator(row.key, Some(row)));
    let members = members.into_iter().map(|row| Record::Member(row.key, Some(row)));
    let bans = bans.into_iter().map(|(number, row)| Record::Sanction(Sanction::Ban, number, Some(row)));
    let mutes = mutes.into_iter().map(|(number, row)| Record::Sanction(Sanction::Mute, number, Some(row)));
    // The first of several rows for a name counts, as it always did.
    let mut seen = HashSet::new();
    let names = names.into_iter().filter(|row| seen.insert(row.name.clone()));
    let names = names.map(|row| Record::Name(row.name.clone(), Some(row)));
    for record in operators.chain(members).chain(bans).chain(mutes).chain(names) {
        records::write(&change, &record)?;
    }
    set_progress(&change, IMPORTED)?;
    change.commit()
}

fn read_all(directory: &Path) -> Result<Records, StoreError> {
    let numbered = |rows: Vec<_>| (0..).zip(rows).collect();
    Ok(Records {
        names: read(directory, "names")?,
        operators: read(directory, "operators")?,
        members: read(directory, "members")?,
        bans: numbered(read(directory, "bans")?),
        mutes: numbered(read(directory, "mutes")?),
        reads: Vec::new(),
    })
}

/// Reads the rows of a file, if it exists. Skips malformed lines with a warning.
fn read<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Vec<T>, StoreError> {
    let path = directory.join(name);
    let mut bytes = Vec::new();
    match files::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::of_file(&path, &error)),
    };
    let text = encoding::decode_lossy(&bytes);
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(row) => rows.push(row),
            Err(error) => {
                tracing::warn!(
                    event = "import_skipped",
                    "{}, line {}: {error}; skipping this line, which remains in {name}.{TAKEN}",
                    path.display(),
                    at + 1
                );
            }
        }
    }
    Ok(rows)
}

/// Renames the files, so that their names say that nothing reads them.
fn put_away(directory: &Path) -> Result<(), StoreError> {
    for (name, _) in FILES {
        let (from, to) = (directory.join(name), directory.join(format!("{name}.{TAKEN}")));
        match fs::rename(&from, &to) {
            Ok(()) => tracing::info!(
                event = "file_imported",
                "imported {} into the database; the old file is now {}",
                from.display(),
                to.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::of_file(&from, &error)),
        }
    }
    Ok(())
}

/// Warns about files that a user created again by habit.
fn warn_of_new(directory: &Path) {
    for (name, instead) in FILES {
        let path = directory.join(name);
        if path.exists() {
            tracing::warn!(
                event = "file_ignored",
                "the server ignores {}; at the console or as an operator, {instead}",
                path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_an_editor_saved_has_the_same_rows() {
        let dir = tempfile::tempdir().unwrap();
        for saved in encoding::saved("\"alice\"\n\n\"J\u{fc}rgen\"\n") {
            fs::write(dir.path().join("names"), &saved).unwrap();
            let names = read::<String>(dir.path(), "names").unwrap();
            assert_eq!(names, ["alice", "J\u{fc}rgen"], "{saved:?}");
        }
    }
}
