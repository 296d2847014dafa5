//! The server's wall clock, which can be set wrong: a small library that is preloaded, and a file with how
//! wrong it is.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the library finds the file.
const VARIABLE: &str = "LANCHAT_BENCH_CLOCK";

pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// `None`, with the reason printed, where there is no C compiler.
    pub fn new(dir: &Path) -> Option<Self> {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/crash/clockshim.c");
        let (library, file) = (dir.join("clockshim.so"), dir.join("clock"));
        let mut compile = Command::new("cc");
        compile.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        match compile.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr);
                println!("left out: clock steps, as cc fails: {}", why.trim());
                return None;
            }
            Err(error) => {
                println!("left out: clock steps, as there is no cc: {error}");
                return None;
            }
        }
        let clock = Self { library, file };
        clock.set(0);
        Some(clock)
    }

    /// So many seconds wrong, from now on.
    pub fn set(&self, seconds: i64) {
        // In one step: it is read all the time.
        let new = self.file.with_extension("new");
        std::fs::write(&new, seconds.to_string()).expect("a file");
        std::fs::rename(new, &self.file).expect("a file");
    }

    /// Lets a process go by it.
    pub fn apply(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env(VARIABLE, &self.file);
    }
}
