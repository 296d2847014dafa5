//! The results of an examination, as data. The diagnosis depends on nothing else. Pure.

use super::machine::Machine;
use crate::client::{JoinRefusal, PageReport, Untested};
use crate::discovery::{HeardBy, Sighting, Subnet};
use crate::limits::DOCTOR_TARGETS;
use crate::protocol::WebAccess;
use crate::text::safe_line;
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A note about a server's key, for the user; an error if the client would refuse the key.
pub type KeyStatus = Result<String, JoinRefusal>;

#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The server that the user asked for, by its name or the start of its id.
    pub wanted: Option<String>,
    /// The host that the user named; then there is no search.
    pub host: Option<HostLookup>,
    /// The interfaces that can carry multicast, without the loopback.
    pub links: Vec<InterfaceReport>,
    /// The networks of this machine's addresses, including those of tunnels.
    pub subnets: Vec<Subnet>,
    /// This machine's own data.
    pub machine: Machine,
    /// Why the mDNS port cannot be shared.
    pub port: Option<String>,
    /// Sockets of the search that could not be opened.
    pub failures: Vec<String>,
    /// Interfaces on which the system did not let a query out, and why.
    pub unsent: Vec<(String, String)>,
    pub servers: Vec<AnnouncedServer>,
    /// Servers announced only at addresses where an announcement may not lead, each with one of these.
    pub elsewhere: Vec<(String, SocketAddr)>,
    pub others: usize,
    /// The address of the host named `lanchat`.
    pub well_known: Option<Lookup>,
    pub probes: Vec<Probe>,
    /// The multicast test with a server that answered.
    pub test: Option<MulticastFinding>,
    /// Whether every address of this machine's networks was tried.
    pub scanned: bool,
    /// At how many of these a server answered.
    pub scan_found: usize,
    /// How many machines besides the router answer on the link; `None` if no scan asked them.
    pub machines: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct HostLookup {
    /// As the user typed it, safe for a terminal.
    pub name: String,
    pub lookup: Lookup,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<A = IpAddr> {
    Found(Vec<A>),
    Unknown(String),
    Unanswered(String),
}

impl From<Lookup<SocketAddr>> for Lookup {
    fn from(lookup: Lookup<SocketAddr>) -> Self {
        match lookup {
            Lookup::Found(addrs) => {
                let mut ips: Vec<IpAddr> = addrs.iter().map(SocketAddr::ip).collect();
                ips.dedup();
                Lookup::Found(ips)
            }
            Lookup::Unknown(why) => Lookup::Unknown(why),
            Lookup::Unanswered(why) => Lookup::Unanswered(why),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceReport {
    pub name: String,
    pub addrs: Vec<IpAddr>,
    /// Whether it belongs to a container engine or hypervisor, so no other machine is behind it.
    pub is_virtual: bool,
}

#[derive(Clone, Debug)]
pub struct AnnouncedServer {
    /// Its name and short id, safe for a terminal.
    pub title: String,
    pub addrs: Vec<SocketAddr>,
    pub heard: HeardBy,
    /// Whether the user asked for it, or for no server in particular.
    pub is_meant: bool,
}

/// Why an address was probed, the most telling reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeSource {
    Host,
    Announced,
    Remembered,
    /// The host named `lanchat` has it.
    WellKnown,
    Scan,
    /// A machine there speaks mDNS.
    Neighbour,
    /// The router, or a container's host, has it.
    Gateway,
    /// A program on this machine listens there.
    Own,
}

#[derive(Clone, Debug)]
pub struct Probe {
    pub addr: SocketAddr,
    pub source: ProbeSource,
    /// The server that it belongs to, if the client remembers one there; safe for a terminal.
    pub name: Option<String>,
    pub outcome: ProbeOutcome,
    /// The start of the server that answered.
    pub run: Option<ServerRun>,
    /// The page of the server that answered.
    pub page: PageFinding,
    pub took: Duration,
    /// The interface, or else the source address, through which packets go there, if that is not the
    /// address's own network.
    pub detour: Option<String>,
    /// Whether a machine answers at the address, according to the system's neighbour table.
    pub is_there: Option<bool>,
    /// Whether the system reported packets as sent that never left.
    pub is_swallowed: bool,
}

/// The page for browsers at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageFinding {
    /// No server answered.
    #[default]
    Unknown,
    /// The server says that it serves none.
    None,
    Served(Box<SeenPage>),
}

/// A page that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPage {
    /// As the server says.
    pub access: WebAccess,
    pub report: PageReport,
    /// By this machine's clock.
    pub at: Timestamp,
}

/// One start of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRun {
    /// The id that its key gives it.
    pub id: String,
    /// Random for each start.
    pub run: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    Answered {
        server: String,
        /// The meaning of its key for the user.
        key: KeyStatus,
        is_meant: bool,
    },
    /// A server answered, and does not admit this client.
    TurnedAway(String),
    /// Something other than a lanchat server answered.
    Foreign(String),
    /// The connection was accepted, and nothing came.
    Hung,
    Refused,
    /// A firewall, on that machine or on the way, rejected the connection.
    Rejected,
    /// No machine has the address.
    Unreachable,
    NoRoute,
    /// This machine does not permit the connection.
    Forbidden,
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MulticastFinding {
    pub addr: SocketAddr,
    pub result: Result<MulticastPaths, Untested>,
}

/// In which direction multicast arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MulticastPaths {
    pub out: bool,
    pub back: bool,
}

