//! `lanchat fingerprint`: prints a key's fingerprint in the forms in which people compare it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::eprintln;

use super::args::{CommonArgs, FingerprintArgs};
use super::endpoint::Endpoint;
use super::exit::{Exit, ExitError};
use super::logging::{self, LogLevel};
use super::own_server::{SERVICE_DIR, default_data_dir, key_failure};
use super::{join, runtime};
use crate::client;
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security::{self, KeyError, Keypair};
use crate::server::KEY_FILE;

/// How long a server may take to show its key.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(5);

/// Prints the selected fingerprint.
///
/// # Errors
/// If the key does not exist or cannot be read.
pub fn run(common: &CommonArgs, args: &FingerprintArgs, data_dir: Option<PathBuf>) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let fingerprint = match &args.host {
        _ if args.me => client::own_fingerprint().map_err(join::failure)?,
        Some(host) => asked(host)?,
        None => of_server(args.data_dir.clone().or(data_dir), "fingerprint")?,
    };
    let mut text = format!("{fingerprint}\n{}\n", fingerprint.spoken());
    if args.art {
        text += security::art::draw(&fingerprint).trim_end_matches('\n');
        text.push('\n');
    }
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Asks a server for its key.
fn asked(host: &Endpoint) -> Result<Fingerprint, ExitError> {
    let port = host.at.port.unwrap_or(DEFAULT_PORT);
    let work = client::fingerprint_at(&host.at.host, port, HANDSHAKE_WAIT);
    let fingerprint = runtime::finish(runtime::small()?, work).map_err(join::failure)?;
    if host.fingerprint.is_some_and(|expected| expected != fingerprint) {
        return Err(ExitError::new(
            Exit::Refused,
            anyhow::anyhow!(
                "the server at {} has another key than the link: {fingerprint}; ask its administrator for a new link",
                host.at
            ),
        ));
    }
    eprintln!("This was read over the network. Compare it with `lanchat fingerprint` on the server.");
    Ok(fingerprint)
}

/// Reads the key of the server on this machine: in the chosen directory, or else in this user's, or else in the
/// system service's. `command` is the subcommand for the remedy.
pub(super) fn of_server(data_dir: Option<PathBuf>, command: &str) -> Result<Fingerprint, ExitError> {
    let told = |error| key_failure(error, command);
    let chosen = match data_dir {
        Some(dir) => return load(&dir).map_err(told),
        None => default_data_dir()?,
    };
    match load(&chosen) {
        Err(KeyError::Missing(missing)) => match load(Path::new(SERVICE_DIR)) {
            Err(KeyError::Missing(_)) => Err(anyhow::anyhow!(
                "no server key in {} or {SERVICE_DIR}; run this as the user who runs the server, or give its \
                 directory with --data-dir, or ask the server with `lanchat fingerprint --host localhost`",
                missing.parent().unwrap_or(&missing).display()
            )
            .into()),
            service => service.map_err(told),
        },
        own => own.map_err(told),
    }
}

fn load(dir: &Path) -> Result<Fingerprint, KeyError> {
    Keypair::load(&dir.join(KEY_FILE)).map(|key| key.fingerprint())
}
