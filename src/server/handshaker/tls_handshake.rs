//! The TLS handshake, in the protocol that the client names.

use super::{Failure, Handshaker, drain};
use crate::limits::MAX_HANDSHAKE_BYTES;
use crate::security::{ChannelError, ClientHelloReader, ServerChannel, Status, TlsProtocol};
use crate::server::early_read;
use crate::server::gate::Offence;
use crate::server::reactor_inbox::HandshakeLeftover;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// The result of a handshake.
pub(super) type Greeted = (ServerChannel, TlsProtocol, HandshakeLeftover);

pub(super) async fn handshake(handshaker: &Handshaker, stream: &mut TcpStream) -> Result<Greeted, Failure> {
    let (protocol, mut hello) = match handshaker.tls.serves_web() {
        true => named_protocol(stream).await?,
        false => (TlsProtocol::Chat, Vec::new()),
    };
    let mut channel = ServerChannel::with(&handshaker.tls, protocol).map_err(|error| {
        tracing::error!(event = "tls_failed", %error, "cannot start a TLS session");
        Failure::Gone
    })?;
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    loop {
        let step = match std::mem::take(&mut hello) {
            hello if hello.is_empty() => {
                read_some(stream, |bytes| channel.receive(bytes, &mut plain, &mut out)).await?
            }
            hello => channel.receive(&hello, &mut plain, &mut out),
        };
        let written = stream.write_all(&out).await;
        out.clear();
        match step {
            Ok(Status::Handshaking) => written.map_err(|_| Failure::Gone)?,
            Ok(status) => {
                let leftover = HandshakeLeftover { plain, is_all: status == Status::Closed };
                return written.map(|()| (channel, protocol, leftover)).map_err(|_| Failure::Gone);
            }
            // For example because it knows this server by another key.
            Err(ChannelError::GivenUp(alert)) => {
                tracing::debug!(event = "handshake_given_up", %alert, "the client gave up the handshake");
                return Err(Failure::Gone);
            }
            Err(error) => {
                tracing::debug!(event = "handshake_failed", %error, "the TLS handshake failed");
                // Lets the alert arrive.
                drain(stream).await;
                if matches!(error, ChannelError::OtherProtocol) {
                    // A page of any site can make a browser try TURN over TLS here.
                    return Err(Failure::Gone);
                }
                return Err(Failure::Offence(Offence::Garbage));
            }
        }
    }
}

/// Reads until a client has said which protocol it wants to speak. Also returns what was read.
async fn named_protocol(stream: &TcpStream) -> Result<(TlsProtocol, Vec<u8>), Failure> {
    let (mut hello, mut reader) = (Vec::new(), ClientHelloReader::default());
    loop {
        let before = hello.len();
        read_some(stream, |bytes| hello.extend_from_slice(bytes)).await?;
        // The handshake itself finds and names what is too long.
        let is_long = hello.len() > MAX_HANDSHAKE_BYTES;
        match reader.read(&hello[before..]) {
            Some(protocol) => return Ok((protocol, hello)),
            None if is_long => return Ok((TlsProtocol::Chat, hello)),
            None => {}
        }
    }
}

/// As [`early_read::read_some`], for a peer that has to say more.
async fn read_some<T>(stream: &TcpStream, take: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
    early_read::read_some(stream, take).await.ok().flatten().ok_or(Failure::Gone)
}
