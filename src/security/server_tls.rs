//! The TLS settings of a server.
//!
//! Accepts any client key; the rules of the chat decide what it may do.

use super::certificate::{self, ALPN};
use super::channel::ChannelError;
use super::keys::Keypair;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::sign::SingleCertAndKey;
use rustls::{DistinguishedName, Error};
use std::sync::Arc;

/// The settings for all connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerTls(pub(super) Arc<ServerConfig>);

impl ServerTls {
    /// TLS 1.3 only, no resumption, no early data; clients may present a key.
    pub fn new(keypair: &Keypair) -> Result<Self, ChannelError> {
        Self::with_provider(keypair, certificate::provider())
    }

    pub(super) fn with_provider(
        keypair: &Keypair,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ChannelError> {
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(Arc::new(AnyKey))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(keypair.certified.clone())));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(Self(Arc::new(config)))
    }
}

/// Asks clients for a key; accepts any, or none.
#[derive(Debug)]
struct AnyKey;

impl ClientCertVerifier for AnyKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        certificate::presented(certificate, intermediates).map(|_| ClientCertVerified::assertion())
    }

    certificate::verify_signatures!();
}
