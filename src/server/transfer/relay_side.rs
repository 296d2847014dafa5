//! One side of a transfer: its socket and its transport.
//!
//! Reads at most one step at a time into buffers that all transfers of a thread share, and keeps only what the
//! peer's socket did not take.

use super::super::connection::Connection;
use super::super::memory::Reservation;
use super::super::transport::Transport;
use super::super::websocket::{CloseCode, HEADROOM, WebContent, message, put_header};
use super::FileConnection;
use super::record_watch::RecordWatch;
use crate::limits::{RELAY_STEP_BYTES, TRANSFER_MEMORY_BYTES, TRANSFER_SOCKET_BYTES};
use crate::security::Status;
use socket2::SockRef;
use std::cell::RefCell;
use std::io::{self, Write};
use std::mem;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// At most this much is TLS's own end (RFC 8446 6.1), with an update of keys or a close frame before it.
const END_BYTES: usize = 64;

thread_local! {
    static BUFFERS: RefCell<StepBuffers> = RefCell::new(StepBuffers::default());
}

/// Buffers shared by all transfers of a thread.
struct StepBuffers {
    read: Vec<u8>,
    /// The same, decrypted and out of its frames, behind room for the header of a browser's message.
    plain: Vec<u8>,
}

impl Default for StepBuffers {
    fn default() -> Self {
        Self { read: vec![0; RELAY_STEP_BYTES], plain: Vec::new() }
    }
}

/// A socket of tokio's, written without waiting.
#[derive(Debug)]
struct RelaySocket(TcpStream);

impl Write for &RelaySocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct RelaySide {
    socket: RelaySocket,
    transport: Transport,
    /// Bytes that the socket did not take. The relay reads from the other side only once it has taken them.
    pending: Vec<u8>,
    /// Bytes that came with the packet with the token.
    early: Vec<u8>,
    /// Whether it leads to another server, which is the client's there.
    is_link: bool,
    /// Whether the line feed after that packet is still to come.
    skips_line_feed: bool,
    /// Whether the peer has closed its side, in order.
    has_ended: bool,
    /// Whether this side has told the peer its end, because the other side has ended.
    is_closed: bool,
    /// Bytes that it sent after that: nobody is there to take them.
    dropped: usize,
    /// The records that it has sent.
    seen: RecordWatch,
    _reservation: Reservation,
    _connection: Arc<Connection>,
}

impl RelaySide {
    /// Must be called on the thread's runtime.
    pub(super) fn new(connection: FileConnection) -> io::Result<Self> {
        let FileConnection { stream, transport, connection, early, has_ended, is_link, .. } = connection;
        let stream = TcpStream::from_std(stream)?;
        // A transfer is then only slower.
        let _ = SockRef::from(&stream).set_send_buffer_size(TRANSFER_SOCKET_BYTES);
        let _ = SockRef::from(&stream).set_recv_buffer_size(TRANSFER_SOCKET_BYTES);
        let mut reservation = connection.reserve();
        reservation.set(TRANSFER_MEMORY_BYTES / 2);
        Ok(Self {
            socket: RelaySocket(stream),
            transport,
            pending: Vec::new(),
            early,
            is_link,
            skips_line_feed: !is_link,
            has_ended,
            is_closed: false,
            dropped: 0,
            seen: RecordWatch::default(),
            _reservation: reservation,
            _connection: connection,
        })
    }

