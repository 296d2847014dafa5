//! The data directory: the server's key, its passphrase and its database.
//!
//! Only its owner can read it. A running server locks it, so that no two servers use the same key: it locks a
//! file, and on Unix also the directory itself, which nobody removes by mistake (on Windows, a locked file
//! cannot be removed). A person who can read the directory can act for the server, and so is an operator: the
//! secret in it proves that.

use super::staging;
use crate::files;
use crate::security::{KeyError, Keypair, Passphrase, PassphraseError};
use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The server's private key.
pub const KEY_FILE: &str = "server.pem";

/// The passphrase of a closed server.
pub const PASSPHRASE_FILE: &str = "passphrase";

/// The database.
pub const HISTORY_FILE: &str = "history.db";

/// The secret that proves that a client can read this directory.
pub const SECRET_FILE: &str = "operator-secret";

/// The certificate for browsers.
pub const WEB_CERTIFICATE_FILE: &str = "web-certificate.json";

/// The file to lock.
const LOCK_FILE: &str = "lock";

/// A server's files that a backup holds besides the history. Earlier versions kept the records in some of them;
/// the next start imports these.
pub(super) const KEPT_FILES: [&str; 8] =
    [KEY_FILE, PASSPHRASE_FILE, WEB_CERTIFICATE_FILE, "names", "operators", "members", "bans", "mutes"];

/// Those of them by which people know the server. A backup without one removes none.
pub(super) const KNOWN_BY: [&str; 3] = [KEY_FILE, PASSPHRASE_FILE, WEB_CERTIFICATE_FILE];

/// A data directory, locked until dropped.
#[derive(Debug)]
pub(super) struct DataDir {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    locks: Vec<File>,
}

/// Unlocks. Closing the files alone would not do: a process that another thread is just starting has copies of
/// the descriptors, and with them the locks, until it executes its program.
impl Drop for DataDir {
    fn drop(&mut self) {
        for lock in &self.locks {
            if let Err(error) = lock.unlock() {
                tracing::debug!(
                    event = "data_dir_lock",
                    %error,
                    "the data directory cannot be unlocked; closing its lock may do it"
                );
            }
        }
    }
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be created, read or written.
    #[error("cannot use the data directory {0}: {1}; make it writable, or choose another with --data-dir")]
    Unusable(PathBuf, io::Error),
    /// Another server uses it.
    #[error(
        "another lanchat server uses the data directory {0}; stop it, or choose another directory with --data-dir"
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
    /// Opens and locks the directory; creates it if necessary.
    pub(super) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |error| DataDirError::Unusable(path.into(), error);
        files::create_directory(path).map_err(unusable)?;
        if let Some(exposure) = files::exposure(path) {
            tracing::warn!(event = "data_dir_exposed", "{exposure}");
        }
        let mut locks = vec![lock(&path.join(LOCK_FILE), path)?];
        locks.extend(lock_itself(path)?);
        locks.extend(lock_linked(path)?);
        staging::finish(path).map_err(unusable)?;
        Ok(Self { path: Some(path.into()), locks })
    }

    /// Keeps nothing, so the key changes with each start.
    pub(super) fn none() -> Self {
        Self { path: None, locks: Vec::new() }
    }

    /// The path of a file in it.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.join(name))
    }

    /// The server's key. The first start generates it.
    pub(super) fn key(&self) -> Result<Keypair, DataDirError> {
        Ok(match self.file(KEY_FILE) {
            Some(path) => {
                self.warn_of_lost_key(&path);
                Keypair::load_or_create(&path)?
            }
            None => Keypair::ephemeral()?,
        })
    }

    /// Warns if the key is gone although there is a history, because people then know the server.
    fn warn_of_lost_key(&self, path: &Path) {
        if !path.exists() && self.file(HISTORY_FILE).is_some_and(|history| history.exists()) {
            tracing::warn!(
                event = "key_lost",
                "the server's key, {}, is gone, so the server has a new one, which everyone who knows the server will \
                                 refuse; to get the old key back, stop the server and restore the file, or a backup with `lanchat \
                                 restore FILE`",
                path.display()
            );
        }
    }

    /// The passphrase. The first start generates it.
    pub(super) fn passphrase(&self) -> Result<Passphrase, DataDirError> {
        Ok(match self.file(PASSPHRASE_FILE) {
            Some(path) => Passphrase::load_or_create(&path)?,
            None => Passphrase::generate()?,
        })
    }

    /// Writes the secret, where the server listens, and where its passphrase is if that is not here, for clients
    /// that can read the directory.
    pub(super) fn leave_secret(
        &self,
        id: &str,
        secret: &str,
        (address, passphrase_file): (SocketAddr, Option<&Path>),
    ) -> Result<(), DataDirError> {
        let Some(path) = self.file(SECRET_FILE) else { return Ok(()) };
        let mut content = serde_json::json!({"id": id, "secret": secret, "address": address});
        if let Some(file) = passphrase_file.and_then(Path::to_str) {
            content["passphrase_file"] = file.into();
        }
        let content = content.to_string();
        files::replace(&path, content.as_bytes()).map_err(|error| DataDirError::Unusable(path, error))
    }
}

