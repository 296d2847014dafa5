//! A browser's connection until the reactor has it: a socket, and its TLS over HTTPS.

use crate::limits::WEB_TIMEOUT;
use crate::security::{ServerChannel, Status};
use crate::server::early_read::read_some;
use std::io;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

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

    /// Writes all of it, if the peer reads it in time.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sealed = Vec::new();
        let bytes = match &mut self.channel {
            Some(channel) => {
                channel.send(bytes, &mut sealed).map_err(io::Error::other)?;
                &sealed
            }
            None => bytes,
        };
        timeout(WEB_TIMEOUT, self.socket.write_all(bytes)).await?
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
