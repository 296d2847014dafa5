//! The half-typed line that one run leaves for the next, in a file that only its owner can read.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::client::state_dir::state_dir;
use crate::files;

const FILE: &str = "draft";

/// Longest draft to keep, in bytes; servers take less.
const MAX_BYTES: u64 = 1024 * 1024;

/// Takes the draft of the previous run. A second client does not find it again.
pub(super) fn take() -> String {
    let Some(path) = path() else { return String::new() };
    let draft = match files::open(&path).and_then(|file| file.metadata()) {
        Ok(found) if found.len() <= MAX_BYTES => fs::read_to_string(&path).unwrap_or_default(),
        _ => return String::new(),
    };
    if let Err(error) = fs::remove_file(&path) {
        tracing::warn!("cannot remove {}: {error}", path.display());
    }
    draft
}

/// Leaves a draft for the next run.
pub(super) fn leave(draft: &str) {
    let Some(path) = path().filter(|_| !draft.trim().is_empty()) else { return };
    if let Err(error) = write(&path, draft) {
        tracing::warn!("cannot save the half-typed line in {}: {error}", path.display());
    }
}

fn write(path: &std::path::Path, draft: &str) -> io::Result<()> {
    files::replace(path, draft.as_bytes())
}

fn path() -> Option<PathBuf> {
    state_dir().map(|dir| dir.join(FILE))
}