/// Looks whether a server could start with that directory, and changes nothing. A running server may use it.
///
/// # Errors
/// See [`DataDirError`]; never [`DataDirError::InUse`].
pub fn check_data_dir(path: &Path) -> Result<(), DataDirError> {
    // A start creates those that are missing.
    let found = path.ancestors().find(|path| path.exists());
    if found.is_some_and(|found| !found.is_dir()) {
        return Err(DataDirError::Unusable(path.into(), io::ErrorKind::NotADirectory.into()));
    }
    match Keypair::load(&path.join(KEY_FILE)) {
        Ok(_) | Err(KeyError::Missing(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a server uses the directory at the moment. False if this user may not look.
pub fn is_in_use(path: &Path) -> bool {
    let Ok(lock) = files::open(&path.join(LOCK_FILE)) else { return false };
    match lock.try_lock_shared() {
        Ok(()) => {
            // A server that is just starting needs it.
            drop(lock.unlock());
            false
        }
        Err(error) => matches!(error, TryLockError::WouldBlock),
    }
}

/// Opens a lock file and gives it to the directory's owner.
fn open_lock(path: &Path) -> io::Result<File> {
    files::refuse_odd(path)
        .map_err(|error| io::Error::new(error.kind(), "its lock is not a regular file; remove it"))?;
    let is_new = !path.exists();
    let lock = files::open_lock(path)?;
    if is_new {
        staging::give_to_owner(path)?;
    }
    Ok(lock)
}

/// If the history is a symbolic link, locks its target: the data directory that the target is in, or a file
/// beside it if there is no server's. `None`: it is not a link.
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

/// Locks a file; creates it if necessary. An error names `what`.
fn lock(path: &Path, what: &Path) -> Result<File, DataDirError> {
    let unusable = |error| DataDirError::Unusable(what.into(), error);
    let lock = open_lock(path).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(what.into())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Locks the directory itself; `None`: the file system does not support that.
fn lock_itself(path: &Path) -> Result<Option<File>, DataDirError> {
    if cfg!(windows) {
        return Ok(None);
    }
    let Ok(directory) = File::open(path) else { return Ok(None) };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.into())),
        Err(TryLockError::Error(error)) => {
            tracing::debug!(event = "data_dir_lock", %error, "cannot lock the data directory itself");
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

    #[test]
    fn a_directory_is_in_use_while_a_server_has_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_in_use(dir.path()));
        let server = DataDir::open(dir.path()).unwrap();
        assert!(is_in_use(dir.path()));
        drop(server);
        assert!(!is_in_use(dir.path()));
        assert!(DataDir::open(dir.path()).is_ok(), "looking locks nobody out");
    }
}
