//! Which CPU the server has, and which its clients: so that neither takes the other's time, and the
//! server is measured on one core whatever the machine.

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::fmt;
use std::process::{Child, Command};

/// How processes are spread over CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpus {
    /// As the kernel likes.
    Free,
    Pinned {
        server: usize,
        clients: usize,
    },
}

impl Cpus {
    /// The first two CPUs that this process may use; with one there is nothing to choose.
    pub fn choose() -> Self {
        let Ok(allowed) = sched_getaffinity(Pid::from_raw(0)) else { return Self::Free };
        let mut those = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false));
        match (those.next(), those.next()) {
            (Some(server), Some(clients)) => Self::Pinned { server, clients },
            _ => Self::Free,
        }
    }

    /// `S,C` or `off`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Free);
        }
        let (server, clients) = text.split_once(',')?;
        Some(Self::Pinned { server: server.parse().ok()?, clients: clients.parse().ok()? })
    }

    /// Puts this thread, and those that it starts from now on, where the clients belong.
    pub fn settle(self) -> Result<()> {
        match self {
            Self::Free => Ok(()),
            Self::Pinned { clients, .. } => pin(clients),
        }
    }

    /// Starts a server on its CPU. It is there from its first instruction on, so that it makes as many
    /// threads as fit there.
    pub fn spawn(self, command: &mut Command) -> Result<Child> {
        if let Self::Pinned { server, .. } = self {
            pin(server)?;
        }
        let child = command.spawn().context("the server can't be started");
        self.settle()?;
        child
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("not pinned"),
            Self::Pinned { server, clients } => write!(f, "server on CPU {server}, clients on CPU {clients}"),
        }
    }
}

fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    if set.set(cpu).is_err() {
        bail!("there is no CPU {cpu}");
    }
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("CPU {cpu} can't be had"))
}
