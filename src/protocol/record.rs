//! The records on a connection that carries a file, after the server's `go`: what the two clients say to each
//! other there. The server passes these bytes on, and sees from their kinds how a transfer ends.
//!
//! A record is a byte with its kind, four bytes with the length of its content (big endian), and that content.

use crate::limits::{
    MAX_FRAME_BYTES, MAX_PATH_PART_BYTES, MAX_PATH_PARTS, PROTOCOL_VERSION, TRANSFER_STEP_BYTES,
};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The bytes before a record's content.
pub const RECORD_HEAD_BYTES: usize = 5;

const HASH_BYTES: usize = 32;

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ContentHash(pub [u8; HASH_BYTES]);

/// The files and bytes that the receiver has already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The receiver's version of the protocol.
    pub v: u32,
    /// The number of whole entries (files and empty folders), from the first on.
    pub files: u64,
    /// The hash over the paths and hashes of these.
    pub tree: ContentHash,
    /// The bytes of the next file.
    pub have: u64,
    /// The hash of these bytes.
    pub hash: ContentHash,
}

/// Where the sender starts: where the receiver asked, or at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StartPlace {
    pub files: u64,
    pub have: u64,
}

/// The begin of a file, or an empty folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileHeader {
    /// The names on the way to it, as the sender has them. Not safe to use as they are.
    pub path: Vec<String>,
    /// The file's bytes; `None`: the sender does not know (a pipe).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether it is an empty folder, for which nothing follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
}

/// All is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// The number of entries, also of those that the receiver had.
    pub files: u64,
    /// The bytes in all of them.
    pub bytes: u64,
}

/// All is received, checked, and has its final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stored {
    pub bytes: u64,
}

/// Why a side ends a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCode {
    /// A file changed while it was sent.
    Changed,
    /// The receiver's disk is full.
    NoSpace,
    /// A person, or a program for them, ended it.
    Cancelled,
    /// The receiver's bytes are not those that the sender read.
    BadHash,
    /// More came than was offered.
    TooManyBytes,
    /// Less came than was offered.
    TooFewBytes,
    /// The other side's bytes are not a record, or not one that may come there.
    BadRecord,
    /// A file could not be read or written.
    Io,
    /// The receiver has as many unfinished files as it may.
    Busy,
    /// A code that this version does not know.
    #[serde(other)]
    Other,
}

impl StopCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NoSpace => "no_space",
            Self::Cancelled => "cancelled",
            Self::BadHash => "bad_hash",
            Self::TooManyBytes => "too_many_bytes",
            Self::TooFewBytes => "too_few_bytes",
            Self::BadRecord => "bad_record",
            Self::Io => "io",
            Self::Busy => "busy",
            Self::Other => "other",
        }
    }
}

/// The last record of a side that ends a transfer early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    pub code: StopCode,
    /// The reason for people; not safe for a terminal.
    #[serde(default)]
    pub msg: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRecord<'a> {
    Have(Have),
    StartPlace(StartPlace),
    File(FileHeader),
    /// Bytes of the present file.
    Data(&'a [u8]),
    /// The hash of the whole present file, which ends it.
    Hash(ContentHash),
    Totals(Totals),
    Stored(Stored),
    /// A sign of life.
    Alive,
    Stop(StopRecord),
}

/// The kind of a record: its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    Have = b'A',
    StartPlace = b'P',
    File = b'F',
    Data = b'D',
    Hash = b'H',
    Totals = b'E',
    Stored = b'O',
    Alive = b'K',
    Stop = b'X',
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    #[error("a record of the unknown kind {0}")]
    Kind(u8),
    #[error("a record of {0} bytes, which is too long")]
    TooLong(u32),
    #[error("a record with invalid content")]
    Content,
}

impl RecordKind {
    const ALL: [Self; 9] = [
        Self::Have,
        Self::StartPlace,
        Self::File,
        Self::Data,
        Self::Hash,
        Self::Totals,
        Self::Stored,
        Self::Alive,
        Self::Stop,
    ];

    fn most_bytes(self) -> usize {
        match self {
            Self::Data => TRANSFER_STEP_BYTES,
            Self::Hash => HASH_BYTES,
            Self::Alive => 0,
            _ => MAX_FRAME_BYTES,
        }
    }

