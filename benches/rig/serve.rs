//! A server under test: a process of its own that ends with this.

use super::cpus::Cpus;
use super::process::Process;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to end.
const END_WAIT: Duration = Duration::from_secs(30);

/// How `lanchat serve` is started: no discovery, plaintext too, on loopback.
#[derive(Debug, Clone, Copy)]
pub struct Serve<'a> {
    pub data_dir: &'a Path,
    /// 0: any.
    pub port: u16,
    pub max_clients: usize,
    /// With a history on the disk.
    pub kept: bool,
    /// With the usual pace for each user.
    pub paced: bool,
    /// Also for browsers, all of one address.
    pub web: bool,
}

impl Serve<'_> {
    pub fn command(&self) -> Command {
        self.command_at(Ipv4Addr::LOCALHOST)
    }

    pub fn command_at(&self, host: Ipv4Addr) -> Command {
        let mut command = Command::new(program());
        command.args(["serve", "--no-discovery", "--allow-plaintext", "--host", &host.to_string()]);
        // Some places are reserved for people whom the server knows.
        let kept = self.max_clients.div_ceil(lanchat::limits::PLACES_PER_KEPT - 1);
        command.args(["--max-clients", &(self.max_clients + kept).to_string()]);
        command.args(["--port", &self.port.to_string()]);
        if !self.paced {
            command.args(["--rate-limit", "off"]);
        }
        if self.web {
            command.args(["--web=plaintext", "--max-per-ip", "off"]);
        }
        if !self.kept {
            command.arg("--no-history");
        }
        // No settings of the user who runs this.
        command.arg("--data-dir").arg(self.data_dir).env("XDG_CONFIG_HOME", self.data_dir);
        command
    }
}

/// The server's program; `LANCHAT_BIN` names another build of it, such as a static one.
pub fn program() -> PathBuf {
    std::env::var_os("LANCHAT_BIN").map_or_else(|| env!("CARGO_BIN_EXE_lanchat").into(), PathBuf::from)
}

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub process: Process,
    /// From its start to listening.
    pub took: Duration,
    given_up: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that tells its address in its first lines.
    pub fn start(mut command: Command, cpus: Cpus) -> Result<Self> {
        let start = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = cpus.spawn(&mut command)?;
        let stderr = child.stderr.take().context("no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| address_in(&line));
        let took = start.elapsed();
        let Some(address) = address else {
            let _ = child.kill();
            bail!("the server did not say where it listens: {}", child.wait()?)
        };
        let given_up = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&given_up);
        // Keeps reading, so that the server never blocks on its log; ends with the server.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("closing a client that does not read") {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let process = Process(child.id());
        Ok(Self { child, address, process, took, given_up })
    }

    /// Clients that it says it closed because they did not read.
    pub fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Stops it and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        self.stop_while(|| {
            std::thread::sleep(Duration::from_millis(5));
            Ok(())
        })
    }

    /// Stops it, and repeats `work` until it has ended.
    pub fn stop_while(&mut self, mut work: impl FnMut() -> Result<()>) -> Result<()> {
        let stopped = Instant::now();
        self.process.terminate()?;
        while !self.has_ended()? {
            ensure!(stopped.elapsed() < END_WAIT, "the server does not end");
            work()?;
        }
        Ok(())
    }

    /// Whether it has ended; an error if it failed.
    fn has_ended(&mut self) -> Result<bool> {
        let Some(status) = self.child.try_wait()? else { return Ok(false) };
        ensure!(status.success(), "the server ended with {status}");
        Ok(true)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last `address:port` of a line such as `serving ... on 127.0.0.1:7667, up to ...`.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().rev().find_map(|word| word.trim_end_matches(',').parse().ok())
}
