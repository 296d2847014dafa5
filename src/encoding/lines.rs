//! Lines of a pipe, as they come, in the encoding that its first bytes tell.

use std::io::{self, BufRead, Read as _};
use std::mem;

use super::{Encoding, EncodingError};

const LINE_FEED: u16 = b'\n' as u16;
const RETURN: u16 = b'\r' as u16;

/// Reads lines with the same ends as in a file. A line that a carriage return ends is there at once: the line feed
/// that may belong to it can come much later.
#[derive(Debug)]
pub struct LineReader<R> {
    input: R,
    max_bytes: usize,
    /// `None` within the first line, unless it began with a mark.
    encoding: Option<Encoding>,
    line: Vec<u8>,
    is_too_long: bool,
    /// Counts from 1.
    number: usize,
    after_return: bool,
}

/// Why a line cannot be used. The lines behind it may be fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("{0}; convert it to UTF-8")]
    NotText(EncodingError),
    #[error("line {number} is longer than {max_bytes} bytes; split it")]
    TooLong { number: usize, max_bytes: usize },
}

impl<R: BufRead> LineReader<R> {
    /// Reads lines of at most `max_bytes`.
    pub fn new(input: R, max_bytes: usize) -> Self {
        Self {
            input,
            max_bytes,
            encoding: None,
            line: Vec::new(),
            is_too_long: false,
            number: 0,
            after_return: false,
        }
    }

    /// Waits for the next line. `None`: the input has ended.
    ///
    /// # Errors
    /// The system's error.
    pub fn next_line(&mut self) -> io::Result<Option<Result<String, LineError>>> {
        if !self.read_line()? {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        let encoding = *self.encoding.get_or_insert_default();
        if self.is_too_long {
            return Ok(Some(Err(LineError::TooLong { number, max_bytes: self.max_bytes })));
        }
        let text = encoding.decode(&self.line).map(|(text, _)| text);
        Ok(Some(text.map_err(|error| LineError::NotText(EncodingError { line: number, ..error }))))
    }

    /// Reads to the end of a line; false if the input has ended.
    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.is_too_long = false;
        loop {
            let Some(byte) = self.input.by_ref().bytes().next().transpose()? else {
                return Ok(self.is_too_long || !self.line.is_empty());
            };
            self.line.push(byte);
            let Some((unit, size)) = self.last_unit() else { continue };
            let follows_return = mem::take(&mut self.after_return);
            match unit {
                LINE_FEED if follows_return => self.line.clear(),
                LINE_FEED | RETURN => {
                    self.after_return = unit == RETURN;
                    self.line.truncate(self.line.len() - size);
                    return Ok(true);
                }
                _ if self.line.len() > self.max_bytes => {
                    self.is_too_long = true;
                    self.line.clear();
                }
                _ => self.take_mark(),
            }
        }
    }

    /// The last unit of the encoding, and its bytes; `None` if it is not complete.
    fn last_unit(&self) -> Option<(u16, usize)> {
        match self.encoding.filter(|encoding| encoding.is_utf16()) {
            Some(_) if self.line.len() % 2 == 1 => None,
            Some(encoding) => self.line.last_chunk().map(|pair| (encoding.unit(*pair), 2)),
            None => self.line.last().map(|byte| (u16::from(*byte), 1)),
        }
    }

    /// Takes a byte order mark off the input.
    fn take_mark(&mut self) {
        if self.encoding.is_some() {
            return;
        }
        if let (encoding, []) = Encoding::of(&self.line) {
            self.encoding = Some(encoding);
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<String, String>> {
        // As from a pipe whose writer is slow: byte by byte.
        let mut reader = LineReader::new(io::BufReader::with_capacity(1, bytes), 20);
        let lines = std::iter::from_fn(|| reader.next_line().unwrap());
        lines.map(|line| line.map_err(|error| error.to_string())).collect()
    }

    fn lines(bytes: &[u8]) -> Vec<String> {
        read(bytes).into_iter().collect::<Result<_, _>>().unwrap()
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn lines_are_the_same_in_every_encoding() {
        // Both bytes of a line feed are in these characters: U+4E0A, U+0A05 and U+000A.
        let text = "one \u{4E0A}\u{0A05}\r\n\r\n\u{0A0A} tw\u{F6}\nend";
        let expected = ["one \u{4E0A}\u{0A05}", "", "\u{0A0A} tw\u{F6}", "end"];
        assert_eq!(lines(text.as_bytes()), expected);
        assert_eq!(lines(format!("\u{FEFF}{text}").as_bytes()), expected);
        assert_eq!(lines(&utf16(&format!("\u{FEFF}{text}"), u16::to_le_bytes)), expected);
        assert_eq!(lines(&utf16(&format!("\u{FEFF}{text}"), u16::to_be_bytes)), expected);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn lines_are_those_of_a_file_whatever_ends_them() {
        let mixed = "a\rb\r\rc\r\n\r\nd\n\re\n\nf\r";
        for saved in [mixed.as_bytes().to_vec(), utf16(&format!("\u{FEFF}{mixed}"), u16::to_le_bytes)] {
            let (file, _) = crate::encoding::decode(&saved).unwrap();
            assert_eq!(lines(&saved), file.lines().collect::<Vec<_>>());
        }
        assert_eq!(lines(b"10%\r20%\r\n"), ["10%", "20%"]);
    }

    #[test]
    fn a_line_is_there_as_soon_as_a_return_ends_it() {
        struct Endless(u8);
        impl io::Read for Endless {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                assert_ne!(self.0, 0, "it waits for more");
                into[0] = std::mem::take(&mut self.0);
                Ok(1)
            }
        }
        let mut reader = LineReader::new(io::BufReader::new(Endless(b'\r')), 20);
        assert_eq!(reader.next_line().unwrap(), Some(Ok(String::new())));
    }

    #[test]
    fn a_line_that_is_not_text_is_refused_with_its_number_and_the_next_is_read() {
        let refused = |why: &str| Err(format!("{why}; convert it to UTF-8"));
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(read(b"a\r\nb\xFFc\nd\n"), [ok("a"), refused("line 2 is not UTF-8 text"), ok("d")]);
        let has_nul = "line 2 has NUL characters, as UTF-16 text without a byte order mark does";
        assert_eq!(read(b"a\nb\0\nc"), [ok("a"), refused(has_nul), ok("c")]);
        let half = [ok("a"), refused("line 2 is damaged UTF-16 text")];
        assert_eq!(read(b"\xFF\xFEa\0\n\0b"), half);
        assert_eq!(read(b"\xFF\xFEa\0\n\0\x3D\xD8\n\0"), half);
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_and_not_kept() {
        let (most, more) = ("x".repeat(20), "x".repeat(21));
        let refused = || Err("line 2 is longer than 20 bytes; split it".to_owned());
        assert_eq!(read(format!("{most}\n{more}\nz").as_bytes()), [Ok(most), refused(), Ok("z".into())]);
        assert_eq!(read(format!("y\r{}", more.repeat(9)).as_bytes()), [Ok("y".into()), refused()]);
        let wide = utf16(&format!("\u{FEFF}a\n{}\nz", "x".repeat(11)), u16::to_be_bytes);
        assert_eq!(read(&wide), [Ok("a".into()), refused(), Ok("z".into())]);
    }
}
