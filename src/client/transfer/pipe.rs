//! The connection that carries a file: opened with the token of an accepted offer, and then a pipe to the other
//! side.

use super::door::Door;
use super::error::TransferError;
use crate::client::link::LinkError;
use crate::limits::{MAX_FRAME_BYTES, TRANSFER_MEETING};
use crate::protocol::request::Connect;
use crate::protocol::{Event, Request, ServerPacket};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::timeout;

/// How much longer than the server the client waits for the other side: the server knows why it does not come.
const GRACE: Duration = Duration::from_secs(5);

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// An open connection to the other side of a transfer.
pub struct Pipe {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Bytes that the other side has already sent.
    pub(super) early: Vec<u8>,
}

impl Pipe {
    /// Connects to the server, and waits until the other side is there.
    ///
    /// # Errors
    /// [`TransferError::Cut`] or [`TransferError::Refused`].
    pub async fn open(door: &Door, token: &str) -> Result<Self, TransferError> {
        let streams = door.channel.open_for_file(door.addr).await?;
        let (mut reader, mut writer) = (streams.reader, streams.writer);
        let hello = Request::Connect(Connect::File { token: token.to_owned() }).to_frame(None);
        let opened = async {
            writer.write_all(&hello).await.map_err(lost)?;
            writer.flush().await.map_err(lost)?;
            let early = answer(&mut reader).await?;
            Ok(Self { reader, writer, early })
        };
        let opened = timeout(TRANSFER_MEETING + GRACE, opened).await;
        opened.unwrap_or_else(|_| Err(TransferError::Cut("the other side did not connect".into())))
    }

    /// Uses a stream that leads to the other side.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (reader, writer) = split(stream);
        Self { reader: Box::new(reader), writer: Box::new(writer), early: Vec::new() }
    }
}

fn lost(error: std::io::Error) -> TransferError {
    TransferError::lost(&error)
}

/// Reads the server's answer. Returns what came after it.
async fn answer(reader: &mut Reader) -> Result<Vec<u8>, TransferError> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let rest = read.split_off(end + 1);
            return going(&read).map(|()| rest);
        }
        if read.len() > MAX_FRAME_BYTES {
            return Err(LinkError::Protocol("it sent a packet over 64 KiB".into()).into());
        }
        if reader.read_buf(&mut read).await.map_err(lost)? == 0 {
            return Err(TransferError::Cut("the server closed the connection".into()));
        }
    }
}

fn going(line: &[u8]) -> Result<(), TransferError> {
    let strange = || TransferError::Cut("the server's answer does not match the request".into());
    match Event::from_packet(ServerPacket::parse(line.trim_ascii()).map_err(|_| strange())?) {
        Event::Go => Ok(()),
        Event::Error { code, msg, .. } | Event::Bye { code, msg, .. } => {
            Err(LinkError::Refused { code, msg, free: None }.into())
        }
        _ => Err(strange()),
    }
}
