//! The program itself with such a history: its start, catching up over the wire, its memory.

use super::rig::cpus::Cpus;
use super::rig::serve::{Serve, Server};
use super::times::Times;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// More than are needed.
const MAX_CLIENTS: usize = 100;

/// Times that each thing is done.
const RUNS: usize = 5;

/// A server that removes nothing.
fn start(data_dir: &Path) -> Result<Server> {
    let mut command =
        Serve { data_dir, port: 0, max_clients: MAX_CLIENTS, kept: true, paced: false, web: false }.command();
    command.args(["--retain", "off", "--retain-size", "off"]);
    Server::start(command, Cpus::Free)
}

/// Comes with this point; returns the end of the history and how long it took to get there.
fn resume(address: SocketAddr, since: u64) -> Result<(Value, Duration)> {
    let start = Instant::now();
    let mut stream = TcpStream::connect(address)?;
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

/// Resident memory, in MiB.
fn memory(server: &Server) -> Result<f64> {
    Ok(server.process.memory()? as f64 / 1024.0 / 1024.0)
}

/// Prints what a server costs whose data directory this is, and which has messages up to `latest`.
pub fn measure(data_dir: &Path, latest: u64, missed: usize) -> Result<()> {
    let (mut starts, mut resumes) = (Times::default(), Times::default());
    for _ in 0..RUNS {
        starts.add(start(data_dir)?.took);
    }
    let server = start(data_dir)?;
    let bare = memory(&server)?;
    let mut count = 0;
    for _ in 0..RUNS {
        // Every third or so is not for this reader, so a point that is far back enough is cut to so many.
        let (end, took) = resume(server.address, latest.saturating_sub(2 * missed as u64).max(1))?;
        count = end["count"].as_u64().unwrap_or_default();
        ensure!(count > 0, "{end}");
        resumes.add(took);
    }
    println!("    start to listening       {starts}");
    println!("    {count} missed over the wire {resumes}");
    println!("    resident memory          {bare:.1} MiB, after these {:.1} MiB", memory(&server)?);
    Ok(())
}