impl ProbeOutcome {
    /// Whether no connection came about, for a reason outside this machine.
    pub(super) fn is_unconnected(&self) -> bool {
        matches!(self, Self::Refused | Self::NoRoute | Self::Rejected | Self::Unreachable | Self::Silent)
    }
}

impl Findings {
    /// Adds a server that mDNS showed, and returns the addresses to probe. Anybody can announce anything, so
    /// these are only addresses at which a server may be.
    pub fn hear(&mut self, seen: &Sighting, may_be_at: impl Fn(SocketAddr) -> bool) -> Vec<SocketAddr> {
        let title = safe_line(&format!("{} ({})", seen.name, seen.short_id().unwrap_or("no id")));
        let addrs: Vec<SocketAddr> = seen.addrs.iter().copied().filter(|addr| may_be_at(*addr)).collect();
        if let (true, Some(addr)) = (addrs.is_empty(), seen.addrs.first()) {
            let is_told = self.elsewhere.iter().any(|(told, _)| *told == title);
            if !is_told && self.elsewhere.len() < DOCTOR_TARGETS {
                self.elsewhere.push((title, *addr));
            }
            return addrs;
        }
        let is_meant = self.wanted.as_deref().is_none_or(|wanted| seen.is_called(wanted));
        let server = AnnouncedServer { title, addrs: addrs.clone(), heard: seen.heard, is_meant };
        match self.servers.iter().position(|known| known.title == server.title) {
            Some(known) => self.servers[known] = server,
            None if self.servers.len() < DOCTOR_TARGETS => self.servers.push(server),
            None => {}
        }
        addrs
    }

    /// Whether the address belongs to this machine.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.subnets.iter().any(|subnet| subnet.address == ip.to_canonical())
    }

    /// Finds the network of this machine that contains an address.
    pub fn subnet_of(&self, ip: IpAddr) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.contains(ip.to_canonical()))
    }

    /// Lists the addresses at which others may reach this machine, IPv4 first.
    pub fn shared(&self) -> Vec<IpAddr> {
        let real = self.links.iter().filter(|link| !link.is_virtual).flat_map(|link| &link.addrs);
        let mut addrs: Vec<IpAddr> = real.copied().filter(|ip| !is_link_local_v6(ip)).collect();
        addrs.sort_by_key(IpAddr::is_ipv6);
        addrs
    }

    /// Whether this looks like a container: one interface besides the loopback, with an address that container
    /// engines assign, and the network's first address as router.
    pub fn looks_contained(&self) -> bool {
        let v4 = |ip: &IpAddr| match ip {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        };
        let Some(router) = self.machine.gateway else { return false };
        let [link] = self.links.as_slice() else { return false };
        // A container on its host's network has the host's interfaces: more of them, or other names.
        let is_inside = self.machine.container.is_some();
        let is_given =
            |ip: Ipv4Addr| is_inside || (ip.octets()[0] == 172 && (16..32).contains(&ip.octets()[1]));
        link.name == "eth0" && link.addrs.iter().filter_map(v4).any(is_given) && router.octets()[3] == 1
    }

    /// Whether every address is self-assigned: neither DHCP nor a person gave this machine one.
    pub fn has_only_self_assigned(&self) -> bool {
        let mut real =
            self.links.iter().filter(|link| !link.is_virtual).flat_map(|link| &link.addrs).peekable();
        real.peek().is_some() && real.all(is_self_assigned)
    }
}

fn is_link_local_v6(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// Whether a machine gave itself the address, as it does without DHCP (RFC 3927, RFC 4862).
fn is_self_assigned(ip: &IpAddr) -> bool {
    is_link_local_v6(ip) || matches!(ip, IpAddr::V4(v4) if v4.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_server_announced_on_no_network_of_this_machine_is_told_and_not_tried() {
        let near: SocketAddr = "10.0.0.7:7667".parse().expect("an address");
        let far: SocketAddr = "203.0.113.7:22".parse().expect("an address");
        let seen = |name: &str, addrs: &[SocketAddr]| Sighting {
            id: Some("3f9a1c7700112233".into()),
            fp: None,
            closed: false,
            web: false,
            name: name.into(),
            node: None,
            instance: name.into(),
            addrs: addrs.to_vec(),
            version: None,
            txt: BTreeMap::new(),
            heard: HeardBy::default(),
        };
        let mut findings = Findings::default();
        let may_be_at = |addr| addr == near;
        assert_eq!(findings.hear(&seen("office", &[near, far]), may_be_at), [near]);
        for _ in 0..2 {
            assert_eq!(findings.hear(&seen("forged", &[far]), may_be_at), []);
        }
        let told: Vec<_> = findings.servers.iter().map(|server| server.title.as_str()).collect();
        assert_eq!(told, ["office (3f9a1c77)"]);
        assert_eq!(findings.servers[0].addrs, [near]);
        assert_eq!(findings.elsewhere, [("forged (3f9a1c77)".to_owned(), far)]);
    }
}
