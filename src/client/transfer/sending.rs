//! Sends a parcel: what the receiver lacks, in order, and the hash of each file behind its bytes.

use super::cancel::Cancel;
use super::error::TransferError;
use super::parcel::{Item, ItemState, Parcel};
use super::part::{TreeHash, hash_start};
use super::pipe::Pipe;
use super::progress::{FilePhase, FileProgress};
use super::wire::{Wire, drive};
use crate::limits::TRANSFER_STEP_BYTES;
use crate::protocol::record::{
    ContentHash, FileHeader, FileRecord, Have, RECORD_HEAD_BYTES, StartPlace, StopCode, Totals, data_head,
};
use crate::text::safe_line;
use blake3::Hasher;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::Arc;

/// A parcel that its receiver has, whole and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub bytes: u64,
    /// Whether the receiver had all of it before.
    pub is_already: bool,
}

/// Sends a parcel. Returns once the receiver has all of it, checked and under its final name.
///
/// # Errors
/// See [`TransferError`]; after a cut, another transfer of the same parcel resumes, unless it is a stream.
pub async fn send(
    pipe: Pipe,
    parcel: Arc<Parcel>,
    progress: Arc<FileProgress>,
    cancel: Cancel,
) -> Result<Sent, TransferError> {
    drive(pipe, cancel, move |wire| Sending { wire, parcel: &parcel, progress: &progress, bytes: 0 }.run())
        .await
}

struct Sending<'a> {
    wire: &'a mut Wire,
    parcel: &'a Parcel,
    progress: &'a FileProgress,
    /// The bytes of all files so far, with those that the receiver had.
    bytes: u64,
}

/// Where the sender starts.
#[derive(Default)]
struct Start {
    place: StartPlace,
    /// The bytes of the entries that the receiver has, and of the start of the next.
    bytes: u64,
    /// Of the start of the next.
    hasher: Hasher,
}

