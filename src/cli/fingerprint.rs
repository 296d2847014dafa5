//! `lanchat fingerprint`: prints a key's fingerprint in the forms in which people compare it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anstream::eprintln;

use super::args::{CommonArgs, FingerprintArgs};
use super::exit::{Exit, ExitError};
use super::link_target::LinkTarget;
use super::logging;
use super::values::LogLevel;
use super::{join, own_server, runtime};
use crate::client;
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security;

/// How long a server may take to show its key.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(5);

pub(crate) fn run(
    common: &CommonArgs,
    args: &FingerprintArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let fingerprint = match &args.host {
        _ if args.me => client::own_fingerprint(args.key_file.as_deref()).map_err(join::failure)?,
        Some(host) => asked(host, common.quiet > 0)?,
        None => own_server::fingerprint(args.data_dir.clone().or(data_dir), "fingerprint")?,
    };
    let mut text = format!("{fingerprint}\n{}\n", fingerprint.spoken());
    if args.art {
        text += security::art::draw(&fingerprint).trim_end_matches('\n');
        text.push('\n');
    }
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Asks a server for its key, and says what that proves unless `quiet`.
fn asked(host: &LinkTarget, quiet: bool) -> Result<Fingerprint, ExitError> {
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
    if !quiet {
        eprintln!("This was read over the network. Compare it with `lanchat fingerprint` on the server.");
    }
    Ok(fingerprint)
}
