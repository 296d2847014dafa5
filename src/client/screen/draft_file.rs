//! The half-typed line that one run leaves for the next, in a file that only its owner can read.

use std::fs;
use std::path::PathBuf;

use crate::client::state_dir::state_dir;
use crate::files;
use crate::prompt::MAX_INPUT_BYTES;

const FILE: &str = "draft";

/// Takes the draft of the previous run. A second client does not find it again.
pub(super) fn take() -> String {
    let Some(path) = path() else { return String::new() };
    let draft = match files::open(&path).and_then(|file| file.metadata()) {
        Ok(found) if found.len() <= MAX_INPUT_BYTES as u64 => fs::read_to_string(&path).unwrap_or_default(),
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
    if let Err(error) = files::replace(&path, draft.as_bytes()) {
        tracing::warn!("cannot save the half-typed line in {}: {error}", path.display());
    }
}

fn path() -> Option<PathBuf> {
    state_dir().map(|dir| dir.join(FILE))
}
