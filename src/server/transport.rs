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
    /// With TLS.
    channel: Option<ServerChannel>,
    /// Of a browser.
    web: Option<WebSocket>,
    rest: Option<Box<Rest>>,
}

/// One per encrypted connection, and one per browser.
const _: () = assert!(size_of::<Layer>() <= 48);

/// Bytes on their way: records, or the end of one, that did not fit the socket, or a frame. Boxed: thousands have none.
#[derive(Debug, Default)]
struct Rest(Vec<u8>);

/// A browser's connection after the upgrade.
#[derive(Debug)]
struct WebSocket {
    reader: FrameReader,
    /// The answer to a ping, which goes between two messages.
    pong: Option<Box<Rest>>,
    /// Why the server ends it.
    close: CloseCode,
    is_closed: bool,
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
        Self::layered(Some(channel), None)
    }

    /// A browser's after the upgrade, over plain HTTP until [`Self::put_over_tls`].
    pub(super) fn web(purpose: WebPurpose) -> Self {
        Self::layered(None, Some(WebSocket::new(purpose)))
    }

    /// Puts a browser's frames into this channel, whose browser has proved to own a key, or has none.
    pub(super) fn put_over_tls(mut self, mut channel: ServerChannel, key: Option<Fingerprint>) -> Self {
        if let Self::Layered(layer) = &mut self {
            channel.set_peer_key(key);
            layer.channel = Some(channel);
        }
        self
    }

    fn layered(channel: Option<ServerChannel>, web: Option<WebSocket>) -> Self {
        Self::Layered(Box::new(Layer { channel, web, rest: None }))
    }

    /// The key that the peer has proved to own.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        let Self::Layered(layer) = self else { return None };
        layer.channel.as_ref()?.peer_key()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Layered(layer) if layer.channel.is_some())
    }

    /// The purpose of a browser's connection; `None`: it is not a browser's.
    pub(super) fn web_purpose(&self) -> Option<WebPurpose> {
        let Self::Layered(layer) = self else { return None };
        layer.web.as_ref().map(|web| web.reader.purpose())
    }

    /// Whether the peer tells an end in order from a cut, beyond what TCP does.
    pub(super) fn tells_end(&self) -> bool {
        matches!(self, Self::Layered(_))
    }

    /// Notes why the server will end a browser's connection.
    pub(super) fn set_close(&mut self, code: CloseCode) {
        if let Self::Layered(layer) = self
            && let Some(web) = &mut layer.web
        {
            web.close = code;
        }
    }

    /// Takes the answer to a browser's ping. It goes between two messages.
    pub(super) fn take_pong(&mut self) -> Option<Vec<u8>> {
        let Self::Layered(layer) = self else { return None };
        layer.web.as_mut()?.pong.take().map(|pong| pong.0)
    }

    /// The bytes that tell the peer a last line and the end, for a connection that the server does not take.
    pub(super) fn last_words(&mut self, line: Vec<u8>) -> Option<Vec<u8>> {
        let Self::Layered(layer) = self else { return Some(line) };
        let plain = match &layer.web {
            Some(web) => {
                let mut plain = message(WebContent::Lines, &line);
                plain.extend_from_slice(&web.close_after(&line).frame());
                plain
            }
            None => line,
        };
        let Some(channel) = &mut layer.channel else { return Some(plain) };
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
            Self::Layered(layer) => layer.rest.as_ref().map_or(0, |rest| rest.0.len()),
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
        let of_web = layer.web.as_ref().is_some_and(|web| web.reader.is_unfinished());
        layer.channel.as_ref().map_or(0, |channel| channel.held()) + usize::from(of_web)
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
            Self::Layered(layer) => match &mut layer.web {
                Some(web) => web.open(bytes, plain),
                None => Ok(Status::Open),
            },
        }
    }
}

impl Layer {
    fn write<S>(&mut self, stream: &S, bytes: &[u8]) -> io::Result<usize>
    where
        for<'a> &'a S: Write,
    {
        if self.channel.is_none() {
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
        if let Some(rest) = &mut self.rest {
            let written = try_write(stream, &rest.0)?;
            rest.0.drain(..written);
            if rest.0.is_empty() {
                self.rest = None;
            }
        }
        Ok(self.rest.is_none())
    }

    fn end<S>(&mut self, stream: &S) -> io::Result<()>
    where
        for<'a> &'a S: Write,
    {
        let web = self.web.as_mut();
        let close = web.and_then(|web| (!mem::replace(&mut web.is_closed, true)).then_some(web.close));
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
        match (&self.channel, &mut self.web) {
            (_, None) => Ok(receive(self, plain)?),
            (None, Some(web)) => web.open(bytes, plain),
            (Some(_), Some(_)) => FRAMES.with_borrow_mut(|frames| {
                frames.clear();
                let received = receive(self, frames);
                let opened = self.web.as_mut().map_or(Ok(Status::Open), |web| web.open(frames, plain))?;
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
            let result = make(self.channel.as_mut(), out);
            let is_next = self.rest.is_none() && !out.is_empty();
            let written = if is_next { try_write(stream, out)? } else { 0 };
            if written < out.len() {
                self.rest.get_or_insert_default().0.extend_from_slice(&out[written..]);
            }
            Ok(result)
        })
    }
}

impl WebSocket {
    fn new(purpose: WebPurpose) -> Self {
        Self { reader: FrameReader::new(purpose), close: CloseCode::NORMAL, is_closed: false, pong: None }
    }

    /// The code that ends the connection after a last line: a broken frame has its own.
    fn close_after(&self, line: &[u8]) -> CloseCode {
        if self.close == CloseCode::NORMAL { CloseCode::after(line) } else { self.close }
    }

    fn open(&mut self, frames: &[u8], plain: &mut Vec<u8>) -> Result<Status, TransportError> {
        match self.reader.read(frames, plain) {
            Ok(control) => {
                if let Some(pong) = control.pong {
                    self.pong = Some(Box::new(Rest(pong)));
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
