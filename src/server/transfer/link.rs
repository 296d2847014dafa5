//! The way to another server of the chat: if the sides of a transfer meet there, it gets the connection of this server's
//! side, passed on.
//!
//! The link is like a client's connection for a file, with the client's token, and with the key of the chat, which only
//! servers have.

use super::super::listener::tune;
use super::super::options::NodeAddress;
use super::super::transport::Transport;
use super::FileConnection;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_FRAME_BYTES;
use crate::protocol::request::{Connect, Refusal};
use crate::protocol::{Code, Event, Request, ServerPacket};
use crate::security::{ClientTls, HandshakeError, Keypair, ServerChannel, Status};
use socket2::SockRef;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes to read at a time before the transfer begins.
const READ_BYTES: usize = 4096;

/// The settings for links.
#[derive(Debug)]
pub(in crate::server) struct Links {
    addresses: Vec<NodeAddress>,
    tls: ClientTls,
    chat_key: Fingerprint,
}

/// A link before the transfer begins.
struct OpenLink {
    stream: TcpStream,
    channel: ServerChannel,
    /// Bytes that came and are not used yet.
    plain: Vec<u8>,
    status: Status,
}

impl Links {
    /// `addresses`: of all servers, by number.
    pub(in crate::server) fn new(keys: &Keypair, addresses: &[NodeAddress]) -> Result<Self, HandshakeError> {
        let (tls, chat_key) = (ClientTls::new(keys)?, keys.fingerprint());
        Ok(Self { addresses: addresses.to_vec(), tls, chat_key })
    }

    /// Connects to that server, and waits until the other side is there.
    ///
    /// # Errors
    /// The reason for the client.
    pub(super) async fn open(&self, to: u8, client: &FileConnection) -> Result<FileConnection, Refusal> {
        let mut link = self.connect(to).await.map_err(|error| unreachable(&error))?;
        let hello = Request::Connect(Connect::File { token: client.token.clone() }).to_frame(None);
        link.write(&hello).await.map_err(|error| unreachable(&error))?;
        let line = link.line().await.map_err(|error| unreachable(&error))?;
        going(&line)?;
        let OpenLink { stream, channel, plain, status } = link;
        Ok(FileConnection {
            stream: stream.into_std().map_err(|error| unreachable(&error))?,
            transport: Transport::encrypted(channel),
            connection: Arc::clone(&client.connection),
            token: String::new(),
            early: plain,
            has_ended: status == Status::Closed,
            is_link: true,
        })
    }

    async fn connect(&self, to: u8) -> io::Result<OpenLink> {
        let address = self.addresses.get(usize::from(to)).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        tune(&SockRef::from(&stream))?;
        let mut hello = Vec::new();
        let channel =
            ServerChannel::to_server(&self.tls, self.chat_key, &mut hello).map_err(io::Error::other)?;
        let mut link = OpenLink { stream, channel, plain: Vec::new(), status: Status::Handshaking };
        link.stream.write_all(&hello).await?;
        while link.status == Status::Handshaking {
            link.read().await?;
        }
        Ok(link)
    }
}

impl OpenLink {
    async fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        self.channel.send(plain, &mut out).map_err(io::Error::other)?;
        self.stream.write_all(&out).await
    }

    /// Reads once, and sends TLS's own answers.
    async fn read(&mut self) -> io::Result<()> {
        let (mut buffer, mut out) = ([0; READ_BYTES], Vec::new());
        let length = self.stream.read(&mut buffer).await?;
        if length == 0 || self.status == Status::Closed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = self.channel.receive(&buffer[..length], &mut self.plain, &mut out);
        self.stream.write_all(&out).await?;
        self.status = status.map_err(io::Error::other)?;
        Ok(())
    }

    /// The next line.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.plain) {
                return Ok(self.plain.drain(..=end).collect());
            }
            if self.plain.len() > MAX_FRAME_BYTES {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.read().await?;
        }
    }
}

/// Whether the line says that the other side is there.
fn going(line: &[u8]) -> Result<(), Refusal> {
    let event = ServerPacket::parse(line.trim_ascii()).ok().map(Event::from_packet);
    match event {
        Some(Event::Go) => Ok(()),
        Some(Event::Error { code, msg, .. }) => Err(Refusal::new(code.unwrap_or(Code::Cut), msg)),
        _ => Err(unreachable(&io::ErrorKind::InvalidData.into())),
    }
}

fn unreachable(error: &io::Error) -> Refusal {
    let msg =
        format!("the server of the other side cannot be reached from here: {error}; accept the offer again");
    Refusal::new(Code::Cut, msg)
}
