//! Text in the forms in which editors save it: UTF-8 or UTF-16, with or without a byte order mark, with the line
//! ends of Unix, Windows or old Macs.
//!
//! Every text file and pipe that people fill is read through here. Knows neither the files nor what they say.

mod lines;

use std::io;

pub use lines::LineReader;

const MARK: char = '\u{FEFF}';

/// How a text was saved, to save it again in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextForm {
    encoding: Encoding,
    line_end: LineEnd,
}

/// A UTF-16 text is known by its byte order mark alone, so it always has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Encoding {
    #[default]
    Utf8,
    Utf8WithMark,
    Utf16Le,
    Utf16Be,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LineEnd {
    #[default]
    Lf,
    CrLf,
    Cr,
}

/// Why bytes are not a text. Each says what to do about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// In the encoding of one region, for example.
    #[error("it is not UTF-8 text; save it as UTF-8")]
    NotUtf8,
    /// UTF-16 without its mark is valid UTF-8 with NUL characters, as long as all its letters are English.
    #[error("it has NUL characters, as UTF-16 text without a byte order mark does; save it as UTF-8")]
    HasNul,
    /// Half a character, for example.
    #[error("it is damaged UTF-16 text; save it as UTF-8")]
    DamagedUtf16,
}

impl From<EncodingError> for io::Error {
    fn from(error: EncodingError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Decodes a file's bytes. The text has no byte order mark, and its lines end with line feeds. It never moves in
/// memory, so a caller can wipe it.
///
/// # Errors
/// The bytes are not a text.
pub fn decode(bytes: &[u8]) -> Result<(String, TextForm), EncodingError> {
    let (encoding, body) = Encoding::of(bytes);
    let mut is_damaged = encoding.is_utf16() && body.len() % 2 == 1;
    let (text, line_end) = if encoding.is_utf16() {
        let whole = encoding.utf16(body).map(|read| {
            is_damaged |= read.is_err();
            read.unwrap_or(char::REPLACEMENT_CHARACTER)
        });
        // A unit of 2 bytes takes at most 3 in UTF-8.
        unix_lines(whole, body.len() / 2 * 3)
    } else {
        let text = str::from_utf8(body).map_err(|_| EncodingError::NotUtf8)?;
        unix_lines(text.chars(), text.len())
    };
    match text.contains('\0') {
        _ if is_damaged => Err(EncodingError::DamagedUtf16),
        true => Err(EncodingError::HasNul),
        false => Ok((text, TextForm { encoding, line_end })),
    }
}

/// Decodes bytes that may not all be text, such as a program's output. Anything else becomes U+FFFD.
pub fn decode_lossy(bytes: &[u8]) -> String {
    let (encoding, body) = Encoding::of(bytes);
    unix_lines(encoding.lossy(body).chars(), body.len()).0
}

impl TextForm {
    /// Encodes a text whose lines end with line feeds.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let text = match self.line_end {
            LineEnd::Lf => text.to_owned(),
            LineEnd::CrLf => text.replace('\n', "\r\n"),
            LineEnd::Cr => text.replace('\n', "\r"),
        };
        let marked = || format!("{MARK}{text}");
        match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf8WithMark => marked().into_bytes(),
            Encoding::Utf16Le => marked().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => marked().encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

impl Encoding {
    /// Tells the encoding by the mark; returns also what follows the mark.
    fn of(bytes: &[u8]) -> (Self, &[u8]) {
        match bytes {
            [0xEF, 0xBB, 0xBF, body @ ..] => (Self::Utf8WithMark, body),
            [0xFF, 0xFE, body @ ..] => (Self::Utf16Le, body),
            [0xFE, 0xFF, body @ ..] => (Self::Utf16Be, body),
            body => (Self::Utf8, body),
        }
    }

    fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    fn unit(self, pair: [u8; 2]) -> u16 {
        if self == Self::Utf16Be { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    fn utf16(self, body: &[u8]) -> impl Iterator<Item = Result<char, std::char::DecodeUtf16Error>> {
        char::decode_utf16(body.as_chunks().0.iter().map(move |pair| self.unit(*pair)))
    }

    fn lossy(self, body: &[u8]) -> String {
        if self.is_utf16() {
            return self.utf16(body).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        }
        String::from_utf8_lossy(body).into_owned()
    }
}

/// Makes every line end with a line feed, and tells how most of them ended. Allocates once.
fn unix_lines(chars: impl Iterator<Item = char>, max_bytes: usize) -> (String, LineEnd) {
    let mut text = String::with_capacity(max_bytes);
    let [mut feeds, mut pairs, mut returns] = [0_usize; 3];
    let mut chars = chars.peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.next_if_eq(&'\n').is_some() => pairs += 1,
            '\r' => returns += 1,
            '\n' => feeds += 1,
            c => {
                text.push(c);
                continue;
            }
        }
        text.push('\n');
    }
    let line_end = match pairs.max(returns) {
        most if most <= feeds => LineEnd::Lf,
        most if most == pairs => LineEnd::CrLf,
        _ => LineEnd::Cr,
    };
    (text, line_end)
}

/// The forms in which Notepad and its kind save a text.
#[cfg(test)]
fn forms() -> impl Iterator<Item = TextForm> {
    let encodings = [Encoding::Utf8, Encoding::Utf8WithMark, Encoding::Utf16Le, Encoding::Utf16Be];
    let ends = [LineEnd::Lf, LineEnd::CrLf, LineEnd::Cr];
    encodings.into_iter().flat_map(move |encoding| ends.map(|line_end| TextForm { encoding, line_end }))
}

/// A file of this text in each of these forms.
#[cfg(test)]
pub(crate) fn saved(text: &str) -> Vec<Vec<u8>> {
    forms().map(|form| form.encode(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_the_same_in_every_form_and_keeps_its_form() {
        let text = "Grüße \u{1F30D}\nzwei\n";
        for form in forms() {
            let bytes = form.encode(text);
            assert_eq!(decode(&bytes).unwrap(), (text.to_owned(), form), "{bytes:?}");
            assert_eq!(decode_lossy(&bytes), text, "{form:?}");
        }
        assert_eq!(TextForm::default().encode(text), text.as_bytes());
        assert_eq!(
            decode(b"\xFF\xFEa\0\r\0\n\0").unwrap().0,
            "a\n",
            "as the standard writes it, not only as encode does"
        );
        assert_eq!(decode(b"\xFE\xFF\0a\0\r\0\n").unwrap().0, "a\n");
    }

    #[test]
    fn of_mixed_line_ends_the_commonest_counts() {
        let line_end = |text: &str| decode(text.as_bytes()).unwrap().1.line_end;
        assert_eq!(line_end("a\r\nb\r\nc\n"), LineEnd::CrLf);
        assert_eq!(line_end("a\r\nb\n"), LineEnd::Lf);
        assert_eq!(line_end("a\rb\r\nc\r"), LineEnd::Cr);
        assert_eq!(line_end("no end"), LineEnd::Lf);
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_the_remedy() {
        let refused = |bytes: &[u8]| decode(bytes).unwrap_err();
        assert_eq!(refused(b"Gr\xFC\xDFe\r\n"), EncodingError::NotUtf8);
        assert_eq!(refused(b"a\0b\0\n\0"), EncodingError::HasNul);
        assert_eq!(refused(b"\xFF\xFEa\0b"), EncodingError::DamagedUtf16);
        assert_eq!(refused(b"\xFF\xFE\x3D\xD8a\0"), EncodingError::DamagedUtf16, "half a surrogate pair");
        assert_eq!(refused(b"\xFF\xFE\0\0a\0\0\0"), EncodingError::HasNul, "UTF-32");
        for error in [EncodingError::NotUtf8, EncodingError::HasNul, EncodingError::DamagedUtf16] {
            let error = io::Error::from(error);
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().ends_with("; save it as UTF-8"), "{error}");
        }
        assert_eq!(decode_lossy(b"Gr\xFC\xDFe\r\n"), "Gr\u{FFFD}\u{FFFD}e\n");
        assert_eq!(decode_lossy(b"\xFF\xFE\x3D\xD8a\0b"), "\u{FFFD}a");
    }

    proptest! {
        /// A text that moves leaves a copy of a passphrase behind, which nobody wipes.
        #[test]
        fn a_text_never_moves_in_memory(text in "\\PC{0,40}(\r\n|\n|\r)?\\PC{0,40}") {
            for form in forms() {
                let bytes = form.encode(&text);
                let (read, _) = decode(&bytes).unwrap();
                prop_assert!(read.capacity() <= bytes.len() * 3 / 2);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let lossy = decode_lossy(&bytes);
            prop_assert!(!lossy.contains('\r'));
            if let Ok((text, _)) = decode(&bytes) {
                prop_assert_eq!(text, lossy);
            }
        }
    }
}
