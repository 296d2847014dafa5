//! A key for each client, as people have, made before any clock runs.

use super::web::WebKey;
use anyhow::{Context, Result};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The clients' sides of TLS, by their number. Grows as it is asked for more.
#[derive(Debug, Default)]
pub struct Keys {
    configs: RefCell<Vec<Arc<ClientConfig>>>,
    /// Of browsers, for all of them.
    web_config: RefCell<Option<Arc<ClientConfig>>>,
    web_keys: RefCell<Vec<Arc<WebKey>>>,
    ready: RefCell<HashMap<usize, Box<ClientConnection>>>,
}

impl Keys {
    /// Makes those of the first `count` clients that are not there yet.
    pub fn make(&self, count: usize) -> Result<()> {
        let mut configs = self.configs.borrow_mut();
        let provider = Arc::new(ring::default_provider());
        let anyone = Arc::new(Anyone(Arc::clone(&provider)));
        while configs.len() < count {
            configs.push(Arc::new(config(&provider, &anyone)?));
        }
        Ok(())
    }

    /// Makes those of the first `count` clients, who may be browsers.
    pub fn make_for(&self, count: usize, web: bool) -> Result<()> {
        if web { self.make_web(count) } else { self.make(count) }
    }

    /// Has the first `count` clients ready to speak at once, as each would be on a machine of its own:
    /// on one CPU their first words alone take seconds.
    pub fn prepare(&self, count: usize) -> Result<()> {
        self.make(count)?;
        for client in 0..count {
            let connection = self.begin(client)?;
            self.ready.borrow_mut().insert(client, connection);
        }
        Ok(())
    }

    /// A connection of that client, which is about to say hello.
    pub fn connection(&self, client: usize) -> Result<Box<ClientConnection>> {
        let ready = self.ready.borrow_mut().remove(&client);
        ready.map_or_else(|| self.begin(client), Ok)
    }

    /// Makes those of the first `count` browsers that are not there yet.
    pub fn make_web(&self, count: usize) -> Result<()> {
        let mut keys = self.web_keys.borrow_mut();
        while keys.len() < count {
            keys.push(Arc::new(WebKey::new()?));
        }
        Ok(())
    }

    /// The key of that browser.
    pub fn web_key(&self, client: usize) -> Result<Arc<WebKey>> {
        self.make_web(client + 1)?;
        Ok(Arc::clone(&self.web_keys.borrow()[client]))
    }

    /// A browser's connection, which proves no key itself.
    pub fn web_connection(&self) -> Result<Box<ClientConnection>> {
        let mut config = self.web_config.borrow_mut();
        if config.is_none() {
            *config = Some(Arc::new(web_config()?));
        }
        let config = config.clone().context("no settings")?;
        let mut connection = ClientConnection::new(config, ServerName::try_from("lanchat.local")?)?;
        connection.set_buffer_limit(None);
        Ok(Box::new(connection))
    }

    fn begin(&self, client: usize) -> Result<Box<ClientConnection>> {
        self.make(client + 1)?;
        let config = Arc::clone(&self.configs.borrow()[client]);
        let mut connection = ClientConnection::new(config, ServerName::try_from("lanchat.local")?)?;
        connection.set_buffer_limit(None);
        Ok(Box::new(connection))
    }
}

fn config(provider: &Arc<CryptoProvider>, anyone: &Arc<Anyone>) -> Result<ClientConfig> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = rcgen::CertificateParams::new(vec!["somebody".into()])?.self_signed(&pair)?;
    let key = PrivateKeyDer::try_from(pair.serialize_der()).map_err(anyhow::Error::msg)?;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(anyone) as _)
        .with_client_auth_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"lanchat/1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn web_config() -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let anyone = Arc::new(Anyone(Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(anyone)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Takes any certificate and any proof: to check them would measure the clients' CPU.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
