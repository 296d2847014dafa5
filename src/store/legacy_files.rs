//! Books of the form before this one: a file a kind beside the database, one JSON object a line. At the
//! first start they go into the database, and out of the way.

use super::books;
use super::error::StoreError;
use crate::chat::{Record, Records, Sanction};
use crate::files;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The files, each with what does now what people did by editing it.
const FILES: [(&str, &str); 5] = [
    ("names", "/owners lists who owns which name, /release takes one from its key"),
    ("operators", "/operators lists them, /op and /deop change who is one"),
    ("members", "/members lists them, /admit and /dismiss change who is one"),
    ("bans", "/bans lists them, /ban and /unban change them"),
    ("mutes", "/bans lists them, /mute and /unmute change them"),
];

/// What a file that was taken over is called from then on.
const TAKEN: &str = "taken-over";

/// How far it has come, in `meta`: what they say is in the database, and they are out of the way.
const READ: i64 = 1;
/// See [`READ`].
const DONE: i64 = 2;

/// Takes over what there is beside the database at `path`; what was begun is brought to its end.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let of = |error: rusqlite::Error| StoreError::of(path, &error);
    let directory = path.parent().unwrap_or(Path::new("."));
    let sql = "SELECT value FROM meta WHERE key = 'books'";
    let come: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional().map_err(of)?;
    if come == Some(DONE) {
        warn_of_new(directory);
        return Ok(());
    }
    if come.is_none() {
        let records = read_all(directory)?;
        take_over(connection, records).map_err(of)?;
    }
    put_away(directory)?;
    set_come(connection, DONE).map_err(of)
}

fn set_come(connection: &Connection, come: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('books', ?1)", [come]).map(drop)
}

fn take_over(connection: &mut Connection, records: Records) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Records { operators, members, bans, mutes, names } = records;
    let operators = operators.into_iter().map(|row| Record::Operator(row.key, Some(row)));
    let members = members.into_iter().map(|row| Record::Member(row.key, Some(row)));
    let bans = bans.into_iter().map(|(number, row)| Record::Sanction(Sanction::Ban, number, Some(row)));
    let mutes = mutes.into_iter().map(|(number, row)| Record::Sanction(Sanction::Mute, number, Some(row)));
    // Of two rows of a name the first counts, as it did.
    let mut seen = HashSet::new();
    let names = names.into_iter().filter(|row| seen.insert(row.name.clone()));
    let names = names.map(|row| Record::Name(row.name.clone(), Some(row)));
    for record in operators.chain(members).chain(bans).chain(mutes).chain(names) {
        books::write(&change, &record)?;
    }
    set_come(&change, READ)?;
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
    })
}

/// The rows of a file; none if there is none. Lines that are no rows are left out with a warning.
fn read<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Vec<T>, StoreError> {
    let path = directory.join(name);
    let bytes = match read_file(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::of_file(&path, &error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(row) => rows.push(row),
            Err(error) => {
                tracing::warn!(
                    "{}, line {}: {error}; it is left out, and stays in {name}.{TAKEN}",
                    path.display(),
                    at + 1
                );
            }
        }
    }
    Ok(rows)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Gives the files names that say that they are not read any more.
fn put_away(directory: &Path) -> Result<(), StoreError> {
    for (name, _) in FILES {
        let (from, to) = (directory.join(name), taken(directory, name));
        match fs::rename(&from, &to) {
            Ok(()) => tracing::info!(
                "what {} says is in the database now; the file is kept as {}",
                from.display(),
                to.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::of_file(&from, &error)),
        }
    }
    Ok(())
}

fn taken(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.{TAKEN}"))
}

/// Somebody edits by habit.
fn warn_of_new(directory: &Path) {
    for (name, instead) in FILES {
        let path = directory.join(name);
        if path.exists() {
            tracing::warn!("{} is not read: at the console or as an operator, {instead}", path.display());
        }
    }
}
