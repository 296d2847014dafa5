//! Files that have got their final name in a run that a crash ended before it noted that. They are received already.

use super::error::TransferError;
use super::journal::{Journal, JournalEntry, local};
use super::landing::{Landing, Received};
use super::part::{TreeHash, hash_start, reopen};
use crate::files;
use crate::protocol::record::ContentHash;
use std::fs;
use std::path::Path;

/// Looks for what an earlier run has finished. `None`: it has not, or the files are no longer as it left them.
pub(super) fn find(
    landing: &Landing,
    journal: &Journal,
    mut on: impl FnMut(u64) -> Result<(), TransferError>,
) -> Result<Option<Received>, TransferError> {
    let Some(path) = journal.named().map(|name| landing.folder().join(name)) else { return Ok(None) };
    if !is_moved(landing, &path) {
        return Ok(None);
    }
    let (mut tree, mut bytes) = (TreeHash::default(), 0);
    for entry in journal.entries() {
        let Some(length) = look_at(&path, entry, &mut on)? else { return Ok(None) };
        bytes += length;
        tree.add(&entry.header.path, entry.hash.unwrap_or_default());
    }
    let entries = journal.entries().len() as u64;
    Ok(Some(Received { path, bytes, entries, tree: tree.finish() }))
}

/// Whether the unfinished file or folder is at that path now, and nowhere else.
fn is_moved(landing: &Landing, path: &Path) -> bool {
    let Ok(found) = path.symlink_metadata() else { return false };
    if found.is_symlink() || found.is_dir() != landing.is_folder() {
        return false;
    }
    let unfinished = landing.unfinished();
    if unfinished.symlink_metadata().is_err() {
        return true;
    }
    // Where no rename spares what is there, a file has both names for a moment.
    let is_both =
        found.is_file() && files::id(unfinished).is_ok_and(|id| files::id(path).is_ok_and(|own| own == id));
    is_both && landing.remove_unfinished().is_ok()
}

/// Reads one entry. Returns its bytes; `None`: it is not as it was left.
fn look_at(
    root: &Path,
    entry: &JournalEntry,
    on: &mut impl FnMut(u64) -> Result<(), TransferError>,
) -> Result<Option<u64>, TransferError> {
    let JournalEntry { header, place, hash } = entry;
    let is_folder = |depth: usize| {
        let found = fs::symlink_metadata(local(root, &place[..depth]));
        found.is_ok_and(|found| found.is_dir())
    };
    if !(0..place.len()).all(is_folder) {
        return Ok(None);
    }
    if header.folder {
        return Ok(is_folder(place.len()).then_some(0));
    }
    let Ok(mut file) = reopen(&local(root, place)) else { return Ok(None) };
    let Ok(found) = file.metadata() else { return Ok(None) };
    let Some(hasher) = hash_start(&mut file, found.len(), on)? else { return Ok(None) };
    let is_same = hash.is_some_and(|hash| ContentHash::from(hasher.finalize()) == hash);
    Ok(is_same.then_some(found.len()))
}
