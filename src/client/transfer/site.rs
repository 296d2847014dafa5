//! The work on an unfinished file or folder: begins, writes, checks and finishes what comes.

use super::error::TransferError;
use super::journal::{Journal, JournalEntry, local};
use super::landing::{Landing, Received};
use super::part::{TreeHash, hash_start, is_at, reopen};
use crate::files;
use crate::limits::{MAX_FREE_NAMES, MAX_OFFERED_ENTRIES, SPACE_CHECK_BYTES};
use crate::name::FileName;
use crate::protocol::record::{ContentHash, FileHeader, Have, StopCode, Totals};
use crate::text::safe_line;
use blake3::Hasher;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::iter;
use std::path::PathBuf;

/// The files of an offer, on the disk.
pub(super) struct Site<'a> {
    landing: &'a Landing,
    journal: Journal,
    /// The folders that exist, by the names that the sender gave: their places.
    folders: HashMap<Vec<String>, Vec<String>>,
    /// The last number of each name that was taken, so that a thousand files of one name do not each try all numbers.
    numbers: HashMap<(Vec<String>, String), u32>,
    present: Option<PresentFile>,
    /// The whole file of an offer of one: while it is open, no other file gets its identity.
    whole: Option<File>,
    tree: TreeHash,
    /// The whole entries, and the files among them.
    entries: u64,
    files: u64,
    /// All bytes so far.
    bytes: u64,
    /// How many of them to have before looking at the space again.
    next_check: u64,
}

/// The file that is being written.
struct PresentFile {
    file: File,
    header: FileHeader,
    hasher: Hasher,
    bytes: u64,
    /// Whether the sender has begun it in this transfer.
    is_begun: bool,
}

