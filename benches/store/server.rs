//! The program itself with such a history: its start, what somebody missed over the wire, its memory.

use super::times::Times;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Times that each thing is done.
const RUNS: usize = 5;

/// `lanchat serve`; ends with this.
struct Server {
    child: Child,
    address: SocketAddr,
    /// From its start to listening.
    took: Duration,
}

impl Server {
    fn start(data_dir: &Path) -> Result<Self> {
        let start = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
        command.args(["serve", "--no-discovery", "--host", "127.0.0.1", "--port", "0", "--allow-plaintext"]);
        command.args(["--retain", "off", "--retain-size", "off", "--data-dir"]).arg(data_dir);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("no server")?;
        let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_whitespace().rev().find_map(|word| word.trim_end_matches(',').parse().ok())
            })
            .context("the server did not say where it listens")?;
        let took = start.elapsed();
        // Keeps reading, so that the server never blocks on its log; ends with the server.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, took })
    }

    /// Resident memory, in MiB.
    fn memory(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find(|line| line.starts_with("Rss:")).context("no Rss")?;
        let kib: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// Comes with this point; returns the end of the history and how long it took to get there.
    fn resume(&self, since: u64) -> Result<(Value, Duration)> {
        let start = Instant::now();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let hello = json!({"type": "hello", "v": 1, "from": {"name": "reader"}, "to": "server", "since": since, "token": "0123456789abcdef"});
        stream.write_all(format!("{hello}\n").as_bytes())?;
        for line in BufReader::new(stream).lines() {
            let line = line?;
            // Cheaper than reading them all, which is the client's own cost.
            if line.contains("\"type\":\"history\"") {
                return Ok((serde_json::from_str(&line)?, start.elapsed()));
            }
        }
        anyhow::bail!("the server closed the connection")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints what a server costs whose data directory this is, and which has messages up to `latest`.
pub fn measure(data_dir: &Path, latest: u64, missed: usize) -> Result<()> {
    let (mut starts, mut resumes) = (Times::default(), Times::default());
    for _ in 0..RUNS {
        starts.add(Server::start(data_dir)?.took);
    }
    let server = Server::start(data_dir)?;
    let bare = server.memory()?;
    let mut count = 0;
    for _ in 0..RUNS {
        // Every third or so is not for this reader, so a point that is far back enough is cut to so many.
        let (end, took) = server.resume(latest.saturating_sub(2 * missed as u64).max(1))?;
        count = end["count"].as_u64().unwrap_or_default();
        ensure!(count > 0, "{end}");
        resumes.add(took);
    }
    println!("    start to listening       {starts}");
    println!("    {count} missed over the wire {resumes}");
    println!("    resident memory          {bare:.1} MiB, after these {:.1} MiB", server.memory()?);
    Ok(())
}
