//! The checksum of a backup, which shows whether any byte has changed.
//!
//! It is a row of the backup itself, computed with zeros in its place. So a backup is one file, which can be
//! renamed and copied and remains a database. The checksum detects damage; an attacker can compute another
//! one.

use super::rows;
use memchr::memmem;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rusqlite::{Connection, OptionalExtension, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The checksum, or the placeholder until it is known.
pub(super) type Sum = [u8; SHA256_OUTPUT_LEN];

/// Bytes read at a time: a multiple of any page size, and a row this short is within one page.
const PORTION: usize = 1 << 16;

/// Writes a random placeholder for the checksum; nothing else may change the copy afterwards.
pub(super) fn make_place(change: &Connection) -> Result<Sum> {
    let mut place = [0; SHA256_OUTPUT_LEN];
    getrandom::fill(&mut place)
        .map_err(|error| rows::damaged(0, &format!("the system has no random numbers: {error}")))?;
    change.execute("INSERT OR REPLACE INTO meta VALUES ('sum', ?1)", [place])?;
    Ok(place)
}

/// A backup's checksum; `None` if an earlier version made it, or if it is a plain copy of a history.
pub(super) fn find(connection: &Connection) -> Result<Option<Vec<u8>>> {
    connection.query_row("SELECT value FROM meta WHERE key = 'sum'", [], |row| row.get(0)).optional()
}

/// Removes the checksum from a history that will change.
pub(super) fn remove(change: &Connection) -> Result<()> {
    change.execute("DELETE FROM meta WHERE key = 'sum'", []).map(drop)
}

/// Computes the checksum of a closed copy, writes it over the placeholder, and syncs the file.
pub(super) fn write(path: &Path, place: &Sum) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (sum, places) = sum(&mut file, place)?;
    for at in places {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&sum)?;
    }
    file.sync_all()
}

/// Whether the file still has this checksum.
pub(super) fn is_right(path: &Path, known: &[u8]) -> io::Result<bool> {
    let Ok(known) = Sum::try_from(known) else { return Ok(false) };
    Ok(sum(&mut File::open(path)?, &known)?.0 == known)
}

/// The checksum of a file with zeros in the place of `place`, and the positions of `place`.
fn sum(file: &mut File, place: &Sum) -> io::Result<(Sum, Vec<u64>)> {
    let mut portion = Vec::with_capacity(PORTION);
    let (find, mut all, mut places, mut at) =
        (memmem::Finder::new(place), Context::new(&SHA256), Vec::new(), 0);
    file.rewind()?;
    loop {
        portion.clear();
        if file.take(PORTION as u64).read_to_end(&mut portion)? == 0 {
            break;
        }
        let found: Vec<usize> = find.find_iter(&portion).collect();
        for start in found {
            portion[start..start + place.len()].fill(0);
            places.push(at + start as u64);
        }
        all.update(&portion);
        at += portion.len() as u64;
    }
    let mut sum = [0; SHA256_OUTPUT_LEN];
    sum.copy_from_slice(all.finish().as_ref());
    Ok((sum, places))
}
