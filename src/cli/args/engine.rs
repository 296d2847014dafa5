//! `--engine-file`: a server that carries a chat on with others.

use crate::cli::exit::ExitError;
use crate::cluster_files::{ClusterServer, EngineFile};
use crate::engine::nats::{EngineConfig, TlsFiles};
use crate::security::digest_of;
use crate::server::{EngineSource, NodeAddress, NodeOptions, ServerOptions};
use std::path::Path;

/// Hexadecimal digits of the log's id.
const LOG_DIGITS: usize = 16;

/// Makes the server one of several, as the file says. `port`: on the command line.
pub(super) fn apply(options: &mut ServerOptions, path: &Path, port: Option<u16>) -> Result<(), ExitError> {
    let file = EngineFile::read(path).map_err(anyhow::Error::from)?;
    let log = log_id(&file).map_err(anyhow::Error::from)?;
    options.name.clone_from(&file.chat);
    options.port = port.unwrap_or(file.port);
    let tls = file.engine.tls.as_ref().map(|tls| TlsFiles {
        authority: tls.ca.clone(),
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    });
    let replicas = u8::try_from(file.engine.replicas).unwrap_or_default();
    let number = file.number();
    let config = EngineConfig { replicas, tls, ..EngineConfig::new(file.engine.urls.clone(), &log, number) };
    let address = |server: &ClusterServer| NodeAddress { host: server.host.as_str().into(), port: file.port };
    let addresses = file.servers.as_slice().iter().map(address).collect();
    let engine = EngineSource::Nats(Box::new(config));
    options.node = Some(NodeOptions { number, log, engine, addresses });
    Ok(())
}

/// Of the log, which all servers have set up together: each set-up has an authority of its own.
fn log_id(file: &EngineFile) -> std::io::Result<String> {
    let made_by = match &file.engine.tls {
        Some(tls) => std::fs::read(&tls.ca)?,
        None => file.chat.clone().into_bytes(),
    };
    let digits = digest_of(&made_by).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(digits[..LOG_DIGITS].to_owned())
}
