//! `lanchat cluster status`: how the servers of the chat and their engine are doing.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::health;
use super::health_text::{json, text};
use super::join_places::{ENGINE_FILE, usual_data_dir};
use crate::cli::args::{ClusterStatusArgs, ServeArgs};
use crate::cli::exit::{Exit, ExitError};
use crate::cli::own_server;
use crate::security::{KeyError, Keypair};
use crate::server::KEY_FILE;

const COMMAND: &str = "cluster status";

/// A fault is a silent error.
pub(super) fn run(args: &ClusterStatusArgs, configured: &ServeArgs) -> Result<(), ExitError> {
    let (engine_file, data_dir) = places(args, configured)?;
    let health = health::ask(&engine_file, &data_dir, COMMAND)?;
    let faults = health.faults();
    let text = if args.json { format!("{}\n", json(&health, &faults)) } else { text(&health, &faults) };
    io::stdout().write_all(text.as_bytes())?;
    if faults.is_empty() { Ok(()) } else { Err(ExitError::silent(Exit::Failure)) }
}

/// The engine file, and the directory with the chat's key.
fn places(args: &ClusterStatusArgs, configured: &ServeArgs) -> Result<(PathBuf, PathBuf), ExitError> {
    let beside = |file: &Path| file.parent().filter(|dir| dir.join(KEY_FILE).exists()).map(Path::to_owned);
    let named = args.data_dir.clone().or_else(|| args.engine_file.as_deref().and_then(beside));
    let data_dir = match named.or_else(|| configured.data_dir.clone()) {
        Some(dir) => dir,
        None => usual_data_dir()?,
    };
    let own = || args.data_dir.is_none().then(|| configured.engine_file.clone()).flatten();
    let file = args.engine_file.clone().or_else(own).unwrap_or_else(|| data_dir.join(ENGINE_FILE));
    Ok((file, data_dir))
}

/// The chat's key, with which the servers know that one of them asks.
pub(super) fn chat_key(dir: &Path, command: &str) -> Result<Keypair, ExitError> {
    let path = dir.join(KEY_FILE);
    Keypair::load(&path).map_err(|error| match error {
        KeyError::Unusable(path, error) if error.raw_os_error().is_some() => {
            own_server::denied(&path, &error, command)
        }
        error => error.into(),
    })
}
