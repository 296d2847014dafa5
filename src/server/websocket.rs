//! WebSocket frames as a server reads and writes them (RFC 6455 5), in memory only.
//!
//! The reader passes content on as it comes: it unmasks, checks and keeps nothing but its place in a frame. So an idle
//! connection holds no buffer, and a long message takes as much memory as its lines. A server's frames are not masked,
//! so that many browsers can share one.

mod partial_char;

use crate::limits::MAX_CONTROL_BYTES;
use partial_char::PartialChar;
use std::mem;

/// The longest header of a frame that a server sends. Buffers for browsers have this much room in front.
pub(super) const HEADROOM: usize = 10;

/// The longest header of a frame that a client sends: with its mask.
const HEAD_BYTES: usize = 14;

/// The bit of a message's last frame.
const FIN: u8 = 0x80;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// Lines on a file's connection before its bytes: who the browser is, and its `hello`.
const LINES_BEFORE_BYTES: u8 = 2;

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebPurpose {
    /// Lines in text messages.
    Chat,
    /// Lines in text messages, then bytes in binary ones.
    File,
}

/// Content of a message from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebContent {
    Lines,
    Bytes,
}

/// Why a connection ends (RFC 6455 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("WebSocket close code {0}")]
pub(super) struct CloseCode(u16);

impl CloseCode {
    pub(super) const NORMAL: Self = Self(1000);
    pub(super) const GOING_AWAY: Self = Self(1001);
    pub(super) const PROTOCOL: Self = Self(1002);
    pub(super) const WRONG_KIND: Self = Self(1003);
    pub(super) const NOT_TEXT: Self = Self(1007);
    pub(super) const REFUSED: Self = Self(1008);
    pub(super) const TOO_LONG: Self = Self(1009);

