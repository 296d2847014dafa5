//! The files of an offer that a receiver has begun and finished: the names that the sender gave, and those on this
//! disk, so that a later attempt finds them. In the end, the name that all of it is about to get.

use crate::files;
use crate::limits::MAX_OFFERED_ENTRIES;
use crate::name::FileName;
use crate::protocol::record::{ContentHash, FileHeader};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The longest journal that is read: that of the longest offer with long names.
const MAX_JOURNAL_BYTES: u64 = 256 * 1024 * 1024;

/// The journal of one offer. Without a file, it lasts as long as this value.
#[derive(Debug, Default)]
pub(super) struct Journal {
    file: Option<File>,
    entries: Vec<JournalEntry>,
    named: Option<String>,
}

/// A file or an empty folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalEntry {
    pub(super) header: FileHeader,
    /// Its place below the unfinished folder; empty for a single file.
    pub(super) place: Vec<String>,
    /// `None`: the file is unfinished.
    pub(super) hash: Option<ContentHash>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum JournalLine {
    Begun { header: FileHeader, place: Vec<String> },
    Whole { whole: ContentHash },
    Named { named: String },
}

/// The content of a journal up to the first damage.
#[derive(Debug, Default)]
struct JournalContent {
    entries: Vec<JournalEntry>,
    named: Option<String>,
    /// The bytes that it takes.
    valid: u64,
}

impl Journal {
    /// Opens the file, or creates it, and keeps others away from it.
    ///
    /// # Errors
    /// `WouldBlock` if a transfer uses it, or the system's error.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        path.parent().map_or(Ok(()), files::create_directory)?;
        let mut options = OpenOptions::new();
        let mut file = files::open_private(path, options.read(true).write(true).create(true))?;
        file.try_lock().map_err(io::Error::from)?;
        let mut bytes = Vec::new();
        (&file).take(MAX_JOURNAL_BYTES).read_to_end(&mut bytes)?;
        let JournalContent { entries, named, valid } = read(&bytes);
        file.set_len(valid)?;
        file.seek(SeekFrom::Start(valid))?;
        Ok(Self { file: Some(file), entries, named })
    }

    /// Whether a transfer of this or another process uses the file.
    pub(super) fn is_in_use(path: Option<&Path>) -> bool {
        let file = path.and_then(|path| OpenOptions::new().read(true).write(true).open(path).ok());
        file.is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    pub(super) fn entries(&self) -> &[JournalEntry] {
        &self.entries
    }

    /// The name that the whole of it has, or was about to get.
    pub(super) fn named(&self) -> Option<&str> {
        self.named.as_deref()
    }

    pub(super) fn begin(&mut self, header: FileHeader, place: Vec<String>) -> io::Result<()> {
        let is_folder = header.folder;
        let line = JournalLine::Begun { header: header.clone(), place: place.clone() };
        self.append(&line)?;
        let hash = is_folder.then(ContentHash::default);
        self.entries.push(JournalEntry { header, place, hash });
        self.named = None;
        Ok(())
    }

    /// The last entry is whole.
    pub(super) fn finish(&mut self, hash: ContentHash) -> io::Result<()> {
        self.append(&JournalLine::Whole { whole: hash })?;
        if let Some(entry) = self.entries.last_mut() {
            entry.hash = Some(hash);
        }
        Ok(())
    }

    /// All is whole, and about to get that name. After a crash or a power cut, the journal still says so.
    pub(super) fn name(&mut self, name: &str) -> io::Result<()> {
        self.append(&JournalLine::Named { named: name.to_owned() })?;
        self.named = Some(name.to_owned());
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.entries.clear();
        self.named = None;
        let Some(file) = &mut self.file else { return Ok(()) };
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0)).map(drop)
    }

    fn append(&mut self, line: &JournalLine) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        file.write_all(&text)
    }
}

/// The place of an entry on this disk.
pub(super) fn local(root: &Path, place: &[String]) -> PathBuf {
    place.iter().fold(root.to_owned(), |path, part| path.join(part))
}

