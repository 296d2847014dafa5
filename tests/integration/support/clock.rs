//! A server's own wall clock, which the test sets: `benches/rig/clockshim.c`, compiled and preloaded.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SHIM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/rig/clockshim.c");

/// Removed when dropped.
pub struct SetClock {
    dir: tempfile::TempDir,
}

impl SetClock {
    /// `None`, with a word about it: there is no C compiler.
    pub fn new() -> Option<Self> {
        let clock = Self { dir: tempfile::tempdir().unwrap() };
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(clock.file("shim.so")).arg(SHIM);
        match compiler.status() {
            Ok(status) => assert!(status.success(), "{SHIM} does not compile"),
            Err(error) => {
                eprintln!("skipped: no C compiler (cc) for {SHIM}: {error}");
                return None;
            }
        }
        clock.shift(0);
        Some(clock)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The clock shows so many seconds more than it is.
    pub fn shift(&self, seconds: i64) {
        fs::write(self.file("next"), seconds.to_string()).unwrap();
        fs::rename(self.file("next"), self.file("shift")).unwrap();
    }

    /// Has the program go by it.
    pub fn apply(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.file("shim.so")).env("CLOCKSHIM", self.file("shift"));
    }
}