    /// Reads a record's head: its kind, and the length of its content.
    ///
    /// # Errors
    /// If no record starts so.
    pub fn read_head(head: [u8; RECORD_HEAD_BYTES]) -> Result<(Self, usize), BadRecord> {
        let [first, length @ ..] = head;
        let kind = Self::ALL.into_iter().find(|kind| *kind as u8 == first).ok_or(BadRecord::Kind(first))?;
        let length = u32::from_be_bytes(length);
        match usize::try_from(length) {
            Ok(bytes) if bytes <= kind.most_bytes() => Ok((kind, bytes)),
            _ => Err(BadRecord::TooLong(length)),
        }
    }
}

impl<'a> FileRecord<'a> {
    /// Reads a record's content.
    ///
    /// # Errors
    /// If a record of this kind has no such content.
    pub fn read(kind: RecordKind, content: &'a [u8]) -> Result<Self, BadRecord> {
        Ok(match kind {
            RecordKind::Have => Self::Have(json(content)?),
            RecordKind::StartPlace => Self::StartPlace(json(content)?),
            RecordKind::File => Self::File(json::<FileHeader>(content)?.checked()?),
            RecordKind::Data => Self::Data(content),
            RecordKind::Hash => Self::Hash(ContentHash(content.try_into().map_err(|_| BadRecord::Content)?)),
            RecordKind::Totals => Self::Totals(json(content)?),
            RecordKind::Stored => Self::Stored(json(content)?),
            RecordKind::Alive => Self::Alive,
            RecordKind::Stop => Self::Stop(json(content)?),
        })
    }

    /// Appends the record to `out`. Data over [`TRANSFER_STEP_BYTES`] become several records.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Have(have) => write_json(RecordKind::Have, have, out),
            Self::StartPlace(place) => write_json(RecordKind::StartPlace, place, out),
            Self::File(header) => write_json(RecordKind::File, header, out),
            Self::Data(bytes) => {
                for part in bytes.chunks(TRANSFER_STEP_BYTES) {
                    write(RecordKind::Data, part, out);
                }
            }
            Self::Hash(hash) => write(RecordKind::Hash, &hash.0, out),
            Self::Totals(totals) => write_json(RecordKind::Totals, totals, out),
            Self::Stored(stored) => write_json(RecordKind::Stored, stored, out),
            Self::Alive => write(RecordKind::Alive, &[], out),
            Self::Stop(stop) => write_json(RecordKind::Stop, stop, out),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

/// Cuts a stream into records. Holds the content of at most one record, and none of data.
#[derive(Debug, Default)]
pub struct RecordReader {
    /// The kind of a record whose head is read, and how much of its content is missing.
    open: Option<(RecordKind, usize)>,
    held: Vec<u8>,
    /// Whether `held` is a whole record's content, which the caller has seen.
    is_given: bool,
}

/// The end of the bytes that [`RecordReader::read`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordPart {
    /// So many bytes of the present file.
    Data(usize),
    /// A whole record of another kind; [`RecordReader::content`] has its content.
    Whole(RecordKind),
}

impl RecordReader {
    /// Reads up to the end of the next record, or of the data in `input`. Returns how many bytes it took, and what
    /// they end with; `None`: it took all, and more must come.
    ///
    /// # Errors
    /// If no record starts so.
    pub fn read(&mut self, input: &[u8]) -> Result<(usize, Option<RecordPart>), BadRecord> {
        let mut taken = 0;
        if std::mem::take(&mut self.is_given) {
            self.held.clear();
        }
        loop {
            let rest = &input[taken..];
            let Some((kind, missing)) = self.open else {
                taken += self.hold(rest, RECORD_HEAD_BYTES);
                let Ok(head) = <[u8; RECORD_HEAD_BYTES]>::try_from(&*self.held) else {
                    return Ok((taken, None));
                };
                self.held.clear();
                self.open = Some(RecordKind::read_head(head)?);
                continue;
            };
            if kind == RecordKind::Data {
                let bytes = missing.min(rest.len());
                self.open = (missing > bytes).then_some((kind, missing - bytes));
                match bytes {
                    0 if missing == 0 => continue,
                    0 => return Ok((taken, None)),
                    bytes => return Ok((taken + bytes, Some(RecordPart::Data(bytes)))),
                }
            }
            taken += self.hold(rest, missing);
            if self.held.len() < missing {
                return Ok((taken, None));
            }
            (self.open, self.is_given) = (None, true);
            return Ok((taken, Some(RecordPart::Whole(kind))));
        }
    }

