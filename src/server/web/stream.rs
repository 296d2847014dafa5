//! A browser's connection until the reactor has it: a socket, and its TLS over HTTPS.

use crate::limits::WEB_TIMEOUT;
use crate::security::{ServerChannel, Status};
use std::cell::RefCell;
use std::io;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

const READ_BYTES: usize = 4 * 1024;

thread_local! {
    static BUFFER: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
}

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
        loop {
            self.socket.readable().await?;
            let mut out = Vec::new();
            let before = into.len();
            let is_open = BUFFER.with_borrow_mut(|buffer| match self.socket.try_read(buffer) {
                Ok(0) => Ok(Some(false)),
                Ok(length) => match &mut self.channel {
                    Some(channel) => {
                        let status = channel.receive(&buffer[..length], into, &mut out);
                        status.map(|status| Some(status != Status::Closed)).map_err(io::Error::other)
                    }
                    None => {
                        into.extend_from_slice(&buffer[..length]);
                        Ok(Some(true))
                    }
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error),
            });
            if !out.is_empty() {
                self.socket.write_all(&out).await?;
            }
            match is_open? {
                Some(false) => return Ok(false),
                Some(true) if into.len() > before => return Ok(true),
                _ => {}
            }
        }
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
