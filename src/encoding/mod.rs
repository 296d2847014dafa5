//! Text in the forms in which editors save it: UTF-8 or UTF-16, with or without a byte order mark, with the line
//! ends of Unix, Windows or old Macs.
//!
//! Every text file and pipe that people fill is read through here. Knows neither the files nor what they say.

mod lines;

use std::io;

pub use lines::{LineError, LineReader};

const MARK: char = '\u{FEFF}';

/// How a text was saved, to save it again in the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextForm {
    encoding: Encoding,
    /// One for each line, unless the last line has none. Files with mixed ends exist: two editors wrote them.
    ends: Vec<LineEnd>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

/// A part of a text.
enum Piece {
    Char(char),
    End(LineEnd),
}

/// Why bytes are not a text. As an error of reading a file, it also says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {fault}")]
pub struct EncodingError {
    /// From 1.
    line: usize,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    /// In the encoding of one region, for example.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// UTF-16 without its mark is valid UTF-8 with NUL characters, as long as all its letters are English.
    #[error("has NUL characters, as UTF-16 text without a byte order mark does")]
    HasNul,
    /// Half a character, for example.
    #[error("is damaged UTF-16 text")]
    DamagedUtf16,
}

impl From<EncodingError> for io::Error {
    fn from(error: EncodingError) -> Self {
        Self::new(io::ErrorKind::InvalidData, format!("{error}; save the file as UTF-8"))
    }
}

/// Decodes a file's bytes. The text has no byte order mark, and its lines end with line feeds. It never moves in
/// memory, so a caller can wipe it.
///
/// # Errors
/// The bytes are not a text.
pub fn decode(bytes: &[u8]) -> Result<(String, TextForm), EncodingError> {
    let (encoding, body) = Encoding::of(bytes);
    let (text, ends) = encoding.decode(body)?;
    Ok((text, TextForm { encoding, ends }))
}

/// Decodes bytes that may not all be text, such as a program's output. Anything else becomes U+FFFD.
pub fn decode_lossy(bytes: &[u8]) -> String {
    let (encoding, body) = Encoding::of(bytes);
    unix_lines(encoding.lossy(body).chars(), body.len()).0
}

impl TextForm {
    /// Encodes the text `after`, an edited version of the decoded text `before`: each line that was there keeps its
    /// end, and a new one ends as most lines do.
    pub fn encode_edited(&self, before: &str, after: &str) -> Vec<u8> {
        let usual = self.usual_end();
        let mut origins = origins(before, after).into_iter();
        let mut text = String::with_capacity(after.len());
        for line in after.split_inclusive('\n') {
            let end = origins.next().flatten().and_then(|origin| self.ends.get(origin));
            match line.strip_suffix('\n') {
                Some(line) => text.extend([line, end.unwrap_or(&usual).as_str()]),
                None => text.push_str(line),
            }
        }
        self.encoding.encode(&text)
    }

    fn usual_end(&self) -> LineEnd {
        let count = |end| self.ends.iter().filter(|one| **one == end).count();
        // Of equals, the last one wins.
        [LineEnd::Cr, LineEnd::CrLf, LineEnd::Lf]
            .into_iter()
            .max_by_key(|end| count(*end))
            .unwrap_or(LineEnd::Lf)
    }
}

/// For each line of `after`, the number of the line of `before` that it comes from.
fn origins(before: &str, after: &str) -> Vec<Option<usize>> {
    let [old, new] = [before, after].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    if old.len() == new.len() {
        return (0..new.len()).map(Some).collect();
    }
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(old, new)| old == new).count();
    let mut next = start;
    let between = new[start..new.len() - end].iter().map(|line| {
        let found = old[next..old.len() - end].iter().position(|old| old == line)? + next;
        next = found + 1;
        Some(found)
    });
    (0..start).map(Some).chain(between).chain((old.len() - end..old.len()).map(Some)).collect()
}

impl LineEnd {
    fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
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

