//! A browser's connection until the reactor has it: a socket, and its TLS over HTTPS.

use crate::limits::WEB_TIMEOUT;
use crate::security::{ServerChannel, Status};
use crate::server::early_read::read_some;
use std::io;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes to encrypt at a time.
const PIECE_BYTES: usize = 4 * 1024;

pub(super) struct WebStream<'a> {
    pub(super) socket: &'a mut TcpStream,
    /// `None`: plain HTTP.
    pub(super) channel: Option<ServerChannel>,
}

impl WebStream<'_> {
    pub(super) fn is_encrypted(&self) -> bool {
        self.channel.is_some()
    }

    /// Appends what comes next; `false`: the peer has closed its side.
    pub(super) async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let before = into.len();
        while into.len() == before {
            let mut out = Vec::new();
            let read = read_some(self.socket, |bytes| match &mut self.channel {
                Some(channel) => channel.receive(bytes, into, &mut out),
                None => {
                    into.extend_from_slice(bytes);
                    Ok(Status::Open)
                }
            });
            let Some(status) = read.await? else { return Ok(false) };
            if !out.is_empty() {
                self.socket.write_all(&out).await?;
            }
            if status.map_err(io::Error::other)? == Status::Closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes all parts, if the peer reads them in time.
    pub(super) async fn write(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        timeout(WEB_TIMEOUT, async {
            for part in parts {
                self.write_part(part).await?;
            }
            Ok(())
        })
        .await?
    }

    /// Encrypts a piece at a time, as thousands may read slowly.
    async fn write_part(&mut self, part: &[u8]) -> io::Result<()> {
        let Some(channel) = &mut self.channel else { return self.socket.write_all(part).await };
        for piece in part.chunks(PIECE_BYTES) {
            let mut sealed = Vec::new();
            channel.send(piece, &mut sealed).map_err(io::Error::other)?;
            self.socket.write_all(&sealed).await?;
        }
        Ok(())
    }

    /// Tells the peer that nothing more follows.
    pub(super) async fn end(&mut self) {
        let mut sealed = Vec::new();
        if let Some(channel) = &mut self.channel {
            channel.close(&mut sealed);
        }
        // A peer that is gone need not know.
        let _ = timeout(WEB_TIMEOUT, async {
            self.socket.write_all(&sealed).await?;
            self.socket.shutdown().await
        })
        .await;
    }
}
