//! Recognises a server that does not speak TLS by its first bytes, and keeps its first line.
//!
//! Knows of TLS only the first byte.

use crate::limits::{FOREIGN_LINE_TIMEOUT, MAX_FOREIGN_LINE_BYTES};
use std::io;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// The first byte of a record is its content type (RFC 8446 5.1).
const RECORD_KINDS: RangeInclusive<u8> = 20..=24;

/// A stream that stops reading if the first byte is not TLS, and keeps what it read.
#[derive(Debug)]
pub(super) struct SniffingStream<S> {
    stream: S,
    is_tls: bool,
    foreign: Vec<u8>,
}

impl<S: AsyncRead + Unpin> SniffingStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, is_tls: false, foreign: Vec::new() }
    }

    /// The first line of a peer that does not speak TLS, or as much of it as arrived; `None`: it sent nothing,
    /// or TLS.
    pub(super) async fn foreign_line(mut self) -> Option<String> {
        if self.is_tls {
            return None;
        }
        // If the rest does not arrive, the beginning may say enough.
        let _ = tokio::time::timeout(FOREIGN_LINE_TIMEOUT, self.read_line()).await;
        let first = *self.foreign.first()?;
        let line = self.foreign.split(|byte| *byte == b'\n').next().unwrap_or_default();
        (!RECORD_KINDS.contains(&first)).then(|| String::from_utf8_lossy(line).trim_end().to_owned())
    }

    async fn read_line(&mut self) -> io::Result<()> {
        while !self.foreign.contains(&b'\n') && self.foreign.len() < MAX_FOREIGN_LINE_BYTES {
            let room = (MAX_FOREIGN_LINE_BYTES - self.foreign.len()) as u64;
            if (&mut self.stream).take(room).read_buf(&mut self.foreign).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SniffingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = &buffer.filled()[start..];
        if let (false, Some(first)) = (self.is_tls, read.first()) {
            if !RECORD_KINDS.contains(first) {
                self.foreign.extend_from_slice(&read[..read.len().min(MAX_FOREIGN_LINE_BYTES)]);
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            self.is_tls = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SniffingStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
