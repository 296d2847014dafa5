//! A server under test: a process of its own, its memory and its CPU time.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The relay of [`crate::floor`].
    Floor,
    /// `lanchat serve --no-history`, and clients that speak plaintext.
    Plain,
    /// The same, and clients that speak TLS and have a key each.
    Tls,
    /// `lanchat serve`, which has each message on the disk before anybody gets it, and clients that
    /// speak plaintext.
    Kept,
}

impl Kind {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Floor, Self::Plain, Self::Tls, Self::Kept];

    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Plain => "plaintext",
            Self::Tls => "TLS",
            Self::Kept => "kept",
        }
    }
}

/// Ends with this.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    _data_dir: tempfile::TempDir,
}

/// Descriptors besides the clients'.
const SPARE: usize = 100;

impl Server {
    pub fn start(kind: Kind, clients: usize) -> Result<Self> {
        let data_dir = tempfile::tempdir()?;
        let mut command = match kind {
            Kind::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--floor-server");
                command
            }
            Kind::Plain | Kind::Tls | Kind::Kept => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
                command.args(["serve", "--no-discovery", "--host", "127.0.0.1", "--port", "0"]);
                command.args(["--max-clients", &(clients + SPARE).to_string()]);
                command.args(["--allow-plaintext", "--rate-limit", "off"]);
                if kind != Kind::Kept {
                    command.arg("--no-history");
                }
                command.arg("--data-dir").arg(data_dir.path());
                command
            }
        };
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("no server")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| address_in(&line))
            .context("the server did not say where it listens")?;
        // Keeps reading, so that the server never blocks on its log; ends with the server.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, _data_dir: data_dir })
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{path}: this bench needs Linux"))?;
        let line = text.lines().find(|line| line.starts_with("Rss:")).context("no Rss")?;
        let kib: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kib * 1024)
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Result<Duration> {
        // schedstat counts nanoseconds, for each thread; /proc/PID/stat only ticks of 10 ms.
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += text.split_whitespace().next().context("no figure")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
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

/// The soft limit of descriptors raised to what the bench needs.
pub fn raise_descriptors(clients: usize) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let needed = (clients + SPARE) as u64;
    if limit.maximum.is_some_and(|most| most < needed) {
        bail!("{clients} clients need {needed} descriptors, and a process may have {:?}", limit.maximum);
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the descriptor limit can't be raised")
}
