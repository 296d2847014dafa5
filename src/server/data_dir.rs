//! What a server keeps between runs: so far its id, by which clients know it again.
//!
//! The directory is locked while a server runs, so that no two announce the same id.

use crate::files;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Digits of a server's id.
const ID_DIGITS: usize = 16;

/// A server's directory, locked while this lives.
#[derive(Debug)]
pub(super) struct DataDir {
    pub(super) id: String,
    /// `None`: nothing is kept.
    _lock: Option<File>,
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
    /// The id in it is no id.
    #[error("{0} holds no id of {ID_DIGITS} hexadecimal digits; delete it to get a new one")]
    Damaged(PathBuf),
    /// The system gives no random numbers.
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
}

impl DataDir {
    /// Opens the directory, making it and a new id if they are not there.
    pub(super) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |error| DataDirError::Unusable(path.into(), error);
        create_private(path).map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse(path.into())),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let id = read_or_make_id(&path.join("id"))?;
        Ok(Self { id, _lock: Some(lock) })
    }

    /// Keeps nothing: another id each time.
    pub(super) fn none() -> Result<Self, DataDirError> {
        Ok(Self { id: new_id()?, _lock: None })
    }
}

fn read_or_make_id(file: &Path) -> Result<String, DataDirError> {
    let unusable = |error| DataDirError::Unusable(file.into(), error);
    match File::open(file) {
        Ok(opened) => {
            let mut text = String::new();
            opened.take(256).read_to_string(&mut text).map_err(unusable)?;
            let id = text.trim();
            if id.len() == ID_DIGITS && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                Ok(id.to_owned())
            } else {
                Err(DataDirError::Damaged(file.into()))
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = new_id()?;
            files::replace(file, format!("{id}\n").as_bytes()).map_err(unusable)?;
            Ok(id)
        }
        Err(error) => Err(unusable(error)),
    }
}

fn new_id() -> Result<String, DataDirError> {
    getrandom::u64().map(|id| format!("{id:016x}")).map_err(DataDirError::Random)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