    /// The content of the record that was read last.
    pub fn content(&self) -> &[u8] {
        &self.held
    }

    /// Holds bytes until there are `wanted`. Returns how many it took.
    fn hold(&mut self, input: &[u8], wanted: usize) -> usize {
        let bytes = wanted.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(&input[..bytes]);
        bytes
    }
}

/// The head of a record with that much data, at most [`TRANSFER_STEP_BYTES`].
pub fn data_head(bytes: usize) -> [u8; RECORD_HEAD_BYTES] {
    head(RecordKind::Data, bytes)
}

fn head(kind: RecordKind, bytes: usize) -> [u8; RECORD_HEAD_BYTES] {
    let [a, b, c, d] = u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    [kind as u8, a, b, c, d]
}

fn write(kind: RecordKind, content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&head(kind, content.len()));
    out.extend_from_slice(content);
}

fn write_json<T: Serialize>(kind: RecordKind, content: &T, out: &mut Vec<u8>) {
    // Only a hand-written Serialize fails, and these write text.
    write(kind, &serde_json::to_vec(content).unwrap_or_default(), out);
}

fn json<T: DeserializeOwned>(content: &[u8]) -> Result<T, BadRecord> {
    serde_json::from_slice(content).map_err(|_| BadRecord::Content)
}

impl Have {
    /// A receiver that has nothing yet.
    pub fn nothing() -> Self {
        let none = ContentHash::default();
        Self { v: PROTOCOL_VERSION, files: 0, tree: none, have: 0, hash: none }
    }

    /// The place at which it wants the sender to start.
    pub fn place(&self) -> StartPlace {
        StartPlace { files: self.files, have: self.have }
    }
}

