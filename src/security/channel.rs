//! A server's end of an encrypted connection with a client or with another server of its chat, in memory only: takes bytes from the socket, returns text for the
//! chat and bytes for the socket.
//!
//! Knows no sockets, no time and no chat. An idle channel holds its keys and no buffer; at most, it keeps one
//! unfinished record.

mod error;

pub use error::ChannelError;

use super::certificate;
use super::keys::CERTIFICATE_NAME;
use super::server_tls::{ServerTls, TlsProtocol};
use super::tls_client::{ClientTls, Expect};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_HANDSHAKE_BYTES, MAX_RECORD_BYTES};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{CommonState, Error};
use std::fmt;
use std::mem;
use std::sync::Arc;

/// Bytes that encryption adds to a record (RFC 8446 5.2): header, content type and tag.
const RECORD_OVERHEAD: usize = 5 + 1 + 16;

/// Text in one record.
const RECORD_BYTES: usize = 16 * 1024;

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing can be sent yet, and the peer's key is unknown.
    Handshaking,
    /// Both ends may send.
    Open,
    /// The peer has closed its side. It may still read.
    Closed,
}

/// The server's end of one connection.
pub struct ServerChannel {
    /// Boxed as a whole: one allocation for each connection.
    parts: Box<ChannelParts>,
}

struct ChannelParts {
    tls: TlsEnd,
    /// The beginning of a record or handshake message; otherwise empty, without capacity.
    kept: Vec<u8>,
    peer_key: Option<Fingerprint>,
    status: Status,
    /// Set if nothing more can be sent: closed from this side, or failed.
    has_ended: bool,
}

/// The end of the connection that this server has.
#[expect(clippy::large_enum_variant, reason = "almost all are of the large variant, in a box of their own")]
enum TlsEnd {
    Server(UnbufferedServerConnection),
    /// Of a connection to another server. Boxed: there are few.
    Client(Box<UnbufferedClientConnection>),
}

impl ServerChannel {
    /// Starts a connection of the chat's own protocol.
    pub fn new(tls: &ServerTls) -> Result<Self, ChannelError> {
        Self::with(tls, TlsProtocol::Chat)
    }

    /// Starts a connection.
    pub fn with(tls: &ServerTls, protocol: TlsProtocol) -> Result<Self, ChannelError> {
        Ok(Self::of(TlsEnd::Server(UnbufferedServerConnection::new(tls.config(protocol).clone())?)))
    }

    /// Starts a connection to another server, which must own that key. Appends the first bytes to `out`.
    ///
    /// # Errors
    /// If the library cannot start one.
    pub fn to_server(tls: &ClientTls, key: Fingerprint, out: &mut Vec<u8>) -> Result<Self, ChannelError> {
        let config = Arc::new(tls.config(&Expect::Only(vec![key])));
        let name =
            ServerName::try_from(CERTIFICATE_NAME).map_err(|error| ChannelError::Tls(error.to_string()))?;
        let connection = UnbufferedClientConnection::new(config, name)?;
        let mut channel = Self::of(TlsEnd::Client(Box::new(connection)));
        channel.process(&mut [], &mut Vec::new(), out)?;
        Ok(channel)
    }

    fn of(tls: TlsEnd) -> Self {
        let status = Status::Handshaking;
        let parts = ChannelParts { tls, kept: Vec::new(), peer_key: None, status, has_ended: false };
        Self { parts: Box::new(parts) }
    }

