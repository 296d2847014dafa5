//! How bytes travel: encrypted to a server that proves its key, or in plaintext if the user asked for that.
//! The client never falls back from one to the other.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, split};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::LinkError;
use super::loss::reason;
use crate::discovery::hedged;
use crate::fingerprint::Fingerprint;
use crate::protocol::{Code, Event, ServerPacket};
use crate::security::{ClientTls, Expect, HandshakeError};

/// How long the handshake may take.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// How much of a file to read from the socket at a time, in bytes: a few records of TLS.
const FILE_BUFFER: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub(crate) enum Channel {
    Plain,
    /// Encrypted, to a server with an expected key.
    Tls {
        tls: Box<ClientTls>,
        expect: Expect,
    },
}

/// Both directions of an open connection.
pub(crate) struct Streams {
    pub(crate) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// The server's key, proven; none in plaintext.
    pub(crate) key: Option<Fingerprint>,
    /// This machine's address on the connection.
    pub(crate) local: Option<IpAddr>,
}

impl Channel {
    /// The same channel, narrowed to servers with one of these keys. Never widens an earlier choice.
    pub(crate) fn narrowed(&self, keys: Vec<Fingerprint>) -> Self {
        match self {
            Self::Tls { tls, expect: Expect::Anyone } => {
                Self::Tls { tls: tls.clone(), expect: Expect::Only(keys) }
            }
            Self::Tls { tls, expect: Expect::Only(before) } => {
                let both = before.iter().filter(|key| keys.contains(key)).copied().collect();
                Self::Tls { tls: tls.clone(), expect: Expect::Only(both) }
            }
            Self::Plain => Self::Plain,
        }
    }

    /// The same channel for the server with this key, if it has one.
    pub(crate) fn to(&self, key: Option<Fingerprint>) -> Self {
        key.map_or_else(|| self.clone(), |key| self.narrowed(vec![key]))
    }

    pub(crate) async fn open(&self, addr: SocketAddr) -> Result<Streams, LinkError> {
        let stream = hedged(|| TcpStream::connect(addr)).await.map_err(LinkError::Connect)?;
        tune(&stream).map_err(LinkError::Connect)?;
        self.secure(stream, addr, None).await
    }

    /// A connection for much in one direction instead of small packets.
    pub(crate) async fn open_for_file(&self, addr: SocketAddr) -> Result<Streams, LinkError> {
        let connected = timeout(HANDSHAKE_WAIT, hedged(|| TcpStream::connect(addr))).await;
        let stream = connected.map_err(|_| LinkError::Silent)?.map_err(LinkError::Connect)?;
        // The last bytes of a file are not followed by others that would send them on.
        stream.set_nodelay(true).map_err(LinkError::Connect)?;
        self.secure(stream, addr, Some(FILE_BUFFER)).await
    }

    /// Encrypts the stream if this channel does. `buffer` is how many bytes to read at a time before they are
    /// decrypted; the TLS library alone reads some thousand, which is enough for chat.
    async fn secure(
        &self,
        stream: TcpStream,
        addr: SocketAddr,
        buffer: Option<usize>,
    ) -> Result<Streams, LinkError> {
        let local = stream.local_addr().ok().map(|local| local.ip());
        let Self::Tls { tls, expect } = self else {
            let (reader, writer) = stream.into_split();
            return Ok(Streams { reader: Box::new(reader), writer: Box::new(writer), key: None, local });
        };
        let streams = match buffer {
            None => encrypt(tls, expect, stream, addr).await?,
            Some(bytes) => encrypt(tls, expect, BufReader::with_capacity(bytes, stream), addr).await?,
        };
        Ok(Streams { local, ..streams })
    }
}

async fn encrypt<S>(
    tls: &ClientTls,
    expect: &Expect,
    stream: S,
    addr: SocketAddr,
) -> Result<Streams, LinkError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let done = timeout(HANDSHAKE_WAIT, tls.connect(stream, expect)).await;
    let (stream, key) = done.map_err(|_| LinkError::Silent)?.map_err(|error| explain(error, addr))?;
    let (reader, writer) = split(stream);
    Ok(Streams { reader: Box::new(reader), writer: Box::new(writer), key: Some(key), local: None })
}

/// Tunes the socket for chat: small packets that a person waits for.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // After a loss, the system resends every 200 ms instead of after 200, 400, 800 ms. A system without this
    // option is only slower.
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_thin_linear_timeouts(true);
    Ok(())
}

/// Explains a failed handshake.
fn explain(error: HandshakeError, addr: SocketAddr) -> LinkError {
    match error {
        HandshakeError::WrongKey { presented } => LinkError::WrongKey { presented, addr },
        HandshakeError::NoTls { line } => plain_answer(&line),
        HandshakeError::Closed => LinkError::Handshake(error.to_string()),
        HandshakeError::Refused(_) | HandshakeError::Failed(_) => LinkError::Handshake(error.to_string()),
    }
}

/// Explains a plaintext line in place of a handshake. A lanchat server that turns a client away says so
/// before it knows whether the client encrypts.
fn plain_answer(line: &str) -> LinkError {
    let no_lanchat = || LinkError::Protocol("it neither encrypts nor answers with packets".into());
    let Ok(packet) = ServerPacket::parse(line.trim_end().as_bytes()) else { return no_lanchat() };
    match Event::from_packet(packet) {
        Event::Error { code: Some(Code::BadPacket | Code::BadProtocol | Code::UnknownType), .. } => {
            LinkError::NotEncrypted
        }
        Event::Error { code, msg, .. } | Event::Bye { code, msg, .. } => {
            LinkError::Refused { code, msg, free: None }
        }
        _ => no_lanchat(),
    }
}

/// Describes the end of a connection; some servers close it without a last packet.
pub(crate) fn ended(error: &io::Error) -> LinkError {
    LinkError::Lost(reason(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_place_of_a_handshake_is_told_apart() {
        let error = |code| plain_answer(&format!(r#"{{"type":"error","code":"{code}","msg":"as I say"}}"#));
        assert!(matches!(error("bad_packet"), LinkError::NotEncrypted));
        let full = error("server_full");
        assert!(matches!(full, LinkError::Refused { code: Some(Code::ServerFull), .. }), "{full:?}");
        assert!(matches!(plain_answer("SSH-2.0-OpenSSH_9.2"), LinkError::Protocol(_)));
        assert!(matches!(plain_answer(r#"{"hello":"world"}"#), LinkError::Protocol(_)));
    }
}
