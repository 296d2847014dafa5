//! TLS for a raw client, straight on rustls: so that faults of ours can't cancel out.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureAlgorithm, SignatureScheme,
};
use std::sync::Arc;

/// A client's key.
pub struct Key {
    certificate: CertificateDer<'static>,
    pair: rcgen::KeyPair,
}

impl Key {
    pub fn new() -> Self {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub fn of(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        Self::with(rcgen::KeyPair::generate_for(algorithm).expect("a key"))
    }

    fn with(pair: rcgen::KeyPair) -> Self {
        let parameters = rcgen::CertificateParams::new(vec!["somebody".into()]).expect("parameters");
        Self { certificate: parameters.self_signed(&pair).expect("a certificate").der().clone(), pair }
    }

    /// One that was kept in a file.
    pub fn from_pem(pem: &str) -> Self {
        Self::with(rcgen::KeyPair::from_pem(pem).expect("a key"))
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.pair.serialize_der()).expect("a key")
    }

    /// For a client that signs with it otherwise.
    pub fn pair(&self) -> &rcgen::KeyPair {
        &self.pair
    }

    /// The SHA-256 of its SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> lanchat::fingerprint::Fingerprint {
        use rcgen::PublicKeyData as _;
        let hash = ::ring::digest::digest(&::ring::digest::SHA256, &self.pair.subject_public_key_info());
        lanchat::fingerprint::Fingerprint::new(hash.as_ref().try_into().expect("32 bytes"))
    }
}

/// A client's side of TLS 1.3, with that key if any, to whatever server.
pub fn client(key: Option<&Key>) -> ClientConnection {
    client_for(key, &[b"lanchat/1"])
}

/// The same as a browser has it.
pub fn browser() -> ClientConnection {
    client_for(None, &[b"h2", b"http/1.1"])
}

/// One that offers these protocols.
pub fn client_for(key: Option<&Key>, protocols: &[&[u8]]) -> ClientConnection {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)));
    let mut config = match key {
        Some(key) => {
            config.with_client_auth_cert(vec![key.certificate.clone()], key.private()).expect("a key")
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("lanchat.local").expect("a name");
    ClientConnection::new(Arc::new(config), name).expect("a connection")
}

/// Takes any certificate whose owner has its key.
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A client with that certificate and PKCS#8 key, which it shows whatever the server asks for.
pub fn stubborn_client(certificate: Vec<u8>, key: Vec<u8>) -> ClientConnection {
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::try_from(key).expect("a key");
    let signing = ring::sign::any_supported_type(&key).expect("a key of some kind");
    let certified = CertifiedKey::new(vec![certificate.into()], Arc::new(Stubborn(signing)));
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"lanchat/1".to_vec()];
    let name = ServerName::try_from("lanchat.local").expect("a name");
    ClientConnection::new(Arc::new(config), name).expect("a connection")
}

/// Signs in its own way, whatever was offered.
#[derive(Debug)]
struct Stubborn(Arc<dyn SigningKey>);

impl SigningKey for Stubborn {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        use SignatureScheme as Scheme;
        let own = [Scheme::RSA_PSS_SHA256, Scheme::ECDSA_NISTP384_SHA384, Scheme::ECDSA_NISTP256_SHA256];
        self.0.choose_scheme(&own)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

/// A key that notes whether a server asked for it.
pub struct AskedKey(Arc<std::sync::atomic::AtomicBool>);

#[derive(Debug)]
struct AskedResolver(Arc<std::sync::atomic::AtomicBool>);

impl rustls::client::ResolvesClientCert for AskedResolver {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl AskedKey {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    pub fn was_asked(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// A client that offers these protocols.
    pub fn client(&self, protocols: &[&[u8]]) -> ClientConnection {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_client_cert_resolver(Arc::new(AskedResolver(self.0.clone())));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("lanchat.local").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a connection")
    }
}
