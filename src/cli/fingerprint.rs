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
use crate::security::{self, CertificateChain, WebCertificate};
use crate::server;

/// How long a server may take to show its key.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(5);

pub(crate) fn run(
    common: &CommonArgs,
    args: &FingerprintArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    if args.web {
        let certificate = match &args.host {
            Some(host) => asked_for_certificate(host, common.quiet > 0)?,
            None => own_certificate(args.data_dir.clone().or(data_dir))?,
        };
        let text = format!("{}\n{}\n", certificate.colons(), certificate.id());
        return Ok(io::stdout().write_all(text.as_bytes())?);
    }
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

/// Asks a server for its certificate for browsers, and says what that proves unless `quiet`.
fn asked_for_certificate(host: &LinkTarget, quiet: bool) -> Result<Fingerprint, ExitError> {
    let chain = shown_certificate(&host.at.host, host.at.port.unwrap_or(DEFAULT_PORT))?;
    if !quiet {
        eprintln!(
            "This was read over the network. Compare it with `lanchat fingerprint --web` on the server."
        );
    }
    Ok(chain.sha256())
}

/// The certificate that a server shows browsers.
pub(super) fn shown_certificate(host: &str, port: u16) -> Result<CertificateChain, ExitError> {
    let work = client::page_certificate_at(host, port, HANDSHAKE_WAIT);
    runtime::finish(runtime::small()?, work).map_err(join::failure)
}

/// The certificate of the server on this machine: the one that it shows if it runs, or else the one that it has
/// kept.
fn own_certificate(data_dir: Option<PathBuf>) -> Result<Fingerprint, ExitError> {
    let (dir, _) = own_server::with_key(data_dir, "fingerprint --web")?;
    let running = client::local_server(&dir).ok().filter(|_| server::is_in_use(&dir));
    if let Some(address) = running.and_then(|running| running.address) {
        return Ok(shown_certificate(&address.ip().to_string(), address.port())?.sha256());
    }
    let file = dir.join(server::WEB_CERTIFICATE_FILE);
    let kept = WebCertificate::kept_sha256(&file);
    let kept = kept.map_err(|error| own_server::denied(&file, &error, "fingerprint --web"))?;
    Ok(kept.ok_or_else(|| {
        anyhow::anyhow!(
            "the server does not run, and has made no certificate for browsers; start it with `lanchat serve --web`"
        )
    })?)
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
