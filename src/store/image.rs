//! Reads the pages of a database and its log without SQLite, which refuses a damaged one.
//!
//! Implements SQLite's file format, chapters 1.3 (the header) and 4 (the write-ahead log).

use super::file_watch::beside;
use super::paths;
use crate::files;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

/// The first bytes of a database.
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Bytes of the header, at the start of the first page.
pub(super) const HEADER_BYTES: usize = 100;

/// The page size to assume if the header is unreadable.
const USUAL_PAGE_BYTES: u32 = 4096;

/// Bytes of the log's header and of a frame's.
const LOG_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The first number in a log; one higher if its checksums use big-endian words.
const LOG_MAGIC: u32 = 0x377f_0682;

/// The fields of a database's header that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// A power of two.
    pub(super) page_bytes: u32,
    /// Unused bytes at the end of each page.
    pub(super) spare: u32,
    /// The count when the first page was last written.
    pub(super) pages: u32,
    pub(super) first_free: u32,
    pub(super) version: u32,
    pub(super) application: u32,
}

impl Header {
    /// Reads a file's header; `None` if it has none.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_BYTES];
        let read = read_at(file, 0, &mut bytes)?;
        Ok(Self::parse(&bytes[..read]))
    }

    /// Parses the start of the first page.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..MAGIC.len())? != MAGIC || bytes.len() < HEADER_BYTES {
            return None;
        }
        let page_bytes = match u32::from(word16(bytes, 16)?) {
            1 => 65_536,
            size => size,
        };
        let is_size = page_bytes.is_power_of_two() && page_bytes >= 512;
        is_size.then_some(Self {
            page_bytes,
            spare: (*bytes.get(20)?).into(),
            pages: word32(bytes, 28)?,
            first_free: word32(bytes, 32)?,
            version: word32(bytes, 60)?,
            application: word32(bytes, 68)?,
        })
    }
}

/// The committed pages of a write-ahead log, with the position of their latest content.
#[derive(Debug, Default)]
pub(super) struct Log {
    places: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pages: u32,
}

impl Log {
    /// Reads the log up to its end, or to a torn frame. A missing log is an empty one.
    pub(super) fn read(path: &Path, page_bytes: u32) -> io::Result<Self> {
        let mut file = match files::open(path) {
            Ok(file) => BufReader::with_capacity(1 << 16, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut header = [0; LOG_HEADER_BYTES];
        let mut log = Self::default();
        let Some(mut sums) = file.read_exact(&mut header).ok().and_then(|()| Sums::of(&header, page_bytes))
        else {
            return Ok(log);
        };
        let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes as usize];
        let mut place = LOG_HEADER_BYTES as u64;
        let mut begun = Vec::new();
        while file.read_exact(&mut frame).is_ok() {
            if frame[8..16] != header[16..24] || !sums.fit(&frame) {
                break;
            }
            let (Some(page), Some(pages)) = (word32(&frame, 0), word32(&frame, 4)) else { break };
            begun.push((page, place + FRAME_HEADER_BYTES as u64));
            if pages > 0 {
                log.places.extend(begun.drain(..));
                log.pages = pages;
            }
            place += frame.len() as u64;
        }
        Ok(log)
    }

    /// Pages of the database after the last commit, if there was one.
    pub(super) fn pages(&self) -> Option<u32> {
        (self.pages > 0).then_some(self.pages)
    }

    pub(super) fn has(&self, page: u32) -> bool {
        self.places.contains_key(&page)
    }
}

/// The running checksum of a log.
struct Sums {
    is_big: bool,
    sums: (u32, u32),
}

impl Sums {
    /// Starts with the header; `None` if that is invalid, or has another page size.
    fn of(header: &[u8], page_bytes: u32) -> Option<Self> {
        let magic = word32(header, 0)?;
        let mut sums = Self { is_big: magic & 1 == 1, sums: (0, 0) };
        sums.add(header.get(..24)?);
        let is_one = magic & !1 == LOG_MAGIC
            && word32(header, 8)? == page_bytes
            && (word32(header, 24)?, word32(header, 28)?) == sums.sums;
        is_one.then_some(sums)
    }

    /// Adds a frame; returns whether its checksum is right.
    fn fit(&mut self, frame: &[u8]) -> bool {
        self.add(&frame[..8]);
        self.add(&frame[FRAME_HEADER_BYTES..]);
        (word32(frame, 16), word32(frame, 20)) == (Some(self.sums.0), Some(self.sums.1))
    }

    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let word = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if self.is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
            };
            let (first, second) = (word(0), word(4));
            self.sums.0 = self.sums.0.wrapping_add(first).wrapping_add(self.sums.1);
            self.sums.1 = self.sums.1.wrapping_add(second).wrapping_add(self.sums.0);
        }
    }
}

#[derive(Debug)]
pub(super) struct Image {
    /// `None` if only the log is left.
    file: Option<File>,
    log: Log,
    log_file: Option<File>,
    pub(super) page_bytes: u32,
    pub(super) spare: u32,
    /// Pages of the file, or more if the log has higher ones.
    pub(super) pages: u32,
}

impl Image {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let there = |path: &Path| match files::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        };
        let (file, log_path) = (there(path)?, beside(&paths::real_path(path), "-wal"));
        let header = file.as_ref().map(Header::read).transpose()?.flatten();
        let page_bytes = header.map_or(USUAL_PAGE_BYTES, |header| header.page_bytes);
        let log = Log::read(&log_path, page_bytes)?;
        let bytes = file.as_ref().map(File::metadata).transpose()?.map_or(0, |found| found.len());
        let held = u32::try_from(bytes.div_ceil(page_bytes.into())).unwrap_or(u32::MAX);
        let highest = log.places.keys().copied().max().unwrap_or(0);
        let spare = header.map_or(0, |header| header.spare);
        let log_file = there(&log_path)?;
        Ok(Self { file, log, log_file, page_bytes, spare, pages: held.max(highest) })
    }

    /// The latest content of a page, numbered from 1.
    pub(super) fn page(&self, number: u32) -> io::Result<Option<Vec<u8>>> {
        let mut page = vec![0; self.page_bytes as usize];
        let (file, place) = match (self.log.places.get(&number), &self.log_file, &self.file) {
            (Some(place), Some(log), _) => (log, *place),
            (_, _, Some(file)) if number > 0 => (file, u64::from(number - 1) * u64::from(self.page_bytes)),
            _ => return Ok(None),
        };
        let read = read_at(file, place, &mut page)?;
        Ok((read == page.len()).then_some(page))
    }

    /// The header, unless it is damaged.
    pub(super) fn header(&self) -> io::Result<Option<Header>> {
        Ok(self.page(1)?.as_deref().and_then(Header::parse))
    }
}

/// Reads until the buffer is full or the file ends; returns the bytes read. A bad sector counts as the end.
pub(super) fn read_at(file: &File, mut place: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        #[cfg(unix)]
        let some = std::os::unix::fs::FileExt::read_at(file, &mut buffer[read..], place);
        #[cfg(windows)]
        let some = std::os::windows::fs::FileExt::seek_read(file, &mut buffer[read..], place);
        match some {
            Ok(0) => break,
            Ok(some) => {
                read += some;
                place += some as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(BAD_SECTOR) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// The system's error for an unreadable sector (`EIO`, `ERROR_CRC`).
const BAD_SECTOR: i32 = if cfg!(windows) { 23 } else { 5 };

pub(super) fn word16(bytes: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(place..place + 2)?.try_into().ok()?))
}

pub(super) fn word32(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(place..place + 4)?.try_into().ok()?))
}
