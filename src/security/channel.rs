//! A server's end of an encrypted connection, as pure memory: bytes from the socket in, text for
//! the chat and bytes for the socket out.
//!
//! Knows no sockets, no time and no chat. An idle channel holds the keys of its connection and no
//! buffer; an unfinished record is kept, up to one.

mod error;

pub use error::ChannelError;

use super::certificate;
use super::server_tls::ServerTls;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_HANDSHAKE_BYTES, MAX_RECORD_BYTES};
use rustls::Error;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use std::fmt;
use std::mem;

/// What encryption adds to a record (RFC 8446 5.2): header, kind and tag.
const RECORD_OVERHEAD: usize = 5 + 1 + 16;

/// Bytes that one record holds.
const RECORD_BYTES: usize = 16 * 1024;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing can be sent yet, and who the peer is, is not known.
    Handshaking,
    /// Text goes both ways.
    Open,
    /// The peer has said that it sends no more. It may still read.
    Closed,
}

/// The server's end of one connection.
pub struct ServerChannel {
    tls: Box<UnbufferedServerConnection>,
    /// The beginning of a record or handshake message; without capacity when there is none.
    kept: Vec<u8>,
    peer_key: Option<Fingerprint>,
    status: Status,
    /// Nothing goes out any more: closed by us, or failed.
    has_ended: bool,
}

impl ServerChannel {
    /// The end of a connection of which nothing has been read yet.
    ///
    /// # Errors
    /// The library refuses the settings, which it never does with what this program gives it.
    pub fn new(tls: &ServerTls) -> Result<Self, ChannelError> {
        let tls = Box::new(UnbufferedServerConnection::new(tls.0.clone())?);
        Ok(Self { tls, kept: Vec::new(), peer_key: None, status: Status::Handshaking, has_ended: false })
    }

    /// Takes bytes as the socket gave them, split anywhere. What they say is appended to `plain`, and
    /// what must be sent back to `out`.
    ///
    /// # Errors
    /// The connection must end, after `out` has been sent (an alert, if there is one). `plain` has
    /// what came before.
    pub fn receive(
        &mut self,
        mut bytes: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Status, ChannelError> {
        if self.has_ended {
            return Err(ChannelError::NotOpen);
        }
        while !bytes.is_empty() && self.status != Status::Closed {
            let bound = if self.is_open() { MAX_RECORD_BYTES } else { MAX_HANDSHAKE_BYTES };
            let (now, later) = bytes.split_at(bytes.len().min(bound.saturating_sub(self.kept.len())));
            bytes = later;
            let taken = match now {
                [] => Err(ChannelError::TooLong(bound)),
                now => self.take_in(now, plain, out),
            };
            if taken.is_err() {
                self.has_ended = true;
                self.kept = Vec::new();
                return taken.map(|()| self.status);
            }
        }
        Ok(self.status)
    }

    /// Memory that is kept for something unfinished, in bytes.
    pub fn held(&self) -> usize {
        self.kept.capacity()
    }

    /// Whether the handshake is done and the peer has not closed.
    pub fn is_open(&self) -> bool {
        self.status == Status::Open && !self.has_ended
    }

    /// The key that the peer has proven to own; `None` if it presented none, or the handshake is not
    /// done.
    pub fn peer_key(&self) -> Option<Fingerprint> {
        self.peer_key
    }

    /// Appends `plain` to `out`, encrypted, in as few records as hold it.
    ///
    /// # Errors
    /// [`ChannelError::NotOpen`] before the handshake is done and after the channel was closed by us
    /// or has failed. A peer that has closed its side may still be sent to.
    pub fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), ChannelError> {
        if self.status == Status::Handshaking || self.has_ended {
            return Err(ChannelError::NotOpen);
        }
        let sent = self.write(&Outgoing::Text(plain), out);
        self.has_ended = sent.is_err();
        sent
    }

