//! The TLS settings of a server, for each protocol that a client may name (ALPN).
//!
//! Of the chat's own protocol, it accepts any client key; the rules of the chat decide what it may do. It asks browsers
//! for no certificate: some would show their users a list of all that they have.

use super::certificate::{self, ALPN, WEB_ALPN};
use super::channel::ChannelError;
use super::keys::Keypair;
use super::web_certificate::WebCertificate;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DistinguishedName, Error};
use std::sync::{Arc, PoisonError, RwLock};

/// The settings for all connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerTls {
    chat: Arc<ServerConfig>,
    /// `None`: browsers are not served.
    web: Option<PageTls>,
}

/// The settings for browsers.
#[derive(Debug, Clone)]
struct PageTls {
    config: Arc<ServerConfig>,
    certificate: Arc<PresentCertificate>,
}

/// The certificate for browsers, which a reload replaces.
#[derive(Debug)]
struct PresentCertificate(RwLock<WebCertificate>);

impl PresentCertificate {
    fn get(&self) -> WebCertificate {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for PresentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get().certified())
    }
}

/// The protocol in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsProtocol {
    Chat,
    /// HTTP/1.1.
    Web,
}

/// Reads which protocol a client names, before its handshake begins.
#[derive(Default)]
pub struct ClientHelloReader(Acceptor);

impl ServerTls {
    /// TLS 1.3 only, no resumption, no early data; clients may present a key.
    pub fn new(keypair: &Keypair) -> Result<Self, ChannelError> {
        Self::with_provider(keypair, certificate::provider())
    }

    pub(super) fn with_provider(
        keypair: &Keypair,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ChannelError> {
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(Arc::new(AnyKey))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(keypair.certified.clone())));
        Ok(Self { chat: Arc::new(without_tickets(config, ALPN)), web: None })
    }

    /// The same, which also serves browsers.
    pub fn with_web(self, certificate: WebCertificate) -> Result<Self, ChannelError> {
        let certificate = Arc::new(PresentCertificate(RwLock::new(certificate)));
        let config = ServerConfig::builder_with_provider(certificate::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        let config = Arc::new(without_tickets(config, WEB_ALPN));
        Ok(Self { web: Some(PageTls { config, certificate }), ..self })
    }

    /// The certificate that browsers see; `None`: they are not served.
    pub fn web_certificate(&self) -> Option<WebCertificate> {
        Some(self.web.as_ref()?.certificate.get())
    }

    /// Shows later browsers another certificate. Does nothing if they are not served.
    pub fn replace_web_certificate(&self, certificate: WebCertificate) {
        if let Some(web) = &self.web {
            *web.certificate.0.write().unwrap_or_else(PoisonError::into_inner) = certificate;
        }
    }

    /// Whether browsers are served.
    pub fn serves_web(&self) -> bool {
        self.web.is_some()
    }

    pub(super) fn config(&self, protocol: TlsProtocol) -> &Arc<ServerConfig> {
        match protocol {
            TlsProtocol::Chat => &self.chat,
            TlsProtocol::Web => self.web.as_ref().map_or(&self.chat, |web| &web.config),
        }
    }
}

impl ClientHelloReader {
    /// Takes the next bytes of the connection; `None`: the client has not said it yet. The bytes are for the handshake
    /// as well.
    pub fn read(&mut self, mut bytes: &[u8]) -> Option<TlsProtocol> {
        while !bytes.is_empty() {
            // The handshake itself finds and names what is wrong.
            let Ok(1..) = self.0.read_tls(&mut bytes) else { return Some(TlsProtocol::Chat) };
        }
        match self.0.accept() {
            Ok(None) => None,
            Ok(Some(accepted)) => {
                let hello = accepted.client_hello();
                let offers: Vec<&[u8]> = hello.alpn().into_iter().flatten().collect();
                let is_web = offers.contains(&WEB_ALPN) && !offers.contains(&ALPN);
                Some(if is_web { TlsProtocol::Web } else { TlsProtocol::Chat })
            }
            Err(_) => Some(TlsProtocol::Chat),
        }
    }
}

impl std::fmt::Debug for ClientHelloReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientHelloReader").finish_non_exhaustive()
    }
}

/// No resumption, no early data.
fn without_tickets(mut config: ServerConfig, protocol: &[u8]) -> ServerConfig {
    config.alpn_protocols = vec![protocol.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config
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
