//! The sum over a backup, which tells whether one byte of it was changed since it was made.
//!
//! It lies in the backup itself, in a row, and is taken with zeros in its place. So there is one file that can be
//! renamed and copied, and it stays a database. It tells damage; who means harm can make another one.

use super::rows;
use memchr::memmem;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rusqlite::{Connection, OptionalExtension, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The sum, or what stands in its place until it is known.
pub(super) type Sum = [u8; SHA256_OUTPUT_LEN];

/// Bytes that are read at a time: some pages of a database, whatever their size. So short a row lies in one page.
const PORTION: usize = 1 << 16;

/// Makes a place for the sum in a copy that is not changed any more.
pub(super) fn make_place(change: &Connection) -> Result<Sum> {
    let mut place = [0; SHA256_OUTPUT_LEN];
    getrandom::fill(&mut place).map_err(|error| rows::damaged(0, &format!("no random numbers: {error}")))?;
    change.execute("INSERT OR REPLACE INTO meta VALUES ('sum', ?1)", [place])?;
    Ok(place)
}

/// The sum that a backup has; `None`: an earlier version made it, or it is a plain copy of a history.
pub(super) fn find(connection: &Connection) -> Result<Option<Vec<u8>>> {
    connection.query_row("SELECT value FROM meta WHERE key = 'sum'", [], |row| row.get(0)).optional()
}

/// Has no sum in a history that goes on.
pub(super) fn remove(change: &Connection) -> Result<()> {
    change.execute("DELETE FROM meta WHERE key = 'sum'", []).map(drop)
}

/// Writes the sum over a closed copy into the place that was made for it, to the disk.
pub(super) fn write(path: &Path, place: &Sum) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (sum, places) = sum(&mut file, place)?;
    for at in places {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&sum)?;
    }
    file.sync_all()
}

/// Whether the file is as it was when it got that sum.
pub(super) fn is_right(path: &Path, known: &[u8]) -> io::Result<bool> {
    let Ok(known) = Sum::try_from(known) else { return Ok(false) };
    Ok(sum(&mut File::open(path)?, &known)?.0 == known)
}

/// The sum over a file with zeros wherever `place` stands, and where that is.
fn sum(file: &mut File, place: &Sum) -> io::Result<(Sum, Vec<u64>)> {
    let mut portion = vec![0; PORTION];
    let (find, mut all, mut places, mut at) =
        (memmem::Finder::new(place), Context::new(&SHA256), Vec::new(), 0);
    file.rewind()?;
    loop {
        let read = fill(file, &mut portion)?;
        let read = &mut portion[..read];
        let found: Vec<usize> = find.find_iter(read).collect();
        for start in found {
            read[start..start + place.len()].fill(0);
            places.push(at + start as u64);
        }
        all.update(read);
        at += read.len() as u64;
        if read.is_empty() {
            break;
        }
    }
    let mut sum = [0; SHA256_OUTPUT_LEN];
    sum.copy_from_slice(all.finish().as_ref());
    Ok((sum, places))
}

/// Reads until the buffer is full or the file ends; bytes read.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(some) => read += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