impl<'a> Site<'a> {
    pub(super) fn open(landing: &'a Landing, journal: Journal) -> Result<Self, TransferError> {
        let mut site = Self {
            landing,
            journal,
            folders: HashMap::new(),
            numbers: HashMap::new(),
            present: None,
            whole: None,
            tree: TreeHash::default(),
            entries: 0,
            files: 0,
            bytes: 0,
            next_check: 0,
        };
        if landing.restore().map_err(|error| cannot_write(&error))? {
            site.journal.clear().map_err(|error| cannot_write(&error))?;
        }
        Ok(site)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads what is there from before. Whatever is not as it was left counts as nothing.
    pub(super) fn look(
        &mut self,
        mut on: impl FnMut(u64) -> Result<(), TransferError>,
    ) -> Result<Have, TransferError> {
        let entries = self.journal.entries().to_vec();
        for entry in &entries {
            if self.look_at(entry, &mut on)?.is_none() {
                self.start_over()?;
                return Ok(Have::nothing());
            }
        }
        let (have, hash) = match &self.present {
            Some(present) => (present.bytes, present.hasher.finalize().into()),
            None => (0, ContentHash::default()),
        };
        if (self.entries, have) == (0, 0) {
            self.start_over()?;
            return Ok(Have::nothing());
        }
        let hash = if have == 0 { ContentHash::default() } else { hash };
        Ok(Have { files: self.entries, tree: self.tree.finish(), have, hash, ..Have::nothing() })
    }

    /// Reads one entry; `None`: it is not as it was left.
    fn look_at(
        &mut self,
        entry: &JournalEntry,
        on: &mut impl FnMut(u64) -> Result<(), TransferError>,
    ) -> Result<Option<()>, TransferError> {
        let JournalEntry { header, place, hash } = entry;
        let path = local(self.landing.unfinished(), place);
        self.know_folders(header, place);
        if header.folder {
            let is_there = fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
            self.count(header, ContentHash::default());
            return Ok(is_there.then_some(()));
        }
        let Ok(mut file) = reopen(&path) else { return Ok(None) };
        let bytes = file.metadata().map_err(|error| cannot_write(&error))?.len();
        if header.size.is_some_and(|size| bytes > size || (hash.is_some() && bytes != size)) {
            return Ok(None);
        }
        let Some(hasher) = hash_start(&mut file, bytes, on)? else { return Ok(None) };
        self.bytes += bytes;
        match hash {
            Some(hash) if ContentHash::from(hasher.finalize()) == *hash => {
                self.count(header, *hash);
                self.whole = (!self.landing.is_folder()).then_some(file);
            }
            Some(_) => return Ok(None),
            None => {
                file.seek(SeekFrom::Start(bytes)).map_err(|error| cannot_write(&error))?;
                let header = header.clone();
                self.present = Some(PresentFile { file, header, hasher, bytes, is_begun: false });
            }
        }
        Ok(Some(()))
    }

    /// The folders on the way to an entry have the places that its own place shows.
    fn know_folders(&mut self, header: &FileHeader, place: &[String]) {
        let most = if header.folder { header.path.len() } else { header.path.len().saturating_sub(1) };
        for depth in 1..=most.min(place.len()) {
            self.folders.insert(header.path[..depth].to_vec(), place[..depth].to_vec());
        }
    }

    /// Removes all that came.
    pub(super) fn start_over(&mut self) -> Result<(), TransferError> {
        (self.present, self.whole, self.tree) = (None, None, TreeHash::default());
        (self.entries, self.files, self.bytes, self.next_check) = (0, 0, 0, 0);
        self.folders.clear();
        self.numbers.clear();
        let mut again = || {
            self.journal.clear()?;
            self.landing.remove_unfinished()?;
            self.landing.restore().map(drop)
        };
        again().map_err(|error| cannot_write(&error))
    }

    /// Begins a file, goes on with the one that is unfinished, or makes an empty folder.
    pub(super) fn begin(&mut self, header: FileHeader) -> Result<(), TransferError> {
        match &mut self.present {
            Some(present) if !present.is_begun && present.header == header => {
                present.is_begun = true;
                return Ok(());
            }
            Some(_) => return Err(bad("the sender began a file within another")),
            None => {}
        }
        self.check_offered(&header)?;
        let place = self.place(&header)?;
        let path = local(self.landing.unfinished(), &place);
        let begun = self.journal.begin(header.clone(), place).map_err(|error| cannot_write(&error));
        begun?;
        if header.folder {
            self.count(&header, ContentHash::default());
            return Ok(());
        }
        let file = reopen(&path).map_err(|error| cannot_write(&error))?;
        self.present = Some(PresentFile { file, header, hasher: Hasher::new(), bytes: 0, is_begun: true });
        Ok(())
    }

    /// Refuses what was not offered, before anything of it is written.
    fn check_offered(&self, header: &FileHeader) -> Result<(), TransferError> {
        let is_too_many = (!header.folder && self.files >= self.landing.count())
            || self.entries >= MAX_OFFERED_ENTRIES as u64
            || (!self.landing.is_folder() && (header.folder || header.path.len() != 1));
        if is_too_many {
            return Err(too_many("the sender sent more files than offered"));
        }
        let rest = self.landing.most_bytes().saturating_sub(self.bytes);
        match header.size {
            Some(size) if size > rest => Err(too_many("the sender began a file that is bigger than offered")),
            Some(size) => self.landing.check_space(size),
            None => self.landing.check_space(0),
        }
    }

    /// Makes a file or a folder for the entry, and the folders on the way to it. Returns its place.
    fn place(&mut self, header: &FileHeader) -> Result<Vec<String>, TransferError> {
        if !self.landing.is_folder() {
            return Ok(Vec::new());
        }
        let Some((name, above)) = header.path.split_last() else {
            return Err(bad("the sender gave no name"));
        };
        let mut place = Vec::new();
        for depth in 1..=above.len() {
            let names = above[..depth].to_vec();
            place = match self.folders.get(&names).cloned() {
                Some(place) => place,
                None => self.make(place, &above[depth - 1], true)?,
            };
            self.folders.insert(names, place.clone());
        }
        if !header.folder {
            return self.make(place, name, false);
        }
        let place = match self.folders.get(&header.path).cloned() {
            Some(place) => place,
            None => self.make(place, name, true)?,
        };
        self.folders.insert(header.path.clone(), place.clone());
        Ok(place)
    }

    /// Makes a file or a folder of that name, or of one beside it if that is taken: two of the sender's names may be
    /// the same on this disk.
    fn make(
        &mut self,
        above: Vec<String>,
        name: &str,
        is_folder: bool,
    ) -> Result<Vec<String>, TransferError> {
        let folder = local(self.landing.unfinished(), &above);
        self.check_folders(&above).map_err(|error| cannot_write(&error))?;
        let wanted = FileName::from_sender(name);
        // Names that are one on some disks, or once they are cut for a number, count together.
        let last_name = wanted.numbered(MAX_FREE_NAMES).as_str().to_lowercase();
        let last = self.numbers.entry((above.clone(), last_name)).or_insert(1);
        for number in iter::once(1).chain(*last + 1..=MAX_FREE_NAMES) {
            let name = wanted.numbered(number);
            let path = folder.join(name.as_str());
            let made = match is_folder {
                true => files::create_new_directory(&path),
                false => files::create_private(&path).map(drop),
            };
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot_write(&error)),
                Ok(()) => {
                    *last = number.max(*last);
                    return Ok(above.into_iter().chain([name.to_string()]).collect());
                }
            }
        }
        let why = format!("the sender sent over {MAX_FREE_NAMES} files with the name {wanted} in one folder");
        Err(bad(&why))
    }

    /// Fails if one of the folders is not a folder of ours, but a link that another program made.
    fn check_folders(&self, place: &[String]) -> io::Result<()> {
        for depth in 0..=place.len() {
            let path: PathBuf = local(self.landing.unfinished(), &place[..depth]);
            if !fs::symlink_metadata(&path)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let Some(present) = self.present.as_mut().filter(|present| present.is_begun) else {
            return Err(bad("the sender sent bytes of no file"));
        };
        let length = bytes.len() as u64;
        let most = present.header.size.unwrap_or(u64::MAX);
        if present.bytes + length > most || self.bytes + length > self.landing.most_bytes() {
            return Err(too_many("the sender sent more bytes than offered"));
        }
        if self.bytes >= self.next_check {
            let rest = present.header.size.map_or(0, |size| size - present.bytes);
            self.landing.check_space(rest)?;
            self.next_check = self.bytes + SPACE_CHECK_BYTES;
        }
        present.file.write_all(bytes).map_err(|error| cannot_write(&error))?;
        present.hasher.update(bytes);
        present.bytes += length;
        self.bytes += length;
        Ok(())
    }

    /// Ends the present file, if it is what the sender read.
    pub(super) fn end(&mut self, hash: ContentHash) -> Result<(), TransferError> {
        let Some(present) = self.present.take().filter(|present| present.is_begun) else {
            return Err(bad("the sender ended no file"));
        };
        let PresentFile { file, header, hasher, bytes, .. } = present;
        if header.size.is_some_and(|size| bytes != size) {
            return Err(too_few("the sender sent fewer bytes than offered"));
        }
        if ContentHash::from(hasher.finalize()) != hash {
            let name = safe_line(&header.path.join("/"));
            let why = format!("{name} arrived with another hash than it was sent with; try again");
            return Err(TransferError::here(StopCode::BadHash, why));
        }
        // Many small files are synced together in the end.
        if !self.landing.is_folder() {
            file.sync_all().map_err(|error| cannot_write(&error))?;
            self.whole = Some(file);
        }
        self.journal.finish(hash).map_err(|error| cannot_write(&error))?;
        self.count(&header, hash);
        Ok(())
    }

    fn count(&mut self, header: &FileHeader, hash: ContentHash) {
        self.tree.add(&header.path, hash);
        self.entries += 1;
        self.files += u64::from(!header.folder);
    }

    /// Checks that all came, makes it survive a power cut, and names it.
    pub(super) fn finish(&mut self, totals: Totals) -> Result<Received, TransferError> {
        let is_whole = self.present.is_none()
            && totals == Totals { files: self.entries, bytes: self.bytes }
            && self.files == self.landing.count()
            && self.landing.size().is_none_or(|size| size == self.bytes);
        if !is_whole {
            return Err(too_few("the sender sent less than offered"));
        }
        self.sync().map_err(|error| cannot_write(&error))?;
        if !self.is_own() {
            let why = "another program replaced the unfinished file; offer it again";
            return Err(TransferError::here(StopCode::Changed, why));
        }
        let journal = &mut self.journal;
        let path = self.landing.finish(|name| journal.name(name)).map_err(|error| cannot_write(&error))?;
        Ok(Received { path, bytes: self.bytes, entries: self.entries, tree: self.tree.finish() })
    }

    /// Whether everything is still what was written, and no link: only then it gets its final name.
    fn is_own(&mut self) -> bool {
        if let Some(file) = self.whole.take() {
            return is_at(&file, self.landing.unfinished()).unwrap_or(false);
        }
        let root = self.landing.unfinished();
        let is_entry = |entry: &JournalEntry| {
            let found = fs::symlink_metadata(local(root, &entry.place));
            found.is_ok_and(|found| match entry.header.folder {
                true => found.is_dir(),
                false => found.is_file() && entry.header.size.is_none_or(|size| size == found.len()),
            })
        };
        self.check_folders(&[]).is_ok() && self.journal.entries().iter().all(is_entry)
    }

    /// Writes all files of a folder to the disk.
    fn sync(&self) -> io::Result<()> {
        if !self.landing.is_folder() {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        {
            // One call for thousands of files.
            rustix::fs::syncfs(File::open(self.landing.unfinished())?)?;
        }
        #[cfg(not(target_os = "linux"))]
        for entry in self.journal.entries().iter().filter(|entry| !entry.header.folder) {
            let path = local(self.landing.unfinished(), &entry.place);
            File::options().write(true).open(path)?.sync_all()?;
        }
        Ok(())
    }
}

fn cannot_write(error: &io::Error) -> TransferError {
    TransferError::io("cannot write what came", error)
}

fn bad(why: &str) -> TransferError {
    TransferError::here(StopCode::BadRecord, why)
}

fn too_many(why: &str) -> TransferError {
    TransferError::here(StopCode::TooManyBytes, why)
}

fn too_few(why: &str) -> TransferError {
    TransferError::here(StopCode::TooFewBytes, why)
}
