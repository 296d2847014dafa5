//! A user's own directories, and the program that uses them.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The binary under test.
pub const LANCHAT: &str = env!("CARGO_BIN_EXE_lanchat");

/// A directory that is a whole home: files of one user of lanchat.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where lanchat keeps its state in this home.
    pub fn state(&self) -> PathBuf {
        self.path().join("state").join("lanchat")
    }

    /// The variables that make this home the user's, for any command.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        let path = |name: &str| self.path().join(name);
        vec![
            ("HOME", self.path().to_owned()),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_STATE_HOME", path("state")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CACHE_HOME", path("cache")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("USERPROFILE", self.path().to_owned()),
            ("APPDATA", path("config")),
            ("LOCALAPPDATA", path("state")),
        ]
    }
}
