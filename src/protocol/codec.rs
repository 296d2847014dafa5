//! Framing: splits a stream of bytes into frames.
//!
//! A frame is one JSON object. Ours end with a line feed; clients of the replaced system send bare objects
//! one after another, and TCP merges and splits them anywhere. The decoder looks at each byte once, however
//! the stream is split, and copies only objects that cross the end of a chunk.
//!
//! A line feed inside an object ends it, so a typing error by hand does not swallow the lines after it.

use crate::limits::MAX_FRAME_BYTES;
use memchr::memchr3;
use std::ops::ControlFlow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole object with balanced braces; it may not be a packet.
    Frame(&'a [u8]),
    /// Input that is not an object. The decoder skips the rest of its line.
    Garbage,
    /// A frame or line over [`MAX_FRAME_BYTES`]. The decoder cannot find the next frame.
    TooLong,
}

/// Decodes one direction of one connection. Holds no memory between frames.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The start of an unfinished object.
    carry: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Between objects.
    #[default]
    Between,
    /// In an object, `depth` braces or brackets deep.
    Object { depth: u32, string: bool, escaped: bool },
    /// In a line that is not an object, with that many bytes skipped.
    Skipping(usize),
}

impl Decoder {
    /// Decodes `chunk` and calls `on` for each result, in order. If `on` breaks, returns the number of bytes
    /// consumed: feed the rest later. Unusable after [`Decoded::TooLong`].
    pub fn decode(
        &mut self,
        chunk: &[u8],
        mut on: impl FnMut(Decoded<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<usize> {
        let (mut start, mut at) = (0, 0);
        while at < chunk.len() {
            let Some(plain) = self.plain(&chunk[at..]) else { break };
            at += plain;
            let byte = chunk[at];
            let flow = match &mut self.state {
                State::Between => match byte {
                    b'{' => {
                        start = at;
                        self.state = State::Object { depth: 1, string: false, escaped: false };
                        ControlFlow::Continue(())
                    }
                    b' ' | b'\t' | b'\r' | b'\n' => ControlFlow::Continue(()),
                    _ => {
                        self.state = State::Skipping(1);
                        on(Decoded::Garbage)
                    }
                },
                State::Object { .. } if byte == b'\n' => {
                    self.state = State::Between;
                    self.carry = Vec::new();
                    on(Decoded::Garbage)
                }
                State::Object { depth, string, escaped } => {
                    step(byte, depth, string, escaped);
                    if *depth == 0 {
                        self.state = State::Between;
                        self.finish(&chunk[start..=at], &mut on)
                    } else {
                        ControlFlow::Continue(())
                    }
                }
                State::Skipping(_) if byte == b'\n' => {
                    self.state = State::Between;
                    ControlFlow::Continue(())
                }
                State::Skipping(bytes) => {
                    *bytes += 1;
                    if *bytes > MAX_FRAME_BYTES { too_long(&mut on) } else { ControlFlow::Continue(()) }
                }
            };
            at += 1;
            if flow.is_break() {
                return ControlFlow::Break(at);
            }
        }
        if matches!(self.state, State::Object { .. }) {
            self.carry.extend_from_slice(&chunk[start..]);
            if self.carry.len() > MAX_FRAME_BYTES {
                let _ = too_long(&mut on);
                return ControlFlow::Break(chunk.len());
            }
        }
        ControlFlow::Continue(())
    }

    /// The number of bytes to skip at once, as most of an object is text; `None`: all of them.
    fn plain(&self, bytes: &[u8]) -> Option<usize> {
        match self.state {
            State::Object { string: true, escaped: false, .. } => memchr3(b'"', b'\\', b'\n', bytes),
            _ => Some(0),
        }
    }

    /// Whether nothing is unfinished.
    pub fn is_empty(&self) -> bool {
        matches!(self.state, State::Between) && self.carry.is_empty()
    }

    /// The memory held for an unfinished object, in bytes.
    pub fn held(&self) -> usize {
        self.carry.capacity()
    }

    /// Emits the object that ends with `tail`.
    fn finish(
        &mut self,
        tail: &[u8],
        on: &mut impl FnMut(Decoded<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut whole = std::mem::take(&mut self.carry);
        let frame = if whole.is_empty() {
            tail
        } else {
            whole.extend_from_slice(tail);
            &whole
        };
        if frame.len() > MAX_FRAME_BYTES { too_long(on) } else { on(Decoded::Frame(frame)) }
    }
}

/// Reports a frame that is too long, and stops.
fn too_long(on: &mut impl FnMut(Decoded<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    on(Decoded::TooLong)?;
    ControlFlow::Break(())
}

/// Processes a byte inside an object. Braces in strings do not count (RFC 8259).
#[inline]
fn step(byte: u8, depth: &mut u32, string: &mut bool, escaped: &mut bool) {
    if *string {
        match byte {
            _ if *escaped => *escaped = false,
            b'\\' => *escaped = true,
            b'"' => *string = false,
            _ => {}
        }
    } else {
        match byte {
            b'"' => *string = true,
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => *depth -= 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Found {
        Frame(Vec<u8>),
        Garbage,
        TooLong,
    }

    impl From<Decoded<'_>> for Found {
        fn from(decoded: Decoded<'_>) -> Self {
            match decoded {
                Decoded::Frame(frame) => Self::Frame(frame.to_vec()),
                Decoded::Garbage => Self::Garbage,
                Decoded::TooLong => Self::TooLong,
            }
        }
    }

    fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Found> {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for chunk in chunks {
            let flow = decoder.decode(chunk, |decoded| {
                found.push(decoded.into());
                ControlFlow::Continue(())
            });
            if flow.is_break() {
                break;
            }
        }
        found
    }

    /// The same, one result at a time.
    fn decode_singly(mut bytes: &[u8]) -> Vec<Found> {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        while let ControlFlow::Break(taken) = decoder.decode(bytes, |decoded| {
            found.push(decoded.into());
            ControlFlow::Break(())
        }) {
            bytes = &bytes[taken..];
            if found.last() == Some(&Found::TooLong) {
                break;
            }
        }
        found
    }

    fn frames(texts: &[&str]) -> Vec<Found> {
        texts.iter().map(|t| Found::Frame(t.as_bytes().to_vec())).collect()
    }

    #[test]
    fn lines_bare_objects_and_merged_objects_are_all_frames() {
        let stream = "{\"a\":1}\n {\"b\":[{}]}\r\n{\"c\":\"}{\\\"\"}{\"d\":{}}";
        let expected = frames(&["{\"a\":1}", "{\"b\":[{}]}", "{\"c\":\"}{\\\"\"}", "{\"d\":{}}"]);
        assert_eq!(decode([stream.as_bytes()]), expected);
        assert_eq!(decode(stream.as_bytes().chunks(1)), expected);
    }

    #[test]
    fn garbage_is_told_once_and_skipped_to_its_line_feed() {
        let stream = b"GET / HTTP/1.1\n{\"a\":1}\nhello {\"b\":2}\n{\"c\":3}";
        let mut expected = vec![Found::Garbage];
        expected.extend(frames(&["{\"a\":1}"]));
        expected.push(Found::Garbage);
        expected.extend(frames(&["{\"c\":3}"]));
        assert_eq!(decode([&stream[..]]), expected);
    }

    #[test]
    fn a_line_feed_ends_an_unfinished_object_and_the_next_line_lives() {
        let mut expected = vec![Found::Garbage];
        expected.extend(frames(&["{\"a\":1}"]));
        assert_eq!(decode([&b"{\"msg\":\"oops\n{\"a\":1}\n"[..]]), expected);
    }

    #[test]
    fn a_frame_of_the_bound_passes_and_one_byte_more_does_not() {
        let exact = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_FRAME_BYTES - 8));
        assert_eq!(exact.len(), MAX_FRAME_BYTES);
        assert_eq!(decode([exact.as_bytes()]), frames(&[&exact]));
        let longer = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_FRAME_BYTES - 7));
        for size in [1, 1000, longer.len()] {
            assert_eq!(decode(longer.as_bytes().chunks(size)), [Found::TooLong], "{size}");
        }
        assert_eq!(decode(vec![b'x'; MAX_FRAME_BYTES + 1].chunks(999)), [Found::Garbage, Found::TooLong]);
    }

    #[test]
    fn nothing_is_held_between_frames() {
        let mut decoder = Decoder::default();
        for byte in b"{\"a\":\"long enough to be carried\"}\n" {
            let _ = decoder.decode(&[*byte], |_| ControlFlow::Continue(()));
        }
        assert_eq!(decoder.carry.capacity(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_splits_give_the_same_and_never_panic(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b'['), Just(b']'), any::<u8>()
            ], 0..300),
            size in 1usize..40,
        ) {
            prop_assert_eq!(decode(bytes.chunks(size)), decode([&bytes[..]]));
            prop_assert_eq!(decode_singly(&bytes), decode([&bytes[..]]));
        }
    }

    #[test]
    fn a_decoder_is_empty_between_objects_only() {
        let mut decoder = Decoder::default();
        for (bytes, is_empty) in [
            ("", true),
            ("{\"a\"", false),
            (":1}", true),
            ("\n", true),
            ("nonsense", false),
            ("\n", true),
            ("{", false),
        ] {
            let _ = decoder.decode(bytes.as_bytes(), |_| ControlFlow::Continue(()));
            assert_eq!(decoder.is_empty(), is_empty, "{bytes:?}");
        }
    }
}
