//! The file that keeps entered lines between runs: private to its owner and bounded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustyline::history::{FileHistory, History as _};

use crate::files;

/// Lines kept; older ones are dropped.
pub(super) const MAX_LINES: usize = 1000;

/// Longest line that is kept, in bytes: a pasted file is sent, but not remembered.
const MAX_LINE_BYTES: usize = 4096;

/// Where lines are kept, once that is known to work.
#[derive(Debug)]
pub(super) struct HistoryFile(Option<PathBuf>);

impl HistoryFile {
    /// Opens the file, creating it and its directory if need be, and loads its lines. History is a
    /// comfort: if it cannot be had, there is none and the log says why.
    pub(super) fn open(path: Option<PathBuf>, history: &mut FileHistory) -> Self {
        let Some(path) = path else { return Self(None) };
        if let Err(error) = create_private(&path) {
            tracing::warn!("no line history in {}: {error}", path.display());
            return Self(None);
        }
        if let Err(error) = history.load(&path) {
            tracing::warn!("cannot read the line history in {}: {error}", path.display());
        }
        Self(Some(path))
    }

    /// Remembers a line, at once, so that a crash loses nothing.
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
    fn a_directory_that_cannot_be_had_is_no_failure() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let mut history = FileHistory::new();
        let kept = HistoryFile::open(Some(file.join("history")), &mut history);
        kept.add("hello", &mut history);
        assert_eq!(history.len(), 1);
    }
}