    /// Appends the end of the connection to `out` (`close_notify`), if the handshake has come so far
    /// that there can be one. Nothing can be sent or received after that.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if !self.has_ended {
            // Before there are keys there is nothing to close.
            let _ = self.write(&Outgoing::Close, out);
        }
        self.has_ended = true;
        self.kept = Vec::new();
    }

    /// Takes bytes that fit beside what is kept.
    fn take_in(&mut self, bytes: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        let mut kept = mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let used = self.process(&mut kept, plain, out)?;
        // What is left over came with these bytes if any before it was used, so that copying it costs
        // no more than they did, however small the pieces are.
        self.kept = if used == 0 { kept } else { kept[used..].to_vec() };
        Ok(())
    }

    /// Processes all that is whole in `kept`, and returns how many bytes that was.
    fn process(
        &mut self,
        kept: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<usize, ChannelError> {
        let mut used = 0;
        // Each turn uses bytes, takes from what the library has queued, or is the last.
        loop {
            let UnbufferedStatus { discard, state } = self.tls.process_tls_records(&mut kept[used..]);
            let turn = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        plain.extend_from_slice(record?.payload);
                    }
                    Turn::Works
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, out).map(|()| Turn::Works)?
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    Turn::Works
                }
                Ok(ConnectionState::PeerClosed) => Turn::IsClosed,
                Ok(ConnectionState::ReadEarlyData(_)) => {
                    return Err(ChannelError::Tls("early data was never offered".into()));
                }
                Ok(_) => Turn::Waits,
                Err(error) => Turn::Fails(error),
            };
            used += discard;
            match turn {
                Turn::Works => {}
                Turn::Fails(error) => {
                    self.drain_alerts(&mut kept[used..], out);
                    return Err(error.into());
                }
                Turn::IsClosed => {
                    self.note_handshake()?;
                    self.status = Status::Closed;
                    // What follows the end is no part of the connection (RFC 8446 6.1).
                    return Ok(kept.len());
                }
                Turn::Waits => return self.note_handshake().map(|()| used),
            }
        }
    }

    /// Sees whether the handshake is done by now, and who the peer is.
    fn note_handshake(&mut self) -> Result<(), ChannelError> {
        if self.status == Status::Handshaking && !self.tls.is_handshaking() {
            self.peer_key = match self.tls.peer_certificates() {
                Some([first, others @ ..]) => Some(certificate::presented(first, others)?),
                _ => None,
            };
            self.status = Status::Open;
        }
        Ok(())
    }

    /// Appends the alerts that tell the peer what was wrong.
    fn drain_alerts(&mut self, kept: &mut [u8], out: &mut Vec<u8>) {
        // Never a turn more than there are alerts: the next would be at the broken bytes again.
        while self.tls.wants_write() {
            match self.tls.process_tls_records(kept).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    if encode(&mut data, out).is_err() {
                        break;
                    }
                }
                _ => break,
            }
        }
    }

    fn write(&mut self, what: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        loop {
            // What is kept is unfinished, so that this only finds out what may be written now.
            let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut self.kept);
            match state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out)?,
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    return append(out, what.room(), |room| {
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
                }
                Ok(_) => return Err(ChannelError::NotOpen),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl fmt::Debug for ServerChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tls: _, kept, peer_key, status, has_ended } = self;
        f.debug_struct("ServerChannel")
            .field("kept", &kept.len())
            .field("peer_key", peer_key)
            .field("status", status)
            .field("has_ended", has_ended)
            .finish()
    }
}

/// What the library's state means for reading on.
enum Turn {
    Works,
    IsClosed,
    Waits,
    Fails(Error),
}

/// What is to be written into an open channel.
enum Outgoing<'a> {
    Text(&'a [u8]),
    Close,
}

impl Outgoing<'_> {
    /// Bytes that it takes, unless there is something else to be sent before it.
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

/// Appends what `write` puts into a piece of at least `room` bytes. If that is too short, `write`
/// says how many bytes it needs, and is called once more.
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
    written.map(|_| ()).map_err(|_| ChannelError::Tls("the channel can't encrypt any more".into()))
}

#[cfg(test)]
mod tests;
