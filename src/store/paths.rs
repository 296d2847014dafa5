//! The paths of a database and of the files beside it, and new databases that get their name once they are
//! complete.

use super::error::{AtPath as _, StoreError};
use super::file_watch::beside;
use crate::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Follows a symbolic link: SQLite keeps the log beside the target.
pub(super) fn real_path(path: &Path) -> PathBuf {
    let target = if path.is_symlink() { fs::canonicalize(path).ok() } else { None };
    target.unwrap_or_else(|| path.into())
}

/// The bytes of a database and its log, and the directory with both; `None`: there is no database.
pub fn on_disk(path: &Path) -> Option<(u64, PathBuf)> {
    let real = real_path(path);
    let size = |path: &Path| path.metadata().map(|file| file.len());
    // The log may be absent.
    let bytes = size(&real).ok()? + size(&beside(&real, "-wal")).unwrap_or_default();
    Some((bytes, real.parent()?.to_owned()))
}

/// Follows a symbolic link, and refuses one beside which the log was left when the database was moved.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let real = real_path(path);
    let left = beside(path, "-wal");
    if real != path && left.metadata().is_ok_and(|left| left.len() > 0) {
        return Err(StoreError::LeftBehind(left, real));
    }
    Ok(real)
}

/// Checks that the files beside a database are regular files: SQLite follows no links there, and would wait
/// for a pipe.
pub(super) fn check_companions(path: &Path) -> Result<(), StoreError> {
    let is_odd = |part: &PathBuf| part.symlink_metadata().is_ok_and(|found| !found.is_file());
    let odd = ["-wal", "-shm"].map(|ending| beside(path, ending)).into_iter().find(is_odd);
    odd.map_or(Ok(()), |odd| Err(StoreError::NotAFile(odd)))
}

/// Checks that the file has no hard links. Deletes one that was left by a process that ended while creating
/// the file.
pub(super) fn check_links(path: &Path) -> Result<(), StoreError> {
    if files::links(path).at(path)? > 1 {
        remove_begun(path).at(path)?;
    }
    if files::links(path).at(path)? > 1 { Err(StoreError::Linked(path.into())) } else { Ok(()) }
}

/// Deletes the temporary names of a file that is complete by now.
fn remove_begun(path: &Path) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let own = files::id(path)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let begun = found.strip_prefix(&*name.to_string_lossy()).and_then(|rest| rest.strip_suffix(".new"));
        if begun.is_some_and(|begun| begun.starts_with('.'))
            && files::id(&entry.path()).is_ok_and(|id| id == own)
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file that only its owner can read. It is deleted unless it is finished.
pub(super) struct TempFile(PathBuf);

pub(super) fn unfinished(to: &Path) -> io::Result<TempFile> {
    // A process that was killed may have left a whole copy.
    files::remove_leftovers(to);
    let path = beside(to, format!(".{}.new", std::process::id()));
    files::create_private(&path)?;
    Ok(TempFile(path))
}

impl TempFile {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the file its final name, unless that name exists by now.
    pub(super) fn finish(self, to: &Path) -> io::Result<()> {
        match fs::hard_link(&self.0, to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !to.exists() => {
                // This file system has no hard links.
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
            // After success, none of these exist.
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}