    /// The code that fits the last of these lines: the packet says more.
    pub(super) fn after(lines: &[u8]) -> Self {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        let last = memchr::memrchr(b'\n', lines).map_or(lines, |at| &lines[at + 1..]);
        // In a text, the quotation marks would be escaped.
        let has = |member: &str| memchr::memmem::find(last, member.as_bytes()).is_some();
        match (has(r#""type":"error""#), has(r#""type":"bye""#)) {
            (true, _) if has(r#""code":"too_long""#) => Self::TOO_LONG,
            (true, _) => Self::REFUSED,
            (_, true) if has(r#""code":"shutting_down""#) => Self::GOING_AWAY,
            _ => Self::NORMAL,
        }
    }

    /// The close frame.
    pub(super) fn frame(self) -> [u8; 4] {
        let [high, low] = self.0.to_be_bytes();
        [FIN | CLOSE, 2, high, low]
    }
}

/// Writes the header of a message to the end of `headroom`, so that the content follows it. Returns its length.
pub(super) fn put_header(content: WebContent, length: usize, headroom: &mut [u8; HEADROOM]) -> usize {
    let first = FIN
        | match content {
            WebContent::Lines => TEXT,
            WebContent::Bytes => BINARY,
        };
    match u16::try_from(length) {
        Ok(length) if usize::from(length) <= MAX_CONTROL_BYTES => {
            headroom[8..].copy_from_slice(&[first, length.to_be_bytes()[1]]);
            2
        }
        Ok(length) => {
            headroom[6..8].copy_from_slice(&[first, 126]);
            headroom[8..].copy_from_slice(&length.to_be_bytes());
            4
        }
        Err(_) => {
            headroom[..2].copy_from_slice(&[first, 127]);
            headroom[2..].copy_from_slice(&(length as u64).to_be_bytes());
            HEADROOM
        }
    }
}

/// One message with a copy of this content.
pub(super) fn message(content: WebContent, bytes: &[u8]) -> Vec<u8> {
    let mut headroom = [0; HEADROOM];
    let header = put_header(content, bytes.len(), &mut headroom);
    [&headroom[HEADROOM - header..], bytes].concat()
}

/// Control frames that came with the content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ControlFrames {
    /// The answer to the last ping.
    pub(super) pong: Option<Vec<u8>>,
    /// The peer closes. Nothing counts after that.
    pub(super) is_closed: bool,
}

/// Reads what a client sends.
#[derive(Debug)]
pub(super) struct FrameReader {
    /// The place in a message or frame. Boxed: connections need room for it only while one is unfinished.
    unfinished: Option<Box<FramePlace>>,
    progress: Progress,
}

/// One per browser.
const _: () = assert!(size_of::<FrameReader>() <= 16);

/// The state of a connection between messages.
#[derive(Debug, Clone, Copy)]
struct Progress {
    purpose: WebPurpose,
    /// Lines that came, up to those before a file's bytes. Not counted in a chat.
    lines: u8,
    /// Whether a binary one has begun.
    has_bytes: bool,
}

/// The place in a message and its present frame.
#[derive(Debug)]
struct FramePlace {
    progress: Progress,
    /// The header of the present frame, or the beginning of one.
    head: [u8; HEAD_BYTES],
    head_bytes: u8,
    /// Bytes of the present frame that are missing; `None`: its header is not complete.
    missing: Option<u64>,
    /// Turned so that the next byte's comes first.
    mask: [u8; 4],
    /// Whether the present message is text; `None`: none has begun.
    message: Option<bool>,
    /// Whether nothing of the present message, or a line feed, came last.
    is_line: bool,
    /// The beginning of a character.
    partial: PartialChar,
    /// The content of a control frame.
    control: Option<ControlBody>,
}

/// At most [`MAX_CONTROL_BYTES`].
#[derive(Debug, Default)]
struct ControlBody(Vec<u8>);

impl FrameReader {
    pub(super) fn new(purpose: WebPurpose) -> Self {
        Self { unfinished: None, progress: Progress { purpose, lines: 0, has_bytes: false } }
    }

    pub(super) fn purpose(&self) -> WebPurpose {
        self.progress.purpose
    }

    /// Whether a message or a frame has begun and not ended.
    pub(super) fn is_unfinished(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Takes bytes of the connection, split anywhere, and appends the content to `out`: text with a line feed at the end
    /// of each message.
    ///
    /// # Errors
    /// The peer broke the protocol; `out` has the content before that.
    pub(super) fn read(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<ControlFrames, CloseCode> {
        // A message that comes whole needs no memory.
        let mut place = self.unfinished.take().map_or_else(|| FramePlace::new(self.progress), |place| *place);
        let result = place.read(bytes, out);
        self.progress = place.progress;
        self.unfinished = place.is_unfinished().then(|| Box::new(place));
        result
    }
}

impl Progress {
    fn count_lines(&mut self, text: &[u8]) {
        if self.purpose == WebPurpose::File {
            let missing = usize::from(LINES_BEFORE_BYTES - self.lines);
            // Not more than those.
            self.lines += memchr::memchr_iter(b'\n', text).take(missing).fold(0, |count, _| count + 1);
        }
    }
}

impl FramePlace {
    fn new(progress: Progress) -> Self {
        Self {
            progress,
            head: [0; HEAD_BYTES],
            head_bytes: 0,
            missing: None,
            mask: [0; 4],
            message: None,
            is_line: true,
            partial: PartialChar::default(),
            control: None,
        }
    }

    fn is_unfinished(&self) -> bool {
        self.head_bytes > 0 || self.message.is_some()
    }

    fn read(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<ControlFrames, CloseCode> {
        let mut control = ControlFrames::default();
        while !control.is_closed {
            let Some(missing) = self.missing else {
                match self.read_head(bytes)? {
                    Some(used) => bytes = &bytes[used..],
                    None => break,
                }
                continue;
            };
            let now = usize::try_from(missing).map_or(bytes.len(), |missing| missing.min(bytes.len()));
            let (content, rest) = bytes.split_at(now);
            bytes = rest;
            let left = missing - now as u64;
            self.missing = Some(left);
            match &mut self.control {
                Some(kept) => unmask(content, &mut self.mask, &mut kept.0),
                None => self.take_content(content, out)?,
            }
            if left > 0 {
                break;
            }
            self.end_frame(out, &mut control)?;
        }
        // Once for all pings that came together.
        control.pong = control.pong.map(|content| pong(&content));
        Ok(control)
    }

    /// Reads on in a header. Returns how many bytes belong to it; `None`: it is not complete.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, CloseCode> {
        let mut used = 0;
        loop {
            let have = usize::from(self.head_bytes);
            let wanted = if have < 2 { 2 } else { self.check_head()? };
            if have >= wanted {
                break;
            }
            let now = (wanted - have).min(bytes.len() - used);
            if now == 0 {
                return Ok(None);
            }
            self.head[have..have + now].copy_from_slice(&bytes[used..used + now]);
            // At most HEAD_BYTES.
            self.head_bytes += u8::try_from(now).unwrap_or(0);
            used += now;
        }
        let end = usize::from(self.head_bytes);
        let length = match self.head[1] & 0x7f {
            126 => u16::from_be_bytes([self.head[2], self.head[3]]).into(),
            127 => self.head[2..10].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            short => short.into(),
        };
        if length >> 63 != 0 {
            return Err(CloseCode::PROTOCOL);
        }
        self.mask.copy_from_slice(&self.head[end - 4..end]);
        self.missing = Some(length);
        self.begin_frame()?;
        Ok(Some(used))
    }

    /// Checks the first two bytes. Returns the length of the header.
    fn check_head(&self) -> Result<usize, CloseCode> {
        let [first, second, ..] = self.head;
        let (is_last, code, length) = (first & FIN != 0, first & 0x0f, second & 0x7f);
        let is_control = code >= CLOSE;
        let is_known = matches!(code, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        let is_short = usize::from(length) <= MAX_CONTROL_BYTES && is_last;
        // Neither extensions nor unmasked frames.
        if first & 0x70 != 0 || second & 0x80 == 0 || !is_known || is_control && !is_short {
            return Err(CloseCode::PROTOCOL);
        }
        Ok(match length {
            126 => 8,
            127 => HEAD_BYTES,
            _ => 6,
        })
    }

    fn begin_frame(&mut self) -> Result<(), CloseCode> {
        match (self.head[0] & 0x0f, self.message) {
            (TEXT, None) if !self.progress.has_bytes => {
                (self.message, self.is_line) = (Some(true), true);
            }
            (BINARY, None) if self.progress.lines == LINES_BEFORE_BYTES => {
                (self.message, self.progress.has_bytes) = (Some(false), true);
            }
            (TEXT | BINARY, None) => return Err(CloseCode::WRONG_KIND),
            (CONTINUATION, Some(_)) => {}
            (CONTINUATION, None) | (TEXT | BINARY, Some(_)) => return Err(CloseCode::PROTOCOL),
            _ => self.control = Some(ControlBody::default()),
        }
        Ok(())
    }

    fn take_content(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), CloseCode> {
        let start = out.len();
        unmask(content, &mut self.mask, out);
        if self.message == Some(true) && !content.is_empty() {
            self.is_line = out.ends_with(b"\n");
            let text = &out[start..];
            if self.partial.check(text).is_err() {
                out.truncate(start);
                return Err(CloseCode::NOT_TEXT);
            }
            self.progress.count_lines(&out[start..]);
        }
        Ok(())
    }

    fn end_frame(&mut self, out: &mut Vec<u8>, control: &mut ControlFrames) -> Result<(), CloseCode> {
        (self.missing, self.head_bytes) = (None, 0);
        let first = self.head[0];
        match (first & 0x0f, self.control.take()) {
            (PING, Some(content)) => control.pong = Some(content.0),
            (CLOSE, Some(content)) => {
                check_close(&content.0)?;
                control.is_closed = true;
            }
            (_, Some(_)) => {}
            (_, None) if first & FIN != 0 => {
                if self.message.take() == Some(true) {
                    if self.partial.has_begun() {
                        return Err(CloseCode::NOT_TEXT);
                    }
                    if !mem::replace(&mut self.is_line, true) {
                        out.push(b'\n');
                        self.progress.count_lines(b"\n");
                    }
                }
            }
            (_, None) => {}
        }
        Ok(())
    }
}

/// Appends the content without its mask, and turns the mask.
fn unmask(content: &[u8], mask: &mut [u8; 4], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(content);
    for part in out[start..].chunks_mut(mask.len()) {
        part.iter_mut().zip(&*mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    mask.rotate_left(content.len() % 4);
}

fn pong(content: &[u8]) -> Vec<u8> {
    // At most MAX_CONTROL_BYTES.
    let length = u8::try_from(content.len()).unwrap_or(0);
    [&[FIN | PONG, length], content].concat()
}

/// Checks the content of a close frame (RFC 6455 5.5.1 and 7.4).
fn check_close(content: &[u8]) -> Result<(), CloseCode> {
    let [high, low, reason @ ..] = content else {
        return if content.is_empty() { Ok(()) } else { Err(CloseCode::PROTOCOL) };
    };
    if !matches!(u16::from_be_bytes([*high, *low]), 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(CloseCode::PROTOCOL);
    }
    std::str::from_utf8(reason).map(drop).map_err(|_| CloseCode::NOT_TEXT)
}

#[cfg(test)]
mod tests;
