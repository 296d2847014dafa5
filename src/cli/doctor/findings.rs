//! What an examination found, as data: the verdict is made of this and of nothing else. Pure.

use super::machine::Machine;
use crate::client::JoinRefusal;
use crate::discovery::{HeardBy, Sighting, Subnet};
use crate::limits::DOCTOR_TARGETS;
use crate::text::safe_line;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What its key means, as a line for the user: an error if the server would be refused.
pub(super) type Standing = Result<String, JoinRefusal>;

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The server that is meant, by its name or the start of its id.
    pub wanted: Option<String>,
    /// The host that was given, instead of a search.
    pub host: Option<Named>,
    /// The interfaces that multicast can use, without the loopback.
    pub links: Vec<Seat>,
    /// The networks around this machine's addresses, those of tunnels too.
    pub subnets: Vec<Subnet>,
    /// This machine.
    pub machine: Machine,
    /// Why the port of mDNS cannot be shared.
    pub port: Option<String>,
    /// What of the search could not be opened.
    pub failures: Vec<String>,
    /// The interfaces on which the system does not let a question out, and why.
    pub unsent: Vec<(String, String)>,
    /// The servers that were heard of.
    pub servers: Vec<Server>,
    /// The servers that are announced only where an announcement may not lead, each with one of its addresses.
    pub elsewhere: Vec<(String, SocketAddr)>,
    /// How many other machines spoke mDNS.
    pub others: usize,
    /// The host named `lanchat`.
    pub well_known: Option<Lookup>,
    /// Each address that was tried.
    pub knocks: Vec<Knock>,
    /// What came of a test of multicast with a server.
    pub test: Option<Test>,
    /// Whether all addresses of this machine's networks were tried.
    pub scanned: bool,
    /// At how many of them a server answered, however it was known before.
    pub scan_found: usize,
    /// How many machines besides the router answer on the link; `None`: nobody was asked.
    pub machines: Option<usize>,
}

/// A host that was asked for by name.
#[derive(Clone, Debug)]
pub struct Named {
    /// As it was given, safe for a terminal.
    pub name: String,
    /// What it leads to.
    pub lookup: Lookup,
}

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<A = IpAddr> {
    /// These addresses.
    Found(Vec<A>),
    /// Nothing: there is no such name.
    Unknown(String),
    /// Nobody knows: the name servers did not answer.
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

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addrs: Vec<IpAddr>,
    /// Whether it is one of a container engine or hypervisor, behind which is no other machine.
    pub is_virtual: bool,
}

/// A server that was heard of.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name and short id, safe for a terminal.
    pub title: String,
    /// Where it may be reached.
    pub addrs: Vec<SocketAddr>,
    /// How it was heard of.
    pub heard: HeardBy,
    /// Whether it is the one that is meant, if one is.
    pub is_meant: bool,
}

/// How an address came to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The user gave it.
    Host,
    /// A server announces it.
    Announced,
    /// A server answered there before.
    Remembered,
    /// It is that of the host named `lanchat`.
    WellKnown,
    /// It was found by trying all of the network.
    Scan,
    /// A machine there speaks mDNS.
    Neighbour,
    /// It is the router, or a container's host.
    Gateway,
    /// A program on this machine listens there.
    Own,
}

/// An address that was tried.
#[derive(Clone, Debug)]
pub struct Knock {
    /// Where.
    pub addr: SocketAddr,
    /// Why there.
    pub by: By,
    /// What it is the address of, if that was said before; safe for a terminal.
    pub of: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How long that took.
    pub took: Duration,
    /// The interface, or else address, from which packets go there, if it is not that of the network that
    /// the address is in.
    pub detour: Option<String>,
    /// Whether somebody answers at the address on the link, by the system's table of neighbours.
    pub is_there: Option<bool>,
    /// Whether the system sent nothing, though it said that it did.
    pub is_swallowed: bool,
}

/// What came of trying an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A server answered.
    Answered {
        /// Its name and short id, safe for a terminal.
        server: String,
        /// What its key means for the user; an error if it is refused for it.
        standing: Standing,
        /// Whether it is the one that is meant, if one is.
        is_meant: bool,
    },
    /// A server answered that it does not take this client.
    TurnedAway(String),
    /// Something else answered.
    Foreign(String),
    /// The connection was taken, and nothing came.
    Hung,
    /// The connection was refused.
    Refused,
    /// A firewall, there or on the way, answered that it lets nothing through.
    Rejected,
    /// The system found nobody at the address.
    Unreachable,
    /// This machine knows no way.
    NoRoute,
    /// This machine's system forbids it.
    Forbidden,
    /// Nothing came back.
    Silent,
}

/// A test of multicast with a server that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Where.
    pub addr: SocketAddr,
    /// What came of it.
    pub result: Tested,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tested {
    /// Both sides took part.
    Ways {
        /// Whether the server heard this machine.
        out: bool,
        /// Whether this machine heard the server.
        back: bool,
    },
    /// The server uses no multicast, or none with this machine: what it says.
    Unused(String),
    /// It could not be done.
    Impossible(String),
}

impl Findings {
    /// Takes in a server that was heard of; gives the addresses to try. Anybody can announce anything, so an
    /// address is tried only if a server may be there.
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
        let server = Server { title, addrs: addrs.clone(), heard: seen.heard, is_meant };
        match self.servers.iter().position(|known| known.title == server.title) {
            Some(known) => self.servers[known] = server,
            None if self.servers.len() < DOCTOR_TARGETS => self.servers.push(server),
            None => {}
        }
        addrs
    }

    /// Whether the address is one of this machine's own.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.subnets.iter().any(|subnet| subnet.address == ip.to_canonical())
    }

    /// The network of this machine that an address is in.
    pub fn subnet_of(&self, ip: IpAddr) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.contains(ip.to_canonical()))
    }

    /// The addresses of this machine at which others may reach it, IPv4 first.
    pub fn shared(&self) -> Vec<IpAddr> {
        let real = self.links.iter().filter(|link| !link.is_virtual).flat_map(|link| &link.addrs);
        let mut addrs: Vec<IpAddr> = real.copied().filter(|ip| !is_link_local_v6(ip)).collect();
        addrs.sort_by_key(IpAddr::is_ipv6);
        addrs
    }

    /// Whether this looks like a container: one interface besides the loopback, with an address of those that
    /// container engines give, and the first of its network as router.
    pub fn looks_contained(&self) -> bool {
        let v4 = |ip: &IpAddr| match ip {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        };
        let Some(router) = self.machine.gateway else { return false };
        let [link] = self.links.as_slice() else { return false };
        // One that has its host's network has its host's interfaces: more, or of other names.
        let is_inside = self.machine.container.is_some();
        let is_given =
            |ip: Ipv4Addr| is_inside || (ip.octets()[0] == 172 && (16..32).contains(&ip.octets()[1]));
        link.name == "eth0" && link.addrs.iter().filter_map(v4).any(is_given) && router.octets()[3] == 1
    }

    /// Whether no interface has an address that somebody gave it: by DHCP, or by hand.
    pub fn has_only_own_making(&self) -> bool {
        let mut real =
            self.links.iter().filter(|link| !link.is_virtual).flat_map(|link| &link.addrs).peekable();
        real.peek().is_some() && real.all(is_own_making)
    }
}

fn is_link_local_v6(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// An address that machines give themselves where nobody gives them one (RFC 3927, RFC 4862).
fn is_own_making(ip: &IpAddr) -> bool {
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
            name: name.into(),
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
