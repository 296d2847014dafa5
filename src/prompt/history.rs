//! The file that keeps entered lines between runs: bounded, and readable only by its owner.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustyline::history::{FileHistory, History as _};

use crate::files;

/// Lines to keep; the oldest go first.
pub(super) const MAX_LINES: usize = 1000;

/// Longest line to keep, in bytes: a pasted file does not belong into the history.
const MAX_LINE_BYTES: usize = 4096;

/// The file, if it is usable.
#[derive(Debug)]
pub(super) struct HistoryFile(Option<PathBuf>);

impl HistoryFile {
    /// Opens the file and loads its lines; creates it and its directory if necessary. The prompt works without
    /// a history, so the log says why it lacks one.
    pub(super) fn open(path: Option<PathBuf>, history: &mut FileHistory) -> Self {
        let Some(path) = path else { return Self(None) };
        if let Err(error) = create_private(&path) {
            tracing::warn!("cannot keep a line history in {}: {error}", path.display());
            return Self(None);
        }
        if let Err(error) = history.load(&path) {
            tracing::warn!("cannot read the line history in {}: {error}", path.display());
        }
        Self(Some(path))
    }

    /// Adds a line and writes it at once, so that a crash loses nothing.
    pub(super) fn add(&self, line: &str, history: &mut FileHistory) {
        if line.trim().is_empty() || line.len() > MAX_LINE_BYTES {
            return;
        }
        let added = history.add(line);
        if let (Ok(true), Some(path)) = (added, &self.0)
            && let Err(error) = history.append(path)
        {
            tracing::warn!("cannot write the line history in {}: {error}", path.display());
        }
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    files::private().append(true).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_the_file_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep").join("history");
        let mut first = FileHistory::new();
        let file = HistoryFile::open(Some(path.clone()), &mut first);
        file.add("hello", &mut first);
        file.add("two\nlines", &mut first);
        file.add("  ", &mut first);
        file.add(&"x".repeat(MAX_LINE_BYTES + 1), &mut first);
        let mut second = FileHistory::new();
        HistoryFile::open(Some(path.clone()), &mut second);
        assert_eq!(second.iter().collect::<Vec<_>>(), ["hello", "two\nlines"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_unusable_directory_is_not_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let mut history = FileHistory::new();
        let kept = HistoryFile::open(Some(file.join("history")), &mut history);
        kept.add("hello", &mut history);
        assert_eq!(history.len(), 1);
    }
}
