//! Finds the data of the server on this machine, for the subcommands that read or change it.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::exit::ExitError;
use crate::security::KeyError;
use crate::server::{HISTORY_FILE, KEY_FILE};
use crate::store::StoreError;

/// The data directory of the system service.
pub(super) const SERVICE_DIR: &str = "/var/lib/lanchat";

/// Returns the default data directory of this user's server.
pub(super) fn default_data_dir() -> Result<PathBuf, ExitError> {
    match etcetera::choose_base_strategy() {
        Ok(strategy) => Ok(strategy.data_dir().join("lanchat")),
        Err(_) => Err(ExitError::usage(
            "this user has no home directory for the server's data; name a directory with --data-dir DIR",
        )),
    }
}

/// Opens the history in the chosen directory, or else in this user's, or else in the system service's. `command` is
/// the subcommand for the remedy.
pub(super) fn history<T>(
    data_dir: Option<PathBuf>,
    command: &str,
    open: impl Fn(&Path) -> Result<T, StoreError>,
) -> Result<T, ExitError> {
    let told = |error| match error {
        StoreError::Denied(path, why) => denied(&path, &why, command),
        other => other.into(),
    };
    if let Some(dir) = data_dir {
        return open(&dir.join(HISTORY_FILE)).map_err(told);
    }
    let own = default_data_dir()?.join(HISTORY_FILE);
    match open(&own) {
        Err(StoreError::Missing(_)) => match open(&Path::new(SERVICE_DIR).join(HISTORY_FILE)) {
            Err(StoreError::Missing(_)) => Err(anyhow::anyhow!(
                "no server history at {} or in {SERVICE_DIR}; run this as the user who runs the server, or give \
                 its directory with --data-dir",
                own.display()
            )
            .into()),
            service => service.map_err(told),
        },
        own => own.map_err(told),
    }
}

/// Explains why a key cannot be read, with a remedy if it belongs to another user.
pub(super) fn key_failure(error: KeyError, command: &str) -> ExitError {
    match error {
        // The error for too wide permissions has a text of its own, and no code from the system.
        KeyError::Unusable(path, error)
            if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_some() =>
        {
            denied(&path, &error, command)
        }
        other => other.into(),
    }
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

/// Finds the data directory to change: the chosen one, or this user's, or else the system service's if it exists.
pub(super) fn directory(data_dir: Option<PathBuf>) -> Result<PathBuf, ExitError> {
    if let Some(dir) = data_dir {
        return Ok(dir);
    }
    let own = default_data_dir()?;
    let has_server = [HISTORY_FILE, KEY_FILE].iter().any(|file| own.join(file).exists());
    let service = Path::new(SERVICE_DIR);
    Ok(if !has_server && service.symlink_metadata().is_ok() { service.into() } else { own })
}
