//! Writes bytes to a socket, as plaintext or in TLS records.
//!
//! Knows no backlog, no frames and no kind of socket. Encrypted bytes that do not fit the socket are kept, as they cannot be
//! encrypted again: one step at most.

use crate::fingerprint::Fingerprint;
use crate::security::{ChannelError, ServerChannel, Status};
use std::cell::RefCell;
use std::io::{self, Write};

/// Bytes to encrypt at a time: some records in one write. Also bounds the encrypted bytes that wait for a
/// receiver that does not read.
const STEP: usize = 64 * 1024;

thread_local! {
    /// Records on their way to a socket.
    static RECORDS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) enum Transport {
    Plain,
    /// Boxed: plaintext connections need no room for it.
    Encrypted(Box<Encrypted>),
}

#[derive(Debug)]
pub(super) struct Encrypted {
    channel: ServerChannel,
    /// Records, or the end of one, that did not fit the socket.
    rest: Vec<u8>,
}

impl Transport {
    pub(super) fn encrypted(channel: ServerChannel) -> Self {
        Self::Encrypted(Box::new(Encrypted { channel, rest: Vec::new() }))
    }

    /// The key that the peer has proved to own.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        match self {
            Self::Plain => None,
            Self::Encrypted(encrypted) => encrypted.channel.peer_key(),
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(_))
    }

    /// Writes as much of `bytes` as the socket takes. Returns how many of them need not be written again; fewer
    /// than all: the socket is full.
    pub(super) fn write<S>(&mut self, stream: &S, bytes: &[u8]) -> io::Result<usize>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => try_write(stream, bytes),
            Self::Encrypted(encrypted) => encrypted.write(stream, bytes),
        }
    }

    /// Writes what is already encrypted; `false`: the socket is full.
    pub(super) fn flush<S>(&mut self, stream: &S) -> io::Result<bool>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => Ok(true),
            Self::Encrypted(encrypted) => encrypted.flush(stream),
        }
    }

    /// Encrypted bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Encrypted(encrypted) => encrypted.rest.len(),
        }
    }

    /// Tells the peer once that nothing more follows, so that it can tell an end from a cut. `false`: the
    /// socket is full, and [`Self::flush`] must write the rest.
    pub(super) fn end<S>(&mut self, stream: &S) -> bool
    where
        for<'a> &'a S: Write,
    {
        // A broken connection has nobody to tell.
        if let Self::Encrypted(encrypted) = self
            && encrypted.post(stream, ServerChannel::close).is_err()
        {
            return true;
        }
        self.waiting() == 0
    }

    /// Memory for an unfinished record, in bytes.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Encrypted(encrypted) => encrypted.channel.held(),
        }
    }

    /// Decrypts what the peer sent, and sends TLS's own answers.
    pub(super) fn decrypt<S>(
        &mut self,
        stream: &S,
        bytes: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<Status, ChannelError>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => {
                plain.extend_from_slice(bytes);
                Ok(Status::Open)
            }
            Self::Encrypted(encrypted) => encrypted
                .post(stream, |channel, out| channel.receive(bytes, plain, out))
                .unwrap_or(Err(ChannelError::NotOpen)),
        }
    }
}

impl Encrypted {
    fn write<S>(&mut self, stream: &S, bytes: &[u8]) -> io::Result<usize>
    where
        for<'a> &'a S: Write,
    {
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

    fn flush<S>(&mut self, stream: &S) -> io::Result<bool>
    where
        for<'a> &'a S: Write,
    {
        if !self.rest.is_empty() {
            let written = try_write(stream, &self.rest)?;
            self.rest.drain(..written);
            if self.rest.is_empty() {
                self.rest = Vec::new();
            }
        }
        Ok(self.rest.is_empty())
    }

    /// Writes what `make` appends, after what waits.
    fn post<S, T>(
        &mut self,
        stream: &S,
        make: impl FnOnce(&mut ServerChannel, &mut Vec<u8>) -> T,
    ) -> io::Result<T>
    where
        for<'a> &'a S: Write,
    {
        RECORDS.with_borrow_mut(|out| {
            out.clear();
            let result = make(&mut self.channel, out);
            let is_next = self.rest.is_empty() && !out.is_empty();
            let written = if is_next { try_write(stream, out)? } else { 0 };
            self.rest.extend_from_slice(&out[written..]);
            Ok(result)
        })
    }
}

/// Writes what the socket takes; a full one takes nothing.
fn try_write(mut stream: impl Write, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}
