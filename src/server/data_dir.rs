//! What a server keeps between runs: its key, by which clients know it again, and its books.
//!
//! The directory is its owner's alone, and locked while a server runs, so that no two announce the
//! same key. The lock is one on a file, and on Unix another on the directory itself, which nobody removes
//! by mistake; on Windows the file can't be removed while it is held. Whoever can read it may act for the server, and so is an operator: the secret in it
//! proves that.

use super::swap;
use crate::files;
use crate::security::{KeyError, Keypair, Passphrase, PassphraseError};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The server's private key.
pub const KEY_FILE: &str = "server.pem";

/// The passphrase of a closed server.
pub const PASSPHRASE_FILE: &str = "passphrase";

/// The chat's history, an SQLite database.
pub const HISTORY_FILE: &str = "history.db";

/// What proves to the server that a client may read this directory.
pub const SECRET_FILE: &str = "operator-secret";

/// What is locked while a server runs.
const LOCK_FILE: &str = "lock";

/// The files of a server that a backup has, but for its history. An earlier version had its books in some of
/// them, which the next start takes over.
pub(super) const KEPT_FILES: [&str; 7] =
    [KEY_FILE, PASSPHRASE_FILE, "names", "operators", "members", "bans", "mutes"];

/// A server's directory, locked while this lives.
#[derive(Debug)]
pub(super) struct DataDir {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    locks: Vec<File>,
}

/// Unlocks. Closing the files alone would not do: a process that another thread is just starting has copies of the
/// descriptors, and with them the locks, until it executes its program.
impl Drop for DataDir {
    fn drop(&mut self) {
        for lock in &self.locks {
            if let Err(error) = lock.unlock() {
                tracing::debug!(%error, "the data directory cannot be unlocked; closing its lock may do it");
            }
        }
    }
}

/// Why the directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It can't be made, read or written.
    #[error("the data directory {0} can't be used: {1}; make it writable, or choose another with --data-dir")]
    Unusable(PathBuf, io::Error),
    /// Another server has it.
    #[error(
        "another lanchat server runs with the data directory {0}; stop it, or give this one its own with --data-dir"
    )]
    InUse(PathBuf),
    /// See [`KeyError`].
    #[error(transparent)]
    Key(#[from] KeyError),
    /// See [`PassphraseError`].
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

impl DataDir {
    /// Opens the directory, making it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |error| DataDirError::Unusable(path.into(), error);
        files::create_directory(path).map_err(unusable)?;
        let mut locks = vec![lock(&path.join(LOCK_FILE), path)?];
        locks.extend(lock_itself(path)?);
        locks.extend(lock_linked(path)?);
        swap::finish(path).map_err(unusable)?;
        Ok(Self { path: Some(path.into()), locks })
    }

    /// Keeps nothing: another key each time.
    pub(super) fn none() -> Self {
        Self { path: None, locks: Vec::new() }
    }

    /// Where a file of that name is; `None`: nowhere.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.join(name))
    }

    /// The server's key; made at the first start.
    pub(super) fn key(&self) -> Result<Keypair, DataDirError> {
        Ok(match self.file(KEY_FILE) {
            Some(path) => {
                self.warn_of_lost_key(&path);
                Keypair::load_or_create(&path)?
            }
            None => Keypair::ephemeral()?,
        })
    }

    /// Where there is a history, people know the server.
    fn warn_of_lost_key(&self, path: &Path) {
        if !path.exists() && self.file(HISTORY_FILE).is_some_and(|history| history.exists()) {
            tracing::warn!(
                "{} is gone, and this server has another key from now on, which everybody who knows it refuses; to \
                 have the old one, stop the server and put the file back, or a backup with `lanchat restore FILE`",
                path.display()
            );
        }
    }

    /// The passphrase of a closed server; made at the first start.
    pub(super) fn passphrase(&self) -> Result<Passphrase, DataDirError> {
        Ok(match self.file(PASSPHRASE_FILE) {
            Some(path) => Passphrase::load_or_create(&path)?,
            None => Passphrase::generate()?,
        })
    }

    /// Leaves a secret for clients that may read the directory.
    pub(super) fn leave_secret(&self, id: &str, secret: &str) -> Result<(), DataDirError> {
        let Some(path) = self.file(SECRET_FILE) else { return Ok(()) };
        let content = serde_json::json!({"id": id, "secret": secret}).to_string();
        files::replace(&path, content.as_bytes()).map_err(|error| DataDirError::Unusable(path, error))
    }
}

/// Opens the file that is locked, private like the rest: whoever can open it could hold it, and keep the
/// server from starting.
fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = files::private();
    #[cfg(windows)]
    {
        // To be read and written by others, not removed.
        const SHARE_READ_WRITE: u32 = 3;
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, SHARE_READ_WRITE);
    }
    files::refuse_odd(path)
        .map_err(|error| io::Error::new(error.kind(), "its lock is not a file; remove it"))?;
    let is_new = !path.exists();
    let lock = options.write(true).open(path)?;
    if is_new {
        swap::give_to_owner(path)?;
    }
    Ok(lock)
}

/// Locks what belongs to a history that is a link: the data directory of the server whose history it is, or a file
/// beside it where it has a place of its own, perhaps with others. `None`: it is no link.
fn lock_linked(path: &Path) -> Result<Option<File>, DataDirError> {
    let history = path.join(HISTORY_FILE);
    let real = if history.is_symlink() { std::fs::canonicalize(&history).ok() } else { None };
    let Some((real, home)) = real.as_deref().and_then(|real| Some((real, real.parent()?))) else {
        return Ok(None);
    };
    if std::fs::canonicalize(path).is_ok_and(|own| own == home) {
        return Ok(None);
    }
    let its = home.join(LOCK_FILE);
    if its.exists() {
        return lock(&its, home).map(Some);
    }
    let mut beside = real.as_os_str().to_owned();
    beside.push("-lock");
    lock(Path::new(&beside), real).map(Some)
}

/// Locks a file, which is made if it is not there; `what` is in use then.
fn lock(path: &Path, what: &Path) -> Result<File, DataDirError> {
    let unusable = |error| DataDirError::Unusable(what.into(), error);
    let lock = open_lock(path).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(what.into())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Locks the directory itself; `None`: its file system has no such locks.
fn lock_itself(path: &Path) -> Result<Option<File>, DataDirError> {
    if cfg!(windows) {
        return Ok(None);
    }
    let Ok(directory) = File::open(path) else { return Ok(None) };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.into())),
        Err(TryLockError::Error(error)) => {
            tracing::debug!(%error, "the data directory itself can't be locked");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_lock_s_descriptor_in_a_process_that_starts_keeps_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        assert!(matches!(DataDir::open(dir.path()), Err(DataDirError::InUse(_))));
        let copies: Vec<File> = first.locks.iter().map(|lock| lock.try_clone().unwrap()).collect();
        drop(first);
        assert!(DataDir::open(dir.path()).is_ok());
        drop(copies);
    }
}