    /// Takes bytes as the socket returned them, split anywhere. Appends text to `plain`, and bytes for the peer
    /// to `out`.
    ///
    /// # Errors
    /// The connection must end, after sending `out` (an alert, if there is one). `plain` has the text before the error.
    pub fn receive(
        &mut self,
        mut bytes: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Status, ChannelError> {
        if self.parts.has_ended {
            return Err(ChannelError::NotOpen);
        }
        while !bytes.is_empty() && self.parts.status != Status::Closed {
            let bound = if self.is_open() { MAX_RECORD_BYTES } else { MAX_HANDSHAKE_BYTES };
            let (now, later) = bytes.split_at(bytes.len().min(bound.saturating_sub(self.parts.kept.len())));
            bytes = later;
            let taken = match now {
                [] => Err(ChannelError::TooLong(bound)),
                now => self.take_in(now, plain, out),
            };
            if taken.is_err() {
                self.parts.has_ended = true;
                self.parts.kept = Vec::new();
                return taken.map(|()| self.parts.status);
            }
        }
        Ok(self.parts.status)
    }

    /// Memory for an unfinished record, in bytes.
    pub fn held(&self) -> usize {
        self.parts.kept.capacity()
    }

    /// Whether both ends may send.
    pub fn is_open(&self) -> bool {
        self.parts.status == Status::Open && !self.parts.has_ended
    }

    /// The key that the peer has proved to own; `None`: it presented none, or the handshake is not complete.
    pub fn peer_key(&self) -> Option<Fingerprint> {
        self.parts.peer_key
    }

    /// Notes the key that a browser has proved to own: it does so after the handshake.
    pub fn set_peer_key(&mut self, key: Option<Fingerprint>) {
        self.parts.peer_key = key;
    }

    /// Appends `plain` to `out`, encrypted, in as few records as possible. A peer that has closed its side may
    /// still be sent to.
    ///
    /// # Errors
    /// [`ChannelError::NotOpen`] before the end of the handshake, after [`Self::close`], and after a failure.
    pub fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), ChannelError> {
        if self.parts.status == Status::Handshaking || self.parts.has_ended {
            return Err(ChannelError::NotOpen);
        }
        let sent = self.write(&Outgoing::Text(plain), out);
        self.parts.has_ended = sent.is_err();
        sent
    }

    /// Appends the end of the connection (`close_notify`) to `out`, if the handshake is far enough for that.
    /// Afterwards, nothing can be sent or received.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if !self.parts.has_ended {
            // Without keys, there is nothing to close.
            let _ = self.write(&Outgoing::Close, out);
        }
        self.parts.has_ended = true;
        self.parts.kept = Vec::new();
    }

    /// Takes bytes that fit beside those kept.
    fn take_in(&mut self, bytes: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        let mut kept = mem::take(&mut self.parts.kept);
        kept.extend_from_slice(bytes);
        let used = self.process(&mut kept, plain, out)?;
        // Copies only bytes that came with this call, so the cost does not grow with the number of pieces.
        self.parts.kept = if used == 0 { kept } else { kept[used..].to_vec() };
        Ok(())
    }

    /// Processes all complete records in `kept`. Returns how many bytes it used.
    fn process(
        &mut self,
        kept: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<usize, ChannelError> {
        let mut used = 0;
        // Each round uses bytes, takes something that the library has queued, or is the last.
        loop {
            let unread = &mut kept[used..];
            let (discard, flow) = match &mut self.parts.tls {
                TlsEnd::Server(tls) => read_step(tls.process_tls_records(unread), plain, out),
                TlsEnd::Client(tls) => read_step(tls.process_tls_records(unread), plain, out),
            }?;
            used += discard;
            match flow {
                Flow::Works => {}
                Flow::Fails(error) => {
                    self.drain_alerts(&mut kept[used..], out);
                    return Err(error.into());
                }
                Flow::IsClosed => {
                    self.note_handshake()?;
                    self.parts.status = Status::Closed;
                    // Anything after the end does not belong to the connection (RFC 8446 6.1).
                    return Ok(kept.len());
                }
                Flow::Waits => return self.note_handshake().map(|()| used),
            }
        }
    }

    /// Checks whether the handshake is complete, and records the peer's key.
    fn note_handshake(&mut self) -> Result<(), ChannelError> {
        if self.parts.status == Status::Handshaking && !self.parts.tls.common().is_handshaking() {
            self.parts.peer_key = match self.parts.tls.common().peer_certificates() {
                Some([first, others @ ..]) => Some(certificate::presented(first, others)?),
                _ => None,
            };
            self.parts.status = Status::Open;
        }
        Ok(())
    }

    /// Appends the alerts that tell the peer what was wrong.
    fn drain_alerts(&mut self, kept: &mut [u8], out: &mut Vec<u8>) {
        // Stops after the alerts: the next round would find the broken bytes again.
        while self.parts.tls.common().wants_write() {
            let encoded = match &mut self.parts.tls {
                TlsEnd::Server(tls) => encode_next(tls.process_tls_records(kept), out),
                TlsEnd::Client(tls) => encode_next(tls.process_tls_records(kept), out),
            };
            if !encoded {
                break;
            }
        }
    }

    fn write(&mut self, what: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        loop {
            // `kept` is unfinished, so this only returns what may be written now.
            let ChannelParts { tls, kept, .. } = &mut *self.parts;
            let is_written = match tls {
                TlsEnd::Server(tls) => write_step(tls.process_tls_records(kept), what, out),
                TlsEnd::Client(tls) => write_step(tls.process_tls_records(kept), what, out),
            }?;
            if is_written {
                return Ok(());
            }
        }
    }
}