    /// Whether the peer has closed its side, in order, and everything that it sent has been read.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended && self.early.is_empty()
    }

    /// Whether the peer went on sending after the other side's end: more than an end of its own.
    pub(super) fn went_on(&self) -> bool {
        self.dropped > END_BYTES
    }

    /// Whether the connection ended after this side's end without an end of the peer's own, so that the peer may have
    /// missed the last bytes.
    pub(super) fn broke_off(&self) -> bool {
        self.is_closed && self.dropped == 0 && self.transport.tells_end()
    }

    /// Whether something waits for the socket to have room.
    pub(super) fn is_blocked(&self) -> bool {
        !self.pending.is_empty() || self.transport.waiting() > 0
    }

    /// Whether it leads to another server.
    pub(super) fn is_link(&self) -> bool {
        self.is_link
    }

    pub(super) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// Waits until the socket can do this; forever for nothing.
    pub(super) async fn ready(&self, reads: bool) -> io::Result<Ready> {
        let interest = match (reads, self.is_blocked()) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (true, false) => Interest::READABLE,
            (false, true) => Interest::WRITABLE,
            (false, false) => return std::future::pending().await,
        };
        self.socket.0.ready(interest).await
    }

    /// The records that it has sent.
    pub(super) fn seen(&self) -> &RecordWatch {
        &self.seen
    }

    /// Whether nobody takes what it still sends.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Reads once, at most `most` bytes, and writes what it got to `to`.
    pub(super) fn pass_to(&mut self, to: &mut Self, most: usize) -> Result<Passed, BrokenSide> {
        BUFFERS.with_borrow_mut(|StepBuffers { read, plain }| {
            plain.clear();
            plain.resize(HEADROOM, 0);
            let most = most.min(read.len());
            let length = self.read(&mut read[..most], plain).map_err(|_| BrokenSide::Read)?;
            let skipped = usize::from(self.skips_line_feed && plain.get(HEADROOM) == Some(&b'\n'));
            self.skips_line_feed &= plain.len() == HEADROOM;
            self.seen.see(&plain[HEADROOM + skipped..]);
            let passed = plain.len() - HEADROOM - skipped;
            to.write_bytes(&mut plain[skipped..]).map_err(|_| BrokenSide::Write)?;
            Ok(Passed { read: length, bytes: passed })
        })
    }

    /// Appends what came to `plain`. Returns how much came.
    fn read(&mut self, buffer: &mut [u8], plain: &mut Vec<u8>) -> io::Result<usize> {
        if !self.early.is_empty() {
            let early = mem::take(&mut self.early);
            plain.extend_from_slice(&early);
            return Ok(early.len());
        }
        match self.socket.0.try_read(buffer) {
            // Without TLS's own end, an encrypted connection was cut. After this side's end, TLS reads none.
            Ok(0) if self.transport.tells_end() && !self.is_closed => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Ok(0) => {
                self.has_ended = true;
                Ok(0)
            }
            Ok(length) if self.is_closed => {
                self.dropped += length;
                Ok(0)
            }
            Ok(length) => {
                let status = self.transport.open(&self.socket, &buffer[..length], plain);
                self.has_ended = status.map_err(io::Error::other)? == Status::Closed;
                if let Some(pong) = self.transport.take_pong() {
                    self.put(&pong)?;
                }
                Ok(length)
            }
            Err(error) if is_for_later(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Writes a line of the server's own.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self.transport.web_purpose() {
            Some(_) => self.put(&message(WebContent::Lines, line)),
            None => self.put(line),
        }
    }

    /// The same for the last one, which says why the connection ends.
    pub(super) fn write_last(&mut self, line: &[u8]) -> io::Result<()> {
        self.transport.set_close(CloseCode::after(line));
        self.write(line)
    }

    /// Writes bytes of the other side's. They are behind [`HEADROOM`] bytes, into which a browser's header goes.
    fn write_bytes(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let Some((headroom, content)) = bytes.split_first_chunk_mut() else { return Ok(()) };
        let header = match self.transport.web_purpose() {
            Some(_) if !content.is_empty() => put_header(WebContent::Bytes, content.len(), headroom),
            _ => 0,
        };
        self.put(&bytes[HEADROOM - header..])
    }

    /// Writes what the socket takes, and keeps the rest.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.is_blocked() { 0 } else { self.transport.write(&self.socket, bytes)? };
        self.pending.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.transport.flush(&self.socket)? && !self.pending.is_empty() {
            let pending = mem::take(&mut self.pending);
            self.put(&pending)?;
        }
        Ok(())
    }

    /// Ends this side once everything is written; `true`: the peer learns of it.
    pub(super) fn close(&mut self) -> bool {
        if !self.is_closed && !self.is_blocked() && self.transport.end(&self.socket) {
            let _ = SockRef::from(&self.socket.0).shutdown(Shutdown::Write);
            self.is_closed = true;
        }
        self.is_closed
    }

    /// Writes what waits, ends the connection, and gives the peer that much time to read it: closing over unread
    /// bytes would take the last ones from it (RFC 1122 4.2.2.13).
    pub(super) async fn finish(mut self, time: Duration) {
        let _ = timeout(time, async {
            while !self.close() {
                self.socket.0.writable().await?;
                self.flush()?;
            }
            let mut discarded = vec![0; 4096];
            loop {
                self.socket.0.readable().await?;
                match self.socket.0.try_read(&mut discarded) {
                    Ok(0) => return Ok(()),
                    Err(error) if !is_for_later(&error) => return Err(error),
                    _ => {}
                }
            }
        })
        .await;
    }
}

/// The bytes that one step has moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    /// Bytes that came, perhaps encrypted.
    pub(super) read: usize,
    /// Bytes that the other side gets.
    pub(super) bytes: usize,
}

/// Which side a step failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrokenSide {
    /// The side that is read.
    Read,
    /// The other.
    Write,
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
