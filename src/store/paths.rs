//! Databases that get their name once they are whole.

use super::error::StoreError;
use super::file_watch::{beside, file_id};
use crate::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the file is to which this leads: SQLite keeps the log beside that, whatever links there are.
pub(super) fn real(path: &Path) -> PathBuf {
    let real = if path.is_symlink() { fs::canonicalize(path).ok() } else { None };
    real.unwrap_or_else(|| path.into())
}

/// The same for a server, with nothing left behind where the link is: a database that is moved takes its log along.
pub(super) fn lead(path: &Path) -> Result<PathBuf, StoreError> {
    let real = real(path);
    let left = beside(path, "-wal");
    if real != path && left.metadata().is_ok_and(|left| left.len() > 0) {
        return Err(StoreError::LeftBehind(left, real));
    }
    Ok(real)
}

/// Whether what lies beside a database can belong to it: SQLite follows no links there, and would wait for a pipe.
pub(super) fn has_own_parts(path: &Path) -> Result<(), StoreError> {
    let is_odd = |part: &PathBuf| part.symlink_metadata().is_ok_and(|found| !found.is_file());
    let odd = ["-wal", "-shm"].map(|ending| beside(path, ending)).into_iter().find(is_odd);
    odd.map_or(Ok(()), |odd| Err(StoreError::NotAFile(odd)))
}

/// Whether no other name leads to the file. One with which a process ended while it made the file, goes.
pub(super) fn has_one_name(path: &Path) -> Result<(), StoreError> {
    let of = |error| StoreError::of_file(path, &error);
    if links(path).map_err(of)? > 1 {
        remove_begun(path).map_err(of)?;
    }
    if links(path).map_err(of)? > 1 { Err(StoreError::Linked(path.into())) } else { Ok(()) }
}

/// How many names a file has.
#[cfg(unix)]
fn links(path: &Path) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&path.metadata()?))
}

/// Elsewhere nobody makes such names by habit, and the system does not tell.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "on Unix the system is asked")]
fn links(_: &Path) -> io::Result<u64> {
    Ok(1)
}

/// Removes the names that [`unfinished`] gave to what is finished by now.
fn remove_begun(path: &Path) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let own = file_id(&path.metadata()?);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let begun = found.strip_prefix(&*name.to_string_lossy()).and_then(|rest| rest.strip_suffix(".new"));
        if begun.is_some_and(|begun| begun.starts_with('.')) && file_id(&entry.metadata()?) == own {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file that is its owner's alone, removed unless it is finished.
pub(super) struct TempFile(PathBuf);

/// Makes one beside the file that it is to be.
pub(super) fn unfinished(to: &Path) -> io::Result<TempFile> {
    let path = beside(to, format!(".{}.new", std::process::id()));
    files::private().write(true).create_new(true).open(&path)?;
    Ok(TempFile(path))
}

impl TempFile {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name for good, unless there is such a file by now.
    pub(super) fn finish(self, to: &Path) -> io::Result<()> {
        match fs::hard_link(&self.0, to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !to.exists() => {
                // A file system without hard links.
                fs::rename(&self.0, to)?;
            }
            linked => linked?,
        }
        files::sync_directory(to)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            // There is nothing left where all went well.
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}
