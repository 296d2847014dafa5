//! How frames get onto a socket: as they are, or sealed in TLS records.
//!
//! Knows no backlog and no frames: bytes in order. What was sealed and did not fit the socket is
//! kept, for it can't be sealed again; it is at most one step.

use crate::fingerprint::Fingerprint;
use crate::security::{ChannelError, ServerChannel, Status};
use mio::net::TcpStream;
use std::cell::RefCell;
use std::io::{self, Write};

/// Bytes sealed at a time: some records in one write. Bounds what a receiver that does not read
/// holds for itself.
const STEP: usize = 64 * 1024;

thread_local! {
    /// Records on their way to a socket.
    static SEALED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// See the module.
#[derive(Debug)]
pub(super) enum Wire {
    Plain,
    /// Boxed: plaintext connections don't pay for it.
    Sealed(Box<Sealed>),
}

/// The encrypted kind.
#[derive(Debug)]
pub(super) struct Sealed {
    channel: ServerChannel,
    /// Records, or the end of one, that the socket has not taken.
    rest: Vec<u8>,
}

impl Wire {
    pub(super) fn sealed(channel: ServerChannel) -> Self {
        Self::Sealed(Box::new(Sealed { channel, rest: Vec::new() }))
    }

    /// The key that the peer has proved to hold.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        match self {
            Self::Plain => None,
            Self::Sealed(sealed) => sealed.channel.peer_key(),
        }
    }

    /// Whether nobody can read along.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// Writes as much of `bytes` as the socket takes, and says how much of it need not be written
    /// again. Less than all: the socket is full.
    pub(super) fn write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain => try_write(stream, bytes),
            Self::Sealed(sealed) => sealed.write(stream, bytes),
        }
    }

    /// Writes what is sealed already; `false`: the socket is full.
    pub(super) fn flush(&mut self, stream: &TcpStream) -> io::Result<bool> {
        match self {
            Self::Plain => Ok(true),
            Self::Sealed(sealed) => sealed.flush(stream),
        }
    }

    /// Bytes that are sealed and wait.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Sealed(sealed) => sealed.rest.len(),
        }
    }

    /// Tells the peer that nothing more comes, so that it can tell an end from a cut; once. `false`:
    /// the socket is full, and [`Self::flush`] has the rest to do.
    pub(super) fn end(&mut self, stream: &TcpStream) -> bool {
        // A broken connection has nobody to tell.
        if let Self::Sealed(sealed) = self
            && sealed.post(stream, ServerChannel::close).is_err()
        {
            return true;
        }
        self.waiting() == 0
    }

    /// Memory that is kept for a record whose end has not come yet, in bytes.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Sealed(sealed) => sealed.channel.held(),
        }
    }

    /// What the peer sent, as it was before sealing. Answers of the protocol itself go out.
    ///
    /// # Errors
    /// When it is not what the peer sealed, or an answer can't be written; the connection is over then.
    pub(super) fn open(
        &mut self,
        stream: &TcpStream,
        bytes: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<Status, ChannelError> {
        match self {
            Self::Plain => {
                plain.extend_from_slice(bytes);
                Ok(Status::Open)
            }
            Self::Sealed(sealed) => sealed
                .post(stream, |channel, out| channel.receive(bytes, plain, out))
                .unwrap_or(Err(ChannelError::NotOpen)),
        }
    }
}

impl Sealed {
    fn write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        for step in bytes.chunks(STEP) {
            if !self.flush(stream)? {
                break;
            }
            let result = self.post(stream, |channel, out| channel.send(step, out))?;
            result.map_err(io::Error::other)?;
            written += step.len();
        }
        Ok(written)
    }

    fn flush(&mut self, stream: &TcpStream) -> io::Result<bool> {
        if !self.rest.is_empty() {
            let written = try_write(stream, &self.rest)?;
            self.rest.drain(..written);
            if self.rest.is_empty() {
                self.rest = Vec::new();
            }
        }
        Ok(self.rest.is_empty())
    }

    /// Writes what `make` puts out, after what waits.
    fn post<T>(
        &mut self,
        stream: &TcpStream,
        make: impl FnOnce(&mut ServerChannel, &mut Vec<u8>) -> T,
    ) -> io::Result<T> {
        SEALED.with_borrow_mut(|out| {
            out.clear();
            let result = make(&mut self.channel, out);
            let is_next = self.rest.is_empty() && !out.is_empty();
            let written = if is_next { try_write(stream, out)? } else { 0 };
            self.rest.extend_from_slice(&out[written..]);
            Ok(result)
        })
    }
}

/// What the socket takes of it; a full one takes nothing.
fn try_write(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}
