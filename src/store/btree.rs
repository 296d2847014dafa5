//! Reads rows from the pages of a damaged database without SQLite, which gives up a table at the first
//! unreadable page.
//!
//! Implements SQLite's file format, chapters 1.6 (b-tree pages) and 2.1 (records). [`BtreePage::rows`] also
//! reads pages that no tree reaches.

use super::image::{HEADER_BYTES, Image, word16, word32};
use rusqlite::types::Value;
use std::io;

/// The maximum depth to follow; SQLite's trees have at most 20 levels.
const MAX_DEPTH: usize = 24;

/// A row's rowid, if its table has rowids, and its values.
pub(super) type RawRow = (Option<i64>, Vec<Value>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// A table with rowids, where only leaves hold rows.
    TableInner,
    /// A leaf of such a table.
    TableLeaf,
    /// An index or a table without rowids, where all pages hold rows.
    IndexInner,
    /// A leaf of these.
    IndexLeaf,
}

impl PageKind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x05 => Some(Self::TableInner),
            0x0d => Some(Self::TableLeaf),
            0x02 => Some(Self::IndexInner),
            0x0a => Some(Self::IndexLeaf),
            _ => None,
        }
    }

    pub(super) fn is_inner(self) -> bool {
        matches!(self, Self::TableInner | Self::IndexInner)
    }

    pub(super) fn has_numbers(self) -> bool {
        matches!(self, Self::TableInner | Self::TableLeaf)
    }
}

pub(super) struct BtreePage<'i> {
    image: &'i Image,
    bytes: Vec<u8>,
    pub(super) kind: PageKind,
    cells: Vec<usize>,
    last_child: u32,
}

impl<'i> BtreePage<'i> {
    /// Reads a page; `None` if it does not exist or belongs to no tree.
    pub(super) fn read(image: &'i Image, number: u32) -> io::Result<Option<Self>> {
        let bytes = image.page(number)?;
        Ok(bytes.and_then(|bytes| Self::parse(image, bytes, if number == 1 { HEADER_BYTES } else { 0 })))
    }

    fn parse(image: &'i Image, bytes: Vec<u8>, head: usize) -> Option<Self> {
        let kind = PageKind::of(*bytes.get(head)?)?;
        let count = usize::from(word16(&bytes, head + 3)?);
        let (table, last_child) =
            if kind.is_inner() { (head + 12, word32(&bytes, head + 8)?) } else { (head + 8, 0) };
        let end = table + 2 * count;
        let cells: Option<Vec<usize>> =
            (0..count).map(|place| word16(&bytes, table + 2 * place).map(usize::from)).collect();
        let cells = cells?;
        let is_sound = cells.iter().all(|cell| *cell >= end && *cell < bytes.len());
        is_sound.then_some(Self { image, bytes, kind, cells, last_child })
    }

    pub(super) fn children(&self) -> Vec<u32> {
        if !self.kind.is_inner() {
            return Vec::new();
        }
        let children = self.cells.iter().filter_map(|cell| word32(&self.bytes, *cell));
        children.chain([self.last_child]).collect()
    }

    /// The page's rows, and the number of unreadable ones.
    pub(super) fn rows(&self) -> io::Result<(Vec<RawRow>, usize)> {
        let mut rows = Vec::with_capacity(self.cells.len());
        if self.kind == PageKind::TableInner {
            return Ok((rows, 0));
        }
        for cell in &self.cells {
            rows.extend(self.row(*cell)?);
        }
        let lost = self.cells.len() - rows.len();
        Ok((rows, lost))
    }

    fn row(&self, mut place: usize) -> io::Result<Option<RawRow>> {
        if self.kind == PageKind::IndexInner {
            place += 4;
        }
        let Some((length, read)) = varint(&self.bytes, place) else { return Ok(None) };
        place += read;
        let mut number = None;
        if self.kind.has_numbers() {
            let Some((found, read)) = varint(&self.bytes, place) else { return Ok(None) };
            place += read;
            number = Some(found.cast_signed());
        }
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let payload = self.payload(place, length)?;
        Ok(payload.and_then(|payload| record(&payload)).map(|values| (number, values)))
    }

