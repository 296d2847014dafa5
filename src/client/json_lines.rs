//! Lists that the client keeps for its user: files with one JSON object per line, which only the user can read.

use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::encoding;
use crate::files;

/// The most bytes to read: four times the longest list.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads at most `most` objects, and skips damaged lines.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, most: usize) -> io::Result<Vec<T>> {
    let mut bytes = Vec::new();
    files::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let text = encoding::decode_lossy(&bytes);
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).take(most).collect())
}

/// Replaces the file.
pub(crate) fn replace<T: Serialize>(path: &Path, objects: &[T]) -> io::Result<()> {
    let lines = objects.iter().filter_map(|object| serde_json::to_string(object).ok());
    let text: String = lines.map(|line| line + "\n").collect();
    files::replace(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_an_editor_saved_is_the_same_list() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        let list = ["one".to_owned(), "zw\u{f6}lf".to_owned()];
        replace(&path, &list).unwrap();
        for saved in encoding::saved(&std::fs::read_to_string(&path).unwrap()) {
            std::fs::write(&path, &saved).unwrap();
            assert_eq!(read::<String>(&path, 9).unwrap(), list, "{saved:?}");
        }
    }
}
