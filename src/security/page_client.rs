//! A browser's end of TLS, to look at a server's page. It takes any certificate, and says which one it saw.

use super::certificate::{WEB_ALPN, provider};
use super::page_certificate::CertificateChain;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Does the handshake as a browser does that was given this host. There is no deadline: the caller sets one.
///
/// # Errors
/// If the peer does not speak TLS with HTTP.
pub async fn connect_as_browser<S>(
    host: &str,
    stream: S,
) -> io::Result<(impl AsyncRead + AsyncWrite + Unpin, CertificateChain)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let verifier = Arc::new(AnyCertificate::default());
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone());
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![WEB_ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    let name = match host.parse::<IpAddr>() {
        Ok(ip) => ServerName::from(ip),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
    };
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(in_words)?;
    let chain = verifier.presented.get().cloned();
    Ok((stream, chain.ok_or_else(|| io::Error::other("the server presented no certificate"))?))
}

fn in_words(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            io::Error::other("it speaks no HTTP")
        }
        _ => error,
    }
}

/// Takes any certificate of which the server owns the key, of any kind: authorities also certify keys that lanchat's own
/// connections do not take (`verify_signatures` in `certificate.rs`), such as RSA.
#[derive(Debug, Default)]
struct AnyCertificate {
    presented: OnceLock<CertificateChain>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = [certificate].into_iter().chain(intermediates);
        let chain = CertificateChain::new(all.map(|der| der.clone().into_owned()).collect());
        self.presented.get_or_init(|| chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        handshake: &[u8],
        certificate: &CertificateDer<'_>,
        proof: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(handshake, certificate, proof, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