    /// Decodes what follows the mark; tells how the lines ended.
    fn decode(self, body: &[u8]) -> Result<(String, Vec<LineEnd>), EncodingError> {
        let error = |fault, line| Err(EncodingError { line, fault });
        let (text, ends) = if self.is_utf16() {
            let mut is_damaged = body.len() % 2 == 1;
            let whole = self.utf16(body).map(|read| {
                is_damaged |= read.is_err();
                read.unwrap_or(char::REPLACEMENT_CHARACTER)
            });
            // A unit of 2 bytes takes at most 3 in UTF-8.
            let decoded = unix_lines(whole, body.len() / 2 * 3);
            if is_damaged {
                return error(Fault::DamagedUtf16, last_line(self.utf16(body).map_while(Result::ok)));
            }
            decoded
        } else {
            match str::from_utf8(body) {
                Ok(text) => unix_lines(text.chars(), text.len()),
                Err(wrong) => {
                    let before = String::from_utf8_lossy(&body[..wrong.valid_up_to()]);
                    return error(Fault::NotUtf8, last_line(before.chars()));
                }
            }
        };
        match text.find('\0') {
            Some(at) => error(Fault::HasNul, last_line(text[..at].chars())),
            None => Ok((text, ends)),
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let marked = || format!("{MARK}{text}");
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8WithMark => marked().into_bytes(),
            Self::Utf16Le => marked().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => marked().encode_utf16().flat_map(u16::to_be_bytes).collect(),
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

fn pieces(chars: impl Iterator<Item = char>) -> impl Iterator<Item = Piece> {
    let mut chars = chars.peekable();
    std::iter::from_fn(move || {
        Some(match chars.next()? {
            '\r' if chars.next_if_eq(&'\n').is_some() => Piece::End(LineEnd::CrLf),
            '\r' => Piece::End(LineEnd::Cr),
            '\n' => Piece::End(LineEnd::Lf),
            c => Piece::Char(c),
        })
    })
}

/// Makes every line end with a line feed, and tells how it ended. Allocates the text once.
fn unix_lines(chars: impl Iterator<Item = char>, max_bytes: usize) -> (String, Vec<LineEnd>) {
    let mut text = String::with_capacity(max_bytes);
    let mut ends = Vec::new();
    for piece in pieces(chars) {
        text.push(match piece {
            Piece::Char(c) => c,
            Piece::End(end) => {
                ends.push(end);
                '\n'
            }
        });
    }
    (text, ends)
}

/// The number of the line in which the text ends.
fn last_line(chars: impl Iterator<Item = char>) -> usize {
    1 + pieces(chars).filter(|piece| matches!(piece, Piece::End(_))).count()
}

/// A file of this text in each form in which Notepad and its kind save a text.
#[cfg(test)]
pub(crate) fn saved(text: &str) -> Vec<Vec<u8>> {
    let encodings = [Encoding::Utf8, Encoding::Utf8WithMark, Encoding::Utf16Le, Encoding::Utf16Be];
    let ends = ["\n", "\r\n", "\r"];
    let all = encodings.into_iter().flat_map(|encoding| ends.map(|end| (encoding, end)));
    all.map(|(encoding, end)| encoding.encode(&text.replace('\n', end))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_the_same_in_every_form_and_keeps_its_form() {
        let text = "Grüße \u{1F30D}\nzwei\n";
        for bytes in saved(text) {
            let (read, form) = decode(&bytes).unwrap();
            assert_eq!(read, text, "{bytes:?}");
            assert_eq!(form.encode_edited(text, text), bytes, "{form:?}");
            assert_eq!(decode_lossy(&bytes), text, "{form:?}");
        }
        assert_eq!(TextForm::default().encode_edited("", text), text.as_bytes());
        assert_eq!(
            decode(b"\xFF\xFEa\0\r\0\n\0").unwrap().0,
            "a\n",
            "as the standard writes it, not only as encode does"
        );
        assert_eq!(decode(b"\xFE\xFF\0a\0\r\0\n").unwrap().0, "a\n");
    }

    #[test]
    fn of_mixed_line_ends_each_stays_and_a_new_line_has_the_commonest() {
        let edited = |saved: &str, after: &str| {
            let (before, form) = decode(saved.as_bytes()).unwrap();
            String::from_utf8(form.encode_edited(&before, after)).unwrap()
        };
        let mixed = "a\r\nb\nc\rd\r\ne";
        assert_eq!(edited(mixed, "a\nb\nc\nd\ne"), mixed);
        assert_eq!(edited(mixed, "a\nB\nC\nd\ne"), "a\r\nB\nC\rd\r\ne", "changed lines");
        assert_eq!(edited(mixed, "a\nb\nnew\nc\nd\ne"), "a\r\nb\nnew\r\nc\rd\r\ne", "an added line");
        assert_eq!(edited(mixed, "a\nc\nd\ne"), "a\r\nc\rd\r\ne", "a removed line");
        assert_eq!(edited(mixed, "A\nc\nE\n"), "A\r\nc\rE\r\n", "several of these");
        assert_eq!(edited("a\nb\r\nx\nx\r\n", "a\nb\nx\n"), "a\nb\r\nx\n");
        assert_eq!(edited("a\r\nb", "a\nb\nc\n"), "a\r\nb\r\nc\r\n", "after a line without an end");
        assert_eq!(edited("a\r\nb\n", "a\nb\nc\n"), "a\r\nb\nc\n", "of equals, the line feed");
        assert_eq!(edited("no end", "no end\nx\n"), "no end\nx\n");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_the_line_and_the_remedy() {
        let refused = |bytes: &[u8]| {
            let EncodingError { line, fault } = decode(bytes).unwrap_err();
            (line, fault)
        };
        assert_eq!(refused(b"Gr\xFC\xDFe\r\n"), (1, Fault::NotUtf8));
        assert_eq!(refused(b"a\r\nb\rc\n\nGr\xFC\xDFe\r\n"), (5, Fault::NotUtf8));
        assert_eq!(refused(b"a\0b\0\n\0"), (1, Fault::HasNul));
        assert_eq!(refused(b"a\nb\0\nc"), (2, Fault::HasNul));
        assert_eq!(refused(b"\xFF\xFEa\0\n\0b"), (2, Fault::DamagedUtf16));
        assert_eq!(refused(b"\xFF\xFE\x3D\xD8a\0\n\0"), (1, Fault::DamagedUtf16), "half a surrogate pair");
        assert_eq!(refused(b"\xFF\xFE\0\0a\0\0\0"), (1, Fault::HasNul), "UTF-32");
        let error = io::Error::from(decode(b"a\n\xFC").unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "line 2 is not UTF-8 text; save the file as UTF-8");
        assert_eq!(decode_lossy(b"Gr\xFC\xDFe\r\n"), "Gr\u{FFFD}\u{FFFD}e\n");
        assert_eq!(decode_lossy(b"\xFF\xFE\x3D\xD8a\0b"), "\u{FFFD}a");
    }

    proptest! {
        /// A text that moves leaves a copy of a passphrase behind, which nobody wipes.
        #[test]
        fn a_text_never_moves_in_memory(text in "\\PC{0,40}(\r\n|\n|\r)?\\PC{0,40}") {
            for bytes in saved(&text.replace("\r\n", "\n")) {
                let (read, _) = decode(&bytes).unwrap();
                prop_assert!(read.capacity() <= bytes.len() * 3 / 2);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let lossy = decode_lossy(&bytes);
            prop_assert!(!lossy.contains('\r'));
            if let Ok((text, form)) = decode(&bytes) {
                prop_assert_eq!(&text, &lossy);
                prop_assert_eq!(form.encode_edited(&text, &text), bytes);
            }
        }
    }
}
