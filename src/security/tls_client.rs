//! A client's end of an encrypted connection. It returns a stream only if the server has proved to own an
//! expected key.
//!
//! Knows neither where the expected keys come from nor what is sent over the stream.

use super::certificate::{self, ALPN};
use super::keys::{CERTIFICATE_NAME, Keypair};
use super::sniffing_stream::SniffingStream;
use crate::fingerprint::Fingerprint;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, Error};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The servers to accept.
#[derive(Debug, Clone)]
pub enum Expect {
    /// Any server; the caller decides by its key.
    Anyone,
    /// Servers that own one of these keys. If empty, none.
    Only(Vec<Fingerprint>),
}

/// Why there is no stream. Nothing that the user typed was sent.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The server owns another key than expected.
    #[error("the server has another key than expected: {presented}")]
    WrongKey {
        /// The server's key.
        presented: Fingerprint,
    },
    /// The server closed the connection before the end of the handshake.
    #[error("closed before the handshake: the server is full or limits this address")]
    Closed,
    /// The peer does not speak TLS.
    #[error("the program at that address does not speak TLS")]
    NoTls {
        /// Its first line, which is remote text: unchecked, and up to
        /// [`MAX_FOREIGN_LINE_BYTES`](crate::limits::MAX_FOREIGN_LINE_BYTES) long. A lanchat server that
        /// answers in plaintext sends a JSON object.
        line: String,
    },
    /// The server has sent an alert.
    #[error("the server refused the handshake: {0}")]
    Refused(String),
    /// The peer violated TLS, or the network failed.
    #[error("the handshake failed: {0}")]
    Failed(String),
}

/// The settings for all connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClientTls(ClientConfig);

impl ClientTls {
    /// A client that proves to own this key if the server asks.
    pub fn new(keypair: &Keypair) -> Result<Self, HandshakeError> {
        Self::with_key(Some(keypair))
    }

    /// A client that presents no key.
    pub fn anonymous() -> Result<Self, HandshakeError> {
        Self::with_key(None)
    }

    /// Settings that accept any server.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn trusting_anyone(keypair: &Keypair) -> Result<ClientConfig, HandshakeError> {
        let Self(mut config) = Self::new(keypair)?;
        config.dangerous().set_certificate_verifier(Arc::new(KeyVerifier::new(Expect::Anyone)));
        Ok(config)
    }

    fn with_key(keypair: Option<&Keypair>) -> Result<Self, HandshakeError> {
        let builder = ClientConfig::builder_with_provider(certificate::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| HandshakeError::Failed(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(KeyVerifier::new(Expect::Only(Vec::new()))));
        let mut config = match keypair {
            Some(keypair) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(keypair.certified.clone())))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(Self(config))
    }

    /// The settings for a connection to one of these servers.
    pub(super) fn config(&self, expect: &Expect) -> ClientConfig {
        let mut config = self.0.clone();
        config.dangerous().set_certificate_verifier(Arc::new(KeyVerifier::new(expect.clone())));
        config
    }

    /// Does the handshake, and returns the stream with the server's key. Checks the key before sending anything
    /// of this client's, even its key.
    ///
    /// There is no deadline: the caller sets one.
    pub async fn connect<S>(
        &self,
        stream: S,
        expect: &Expect,
    ) -> Result<(ClientStream<S>, Fingerprint), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let verifier = Arc::new(KeyVerifier::new(expect.clone()));
        let mut config = self.0.clone();
        config.dangerous().set_certificate_verifier(verifier.clone());
        let name = ServerName::try_from(CERTIFICATE_NAME)
            .map_err(|error| HandshakeError::Failed(error.to_string()))?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, SniffingStream::new(stream));
        match connecting.into_fallible().await {
            Ok(stream) => match verifier.presented.get() {
                Some(presented) => Ok((ClientStream(stream), *presented)),
                None => Err(HandshakeError::Failed("the server presented no key".into())),
            },
            Err((error, opening)) => Err(explain(&error, opening, &verifier).await),
        }
    }
}

async fn explain<S: AsyncRead + Unpin>(
    error: &io::Error,
    opening: SniffingStream<S>,
    verifier: &KeyVerifier,
) -> HandshakeError {
    if let Some(presented) = verifier.refused() {
        return HandshakeError::WrongKey { presented };
    }
    if let Some(line) = opening.foreign_line().await {
        return HandshakeError::NoTls { line };
    }
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (tls, error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => HandshakeError::Refused(format!("{alert:?}")),
        (Some(error), _) => HandshakeError::Failed(error.to_string()),
        (
            None,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe,
        ) => HandshakeError::Closed,
        (None, _) => HandshakeError::Failed(error.to_string()),
    }
}

/// Verifies one server's key.
#[derive(Debug)]
struct KeyVerifier {
    expect: Expect,
    presented: OnceLock<Fingerprint>,
}

impl KeyVerifier {
    fn new(expect: Expect) -> Self {
        Self { expect, presented: OnceLock::new() }
    }

    fn accepts(&self, key: &Fingerprint) -> bool {
        match &self.expect {
            Expect::Anyone => true,
            Expect::Only(keys) => keys.contains(key),
        }
    }

    /// The presented key, if it is not an expected one.
    fn refused(&self) -> Option<Fingerprint> {
        self.presented.get().filter(|key| !self.accepts(key)).copied()
    }
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = certificate::presented(certificate, intermediates)?;
        let presented = *self.presented.get_or_init(|| presented);
        if self.accepts(&presented) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    certificate::verify_signatures!();
}

/// An encrypted stream to a server whose key is known.
///
/// If the server refuses this client's key, the first read fails with `InvalidData`; if the connection ends
/// without the server's `close_notify`, with `UnexpectedEof`. Written text is sent when it is flushed.
#[derive(Debug)]
pub struct ClientStream<S>(TlsStream<SniffingStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
