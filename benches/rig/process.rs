//! Reads a process's CPU time, memory, descriptors and threads from the kernel.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;

/// A process, by its number.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    fn pid(self) -> Pid {
        Pid::from_raw(self.0 as i32)
    }

    /// User and system time of all its threads, those that ended too, in nanoseconds.
    pub fn cpu(self) -> Result<Duration> {
        let clock = ClockId::pid_cpu_clock_id(self.pid()).context("the process is gone")?;
        Ok(clock_gettime(clock).context("its clock can't be read")?.into())
    }

    /// Resident memory, in bytes.
    pub fn memory(self) -> Result<u64> {
        self.bytes("smaps_rollup", "Rss:")
    }

    /// Its share of memory that it has in common with others, in bytes.
    pub fn share(self) -> Result<u64> {
        self.bytes("smaps_rollup", "Pss:")
    }

    /// Resident memory within some pages, and cheap enough to be read all the time, in bytes.
    pub fn memory_now(self) -> Result<u64> {
        self.bytes("status", "VmRSS:")
    }

    /// The most that its resident memory was, in bytes.
    pub fn peak(self) -> Result<u64> {
        self.bytes("status", "VmHWM:")
    }

    pub fn descriptors(self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.0))?.count())
    }

    pub fn threads(self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/task", self.0))?.count())
    }

    /// Asks it to end in good order.
    pub fn terminate(self) -> Result<()> {
        kill(self.pid(), Signal::SIGTERM).context("the server can't be told to stop")
    }

    fn bytes(self, file: &str, field: &str) -> Result<u64> {
        let path = format!("/proc/{}/{file}", self.0);
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let line = text.lines().find(|line| line.starts_with(field)).context("no such figure")?;
        let kib: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kib * 1024)
    }
}

/// Descriptors of a process besides those of clients.
pub const SPARE_DESCRIPTORS: usize = 100;

/// The soft limit of descriptors raised to the hard one, which must do for so many connections.
pub fn raise_descriptors(connections: usize) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let needed = (connections + SPARE_DESCRIPTORS) as u64;
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        bail!("{connections} clients need {needed} descriptors, and a process may have {most}");
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the descriptor limit can't be raised")
}
