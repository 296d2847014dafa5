//! A client in a terminal, and what it writes there.

use crate::rig::process::Process;
use anyhow::{Context, Result, bail};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The prompt of a client that has joined.
pub const PROMPT: &str = "[#lobby]";

/// Bytes to look for a text in: more than a screen.
const RECENT: usize = 64 * 1024;

/// See the module. The client is killed when this is dropped.
pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    /// Keeps the terminal open.
    _master: Box<dyn MasterPty + Send>,
    chunks: Receiver<Vec<u8>>,
    recent: Vec<u8>,
    started: Instant,
    /// Bytes that the client has written.
    pub written: u64,
}

impl Screen {
    /// Starts a program as a client of that server, with a home of its own.
    pub fn start(program: &Path, home: &Path, server: SocketAddr, name: &str) -> Result<Self> {
        let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 100, ..PtySize::default() })?;
        let mut command = CommandBuilder::new(program);
        command.args(["--no-discovery", "--host", &server.to_string(), "--name", name]);
        command.env("TERM", "xterm-256color");
        for (variable, folder) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
        ] {
            command.env(variable, home.join(folder));
        }
        let mut reader = pty.master.try_clone_reader()?;
        let (sender, chunks) = mpsc::channel();
        let started = Instant::now();
        let child = pty.slave.spawn_command(command)?;
        drop(pty.slave);
        // Ends with the terminal.
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (recent, written) = (Vec::new(), 0);
        Ok(Self { child, _master: pty.master, chunks, recent, started, written })
    }

    /// Waits until the client has written that text; returns the time since its start.
    pub fn wait_for(&mut self, text: &str, patience: Duration) -> Result<Duration> {
        let deadline = Instant::now() + patience;
        while !self.shows(text) {
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.take(&chunk),
                Err(_) => {
                    bail!("the client does not show {text:?}: {}", String::from_utf8_lossy(&self.recent))
                }
            }
        }
        Ok(self.started.elapsed())
    }

    pub fn process(&self) -> Result<Process> {
        Ok(Process(self.child.process_id().context("the client is gone")?))
    }

    fn shows(&self, text: &str) -> bool {
        memchr::memmem::find(&self.recent, text.as_bytes()).is_some()
    }

    fn take(&mut self, chunk: &[u8]) {
        self.written += chunk.len() as u64;
        self.recent.extend_from_slice(chunk);
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