fn read(bytes: &[u8]) -> JournalContent {
    let JournalContent { mut entries, mut named, mut valid } = JournalContent::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let whole = line.ends_with(b"\n") && entries.len() <= MAX_OFFERED_ENTRIES;
        match serde_json::from_slice(line) {
            Ok(JournalLine::Begun { header, place })
                if whole
                    && place.iter().all(is_own)
                    && entries.last().is_none_or(|last| last.hash.is_some()) =>
            {
                let hash = header.folder.then(ContentHash::default);
                entries.push(JournalEntry { header, place, hash });
                named = None;
            }
            Ok(JournalLine::Whole { whole: hash }) if whole => match entries.last_mut() {
                Some(last) if last.hash.is_none() => last.hash = Some(hash),
                _ => break,
            },
            Ok(JournalLine::Named { named: name })
                if whole && is_own(&name) && entries.last().is_none_or(|last| last.hash.is_some()) =>
            {
                named = Some(name);
            }
            _ => break,
        }
        valid += line.len() as u64;
    }
    JournalContent { entries, named, valid }
}

/// Whether this program would name a file so.
fn is_own(part: &String) -> bool {
    FileName::from_sender(part).as_str() == part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str) -> FileHeader {
        FileHeader { path: vec![name.into()], size: Some(3), folder: false }
    }

    #[test]
    fn a_later_run_finds_what_was_begun_and_what_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transfers").join("one");
        let mut journal = Journal::open(Some(&path)).unwrap();
        journal.begin(header("a"), vec!["a".into()]).unwrap();
        journal.finish(ContentHash([1; 32])).unwrap();
        journal.begin(FileHeader { folder: true, ..header("b") }, vec!["b".into()]).unwrap();
        journal.begin(header("c"), vec!["c".into()]).unwrap();
        let entries = journal.entries().to_vec();
        assert_eq!(Journal::open(Some(&path)).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let mut journal = Journal::open(Some(&path)).unwrap();
        assert_eq!(journal.entries(), entries);
        assert_eq!(journal.entries().last().map(|last| last.hash), Some(None));
        journal.clear().unwrap();
        drop(journal);
        assert_eq!(Journal::open(Some(&path)).unwrap().entries(), []);
    }

    #[test]
    fn damage_ends_it_where_it_is_and_no_place_leads_out() {
        let good = "{\"header\":{\"path\":[\"a\"],\"size\":3},\"place\":[\"a\"]}\n";
        for bad in [
            "{\"whole\":\"00",
            "\0\0\0\0",
            "{\"header\":{\"path\":[\"b\"]},\"place\":[\"..\"]}\n",
            "{\"header\":{\"path\":[\"b\"]},\"place\":[\"/etc\"]}\n",
            "{\"header\":{\"path\":[\"b\"]},\"place\":[\"b\"]}\n",
        ] {
            let content = read(format!("{good}{bad}").as_bytes());
            assert_eq!((content.entries.len(), content.valid), (1, good.len() as u64), "{bad}");
        }
    }

    #[test]
    fn the_final_name_is_noted_and_belongs_to_what_was_whole_then() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        let mut journal = Journal::open(Some(&path)).unwrap();
        journal.begin(header("a"), Vec::new()).unwrap();
        journal.finish(ContentHash([1; 32])).unwrap();
        for name in ["a", "a (2)"] {
            journal.name(name).unwrap();
        }
        drop(journal);
        let mut journal = Journal::open(Some(&path)).unwrap();
        assert_eq!((journal.named(), journal.entries().len()), (Some("a (2)"), 1));
        journal.begin(header("b"), Vec::new()).unwrap();
        drop(journal);
        assert_eq!(Journal::open(Some(&path)).unwrap().named(), None, "more came");
        for name in ["../a", "/etc/a"] {
            assert!(read(format!("{{\"named\":\"{name}\"}}\n").as_bytes()).named.is_none(), "{name}");
        }
    }
}
