//! Finds the data of the server on this machine, for the subcommands that read or change it.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::exit::ExitError;
use crate::fingerprint::Fingerprint;
use crate::security::{KeyError, Keypair, system_dir};
use crate::server::{HISTORY_FILE, KEY_FILE};
use crate::store::StoreError;

/// The data directory of the system service.
pub(super) fn service_dir() -> PathBuf {
    match system_dir() {
        // Every user may read the other one, which has the known servers.
        Some(system) if cfg!(windows) => system.with_file_name("lanchat-server"),
        _ => "/var/lib/lanchat".into(),
    }
}

/// This user's data directory. On Windows, it stays on the machine, and apart from what the client keeps.
pub(super) fn default_data_dir() -> Result<PathBuf, ExitError> {
    match etcetera::choose_base_strategy() {
        Ok(strategy) if cfg!(windows) => Ok(strategy.cache_dir().join("lanchat").join("server")),
        Ok(strategy) => Ok(strategy.data_dir().join("lanchat")),
        Err(_) => Err(ExitError::usage(
            "this user has no home directory for the server's data; name a directory with --data-dir DIR",
        )),
    }
}

/// Opens the history of the server on this machine. `command` is the subcommand for the remedy.
pub(super) fn history<T>(
    data_dir: Option<PathBuf>,
    command: &str,
    open: impl Fn(&Path) -> Result<T, StoreError>,
) -> Result<T, ExitError> {
    let open = |dir: &Path| match open(&dir.join(HISTORY_FILE)) {
        Err(StoreError::Missing(_)) => Ok(None),
        Err(StoreError::Denied(path, why)) => Err(denied(&path, &why, command)),
        opened => Ok(Some(opened?)),
    };
    find(data_dir, "history", open)
}

/// Reads the key of the server on this machine. `command` is the subcommand for the remedy.
pub(super) fn fingerprint(data_dir: Option<PathBuf>, command: &str) -> Result<Fingerprint, ExitError> {
    Ok(with_key(data_dir, command)?.1)
}

/// The same, after the data directory.
pub(super) fn with_key(
    data_dir: Option<PathBuf>,
    command: &str,
) -> Result<(PathBuf, Fingerprint), ExitError> {
    let open = |dir: &Path| match Keypair::load(&dir.join(KEY_FILE)) {
        Err(KeyError::Missing(_)) => Ok(None),
        // The error for too wide permissions has a text of its own, and no code from the system.
        Err(KeyError::Unusable(path, error))
            if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_some() =>
        {
            Err(denied(&path, &error, command))
        }
        key => Ok(Some((dir.to_owned(), key?.fingerprint()))),
    };
    find(data_dir, "key", open)
}

/// Opens something in the chosen directory, or else in this user's, or else in the system service's.
fn find<T>(
    data_dir: Option<PathBuf>,
    what: &str,
    open: impl Fn(&Path) -> Result<Option<T>, ExitError>,
) -> Result<T, ExitError> {
    let dirs = match data_dir {
        Some(dir) => vec![dir],
        None => vec![default_data_dir()?, service_dir()],
    };
    for dir in &dirs {
        if let Some(found) = open(dir)? {
            return Ok(found);
        }
    }
    let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    Err(anyhow::anyhow!(
        "no server {what} in {}; run this as the user who runs the server, or give its directory with --data-dir",
        dirs.join(" or ")
    )
    .into())
}

/// Explains that this user may not read a file.
pub(super) fn denied(path: &Path, why: &impl Display, command: &str) -> ExitError {
    let remedy = if cfg!(unix) {
        format!("only root and the user who runs the server may read it: sudo lanchat {command}")
    } else {
        "run this as the user who runs the server".into()
    };
    anyhow::anyhow!("cannot open {}: {why}; {remedy}", path.display()).into()
}

/// Finds the data directory to change: the chosen one, or this user's, or else the system service's if it
/// exists.
pub(super) fn directory(data_dir: Option<PathBuf>) -> Result<PathBuf, ExitError> {
    if let Some(dir) = data_dir {
        return Ok(dir);
    }
    let own = default_data_dir()?;
    let has_server = [HISTORY_FILE, KEY_FILE].iter().any(|file| own.join(file).exists());
    let service = service_dir();
    Ok(if !has_server && service.symlink_metadata().is_ok() { service } else { own })
}
