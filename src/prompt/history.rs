//! The entered lines, which Up brings back, and the file that keeps them between runs: bounded, and readable
//! only by its owner.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use rustyline::Config;
use rustyline::history::{FileHistory, History as _, MemHistory};

use super::fold::FoldedPastes;
use crate::files;

/// Lines to keep; the oldest go first.
const MAX_LINES: usize = 1000;

/// Longest line to keep in the file, in bytes: a pasted file does not belong there.
const MAX_LINE_BYTES: usize = 4096;

/// The largest file to read. A larger one was not written here.
const MAX_FILE_BYTES: u64 = 2 * (MAX_LINES * MAX_LINE_BYTES) as u64;

/// The entered lines: all of this run in memory, and the short ones also in a file.
///
/// The editor's own history cannot keep lines out of the file that it has in memory, so the file has another.
pub(super) struct LineHistory {
    path: Option<PathBuf>,
    file: FileHistory,
}

impl LineHistory {
    /// Opens the file and loads its lines into the editor's history; creates it and its directory if
    /// necessary. The prompt works without a file, so the log says why it lacks one.
    pub(super) fn open(path: Option<PathBuf>, memory: &mut MemHistory, folds: &mut FoldedPastes) -> Self {
        let mut file = FileHistory::with_config(&bounded());
        let path = path.filter(|path| {
            create_private(path)
                .inspect_err(|error| {
                    tracing::warn!("cannot keep a line history in {}: {error}", path.display())
                })
                .is_ok()
        });
        if let Some(path) = &path
            && let Err(error) = file.load(path)
        {
            tracing::warn!("cannot read the line history in {}: {error}", path.display());
        }
        for line in file.iter() {
            // Memory takes every line.
            let _ = memory.add(&folds.fold_line(line));
        }
        Self { path, file }
    }

    /// Adds a line as it was shown. If that is its whole text and it is short, writes it at once, so that a
    /// crash loses nothing.
    pub(super) fn add(&mut self, shown: &str, text: &str, memory: &mut MemHistory) {
        if shown.trim().is_empty() {
            return;
        }
        // Memory takes every line.
        let _ = memory.add(shown);
        if shown != text || text.len() > MAX_LINE_BYTES {
            return;
        }
        if let (Ok(true), Some(path)) = (self.file.add(text), &self.path)
            && let Err(error) = self.file.append(path)
        {
            tracing::warn!("cannot write the line history in {}: {error}", path.display());
        }
    }
}

/// The lines in the file at `path`, the oldest first; none if it cannot be read.
pub fn entered_lines(path: &Path) -> Vec<String> {
    let mut file = FileHistory::with_config(&bounded());
    match check(path).is_ok() && file.load(path).is_ok() {
        true => file.iter().cloned().collect(),
        false => Vec::new(),
    }
}

/// Refuses a file that would block its reader or fill the memory.
fn check(path: &Path) -> io::Result<()> {
    files::refuse_odd(path)?;
    match path.metadata() {
        Ok(found) if found.len() > MAX_FILE_BYTES => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large; remove it"))
        }
        _ => Ok(()),
    }
}

/// The configuration of a history.
pub(super) fn bounded() -> Config {
    let builder = Config::builder();
    match builder.clone().max_history_size(MAX_LINES) {
        Ok(bounded) => bounded.build(),
        Err(_) => builder.build(),
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        files::create_directory(parent)?;
    }
    check(path)?;
    files::open_private(path, OpenOptions::new().append(true).create(true)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open(path: &Path) -> (LineHistory, MemHistory) {
        let mut memory = MemHistory::with_config(&bounded());
        let history = LineHistory::open(Some(path.to_owned()), &mut memory, &mut FoldedPastes::default());
        (history, memory)
    }

    fn lines(memory: &MemHistory) -> Vec<&str> {
        memory.into_iter().map(String::as_str).collect()
    }

    #[test]
    fn a_file_that_never_ends_or_is_too_large_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        fs::write(&path, "#V2\nhello\n").unwrap();
        assert_eq!(entered_lines(&path), ["hello"]);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert_eq!(entered_lines(&path), [""; 0]);
        #[cfg(unix)]
        assert_eq!(entered_lines(Path::new("/dev/zero")), [""; 0]);
    }

    #[test]
    fn lines_come_back_and_the_file_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep").join("history");
        let (mut history, mut memory) = open(&path);
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        for (shown, text) in [
            ("hello", "hello"),
            ("two\nlines", "two\nlines"),
            ("  ", "  "),
            ("‹paste 1›", "a"),
            (&long, &long),
        ] {
            history.add(shown, text, &mut memory);
        }
        history.add("last", "last", &mut memory);
        assert_eq!(lines(&memory), ["hello", "two\nlines", "‹paste 1›", &long, "last"]);
        assert_eq!(lines(&open(&path).1), ["hello", "two\nlines", "last"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_keeps_no_history_and_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("history");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (mut history, mut memory) = open(&pipe);
        history.add("hello", "hello", &mut memory);
        assert_eq!(lines(&memory), ["hello"]);
    }

    #[test]
    fn an_unusable_directory_is_not_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let (mut history, mut memory) = open(&file.join("history"));
        history.add("hello", "hello", &mut memory);
        assert_eq!(lines(&memory), ["hello"]);
    }
}
