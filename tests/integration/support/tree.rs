//! The files of this repository, for the tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders without documents of ours.
const FOREIGN: [&str; 2] = [".git", "target"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the root with this extension: its path from the root, with slashes, and its
/// text.
pub fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name();
            if entry.file_type().unwrap().is_dir() {
                if !FOREIGN.iter().any(|foreign| name == **foreign) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.push((name.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}
