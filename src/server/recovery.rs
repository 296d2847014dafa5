//! Restores a backup or repairs a damaged history, in the data directory of a stopped server.

use super::data_dir::{DataDir, DataDirError, HISTORY_FILE, KEPT_FILES, KEY_FILE, KNOWN_BY};
use super::staging;
use crate::files;
use crate::limits::MAX_KEPT_FILE_BYTES;
use crate::security::Keypair;
use crate::store::{self, Backup, BackupFile, ChecksumState, PersonData, PersonQuery, Repaired, StoreError};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// File permissions on systems without them.
#[cfg(not(unix))]
const USUAL_MODE: u32 = 0o600;

/// Why a backup cannot be restored or a history not be repaired.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The server is running.
    #[error("a lanchat server is using the data directory {0}; stop it, then try again")]
    Runs(PathBuf),
    /// The directory cannot be used.
    #[error(transparent)]
    DataDir(DataDirError),
    /// A file cannot be read or written.
    #[error("cannot change the data directory {0}: {1}; its content is unchanged")]
    Unchanged(PathBuf, io::Error),
    /// The backup's server key is damaged.
    #[error("the server's key in {0} is damaged; use another backup")]
    NoKey(PathBuf),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RecoveryError {
    fn of(dir: &Path, error: DataDirError) -> Self {
        match error {
            DataDirError::InUse(_) => Self::Runs(dir.into()),
            other => Self::DataDir(other),
        }
    }
}

/// The result of [`restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whether the backup is of a whole server, not only of its history.
    pub is_whole: bool,
    /// Whether the backup is unchanged.
    pub checksum: ChecksumState,
    /// Messages in its history.
    pub messages: u64,
    /// The time of the latest message.
    pub latest: Option<jiff::Timestamp>,
    /// The directory with the files that were there before, if there were any.
    pub aside: Option<PathBuf>,
}

/// Reads the files that a backup holds besides the history.
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
            format!("it has more than {MAX_KEPT_FILE_BYTES} bytes"),
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

/// Restores a backup into a data directory, which is created if necessary. Keeps the previous files in a
/// directory of their own. `is_unchecked`: restores even a backup that was changed. `progress` receives the
/// steps done and in total.
///
/// # Errors
/// The reason; everything is then unchanged.
pub fn restore(
    dir: &Path,
    file: &Path,
    is_unchecked: bool,
    progress: impl FnMut(u64, u64),
) -> Result<Restored, RecoveryError> {
    // Before anything is changed.
    let saved = Backup::open(file)?;
    if saved.checksum == ChecksumState::Wrong && !is_unchecked {
        return Err(StoreError::Altered(file.into()).into());
    }
    let _locked = DataDir::open(dir).map_err(|error| RecoveryError::of(dir, error))?;
    let unchanged = |error| RecoveryError::Unchanged(dir.into(), error);
    let staging = staging::stage(dir, "replaced").map_err(unchanged)?;
    saved.unpack(&staging.file(HISTORY_FILE), progress)?;
    let mut leaving = logs(dir);
    if let Some(files) = saved.files() {
        for name in KEPT_FILES {
            match files.iter().find(|file| file.name == name) {
                Some(kept) => {
                    staging.write(name, &kept.content, kept.mode).map_err(unchanged)?;
                    if name == KEY_FILE && Keypair::load(&staging.file(name)).is_err() {
                        return Err(RecoveryError::NoKey(file.into()));
                    }
                }
                None if KNOWN_BY.contains(&name) => {}
                None => leaving.push(name.into()),
            }
        }
    }
    let aside = staging.put_in_place(&leaving).map_err(unchanged)?;
    let (is_whole, checksum) = (saved.files().is_some(), saved.checksum);
    Ok(Restored { is_whole, checksum, messages: saved.messages, latest: saved.latest, aside })
}

/// Saves what is readable of a history into a new one and installs that. Returns what was saved, and the
/// directory with the previous files; `None`: the history is undamaged, and nothing was done. `progress`
/// receives the steps done and in total.
///
/// # Errors
/// The reason; everything is then unchanged.
pub fn repair(
    dir: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<Option<(Repaired, Option<PathBuf>)>, RecoveryError> {
    let history = dir.join(HISTORY_FILE);
    let has_some = store::parts(&history)[..2].iter().any(|part| part.exists());
    if !has_some {
        // Otherwise the error would be about a directory that cannot be read.
        fs::metadata(&history).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => RecoveryError::Store(StoreError::Missing(history.clone())),
            _ => RecoveryError::DataDir(DataDirError::Unusable(dir.into(), error)),
        })?;
    }
    let _locked = DataDir::open(dir).map_err(|error| RecoveryError::of(dir, error))?;
    match store::check_whole(&history) {
        Ok(()) => return Ok(None),
        Err(error @ (StoreError::Newer { .. } | StoreError::Denied(..) | StoreError::Foreign(_))) => {
            return Err(error.into());
        }
        Err(_) => {}
    }
    let unchanged = |error| RecoveryError::Unchanged(dir.into(), error);
    let staging = staging::stage(dir, "damaged").map_err(unchanged)?;
    let repaired = store::repair(&history, &staging.file(HISTORY_FILE), progress)?;
    let aside = staging.put_in_place(&logs(dir)).map_err(unchanged)?;
    Ok(Some((repaired, aside)))
}

/// Erases a person from the history, if `agree` allows it after a look at their data; returns the person.
///
/// # Errors
/// The reason. Unless the disk fails after the fact, everything is then unchanged.
pub fn forget(
    dir: &Path,
    who: &PersonQuery,
    agree: impl FnOnce(&PersonData) -> bool,
) -> Result<Option<PersonData>, RecoveryError> {
    let history = dir.join(HISTORY_FILE);
    // Otherwise the error would be about a directory that cannot be read, or that this would create.
    fs::metadata(&history).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RecoveryError::Store(StoreError::Missing(history.clone())),
        _ => RecoveryError::DataDir(DataDirError::Unusable(history.clone(), error)),
    })?;
    let _locked = DataDir::open(dir).map_err(|error| RecoveryError::of(dir, error))?;
    Ok(store::forget(&history, who, agree)?)
}

/// Prepares the history of a server of several for another log, because theirs is lost; returns the number of its latest
/// message.
///
/// # Errors
/// The reason. Everything is then unchanged.
pub fn leave_log(dir: &Path) -> Result<u64, RecoveryError> {
    let history = dir.join(HISTORY_FILE);
    if !history.exists() {
        return Err(RecoveryError::Store(StoreError::Missing(history)));
    }
    let _locked = DataDir::open(dir).map_err(|error| RecoveryError::of(dir, error))?;
    Ok(store::leave_log(&history)?)
}

/// Files and directories beside the history that have earlier states of it, or of the names in it.
pub fn old_copies(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_old = |name: &str| {
        name.starts_with("replaced-") || name.starts_with("damaged-") || name.ends_with(".taken-over")
    };
    let old = entries.filter(|entry| is_old(&entry.file_name().to_string_lossy())).map(|entry| entry.path());
    let mut copies: Vec<PathBuf> = old.chain(store::upgrade_copies(&dir.join(HISTORY_FILE))).collect();
    copies.sort();
    copies
}

/// Files that belong to the current history file only.
fn logs(dir: &Path) -> Vec<String> {
    let parts = store::parts(&dir.join(HISTORY_FILE));
    let names = parts[1..].iter().filter_map(|part| part.file_name()?.to_str());
    names.map(str::to_owned).collect()
}
