//! Where sender, relay and receiver run: on this machine, or on hosts behind shaped links.

use super::lan::{Addressing, Host, Lan};
use anyhow::{Context, Result, ensure};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Sender,
    Relay,
    Receiver,
}

pub enum Place {
    Loopback,
    Hosts { sender: Host, relay: Host, receiver: Host, _lan: Lan },
}

impl Place {
    pub fn new(link: Option<&str>) -> Result<Self> {
        let Some(rate) = link else { return Ok(Self::Loopback) };
        let lan = Lan::new().context("--link needs network namespaces")?;
        let host = || -> Result<Host> {
            let host = lan.host_with(Addressing::V4);
            let mut shape = host.command("tc");
            shape.args(["qdisc", "add", "dev", "lan0", "root", "tbf", "rate", rate]);
            shape.args(["burst", "256kb", "latency", "20ms"]);
            ensure!(shape.status()?.success(), "tc cannot shape a link to {rate}");
            Ok(host)
        };
        let (sender, relay, receiver) = (host()?, host()?, host()?);
        Ok(Self::Hosts { sender, relay, receiver, _lan: lan })
    }

    pub fn command(&self, part: Part, program: &str) -> Command {
        match self {
            Self::Loopback => Command::new(program),
            Self::Hosts { sender, relay, receiver, .. } => match part {
                Part::Sender => sender.command(program),
                Part::Relay => relay.command(program),
                Part::Receiver => receiver.command(program),
            },
        }
    }

    /// The relay's address.
    pub fn relay(&self) -> IpAddr {
        match self {
            Self::Loopback => Ipv4Addr::LOCALHOST.into(),
            Self::Hosts { relay, .. } => relay.v4().into(),
        }
    }
}
