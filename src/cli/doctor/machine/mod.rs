//! This machine's part in the problem, from files that every user may read and from its firewall's
//! own programs. Anything that cannot be read counts as unknown and is not mentioned.

mod firewall;
mod proc;

pub(super) use firewall::{Direction, Firewall, Proto, firewalls};

use crate::discovery::gateways;
use crate::limits::MDNS_PORT;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The kind of container that this program runs in, if it does.
    pub container: Option<&'static str>,
    pub is_wsl: bool,
    pub gateway: Option<Ipv4Addr>,
    /// Where programs on this machine listen on lanchat's port.
    pub listeners: Vec<SocketAddr>,
    /// The program that holds the mDNS port, if this user may see it.
    pub port_holder: Option<String>,
    pub firewalls: Vec<Firewall>,
    /// The interfaces on which some program listens for mDNS; `None` if unknown.
    pub joined: Option<Vec<String>>,
}

impl Machine {
    /// Reads everything that takes no time. Call this before the program joins multicast groups of its own.
    pub fn look(port: u16) -> Machine {
        // The thread's own network: tests run one thread per network.
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let version = text("/proc/version").to_lowercase();
        let is_wsl = version.contains("microsoft");
        let listeners = [
            proc::listeners(&text("/proc/thread-self/net/tcp"), port),
            proc::listeners(&text("/proc/thread-self/net/tcp6"), port),
        ];
        Machine {
            container: container(&text("/run/systemd/container"), is_wsl),
            is_wsl,
            gateway: gateways().into_iter().next(),
            listeners: listeners.concat(),
            port_holder: proc::holder(
                &[text("/proc/thread-self/net/udp"), text("/proc/thread-self/net/udp6")],
                MDNS_PORT,
            ),
            firewalls: Vec::new(),
            joined: fs::read_to_string("/proc/thread-self/net/igmp").ok().map(|text| proc::members(&text)),
        }
    }

    /// Whether the firewall lets such packets through; `None` if unknown, or without a firewall.
    pub fn lets(&self, flow: Direction, proto: Proto, port: u16) -> Option<bool> {
        let known: Vec<bool> =
            self.firewalls.iter().filter_map(|wall| wall.lets(flow, proto, port)).collect();
        // Packets that one firewall drops cannot pass another.
        if known.contains(&false) { Some(false) } else { known.first().copied() }
    }
}

/// Whether a machine answers at an address on the link, according to the system's neighbour table.
pub(super) fn is_there(ip: Ipv4Addr) -> Option<bool> {
    proc::neighbour(&fs::read_to_string("/proc/thread-self/net/arp").ok()?, ip)
}

/// Lists the machines on the link that the system has heard, except the router.
pub(super) fn neighbours_there(gateway: Option<Ipv4Addr>) -> Vec<Ipv4Addr> {
    let table = fs::read_to_string("/proc/thread-self/net/arp").unwrap_or_default();
    let there = proc::neighbours(&table).into_iter().filter(|(ip, there)| *there && Some(*ip) != gateway);
    there.map(|(ip, _)| ip).collect()
}

/// How often the system failed to retransmit, since its start and for all programs together.
pub(super) fn failed_repeats() -> Option<u64> {
    proc::counter(&fs::read_to_string("/proc/thread-self/net/netstat").ok()?, "TcpExt", "TCPRetransFail")
}

fn container(systemd: &str, is_wsl: bool) -> Option<&'static str> {
    let is = |path: &str| fs::exists(path).unwrap_or(false);
    match systemd.trim() {
        _ if is("/.dockerenv") => Some("Docker container"),
        _ if is("/run/.containerenv") => Some("Podman container"),
        "" => None,
        _ if is_wsl => None,
        _ => Some("container"),
    }
}