    /// A cell's content, including its overflow pages.
    fn payload(&self, place: usize, length: usize) -> io::Result<Option<Vec<u8>>> {
        let page = self.image.page_bytes as usize;
        let usable = page - self.image.spare as usize;
        if length > page.saturating_mul(self.image.pages as usize) || usable < 480 {
            return Ok(None);
        }
        let most = if self.kind.has_numbers() { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let local = if length <= most {
            length
        } else {
            let least = (usable - 12) * 32 / 255 - 23;
            let fit = least + (length - least) % (usable - 4);
            if fit <= most { fit } else { least }
        };
        let Some(mut payload) = self.bytes.get(place..place + local).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        let mut next = word32(&self.bytes, place + local);
        // Each page shortens what is missing, so a cycle ends.
        while payload.len() < length {
            let Some(number) = next.filter(|number| *number > 0) else { return Ok(None) };
            let Some(page) = self.image.page(number)? else { return Ok(None) };
            next = word32(&page, 0);
            let some = (length - payload.len()).min(usable - 4);
            payload.extend_from_slice(&page[4..4 + some]);
        }
        Ok(Some(payload))
    }
}

/// Walks a tree from its root. `visit` gets each page and returns whether to follow its children; `lost` gets
/// the numbers of unreadable pages.
pub(super) fn walk(
    image: &Image,
    root: u32,
    visit: &mut impl FnMut(u32, &BtreePage<'_>) -> io::Result<bool>,
    lost: &mut impl FnMut(u32),
) -> io::Result<()> {
    let mut left = vec![(root, 0)];
    let mut has_numbers = None;
    while let Some((number, depth)) = left.pop() {
        let page = BtreePage::read(image, number)?;
        let fits = |page: &BtreePage<'_>| has_numbers.is_none_or(|has| has == page.kind.has_numbers());
        let Some(page) = page.filter(fits).filter(|_| depth < MAX_DEPTH) else {
            lost(number);
            continue;
        };
        has_numbers = Some(page.kind.has_numbers());
        if visit(number, &page)? {
            left.extend(page.children().into_iter().rev().map(|child| (child, depth + 1)));
        }
    }
    Ok(())
}

/// The free pages, up to the first break in their list.
pub(super) fn free_pages(image: &Image) -> io::Result<Vec<u32>> {
    let mut free = Vec::new();
    let mut next = image.header()?.map_or(0, |header| header.first_free);
    // The list is shorter than the file, unless it is a cycle.
    for _ in 0..image.pages {
        let Some(trunk) = (next > 0).then(|| image.page(next)).transpose()?.flatten() else { break };
        free.push(next);
        let most = image.page_bytes / 4 - 2;
        let leaves = word32(&trunk, 4).unwrap_or(0);
        if leaves > most {
            break;
        }
        free.extend((0..leaves as usize).filter_map(|leaf| word32(&trunk, 8 + 4 * leaf)));
        next = word32(&trunk, 0).unwrap_or(0);
    }
    Ok(free)
}

/// A number of one to nine bytes, and its length.
fn varint(bytes: &[u8], place: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for read in 0..8 {
        let byte = *bytes.get(place + read)?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((number, read + 1));
        }
    }
    Some((number << 8 | u64::from(*bytes.get(place + 8)?), 9))
}

fn record(bytes: &[u8]) -> Option<Vec<Value>> {
    let (head, mut place) = varint(bytes, 0)?;
    let head = usize::try_from(head).ok().filter(|head| *head <= bytes.len())?;
    let mut content = head;
    let mut values = Vec::new();
    while place < head {
        let (kind, read) = varint(bytes, place)?;
        place += read;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let part = bytes.get(content..content.checked_add(length)?)?;
        content += length;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(part)),
            7 => Value::Real(f64::from_be_bytes(part.try_into().ok()?)),
            _ if kind % 2 == 0 => Value::Blob(part.to_vec()),
            _ => Value::Text(std::str::from_utf8(part).ok()?.to_owned()),
        });
    }
    // Rejects a record that is cut, or followed by something else.
    (place == head && content == bytes.len()).then_some(values)
}

/// A big-endian number in two's complement.
fn integer(bytes: &[u8]) -> i64 {
    let sign = bytes.first().map_or(0, |byte| if *byte < 0x80 { 0 } else { -1 });
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;
    use std::path::Path;

    /// All rows of the database's first tree, none of them lost.
    fn rows_of_first_tree(db: Connection, path: &Path) -> Vec<RawRow> {
        let root = db.query_row("SELECT rootpage FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        db.close().unwrap();
        let image = Image::open(path).unwrap();
        let mut found = Vec::new();
        let mut visit = |_, page: &BtreePage<'_>| {
            let (rows, lost) = page.rows()?;
            assert_eq!(lost, 0);
            found.extend(rows);
            Ok(true)
        };
        walk(&image, root, &mut visit, &mut |page| panic!("page {page} is lost")).unwrap();
        found
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x81], 0), None);
        assert_eq!([integer(&[0xff]), integer(&[0x7f, 0]), integer(&[0x80, 0])], [-1, 0x7f00, -0x8000]);
    }

    #[test]
    fn every_row_of_a_whole_tree_is_read_whatever_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)").unwrap();
        let mut expected = Vec::new();
        for n in 0..3000_i64 {
            let big = if n % 100 == 0 { 50_000 } else { 10 };
            let values = vec![
                Value::Null,
                Value::Integer(n * n * n * if n % 2 == 0 { 1 } else { -99_999 }),
                Value::Text("ä".repeat(big)),
                if n % 3 == 0 { Value::Real(0.5) } else { Value::Blob(vec![7; big]) },
            ];
            db.execute(
                "INSERT INTO t VALUES (?1, ?2, ?3, ?4)",
                rusqlite::params![n - 9, values[1], values[2], values[3]],
            )
            .unwrap();
            expected.push((Some(n - 9), values));
        }
        assert!(rows_of_first_tree(db, &path) == expected);
    }

    /// Their rows lie in pages of an index, which keep another share of a long row to themselves.
    #[test]
    fn every_row_of_a_tree_without_numbers_is_read_whatever_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID").unwrap();
        let sizes = (900..1100).chain([3000, 5000, 9000]);
        let expected: Vec<String> = sizes.map(|size| format!("{size:05}{}", "x".repeat(size))).collect();
        for text in &expected {
            db.execute("INSERT INTO t VALUES (?1)", [text]).unwrap();
        }
        let mut found: Vec<String> = rows_of_first_tree(db, &path)
            .into_iter()
            .map(|(_, mut values)| match values.remove(0) {
                Value::Text(text) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        found.sort();
        assert!(found == expected);
    }

    #[test]
    fn all_pages_that_are_free_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let db = Connection::open(&path).unwrap();
        assert_eq!(free_pages(&Image::open(&path).unwrap()).unwrap(), [0; 0]);
        db.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(8000000)); DROP TABLE t")
            .unwrap();
        let count = db.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0)).unwrap() as usize;
        db.close().unwrap();
        let mut free = free_pages(&Image::open(&path).unwrap()).unwrap();
        free.sort();
        free.dedup();
        assert!(count > 1900, "{count}: on more than one page of the list");
        assert_eq!(free.len(), count);
    }

    proptest! {
        #[test]
        fn garbage_is_no_record_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(record(&bytes));
            let _ = varint(&bytes, 0);
        }
    }
}
