//! A client of the library's own making, which lets a test present and send what it likes.

use crate::security::certificate::ALPN;
use crate::security::keys::parameters;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ClientConnection, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use std::io::{Read as _, Write as _};
use std::sync::Arc;

/// A client that takes any server, made with other code than the program's own.
pub(super) struct Client(pub(super) ClientConnection);

#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
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
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let provider = rustls::crypto::ring::default_provider();
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// A client's key and settings.
pub(super) struct Manner {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Option<Arc<dyn SigningKey>>,
    pub(super) alpn: Vec<Vec<u8>>,
}

impl Manner {
    pub(super) fn anonymous() -> Self {
        Self { chain: Vec::new(), key: None, alpn: vec![ALPN.to_vec()] }
    }

    /// A client with a new key of this kind.
    pub(super) fn with(kind: &'static rcgen::SignatureAlgorithm) -> (Self, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate_for(kind).unwrap();
        let certificate = parameters().unwrap().self_signed(&key).unwrap();
        (Self { chain: vec![certificate.into()], key: Some(signing(&key)), ..Self::anonymous() }, key)
    }
}

pub(super) fn signing(key: &rcgen::KeyPair) -> Arc<dyn SigningKey> {
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    rustls::crypto::ring::sign::any_supported_type(&private).unwrap()
}

impl Client {
    pub(super) fn new(manner: Manner) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer));
        let mut config = match manner.key {
            // Not the builder's own way, which would refuse what a hostile client presents.
            Some(key) => {
                let certified = CertifiedKey::new(manner.chain, key);
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = manner.alpn;
        config.resumption = Resumption::disabled();
        config.enable_early_data = true;
        Self(
            ClientConnection::new(Arc::new(config), ServerName::try_from("anything.example").unwrap())
                .unwrap(),
        )
    }

    /// Bytes to send now.
    pub(super) fn written(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Takes what the server sent, and returns the text in it.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes).unwrap();
            let state = self.0.process_new_packets()?;
            let mut piece = vec![0; state.plaintext_bytes_to_read()];
            self.0.reader().read_exact(&mut piece).unwrap();
            text.extend(piece);
        }
        Ok(text)
    }

    pub(super) fn say(&mut self, text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in text.chunks(16 * 1024) {
            self.0.writer().write_all(piece).unwrap();
            bytes.extend(self.written());
        }
        bytes
    }
}
