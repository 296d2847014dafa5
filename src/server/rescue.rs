//! What is done with a data directory while its server is stopped: a backup put back, a damaged history
//! repaired.

use super::data_dir::{DataDir, DataDirError, HISTORY_FILE, KEPT_FILES, KEY_FILE, PASSPHRASE_FILE};
use super::swap;
use crate::files;
use crate::limits::MAX_KEPT_FILE_BYTES;
use crate::security::Keypair;
use crate::store::{self, Backup, BackupFile, ChecksumState, Repaired, StoreError};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Permissions of a file where there are none.
#[cfg(not(unix))]
const USUAL_MODE: u32 = 0o600;

/// Why a backup can't be put back, or a history not be repaired.
#[derive(Debug, thiserror::Error)]
pub enum RescueError {
    /// The server runs.
    #[error("a lanchat server runs with the data directory {0}; stop it first, then try again")]
    Runs(PathBuf),
    /// The directory can't be used.
    #[error(transparent)]
    DataDir(DataDirError),
    /// A file of the directory can't be read or written.
    #[error("the data directory {0} can't be changed: {1}; what was in it is as it was")]
    Unchanged(PathBuf, io::Error),
    /// The server's key in the backup is damaged.
    #[error("{0} holds a server's key that can't be read; use another backup")]
    NoKey(PathBuf),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RescueError {
    fn of(dir: &Path, error: DataDirError) -> Self {
        match error {
            DataDirError::InUse(_) => Self::Runs(dir.into()),
            other => Self::DataDir(other),
        }
    }
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whether it is a whole server, and not its history alone.
    pub is_whole: bool,
    /// Whether it is as it was made.
    pub checksum: ChecksumState,
    /// Messages in its history.
    pub messages: u64,
    /// The time of the latest.
    pub latest: Option<jiff::Timestamp>,
    /// Where that is which was there before; `None`: nothing was.
    pub aside: Option<PathBuf>,
}

/// The files of a data directory that a backup takes besides the history.
///
/// # Errors
/// With the file, what the system says.
pub fn kept_files(dir: &Path) -> Result<Vec<BackupFile>, StoreError> {
    let mut kept = Vec::new();
    for name in KEPT_FILES {
        let path = dir.join(name);
        let read = read(&path).map_err(|error| StoreError::of_file(&path, &error))?;
        kept.extend(read.map(|(content, mode)| BackupFile { name: name.into(), content, mode }));
    }
    Ok(kept)
}

fn read(path: &Path) -> io::Result<Option<(Zeroizing<Vec<u8>>, u32)>> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let found = file.metadata()?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(MAX_KEPT_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_KEPT_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is over {MAX_KEPT_FILE_BYTES} bytes"),
        ));
    }
    Ok(Some((content, mode(&found))))
}

#[cfg(unix)]
fn mode(found: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    USUAL_MODE
}

/// Puts a backup back into a data directory, which is made if it is not there. What was there is kept
/// aside. `is_unchecked`: also one that was changed since it was made. `progress` is told how many of how many
/// steps are done.
///
/// # Errors
/// Why it can't; then all is as it was.
pub fn restore(
    dir: &Path,
    file: &Path,
    is_unchecked: bool,
    progress: impl FnMut(u64, u64),
) -> Result<Restored, RescueError> {
    // Before anything is touched.
    let saved = Backup::open(file)?;
    if saved.checksum == ChecksumState::Wrong && !is_unchecked {
        return Err(StoreError::Altered(file.into()).into());
    }
    let _locked = DataDir::open(dir).map_err(|error| RescueError::of(dir, error))?;
    let unchanged = |error| RescueError::Unchanged(dir.into(), error);
    let gathered = swap::gather(dir, "replaced").map_err(unchanged)?;
    saved.unpack(&gathered.file(HISTORY_FILE), progress)?;
    let mut leaving = logs(dir);
    if let Some(files) = saved.files() {
        for name in KEPT_FILES {
            match files.iter().find(|file| file.name == name) {
                Some(kept) => {
                    gathered.write(name, &kept.content, kept.mode).map_err(unchanged)?;
                    if name == KEY_FILE && Keypair::load(&gathered.file(name)).is_err() {
                        return Err(RescueError::NoKey(file.into()));
                    }
                }
                // A server is known by its key, and people know its passphrase: these are never undone.
                None if name != KEY_FILE && name != PASSPHRASE_FILE => leaving.push(name.into()),
                None => {}
            }
        }
    }
    let aside = gathered.put_in_place(&leaving).map_err(unchanged)?;
    let (is_whole, checksum) = (saved.files().is_some(), saved.checksum);
    Ok(Restored { is_whole, checksum, messages: saved.messages, latest: saved.latest, aside })
}

/// Saves what can be saved of a data directory's history into a new one, and puts that in its place. What
/// was there is kept aside, which is returned with what came of it; `None`: the history is whole, and
/// nothing was done. `progress` is told how many of how many steps are done.
///
/// # Errors
/// Why it can't; then all is as it was.
pub fn repair(
    dir: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<Option<(Repaired, Option<PathBuf>)>, RescueError> {
    let history = dir.join(HISTORY_FILE);
    let has_some = store::parts(&history)[..2].iter().any(|part| part.exists());
    if !has_some {
        // Otherwise that is told of a directory which may not be read.
        fs::metadata(&history).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => RescueError::Store(StoreError::Missing(history.clone())),
            _ => RescueError::DataDir(DataDirError::Unusable(dir.into(), error)),
        })?;
    }
    let _locked = DataDir::open(dir).map_err(|error| RescueError::of(dir, error))?;
    match store::check_whole(&history) {
        Ok(()) => return Ok(None),
        Err(error @ (StoreError::Newer { .. } | StoreError::Denied(..) | StoreError::Foreign(_))) => {
            return Err(error.into());
        }
        Err(_) => {}
    }
    let unchanged = |error| RescueError::Unchanged(dir.into(), error);
    let gathered = swap::gather(dir, "damaged").map_err(unchanged)?;
    let repaired = store::repair(&history, &gathered.file(HISTORY_FILE), progress)?;
    let aside = gathered.put_in_place(&logs(dir)).map_err(unchanged)?;
    Ok(Some((repaired, aside)))
}

/// What belongs to the history's file as it is now, and to no other.
fn logs(dir: &Path) -> Vec<String> {
    let parts = store::parts(&dir.join(HISTORY_FILE));
    let names = parts[1..].iter().filter_map(|part| part.file_name()?.to_str());
    names.map(str::to_owned).collect()
}
