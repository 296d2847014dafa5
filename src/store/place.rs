//! Databases that get their name once they are whole.

use super::watch::beside;
use crate::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that is its owner's alone, removed unless it is finished.
pub(super) struct Unfinished(PathBuf);

/// Makes one beside the file that it is to be.
pub(super) fn unfinished(to: &Path) -> io::Result<Unfinished> {
    let path = beside(to, format!(".{}.new", std::process::id()));
    files::private().write(true).create_new(true).open(&path)?;
    Ok(Unfinished(path))
}

impl Unfinished {
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

impl Drop for Unfinished {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            // There is nothing left where all went well.
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}
