//! This machine's interfaces, and which of them matter to discovery.

use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port of mDNS (RFC 6762 5).
pub(super) const MDNS_PORT: u16 = 5353;

/// Interfaces of container engines, hypervisors and virtual networks start with these: addresses on
/// them are of no use to other machines.
const VIRTUAL: [&str; 11] =
    ["docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel", "lxc", "zt", "tap"];

/// An interface that is up, with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name, such as `eth0`.
    pub name: String,
    /// The operating system's number for it, which link-local addresses need beside them.
    pub index: u32,
    /// Whether it is the loopback interface, which reaches this machine only.
    pub loopback: bool,
    /// Its addresses; never empty.
    pub addrs: Vec<IpAddr>,
}

impl Link {
    /// Its first IPv4 address.
    pub(super) fn v4(&self) -> Option<Ipv4Addr> {
        self.addrs.iter().find_map(|ip| match ip {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    }

    /// Its link-local IPv6 address, or else any IPv6 address of it.
    pub(super) fn v6(&self) -> Option<Ipv6Addr> {
        let mut all = self.addrs.iter().filter_map(|ip| match ip {
            IpAddr::V6(v6) => Some(*v6),
            IpAddr::V4(_) => None,
        });
        let first = all.clone().next();
        all.find(Ipv6Addr::is_unicast_link_local).or(first)
    }
}

/// The interfaces that multicast can use: up, with an address, and not point-to-point, as tunnels
/// are. Ordered by number.
///
/// # Errors
/// What the operating system says if it won't list them.
pub fn links() -> io::Result<Vec<Link>> {
    let mut links: BTreeMap<u32, Link> = BTreeMap::new();
    for entry in if_addrs::get_if_addrs()? {
        if !entry.is_oper_up() || entry.is_p2p() {
            continue;
        }
        let index = entry.index.unwrap_or_default();
        let link = links.entry(index).or_insert_with(|| Link {
            name: entry.name.clone(),
            index,
            loopback: entry.is_loopback(),
            addrs: Vec::new(),
        });
        link.addrs.push(entry.ip());
    }
    Ok(links.into_values().collect())
}

/// The addresses of this machine that others may reach: not those of containers and virtual machines
/// unless there are no others, IPv4 first.
///
/// # Errors
/// What the operating system says if it won't list them.
pub fn own_addresses() -> io::Result<Vec<IpAddr>> {
    Ok(shared_addresses(&links()?))
}

fn shared_addresses(links: &[Link]) -> Vec<IpAddr> {
    let wide = |ip: &IpAddr| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let of = |is_meant: fn(&Link) -> bool| {
        let links = links.iter().filter(|link| !link.loopback && is_meant(link));
        links.flat_map(|link| link.addrs.iter().copied()).filter(wide).collect::<Vec<_>>()
    };
    let mut addrs = of(|link| !is_virtual(&link.name));
    if addrs.is_empty() {
        addrs = of(|_| true);
    }
    addrs.sort_by_key(IpAddr::is_ipv6);
    addrs
}

/// Whether the name is one that container engines and hypervisors give.
pub fn is_virtual(name: &str) -> bool {
    VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether an interface's own link-local address is worth announcing: only where it has no other,
/// because peers hear of it on other links too, where it leads nowhere.
pub(super) fn needs_link_local(name: &str, links: &[Link]) -> bool {
    let mut addrs = links.iter().filter(|link| link.name == name).flat_map(|link| &link.addrs);
    addrs.all(|ip| matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()))
}

/// Tries to share the port of mDNS, as every program that does mDNS must. The library that does the
/// browsing keeps silent if it can't.
///
/// # Errors
/// Why not; usually because another program keeps the port for itself.
pub fn multicast_port() -> io::Result<()> {
    shared_socket(Domain::IPV4).map(drop)
}

/// A socket on the port of mDNS, which other programs of the machine use too.
pub(super) fn shared_socket(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    let any: IpAddr = if domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    socket.bind(&SocketAddr::from((any, MDNS_PORT)).into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, addrs: &[&str]) -> Link {
        let addrs = addrs.iter().map(|text| text.parse().unwrap()).collect();
        Link { name: name.into(), index: 2, loopback: false, addrs }
    }

    #[test]
    fn container_bridges_are_virtual_and_a_home_made_one_is_not() {
        for name in ["docker0", "br-4f5e", "veth12ab", "virbr0", "vmnet8"] {
            assert!(is_virtual(name), "{name}");
        }
        for name in ["eth0", "wlan0", "enp3s0", "br0", "bond0", "lo", "vEthernet (External)"] {
            assert!(!is_virtual(name), "{name}");
        }
    }

    #[test]
    fn others_reach_this_machine_at_its_wide_addresses() {
        let text =
            |links: &[Link]| shared_addresses(links).iter().map(ToString::to_string).collect::<Vec<_>>();
        let bridge = link("docker0", &["172.17.0.1"]);
        let lan = link("eth0", &["fe80::1", "2001:db8::1", "10.0.0.1"]);
        assert_eq!(text(&[bridge.clone(), lan]), ["10.0.0.1", "2001:db8::1"]);
        let lo = Link { loopback: true, ..link("lo", &["127.0.0.1"]) };
        assert_eq!(text(&[lo, bridge]), ["172.17.0.1"]);
    }

    #[test]
    fn link_local_is_announced_only_where_there_is_nothing_better() {
        let links = [link("eth0", &["10.0.0.1", "fe80::1"]), link("eth1", &["fe80::2"])];
        assert!(!needs_link_local("eth0", &links));
        assert!(needs_link_local("eth1", &links));
    }

    #[test]
    fn a_link_asks_from_its_link_local_address() {
        assert_eq!(link("x", &["fd00::1", "fe80::1"]).v6(), Some("fe80::1".parse().unwrap()));
        assert_eq!(link("x", &["fd00::1"]).v6(), Some("fd00::1".parse().unwrap()));
        assert_eq!(link("x", &["10.0.0.1"]).v6(), None);
    }
}
