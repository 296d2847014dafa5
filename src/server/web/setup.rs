//! TLS with a certificate for browsers, made before the server listens.

use crate::protocol::Nodes;
use crate::security::{Keypair, ServerTls, WebCertificate, WebNames};
use crate::server::StartError;
use crate::server::data_dir::{DataDir, WEB_CERTIFICATE_FILE};
use crate::server::options::ServerOptions;

pub(in crate::server) fn server_tls(
    options: &ServerOptions,
    keys: &Keypair,
    data_dir: &DataDir,
) -> Result<ServerTls, StartError> {
    let tls = ServerTls::new(keys)?;
    let Some(web) = &options.web else { return Ok(tls) };
    let certificate = match &web.certificate {
        Some((certificate, key)) => WebCertificate::load(certificate, key)?,
        None => {
            let node = options.nodes.as_ref().map(Nodes::node);
            let local_name = (web.local_name)(&options.name, &keys.fingerprint().id(), node);
            let names =
                [local_name, "localhost".into()].into_iter().chain(web.hosts.iter().cloned()).collect();
            let names = WebNames { names, addresses: web.addresses.clone() };
            let path = data_dir.file(WEB_CERTIFICATE_FILE);
            WebCertificate::keep(path.as_deref(), keys, &names, jiff::Timestamp::now())?
        }
    };
    Ok(tls.with_web(certificate)?)
}
