//! This machine, as far as it has a part in not being found: read from files that everybody may read, and
//! from what its firewall's own programs say. What cannot be read is not known, and said so by nobody.

mod firewall;
mod proc;

pub(super) use firewall::{Firewall, Flow, Proto};

use crate::discovery::gateways;
use crate::limits::MDNS_PORT;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The kind of container that this program runs in.
    pub container: Option<&'static str>,
    /// Whether this is Linux within Windows.
    pub is_wsl: bool,
    /// The router by which everything else is reached.
    pub gateway: Option<Ipv4Addr>,
    /// Where programs of this machine listen on the port of lanchat.
    pub listeners: Vec<SocketAddr>,
    /// The program that holds the port of mDNS, if that may be known.
    pub port_holder: Option<String>,
    /// What filters packets here.
    pub firewalls: Vec<Firewall>,
    /// The interfaces on which some program listens for mDNS; `None`: not known.
    pub joined: Option<Vec<String>>,
}

impl Machine {
    /// Looks at everything that takes no time. To be called before this program joins groups of its own.
    pub fn look(port: u16) -> Machine {
        // Of this thread: the tests have one in each network.
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

    /// Whether the firewall lets packets of that kind through; `None`: not known, or there is none.
    pub fn lets(&self, flow: Flow, proto: Proto, port: u16) -> Option<bool> {
        let known: Vec<bool> =
            self.firewalls.iter().filter_map(|wall| wall.lets(flow, proto, port)).collect();
        // What one drops, no other can let through.
        if known.contains(&false) { Some(false) } else { known.first().copied() }
    }
}

/// What filters packets on this machine, as far as its programs say. Takes up to a second and a half.
pub(super) fn firewalls() -> Vec<Firewall> {
    firewall::look()
}

/// Whether somebody answers at an address on the link, by the system's table of neighbours.
pub(super) fn is_there(ip: Ipv4Addr) -> Option<bool> {
    proc::neighbour(&fs::read_to_string("/proc/thread-self/net/arp").ok()?, ip)
}

/// The machines of the link that the system has heard, besides the router.
pub(super) fn neighbours_there(gateway: Option<Ipv4Addr>) -> Vec<Ipv4Addr> {
    let table = fs::read_to_string("/proc/thread-self/net/arp").unwrap_or_default();
    let there = proc::neighbours(&table).into_iter().filter(|(ip, there)| *there && Some(*ip) != gateway);
    there.map(|(ip, _)| ip).collect()
}

/// How often the system could not send again what was to be: since its start, all programs together.
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