impl FileHeader {
    fn checked(self) -> Result<Self, BadRecord> {
        let is_part = |part: &String| !part.is_empty() && part.len() <= MAX_PATH_PART_BYTES;
        let is_path = (1..=MAX_PATH_PARTS).contains(&self.path.len()) && self.path.iter().all(is_part);
        if is_path { Ok(self) } else { Err(BadRecord::Content) }
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * HASH_BYTES);
        let digits = digits.ok_or_else(|| D::Error::custom("not a hash of 64 hexadecimal digits"))?;
        let mut hash = [0; HASH_BYTES];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).unwrap_or_default();
        }
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_back(bytes: &[u8]) -> Result<FileRecord<'_>, BadRecord> {
        let (head, content) = bytes.split_first_chunk().unwrap();
        let (kind, length) = RecordKind::read_head(*head)?;
        assert_eq!(length, content.len());
        FileRecord::read(kind, content)
    }

    fn header(path: &[&str]) -> FileHeader {
        FileHeader {
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            size: Some(3),
            folder: false,
        }
    }

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let hash = ContentHash([0xa7; 32]);
        for record in [
            FileRecord::Have(Have { v: 1, files: 2, tree: hash, have: 3, hash }),
            FileRecord::StartPlace(StartPlace { files: 2, have: 3 }),
            FileRecord::File(header(&["docs", "plan.pdf"])),
            FileRecord::File(FileHeader { folder: true, size: None, ..header(&["empty"]) }),
            FileRecord::Data(b"bytes"),
            FileRecord::Hash(hash),
            FileRecord::Totals(Totals { files: 2, bytes: u64::MAX }),
            FileRecord::Stored(Stored { bytes: 7 }),
            FileRecord::Alive,
            FileRecord::Stop(StopRecord { code: StopCode::NoSpace, msg: "the disk is full".into() }),
        ] {
            assert_eq!(read_back(&record.to_bytes()).unwrap(), record);
        }
    }

    #[test]
    fn records_are_written_as_the_protocol_says() {
        let bytes = FileRecord::File(header(&["plan.pdf"])).to_bytes();
        assert_eq!(bytes, b"F\0\0\0\x1e{\"path\":[\"plan.pdf\"],\"size\":3}");
        assert_eq!(FileRecord::Data(b"abc").to_bytes(), b"D\0\0\0\x03abc");
        assert_eq!(FileRecord::Alive.to_bytes(), b"K\0\0\0\0");
        assert_eq!([&data_head(3)[..], b"abc"].concat(), FileRecord::Data(b"abc").to_bytes());
    }

    #[test]
    fn much_data_becomes_several_records() {
        let bytes = FileRecord::Data(&[1; TRANSFER_STEP_BYTES + 1]).to_bytes();
        assert_eq!(bytes.len(), TRANSFER_STEP_BYTES + 1 + 2 * RECORD_HEAD_BYTES);
    }

    #[test]
    fn what_is_no_record_is_refused_before_its_content_comes() {
        let head = |kind, bytes| RecordKind::read_head(head(kind, bytes));
        assert_eq!(RecordKind::read_head(*b"Q\0\0\0\0"), Err(BadRecord::Kind(b'Q')));
        assert!(head(RecordKind::Data, TRANSFER_STEP_BYTES).is_ok());
        assert!(head(RecordKind::Data, TRANSFER_STEP_BYTES + 1).is_err());
        assert!(head(RecordKind::File, MAX_FRAME_BYTES + 1).is_err());
        assert!(head(RecordKind::Alive, 1).is_err());
        assert!(head(RecordKind::Hash, 33).is_err());
    }

    #[test]
    fn content_that_does_not_fit_its_kind_is_refused() {
        let many = header(&["x"; MAX_PATH_PARTS + 1]);
        let long = header(&[&"x".repeat(MAX_PATH_PART_BYTES + 1)]);
        for header in [header(&[]), header(&[""]), header(&["a", ""]), many, long] {
            assert_eq!(read_back(&FileRecord::File(header).to_bytes()), Err(BadRecord::Content));
        }
        for (kind, content) in [
            (RecordKind::Hash, "short"),
            (RecordKind::Have, r#"{"v":1,"files":0,"tree":"00","have":0,"hash":"00"}"#),
            (RecordKind::StartPlace, r#"{"files":-1,"have":0}"#),
            (RecordKind::Totals, "{}"),
            (RecordKind::Stop, "[]"),
        ] {
            assert_eq!(FileRecord::read(kind, content.as_bytes()), Err(BadRecord::Content), "{content}");
        }
    }

    #[test]
    fn a_later_versions_reason_is_still_a_reason() {
        let stop = FileRecord::read(RecordKind::Stop, br#"{"code":"full_moon","msg":"so","since":1}"#);
        assert_eq!(stop, Ok(FileRecord::Stop(StopRecord { code: StopCode::Other, msg: "so".into() })));
    }

    /// The records in bytes that come in pieces of that size, and all data joined.
    fn read_in_pieces(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut reader, mut records, mut data) = (RecordReader::default(), Vec::new(), Vec::new());
        for mut piece in bytes.chunks(size) {
            while !piece.is_empty() {
                let (taken, part) = reader.read(piece).unwrap();
                match part {
                    Some(RecordPart::Data(bytes)) => data.extend_from_slice(&piece[taken - bytes..taken]),
                    Some(RecordPart::Whole(kind)) => {
                        records.push(FileRecord::read(kind, reader.content()).unwrap().to_bytes());
                    }
                    None => assert_eq!(taken, piece.len()),
                }
                piece = &piece[taken..];
            }
        }
        (records, data)
    }

    #[test]
    fn a_stream_is_cut_into_the_same_records_however_it_comes() {
        let records = [
            FileRecord::Alive,
            FileRecord::File(header(&["plan.pdf"])),
            FileRecord::Hash(ContentHash([7; 32])),
            FileRecord::Alive,
            FileRecord::Totals(Totals { files: 1, bytes: 3 }),
        ];
        let mut stream = Vec::new();
        for record in &records {
            record.write_to(&mut stream);
            write(RecordKind::Data, b"", &mut stream);
            FileRecord::Data(b"some bytes").write_to(&mut stream);
        }
        let written: Vec<Vec<u8>> = records.iter().map(FileRecord::to_bytes).collect();
        for size in [1, 2, 3, 5, 7, 16, 1000] {
            let (records, data) = read_in_pieces(&stream, size);
            assert_eq!((records, data), (written.clone(), b"some bytes".repeat(5)), "{size}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_record_or_an_error(head: [u8; 5], content: Vec<u8>) {
            if let Ok((kind, _)) = RecordKind::read_head(head)
                && let Ok(record) = FileRecord::read(kind, &content)
                && kind != RecordKind::Alive
            {
                let bytes = record.to_bytes();
                if bytes.len() > RECORD_HEAD_BYTES {
                    prop_assert_eq!(read_back(&bytes).unwrap(), record);
                }
            }
        }
    }
}