impl TlsEnd {
    fn common(&self) -> &CommonState {
        match self {
            Self::Server(tls) => tls,
            Self::Client(tls) => tls,
        }
    }
}

/// Does the next thing while reading. Returns how many bytes it used.
fn read_step<Data>(
    UnbufferedStatus { discard, state, .. }: UnbufferedStatus<'_, '_, Data>,
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(usize, Flow), ChannelError> {
    let flow = match state {
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            while let Some(record) = traffic.next_record() {
                plain.extend_from_slice(record?.payload);
            }
            Flow::Works
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out).map(|()| Flow::Works)?,
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Flow::Works
        }
        Ok(ConnectionState::PeerClosed) => Flow::IsClosed,
        Ok(ConnectionState::ReadEarlyData(_)) => {
            return Err(ChannelError::Tls("early data was never offered".into()));
        }
        Ok(_) => Flow::Waits,
        Err(error) => Flow::Fails(error),
    };
    Ok((discard, flow))
}

/// Does the next thing while writing; `true`: it has written.
fn write_step<Data>(
    UnbufferedStatus { state, .. }: UnbufferedStatus<'_, '_, Data>,
    what: &Outgoing<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, ChannelError> {
    match state {
        Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out)?,
        Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
        Ok(ConnectionState::WriteTraffic(mut traffic)) => {
            let appended = append(out, what.room(), |room| {
                let written = match what {
                    Outgoing::Text(plain) => traffic.encrypt(plain, room),
                    Outgoing::Close => traffic.queue_close_notify(room),
                };
                written.map_err(|error| match error {
                    EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
                        Some(required_size)
                    }
                    EncryptError::EncryptExhausted => None,
                })
            });
            return appended.map(|()| true);
        }
        Ok(_) => return Err(ChannelError::NotOpen),
        Err(error) => return Err(error.into()),
    }
    Ok(false)
}

/// Appends something that the library has queued; `false`: there is nothing, or it failed.
fn encode_next<Data>(status: UnbufferedStatus<'_, '_, Data>, out: &mut Vec<u8>) -> bool {
    match status.state {
        Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out).is_ok(),
        _ => false,
    }
}

impl fmt::Debug for ServerChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChannelParts { tls: _, kept, peer_key, status, has_ended } = &*self.parts;
        f.debug_struct("ServerChannel")
            .field("kept", &kept.len())
            .field("peer_key", peer_key)
            .field("status", status)
            .field("has_ended", has_ended)
            .finish()
    }
}

/// Whether to go on reading.
enum Flow {
    Works,
    IsClosed,
    Waits,
    Fails(Error),
}

/// Something to write to an open channel.
enum Outgoing<'a> {
    Text(&'a [u8]),
    Close,
}

impl Outgoing<'_> {
    /// How many bytes it takes, unless something else must be sent first.
    fn room(&self) -> usize {
        match self {
            Self::Text(plain) => plain.len() + (plain.len() / RECORD_BYTES + 1) * RECORD_OVERHEAD,
            Self::Close => 2 + RECORD_OVERHEAD,
        }
    }
}

fn encode<Data>(data: &mut EncodeTlsData<'_, Data>, out: &mut Vec<u8>) -> Result<(), ChannelError> {
    append(out, 0, |room| {
        data.encode(room).map_err(|error| match error {
            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => Some(required_size),
            EncodeError::AlreadyEncoded => None,
        })
    })
}

/// Appends what `write` puts into a buffer of at least `room` bytes. If that is too short, `write` says how
/// many bytes it needs, and is called once more.
fn append(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), ChannelError> {
    let start = out.len();
    let mut attempt = |room: usize, out: &mut Vec<u8>| {
        out.resize(start + room, 0);
        let written = write(&mut out[start..]);
        out.truncate(start + written.unwrap_or(0));
        written
    };
    let written = match attempt(room, out) {
        Err(Some(needed)) => attempt(needed, out),
        written => written,
    };
    written.map(|_| ()).map_err(|_| ChannelError::Tls("the channel cannot encrypt any more".into()))
}

#[cfg(test)]
mod tests;