impl Sending<'_> {
    fn run(mut self) -> Result<Sent, TransferError> {
        self.progress.set_total(self.parcel.size());
        let size = self.parcel.size().unwrap_or(0);
        let have = match self.wire.next_after(size)? {
            FileRecord::Have(have) => have,
            _ => return Err(unexpected()),
        };
        self.progress.enter(FilePhase::Hashing);
        let start = self.start(&have)?;
        self.wire.send(&FileRecord::StartPlace(start.place))?;
        self.progress.flow(start.bytes);
        let is_already =
            have.place() == start.place && have.files > 0 && have.files == self.parcel.items().len() as u64;
        let files = match self.parcel.is_stream() {
            true => self.stream()?,
            false => self.items(start)?,
        };
        self.wire.send(&FileRecord::Totals(Totals { files, bytes: self.bytes }))?;
        self.progress.enter(FilePhase::Finishing);
        match self.wire.next_after_all(self.bytes)? {
            FileRecord::Stored(stored) if stored.bytes == self.bytes => {
                Ok(Sent { bytes: self.bytes, is_already })
            }
            _ => Err(unexpected()),
        }
    }

    /// Compares what the receiver has with the files here.
    fn start(&mut self, have: &Have) -> Result<Start, TransferError> {
        let items = self.parcel.items();
        let files = usize::try_from(have.files).unwrap_or(usize::MAX);
        if have.place() == StartPlace::default() || files > items.len() {
            return Ok(Start::default());
        }
        let (mut tree, mut bytes) = (TreeHash::default(), 0);
        for item in &items[..files] {
            let hash = match item.is_folder {
                true => ContentHash::default(),
                false => self.hash(item, item.state.size)?.finalize().into(),
            };
            tree.add(&item.path, hash);
            bytes += item.state.size;
        }
        let hasher = match items.get(files) {
            _ if have.have == 0 => Hasher::new(),
            Some(item) if !item.is_folder && have.have <= item.state.size => self.hash(item, have.have)?,
            _ => return Ok(Start::default()),
        };
        let is_same = tree.finish() == have.tree
            && (have.have == 0 || ContentHash::from(hasher.finalize()) == have.hash);
        match is_same {
            true => Ok(Start { place: have.place(), bytes: bytes + have.have, hasher }),
            false => Ok(Start::default()),
        }
    }

    /// Hashes the first bytes of a file, for a receiver that has them.
    fn hash(&mut self, item: &Item, bytes: u64) -> Result<Hasher, TransferError> {
        self.progress.name(&item.path);
        let mut file = open(item)?;
        let (wire, progress) = (&*self.wire, self.progress);
        let hashed = hash_start(&mut file, bytes, |step| {
            progress.add(step);
            wire.check()
        })?;
        hashed.ok_or_else(|| changed(item))
    }

    /// Sends the entries from there on. Returns the number of all.
    fn items(&mut self, start: Start) -> Result<u64, TransferError> {
        let items = self.parcel.items();
        let skipped = usize::try_from(start.place.files).unwrap_or(usize::MAX);
        self.bytes = items.iter().take(skipped).map(|item| item.state.size).sum();
        let (mut from, mut hasher) = (start.place.have, start.hasher);
        for item in items.iter().skip(skipped) {
            self.progress.name(&item.path);
            let (path, folder) = (item.path.clone(), item.is_folder);
            let size = (!folder).then_some(item.state.size);
            self.wire.send(&FileRecord::File(FileHeader { path, size, folder }))?;
            if !folder {
                self.file(item, std::mem::take(&mut from), std::mem::take(&mut hasher))?;
            }
        }
        Ok(items.len() as u64)
    }

    fn file(&mut self, item: &Item, from: u64, mut hasher: Hasher) -> Result<(), TransferError> {
        let mut file = open(item)?;
        file.seek(SeekFrom::Start(from)).map_err(|error| cannot_read(item, &error))?;
        let rest = item.state.size.saturating_sub(from);
        let sent = self.data((&file).take(rest), &mut hasher, false);
        let sent = sent?.map_err(|error| cannot_read(item, &error))?;
        let now = file.metadata().map_err(|error| cannot_read(item, &error))?;
        if sent != rest || ItemState::of(&now) != item.state {
            return Err(changed(item));
        }
        self.bytes += item.state.size;
        self.wire.send(&FileRecord::Hash(hasher.finalize().into()))
    }

    /// Sends a stream as one file. Returns the number of files.
    fn stream(&mut self) -> Result<u64, TransferError> {
        let stream = self.parcel.take_stream().ok_or_else(|| {
            TransferError::here(
                StopCode::Changed,
                "a stream can be sent only once, and this one was begun before",
            )
        })?;
        let path = vec![self.parcel.name().to_owned()];
        self.progress.name(&path);
        self.wire.send(&FileRecord::File(FileHeader { path, size: None, folder: false }))?;
        let mut hasher = Hasher::new();
        let sent = self.data(stream, &mut hasher, true)?;
        self.bytes = sent.map_err(|error| TransferError::io("cannot read the stream", &error))?;
        self.wire.send(&FileRecord::Hash(hasher.finalize().into()))?;
        Ok(1)
    }

    /// Sends all that can be read. Returns how much that was.
    fn data(
        &mut self,
        mut from: impl Read,
        hasher: &mut Hasher,
        is_stream: bool,
    ) -> Result<io::Result<u64>, TransferError> {
        let mut sent = 0;
        loop {
            let mut block = Vec::with_capacity(RECORD_HEAD_BYTES + TRANSFER_STEP_BYTES);
            block.extend_from_slice(&[0; RECORD_HEAD_BYTES]);
            let read = match fill(&mut from, &mut block, is_stream) {
                Ok(0) => return Ok(Ok(sent)),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error)),
            };
            block[..RECORD_HEAD_BYTES].copy_from_slice(&data_head(read));
            hasher.update(&block[RECORD_HEAD_BYTES..]);
            self.wire.send_block(block)?;
            sent += read as u64;
            self.progress.add(read as u64);
        }
    }
}

/// Appends what can be read, at most one record's data. A stream's bytes go on as they come: who writes into it is
/// not kept waiting.
fn fill(from: &mut impl Read, block: &mut Vec<u8>, is_stream: bool) -> io::Result<usize> {
    if !is_stream {
        return from.take(TRANSFER_STEP_BYTES as u64).read_to_end(block);
    }
    let start = block.len();
    block.resize(start + TRANSFER_STEP_BYTES, 0);
    let read = from.read(&mut block[start..])?;
    block.truncate(start + read);
    Ok(read)
}

fn open(item: &Item) -> Result<File, TransferError> {
    let file = File::open(&item.local).map_err(|error| cannot_read(item, &error))?;
    let found = file.metadata().map_err(|error| cannot_read(item, &error))?;
    if found.is_file() && ItemState::of(&found) == item.state { Ok(file) } else { Err(changed(item)) }
}

fn unexpected() -> TransferError {
    TransferError::here(StopCode::BadRecord, "the receiver sent a record that does not belong there")
}

fn changed(item: &Item) -> TransferError {
    let name = safe_line(&item.path.join("/"));
    TransferError::here(StopCode::Changed, format!("{name} changed since it was offered; offer it again"))
}

fn cannot_read(item: &Item, error: &io::Error) -> TransferError {
    TransferError::io(&format!("cannot read {}", safe_line(&item.path.join("/"))), error)
}
