//! Writes bytes to a socket, as plaintext or in TLS records, and takes them from there; for browsers also without the frames
//! of WebSocket.
//!
//! Knows no backlog and no kind of socket. Encrypted bytes that do not fit the socket are kept, as they cannot be
//! encrypted again: one step at most. It adds no frames of WebSocket to what it writes, except the last one: many browsers
//! share a message, so its header is there already (`backlog.rs`).

use super::websocket::{CloseCode, FrameReader, WebContent, WebPurpose, message};
use crate::fingerprint::Fingerprint;
use crate::security::{ChannelError, ServerChannel, Status};
use std::cell::RefCell;
use std::io::{self, Write};
use std::mem;

/// Bytes to encrypt at a time: some records in one write. Also bounds the encrypted bytes that wait for a
/// receiver that does not read.
const STEP: usize = 64 * 1024;

thread_local! {
    /// Records on their way to a socket.
    static RECORDS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Frames of WebSocket that came in records.
    static FRAMES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) enum Transport {
    Plain,
    /// Boxed: plaintext connections need no room for it.
    Layered(Box<Layer>),
}

#[derive(Debug)]
pub(super) struct Layer {
    kind: LayerKind,
    /// Records, or the end of one, that did not fit the socket.
    rest: Vec<u8>,
}

#[derive(Debug)]
enum LayerKind {
    Tls(ServerChannel),
    Web(WebSocket),
    /// Boxed: the others need no room for it.
    WebOverTls(Box<(ServerChannel, WebSocket, Option<Fingerprint>)>),
}

/// One per encrypted connection, and one per browser.
const _: () = assert!(size_of::<Layer>() <= 112);

/// A browser's connection after the upgrade.
#[derive(Debug)]
struct WebSocket {
    reader: FrameReader,
    /// Why the server ends it.
    close: CloseCode,
    is_closed: bool,
    /// The answer to a ping, which goes between two messages.
    pong: Option<Box<[u8]>>,
}

