//! Lines of a pipe, as they come, in the encoding that its first bytes tell.

use std::io::{self, BufRead, Read as _};

use super::Encoding;

/// Reads lines that end with a line feed, or with a carriage return before it. A carriage return alone ends no
/// line: programs print it to overwrite their line. Bytes that are not a text become U+FFFD.
#[derive(Debug)]
pub struct LineReader<R> {
    input: R,
    /// `None` before the first line.
    encoding: Option<Encoding>,
    line: Vec<u8>,
}

impl<R: BufRead> LineReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, encoding: None, line: Vec::new() }
    }

    /// Waits for the next line. `None`: the input has ended.
    ///
    /// # Errors
    /// The system's error.
    pub fn next_line(&mut self) -> io::Result<Option<String>> {
        self.line.clear();
        if self.input.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let (encoding, mark) = match self.encoding {
            Some(encoding) => (encoding, 0),
            None => {
                let (encoding, body) = Encoding::of(&self.line);
                (encoding, self.line.len() - body.len())
            }
        };
        self.encoding = Some(encoding);
        if encoding.is_utf16() {
            self.complete(encoding)?;
        }
        let text = encoding.lossy(&self.line[mark..]);
        Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    /// Reads on from the byte of a line feed, which is half a unit of UTF-16, to a line feed that is a whole one.
    fn complete(&mut self, encoding: Encoding) -> io::Result<()> {
        loop {
            if self.line.len() % 2 == 1 {
                self.input.by_ref().take(1).read_to_end(&mut self.line)?;
            }
            let is_line = self.line.last_chunk().is_some_and(|pair| encoding.unit(*pair) == u16::from(b'\n'));
            if is_line || self.input.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        // As from a pipe whose writer is slow: byte by byte.
        let mut reader = LineReader::new(io::BufReader::with_capacity(1, bytes));
        std::iter::from_fn(|| reader.next_line().unwrap()).collect()
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
    fn a_byte_that_is_not_text_ends_nothing() {
        assert_eq!(lines(b"a\xFFb\nc\n"), ["a\u{FFFD}b", "c"]);
        assert_eq!(lines(b"10%\r20%\r\n"), ["10%\r20%"]);
        assert_eq!(lines(b"\xFF\xFEa\0\n\0b"), ["a", ""]);
    }
}
