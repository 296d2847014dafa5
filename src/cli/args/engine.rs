//! `--engine-file`: a server that carries a chat on with others.

use crate::cli::exit::ExitError;
use crate::cli::values::HostPort;
use crate::cluster_files::{ClusterServer, EngineFile};
use crate::engine::nats::{EngineConfig, TlsFiles};
use crate::fingerprint::Fingerprint;
use crate::protocol::{NodePlace, Nodes};
use crate::security::digest_of;
use crate::server::{EngineSource, NodeAddress, NodeOptions, ServerOptions};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How long to look up the address of a server's name.
const LOOKUP_TIME: Duration = Duration::from_secs(3);

/// Hexadecimal digits of the log's id.
const LOG_DIGITS: usize = 16;

/// Makes the server one of several, as the file says, if there is one. `given`: the address and port on the command line.
pub(super) async fn apply(
    options: &mut ServerOptions,
    path: Option<&Path>,
    given: (Option<&HostPort>, Option<u16>),
) -> Result<(), ExitError> {
    let Some(path) = path else { return Ok(()) };
    let file = EngineFile::read(path).map_err(anyhow::Error::from)?;
    options.name.clone_from(&file.chat);
    options.port = given.0.and_then(|host| host.port).or(given.1).unwrap_or(file.port);
    options.nodes = nodes(&file).await;
    let (config, number) = (engine_config(&file)?, file.number());
    let names = file.servers.as_slice().iter().map(|server| server.name.to_string()).collect();
    let address = |server: &ClusterServer| NodeAddress { host: server.host.as_str().into(), port: file.port };
    let addresses = file.servers.as_slice().iter().map(address).collect();
    options.node = Some(NodeOptions {
        names,
        addresses,
        number,
        log: config.chat.clone(),
        engine: EngineSource::Nats(Box::new(config)),
    });
    Ok(())
}

/// How to reach the engine.
pub(crate) fn engine_config(file: &EngineFile) -> Result<EngineConfig, ExitError> {
    let log = log_id(file)?;
    let tls = file.engine.tls.as_ref().map(|tls| TlsFiles {
        authority: tls.ca.clone(),
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    });
    let replicas = u8::try_from(file.engine.replicas).unwrap_or_default();
    Ok(EngineConfig { replicas, tls, ..EngineConfig::new(file.engine.urls.clone(), &log, file.number()) })
}

/// All servers with their addresses, for clients. A server whose name has no address at present is left out.
async fn nodes(file: &EngineFile) -> Option<Nodes> {
    let mut places = Vec::new();
    for server in file.servers.as_slice() {
        let found = match server.host.address() {
            Some(address) => Some(address),
            None => resolved(server.host.as_str(), file.port).await,
        };
        match found {
            Some(address) => {
                places.push(NodePlace { node: server.name.as_str().to_owned(), address, port: file.port });
            }
            None => tracing::warn!(
                event = "server_not_found",
                "the server {} has no address: cannot look up {}; clients will not learn of it from this one",
                server.name,
                server.host
            ),
        }
    }
    Nodes::new(file.server.as_str(), places).ok()
}

async fn resolved(host: &str, port: u16) -> Option<IpAddr> {
    let found = timeout(LOOKUP_TIME, tokio::net::lookup_host((host, port))).await;
    Some(found.ok()?.ok()?.next()?.ip())
}

/// Of the log, which all servers have set up together: each set-up has an authority of its own.
fn log_id(file: &EngineFile) -> std::io::Result<String> {
    let made_by = match &file.engine.tls {
        Some(tls) => std::fs::read(&tls.ca)?,
        None => file.chat.clone().into_bytes(),
    };
    let mut id = Fingerprint::new(digest_of(&made_by)).id();
    id.truncate(LOG_DIGITS);
    Ok(id)
}
