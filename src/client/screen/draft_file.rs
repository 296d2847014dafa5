//! The half-typed line that one run leaves for the next, in a file that only its owner can read.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::client::state_dir::state_dir;
use crate::encoding;
use crate::files;
use crate::prompt::MAX_INPUT_BYTES;

const FILE: &str = "draft";

/// Takes the draft of the previous run. A second client does not find it again.
pub(super) fn take() -> String {
    let Some(path) = path() else { return String::new() };
    let draft = match read(&path) {
        Ok(draft) => draft,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return String::new(),
        Err(error) => {
            tracing::warn!("cannot read the half-typed line in {}: {error}", path.display());
            return String::new();
        }
    };
    if let Err(error) = fs::remove_file(&path) {
        tracing::warn!("cannot remove {}: {error}", path.display());
    }
    draft
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    files::open(path)?.take(MAX_INPUT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(files::too_long(MAX_INPUT_BYTES));
    }
    Ok(encoding::decode(&bytes)?.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_the_same_however_an_editor_saved_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        for saved in encoding::saved("Gr\u{fc}\u{df}e\nin two lines") {
            fs::write(&path, saved).unwrap();
            assert_eq!(read(&path).unwrap(), "Gr\u{fc}\u{df}e\nin two lines");
        }
        fs::write(&path, "x".repeat(MAX_INPUT_BYTES + 1)).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "it is over 1048576 bytes long");
        fs::write(&path, b"Gr\xFC\xDFe").unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "line 1 is not UTF-8 text; save the file as UTF-8");
    }
}
