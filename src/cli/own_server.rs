//! The server on this machine, as the subcommands find it that read or change its data directory.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::exit::Failure;
use crate::security::KeyError;
use crate::server::{HISTORY_FILE, KEY_FILE};
use crate::store::StoreError;

/// The data directory of the system's service.
pub(super) const SERVICE_DIR: &str = "/var/lib/lanchat";

/// Where this user's server keeps what must outlive it, unless it is told otherwise.
pub(super) fn default_data_dir() -> Result<PathBuf, Failure> {
    match etcetera::choose_base_strategy() {
        Ok(strategy) => Ok(strategy.data_dir().join("lanchat")),
        Err(_) => Err(Failure::usage(
            "this user has no home directory to keep the server's data in; name one with --data-dir DIR",
        )),
    }
}

/// What `open` makes of the history in the chosen directory, or else in that of this user's server, or
/// of the system's service. `command`: the one that asks.
pub(super) fn history<T>(
    data_dir: Option<PathBuf>,
    command: &str,
    open: impl Fn(&Path) -> Result<T, StoreError>,
) -> Result<T, Failure> {
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
                "no server keeps a history at {} or in {SERVICE_DIR}; run this as the user who runs the \
                 server, or give its --data-dir",
                own.display()
            )
            .into()),
            service => service.map_err(told),
        },
        own => own.map_err(told),
    }
}

/// A key that can't be read, with the remedy where it is another user's.
pub(super) fn key_failure(error: KeyError, command: &str) -> Failure {
    match error {
        // Permissions that are too wide are told by a text of their own.
        KeyError::Unusable(path, error)
            if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_some() =>
        {
            denied(&path, &error, command)
        }
        other => other.into(),
    }
}

/// What this user may not read.
pub(super) fn denied(path: &Path, why: &impl Display, command: &str) -> Failure {
    let remedy = if cfg!(unix) {
        format!("only root and the user who runs the server may: sudo lanchat {command}")
    } else {
        "run this as the user who runs the server".into()
    };
    anyhow::anyhow!("{} can't be opened: {why}; {remedy}", path.display()).into()
}

/// The data directory whose files are changed: the chosen one, or that of this user's server, or else of the
/// system's service if there is one.
pub(super) fn directory(data_dir: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(dir) = data_dir {
        return Ok(dir);
    }
    let own = default_data_dir()?;
    let has_server = [HISTORY_FILE, KEY_FILE].iter().any(|file| own.join(file).exists());
    let service = Path::new(SERVICE_DIR);
    Ok(if !has_server && service.symlink_metadata().is_ok() { service.into() } else { own })
}
