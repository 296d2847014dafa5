//! Puts files into the data directory of a server that does not run, such as the key of a chat of several
//! servers.

use super::data_dir::{DataDir, DataDirError};
use super::staging;
use crate::files;
use std::path::Path;

/// Adds files, each readable by the directory's owner only. It creates the directory if necessary, and replaces
/// no file.
///
/// # Errors
/// See [`DataDirError`]. The files before the one that failed remain.
pub fn add_files(dir: &Path, added: &[(&Path, &[u8])]) -> Result<(), DataDirError> {
    let _locked = DataDir::open(dir)?;
    for (path, content) in added {
        let placed = files::create(path, content).and_then(|()| staging::give_to_owner(path));
        placed.map_err(|error| DataDirError::Unusable(dir.into(), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_added_to_a_directory_that_no_server_uses_and_none_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (home, key) = (dir.path().join("home"), dir.path().join("home").join("server.pem"));
        add_files(&home, &[(&key, b"one")]).unwrap();
        assert!(add_files(&home, &[(&key, b"two")]).is_err());
        assert_eq!(std::fs::read(&key).unwrap(), b"one");
        let _server = DataDir::open(&home).unwrap();
        let refused = add_files(&home, &[(&home.join("other"), b"x")]);
        assert!(matches!(refused, Err(DataDirError::InUse(_))) && !home.join("other").exists());
    }
}
