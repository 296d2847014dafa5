//! `lanchat cluster status`: how the servers of the chat and their engine are doing.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::health::ClusterHealth;
use super::health_text::{json, text};
use super::join_places::{ENGINE_FILE, usual_data_dir};
use crate::cli::args::{ClusterStatusArgs, ServeArgs};
use crate::cli::exit::{Exit, ExitError};
use crate::cli::{own_server, runtime};
use crate::cluster_files::{ClusterFileError, EngineFile};
use crate::security::{KeyError, Keypair};
use crate::server::KEY_FILE;
use crate::text::escape_json;

const COMMAND: &str = "cluster status";

/// A fault is a silent error.
pub(super) fn run(args: &ClusterStatusArgs, configured: &ServeArgs) -> Result<(), ExitError> {
    let (engine_file, data_dir) = places(args, configured)?;
    let health = ask(&engine_file, &data_dir)?;
    let faults = health.faults();
    let text = if args.json {
        escape_json(&format!("{}\n", json(&health, &faults)))
    } else {
        text(&health, &faults)
    };
    io::stdout().write_all(text.as_bytes())?;
    if faults.is_empty() { Ok(()) } else { Err(ExitError::silent(Exit::Failure)) }
}

/// The engine file, and the directory with the chat's key.
fn places(args: &ClusterStatusArgs, configured: &ServeArgs) -> Result<(PathBuf, PathBuf), ExitError> {
    let beside = |file: &Path| file.parent().filter(|dir| dir.join(KEY_FILE).exists()).map(Path::to_owned);
    let named = args.data_dir.clone().or_else(|| args.engine_file.as_deref().and_then(beside));
    let own = configured.data_dir.clone().or_else(|| configured.engine_file.as_deref().and_then(beside));
    let data_dir = match named.or(own) {
        Some(dir) => dir,
        None => usual_data_dir()?,
    };
    let own = || args.data_dir.is_none().then(|| configured.engine_file.clone()).flatten();
    let file = args.engine_file.clone().or_else(own).unwrap_or_else(|| data_dir.join(ENGINE_FILE));
    Ok((file, data_dir))
}

/// The health of the chat, with the data directory of its server here; `None`: the config file names no engine file.
pub(crate) fn configured_health(
    configured: &ServeArgs,
) -> Option<Result<(ClusterHealth, PathBuf), ExitError>> {
    configured.engine_file.as_ref()?;
    let found = places(&ClusterStatusArgs::default(), configured);
    Some(found.and_then(|(file, data_dir)| Ok((ask(&file, &data_dir)?, data_dir))))
}

/// Reads the engine file and the chat's key, and asks.
fn ask(engine_file: &Path, data_dir: &Path) -> Result<ClusterHealth, ExitError> {
    let file = EngineFile::read(engine_file).map_err(|error| match error {
        ClusterFileError::Unreadable { path, error, .. }
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            own_server::denied(&path, &error, COMMAND)
        }
        ClusterFileError::Unreadable { path, error, .. } if error.kind() == io::ErrorKind::NotFound => {
            anyhow!(
                "there is no engine file {}: name that of the server on this machine with --engine-file; \
             `lanchat cluster join` writes it",
                path.display()
            )
            .into()
        }
        error => error.into(),
    })?;
    let keys = chat_key(data_dir)?;
    runtime::finish(runtime::small()?, ClusterHealth::ask(&file, &keys))
}

/// The chat's key, with which the servers know that one of them asks.
fn chat_key(dir: &Path) -> Result<Keypair, ExitError> {
    let path = dir.join(KEY_FILE);
    Keypair::load(&path).map_err(|error| match error {
        KeyError::Unusable(path, error) if error.raw_os_error().is_some() => {
            own_server::denied(&path, &error, COMMAND)
        }
        error => error.into(),
    })
}
