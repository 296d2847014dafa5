//! A program on one of the machines, which is killed, stopped, and started again.

use crate::lan::Host;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an orderly end may take.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// Killed when dropped.
pub struct Program {
    words: Vec<String>,
    home: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Program {
    pub fn new(words: Vec<String>, home: PathBuf, log: PathBuf) -> Self {
        Self { words, home, log, child: None }
    }

    pub fn start(&mut self, host: &Host) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).expect("a log");
        let mut command = host.command(&self.words[0]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
            command.env_remove(name);
        }
        for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(folder, &self.home);
        }
        command
            .args(&self.words[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        self.child = Some(command.spawn().expect("the program"));
    }

    /// Whether it should run, and has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child").is_some())
    }

    pub fn is_up(&self) -> bool {
        self.child.is_some()
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// An orderly end; how long it took, if it did not take too long.
    pub fn stop(&mut self) -> Option<Duration> {
        self.signal(Signal::TERM);
        let start = Instant::now();
        let mut child = self.child.take()?;
        while start.elapsed() < END_DEADLINE {
            if child.try_wait().expect("a child").is_some() {
                return Some(start.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