/// Why a connection's bytes cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    #[error(transparent)]
    Tls(#[from] ChannelError),
    #[error(transparent)]
    Web(#[from] CloseCode),
}

impl Transport {
    pub(super) fn encrypted(channel: ServerChannel) -> Self {
        Self::layered(LayerKind::Tls(channel))
    }

    /// A browser's after the upgrade, over plain HTTP until [`Self::put_over_tls`].
    pub(super) fn web(purpose: WebPurpose) -> Self {
        Self::layered(LayerKind::Web(WebSocket::new(purpose)))
    }

    /// Puts a browser's frames into this channel, whose browser has proved to own a key, or has none.
    pub(super) fn put_over_tls(self, channel: ServerChannel, key: Option<Fingerprint>) -> Self {
        match self {
            Self::Layered(layer) => match *layer {
                Layer { kind: LayerKind::Web(web), .. } => {
                    Self::layered(LayerKind::WebOverTls(Box::new((channel, web, key))))
                }
                layer => Self::Layered(Box::new(layer)),
            },
            Self::Plain => Self::Plain,
        }
    }

    fn layered(kind: LayerKind) -> Self {
        Self::Layered(Box::new(Layer { kind, rest: Vec::new() }))
    }

    /// The key that the peer has proved to own.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        match self {
            Self::Plain => None,
            Self::Layered(layer) => match &layer.kind {
                LayerKind::Tls(channel) => channel.peer_key(),
                LayerKind::Web(_) => None,
                LayerKind::WebOverTls(web) => web.2,
            },
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Layered(layer) if !matches!(layer.kind, LayerKind::Web(_)))
    }

    /// The purpose of a browser's connection; `None`: it is not a browser's.
    pub(super) fn web_purpose(&self) -> Option<WebPurpose> {
        let Self::Layered(layer) = self else { return None };
        match &layer.kind {
            LayerKind::Tls(_) => None,
            LayerKind::Web(web) => Some(web.reader.purpose()),
            LayerKind::WebOverTls(web) => Some(web.1.reader.purpose()),
        }
    }

    /// Whether the peer tells an end in order from a cut, beyond what TCP does.
    pub(super) fn tells_end(&self) -> bool {
        matches!(self, Self::Layered(_))
    }

    /// Notes why the server will end a browser's connection.
    pub(super) fn set_close(&mut self, code: CloseCode) {
        if let Self::Layered(layer) = self
            && let Some(web) = layer.web()
        {
            web.close = code;
        }
    }

    /// Takes the answer to a browser's ping. It goes between two messages.
    pub(super) fn take_pong(&mut self) -> Option<Vec<u8>> {
        let Self::Layered(layer) = self else { return None };
        layer.web()?.pong.take().map(Vec::from)
    }

    /// The bytes that tell the peer a last line and the end, for a connection that the server does not take.
    pub(super) fn last_words(&mut self, line: Vec<u8>) -> Option<Vec<u8>> {
        let Self::Layered(layer) = self else { return Some(line) };
        let (channel, web) = layer.parts();
        let plain = match web {
            Some(_) => {
                let mut plain = message(WebContent::Lines, &line);
                plain.extend_from_slice(&CloseCode::after(&line).frame());
                plain
            }
            None => line,
        };
        let Some(channel) = channel else { return Some(plain) };
        let mut sealed = Vec::new();
        channel.send(&plain, &mut sealed).ok()?;
        channel.close(&mut sealed);
        Some(sealed)
    }

    /// Writes as much of `bytes` as the socket takes. Returns how many of them need not be written again; fewer
    /// than all: the socket is full.
    pub(super) fn write<S>(&mut self, stream: &S, bytes: &[u8]) -> io::Result<usize>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => try_write(stream, bytes),
            Self::Layered(layer) => layer.write(stream, bytes),
        }
    }

    /// Writes what is already encrypted; `false`: the socket is full.
    pub(super) fn flush<S>(&mut self, stream: &S) -> io::Result<bool>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => Ok(true),
            Self::Layered(layer) => layer.flush(stream),
        }
    }

    /// Encrypted bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Layered(layer) => layer.rest.len(),
        }
    }

    /// Tells the peer once that nothing more follows, so that it can tell an end from a cut. `false`: the
    /// socket is full, and [`Self::flush`] must write the rest.
    pub(super) fn end<S>(&mut self, stream: &S) -> bool
    where
        for<'a> &'a S: Write,
    {
        // A broken connection has nobody to tell.
        if let Self::Layered(layer) = self
            && layer.end(stream).is_err()
        {
            return true;
        }
        self.waiting() == 0
    }

    /// Memory for an unfinished record, in bytes; also not 0 while a message of WebSocket is unfinished.
    pub(super) fn held(&self) -> usize {
        let Self::Layered(layer) = self else { return 0 };
        match &layer.kind {
            LayerKind::Tls(channel) => channel.held(),
            LayerKind::Web(web) => usize::from(web.reader.is_unfinished()),
            LayerKind::WebOverTls(web) => web.0.held() + usize::from(web.1.reader.is_unfinished()),
        }
    }

    /// Decrypts what the peer sent, takes it out of its frames, and sends TLS's own answers.
    pub(super) fn open<S>(
        &mut self,
        stream: &S,
        bytes: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<Status, TransportError>
    where
        for<'a> &'a S: Write,
    {
        match self {
            Self::Plain => {
                plain.extend_from_slice(bytes);
                Ok(Status::Open)
            }
            Self::Layered(layer) => layer.open(stream, bytes, plain),
        }
    }

    /// Takes a browser's bytes out of their frames before the reactor has the connection.
    pub(super) fn open_frames(
        &mut self,
        bytes: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<Status, TransportError> {
        match self {
            Self::Plain => Ok(Status::Open),
            Self::Layered(layer) => layer.web().map_or(Ok(Status::Open), |web| web.open(bytes, plain)),
        }
    }
}

impl Layer {
    fn parts(&mut self) -> (Option<&mut ServerChannel>, Option<&mut WebSocket>) {
        match &mut self.kind {
            LayerKind::Tls(channel) => (Some(channel), None),
            LayerKind::Web(web) => (None, Some(web)),
            LayerKind::WebOverTls(both) => {
                let (channel, web, _) = &mut **both;
                (Some(channel), Some(web))
            }
        }
    }

    fn web(&mut self) -> Option<&mut WebSocket> {
        self.parts().1
    }

    fn write<S>(&mut self, stream: &S, bytes: &[u8]) -> io::Result<usize>
    where
        for<'a> &'a S: Write,
    {
        if matches!(self.kind, LayerKind::Web(_)) {
            return if self.flush(stream)? { try_write(stream, bytes) } else { Ok(0) };
        }
        let mut written = 0;
        for step in bytes.chunks(STEP) {
            if !self.flush(stream)? {
                break;
            }
            self.post(stream, |channel, out| channel.map_or(Ok(()), |channel| channel.send(step, out)))?
                .map_err(io::Error::other)?;
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

    fn end<S>(&mut self, stream: &S) -> io::Result<()>
    where
        for<'a> &'a S: Write,
    {
        let close = self.web().and_then(|web| (!mem::replace(&mut web.is_closed, true)).then_some(web.close));
        self.post(stream, |channel, out| match (channel, close) {
            (Some(channel), close) => {
                // A channel that has failed has nobody to tell either.
                let _ = close.map(|close| channel.send(&close.frame(), out));
                channel.close(out);
            }
            (None, Some(close)) => out.extend_from_slice(&close.frame()),
            (None, None) => {}
        })
    }

    fn open<S>(&mut self, stream: &S, bytes: &[u8], plain: &mut Vec<u8>) -> Result<Status, TransportError>
    where
        for<'a> &'a S: Write,
    {
        let receive = |layer: &mut Self, plain: &mut Vec<u8>| {
            let received = layer.post(stream, |channel, out| match channel {
                Some(channel) => channel.receive(bytes, plain, out),
                None => Err(ChannelError::NotOpen),
            });
            received.unwrap_or(Err(ChannelError::NotOpen))
        };
        match &mut self.kind {
            LayerKind::Tls(_) => Ok(receive(self, plain)?),
            LayerKind::Web(web) => web.open(bytes, plain),
            LayerKind::WebOverTls(_) => FRAMES.with_borrow_mut(|frames| {
                frames.clear();
                let received = receive(self, frames);
                let opened = self.web().map_or(Ok(Status::Open), |web| web.open(frames, plain))?;
                Ok(if opened == Status::Closed { opened } else { received? })
            }),
        }
    }

    /// Writes what `make` appends, after what waits.
    fn post<S, T>(
        &mut self,
        stream: &S,
        make: impl FnOnce(Option<&mut ServerChannel>, &mut Vec<u8>) -> T,
    ) -> io::Result<T>
    where
        for<'a> &'a S: Write,
    {
        RECORDS.with_borrow_mut(|out| {
            out.clear();
            let result = make(self.parts().0, out);
            let is_next = self.rest.is_empty() && !out.is_empty();
            let written = if is_next { try_write(stream, out)? } else { 0 };
            self.rest.extend_from_slice(&out[written..]);
            Ok(result)
        })
    }
}

impl WebSocket {
    fn new(purpose: WebPurpose) -> Self {
        Self { reader: FrameReader::new(purpose), close: CloseCode::NORMAL, is_closed: false, pong: None }
    }

    fn open(&mut self, frames: &[u8], plain: &mut Vec<u8>) -> Result<Status, TransportError> {
        match self.reader.read(frames, plain) {
            Ok(control) => {
                if let Some(pong) = control.pong {
                    self.pong = Some(pong.into());
                }
                Ok(if control.is_closed { Status::Closed } else { Status::Open })
            }
            Err(code) => {
                self.close = code;
                Err(code.into())
            }
        }
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
