//! The networks of this machine's interfaces: which addresses are on the same link, which are behind a
//! router, and where an announcement may lead.

use super::order::is_usable;
use crate::limits::MIN_ANNOUNCED_PORT;
use if_addrs::{IfAddr, Interface};
use ipnet::IpNet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An interface's address with the network around it.
pub(super) fn network_of(interface: &Interface) -> IpNet {
    let prefix = match &interface.addr {
        IfAddr::V4(v4) => v4.prefixlen,
        IfAddr::V6(v6) => v6.prefixlen,
    };
    IpNet::new(interface.ip(), prefix).unwrap_or_else(|_| interface.ip().into())
}

/// Whether other machines may have addresses in this network, beyond a link-local one.
#[cfg(target_os = "linux")]
pub(super) fn is_shared(net: &IpNet) -> bool {
    match net {
        IpNet::V4(v4) => v4.prefix_len() < 32,
        IpNet::V6(v6) => v6.prefix_len() < 128 && !v6.addr().is_unicast_link_local(),
    }
}

/// Whether this network's addresses tell it from others: loopback and link-local ones are the same
/// everywhere.
fn is_distinct(net: &IpNet) -> bool {
    !net.addr().is_loopback() && !is_link_local(net.addr()) && net.prefix_len() > 0
}

/// Whether each link may have this address.
pub(super) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// The networks that this machine is connected to, except loopback and link-local ones; empty if the
/// operating system does not list them.
pub fn networks() -> Vec<IpNet> {
    let mut own = Networks::now()
        .inspect_err(|error| tracing::debug!(%error, "cannot list interfaces"))
        .unwrap_or_default()
        .own;
    own.retain(is_distinct);
    own
}

/// The addresses of interfaces that are up: one that is down may keep an address from another place.
fn up() -> io::Result<impl Iterator<Item = Interface>> {
    Ok(if_addrs::get_if_addrs()?.into_iter().filter(Interface::is_oper_up))
}

/// The networks that this machine is on.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    own: Vec<IpNet>,
}

impl Networks {
    /// Those of the interfaces that are up now.
    pub fn now() -> io::Result<Networks> {
        Ok(Networks { own: up()?.map(|interface| network_of(&interface)).collect() })
    }

    /// Whether a client may connect to an announced address. Anyone can send an announcement, so it may lead
    /// to own and private networks only: otherwise, it could send everyone who searches to a machine on the
    /// internet.
    pub fn may_be_at(&self, addr: SocketAddr) -> bool {
        addr.port() >= MIN_ANNOUNCED_PORT && (is_private(addr.ip()) || self.has(addr.ip()))
    }

    /// Whether a client may connect to an address that the server at `by` names as one of its chat's. Such a server is
    /// trusted with the chat and not with the client's network: it may not lead to this machine from another one, from
    /// the internet into a private network, or from one to the internet.
    pub fn may_be_named(&self, addr: SocketAddr, by: SocketAddr) -> bool {
        let ip = addr.ip();
        if !is_usable(ip, by.ip().is_loopback()) || is_link_local(ip) || addr.port() < MIN_ANNOUNCED_PORT {
            return false;
        }
        let is_near = |ip| is_private(ip) || self.has(ip);
        is_near(ip) == is_near(by.ip())
    }

    /// Whether an address is on one of these networks, so no router is on the way.
    pub(super) fn has(&self, ip: IpAddr) -> bool {
        self.own.iter().any(|net| net.contains(&ip))
    }
}

/// Whether an address has no meaning on the internet: RFC 1918, RFC 6598 (shared by providers, used by
/// virtual networks), RFC 3927 and 4291 (link-local), RFC 4193, and loopback.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback() || is_shared_space(v4),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6 == Ipv6Addr::LOCALHOST,
    }
}

/// Whether an address is in 100.64.0.0/10.
fn is_shared_space(v4: Ipv4Addr) -> bool {
    matches!(v4.octets(), [100, 64..=127, ..])
}

/// One of this machine's addresses with its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The interface's name.
    pub link: String,
    /// The operating system's number for it.
    pub index: u32,
    /// This machine's address there.
    pub address: IpAddr,
    /// The network's prefix length.
    pub prefix: u8,
}

impl Subnet {
    /// Whether the address is in this network. A link-local one is in that of each link.
    pub fn contains(&self, ip: IpAddr) -> bool {
        IpNet::new(self.address, self.prefix).is_ok_and(|net| net.contains(&ip))
    }

    /// The network between two machines; `None` if a router is between them, or if both are this machine.
    pub fn between(own: SocketAddr, peer: SocketAddr) -> Option<Subnet> {
        between(subnets().ok()?, own, peer)
    }
}

fn between(subnets: Vec<Subnet>, own: SocketAddr, peer: SocketAddr) -> Option<Subnet> {
    let (own_ip, peer_ip) = (own.ip().to_canonical(), peer.ip().to_canonical());
    if subnets.iter().any(|subnet| subnet.address == peer_ip) || peer_ip.is_loopback() {
        return None;
    }
    let scope = match own {
        SocketAddr::V6(own) if own.scope_id() > 0 => Some(own.scope_id()),
        _ => None,
    };
    subnets.into_iter().find(|subnet| {
        subnet.address == own_ip
            && scope.is_none_or(|scope| scope == subnet.index)
            && subnet.contains(peer_ip)
    })
}

/// The networks of all interfaces that are up, including tunnels, except loopback.
pub fn subnets() -> io::Result<Vec<Subnet>> {
    Ok(up()?
        .filter(|entry| !entry.is_loopback())
        .map(|entry| {
            let net = network_of(&entry);
            Subnet {
                index: entry.index.unwrap_or_default(),
                link: entry.name,
                address: net.addr(),
                prefix: net.prefix_len(),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(ip: &str, prefix: u8) -> IpNet {
        IpNet::new(ip.parse().unwrap(), prefix).unwrap()
    }

    #[test]
    fn an_address_is_of_a_network_by_its_leading_bits() {
        for (own, prefix, other, is_in) in [
            ("10.78.0.1", 24, "10.78.0.254", true),
            ("10.78.0.1", 24, "10.78.1.1", false),
            ("10.78.0.1", 16, "10.78.5.1", true),
            ("10.1.2.3", 22, "10.1.3.9", true),
            ("10.78.0.1", 0, "8.8.8.8", true),
            ("10.1.2.3", 32, "10.1.2.3", true),
            ("10.1.2.3", 32, "10.1.2.2", false),
            ("fe80::1", 64, "fe80::2", true),
            ("fd00::1", 64, "fd00::9:9:9:9", true),
            ("fd00::1", 64, "fd00:0:0:1::9", false),
            ("fd00::1", 128, "fd00::2", false),
            ("fd00::1", 0, "2001:db8::1", true),
            ("10.78.0.1", 24, "fe80::1", false),
            ("10.1.2.3", 24, "::ffff:10.1.2.9", false),
        ] {
            assert_eq!(
                net(own, prefix).contains(&other.parse::<IpAddr>().unwrap()),
                is_in,
                "{own}/{prefix} {other}"
            );
        }
    }

    #[test]
    fn what_is_the_same_everywhere_is_not_a_network_to_be_known_by() {
        for (own, prefix) in
            [("127.0.0.1", 8), ("169.254.3.4", 16), ("fe80::1", 64), ("::1", 128), ("10.0.0.1", 0)]
        {
            assert!(!is_distinct(&net(own, prefix)), "{own}/{prefix}");
        }
        assert!(is_distinct(&net("192.168.1.5", 24)) && is_distinct(&net("fd00::1", 64)));
    }

    fn campus() -> Networks {
        let own = [("192.0.2.7", 25), ("2001:db8:1:2::7", 64), ("10.8.0.2", 32)];
        Networks { own: own.iter().map(|(ip, prefix)| net(ip, *prefix)).collect() }
    }

    #[test]
    fn an_announcement_leads_to_own_and_private_networks_only() {
        for (addr, may) in [
            ("192.0.2.100:7667", true),
            ("192.0.2.200:7667", false),
            ("8.8.8.8:7667", false),
            ("[2001:db8:1:2::99]:7667", true),
            ("[2001:db8:1:3::99]:7667", false),
            ("10.99.0.1:7667", true),
            ("172.31.0.1:7667", true),
            ("172.32.0.1:7667", false),
            ("192.168.7.1:7667", true),
            ("169.254.3.1:7667", true),
            ("100.64.0.1:7667", true),
            ("100.128.0.1:7667", false),
            ("[fd77::1]:7667", true),
            ("[fe80::1%2]:7667", true),
            ("127.0.0.1:7667", true),
        ] {
            assert_eq!(campus().may_be_at(addr.parse().unwrap()), may, "{addr}");
        }
    }

    #[test]
    fn a_named_address_leads_no_nearer_and_no_farther_than_the_server_that_names_it() {
        let (near, far, own) = ("10.0.0.1:7667", "203.0.113.1:7667", "127.0.0.1:7667");
        for (addr, by, may) in [
            ("10.99.0.1:7667", near, true),
            ("192.0.2.100:7667", near, true),
            ("[fd77::1]:7667", "[2001:db8:1:2::9]:7667", true),
            ("10.99.0.1:7667", own, true),
            ("127.0.0.1:7668", own, true),
            // From another machine to this one.
            ("127.0.0.1:7667", near, false),
            ("[::1]:7667", near, false),
            // From the internet into a private network, and the other way.
            ("10.99.0.1:7667", far, false),
            ("203.0.113.2:7667", far, true),
            ("203.0.113.2:7667", near, false),
            // Each link has those, and some clouds their secrets.
            ("169.254.169.254:7667", near, false),
            ("[fe80::1]:7667", near, false),
            ("0.0.0.0:7667", near, false),
            ("224.0.0.251:7667", near, false),
            ("[::ffff:10.0.0.1]:7667", near, false),
            ("10.99.0.1:22", near, false),
            ("10.99.0.1:0", near, false),
        ] {
            let may_be = campus().may_be_named(addr.parse().unwrap(), by.parse().unwrap());
            assert_eq!(may_be, may, "{addr} by {by}");
        }
    }

    #[test]
    fn an_announcement_never_leads_to_a_system_port() {
        for (port, may) in [(22, false), (1023, false), (1024, true)] {
            assert_eq!(campus().may_be_at(SocketAddr::from(([10, 0, 0, 1], port))), may, "{port}");
        }
    }

    #[test]
    fn a_network_of_one_address_holds_no_other() {
        assert!(campus().has("10.8.0.2".parse().unwrap()));
        assert!(!campus().has("10.8.0.3".parse().unwrap()));
        let all = Networks { own: vec![net("10.0.0.1", 0)] };
        assert!(all.has("8.8.8.8".parse().unwrap()));
    }

    fn subnet(link: &str, index: u32, address: &str, prefix: u8) -> Subnet {
        Subnet { link: link.into(), index, address: address.parse().unwrap(), prefix }
    }

    #[test]
    fn multicast_is_tested_only_with_other_machines_on_the_same_link() {
        let all = || {
            vec![
                subnet("lan0", 2, "10.78.0.1", 24),
                subnet("lan0", 2, "fe80::1", 64),
                subnet("lan1", 3, "fe80::1", 64),
            ]
        };
        let at = |own: &str, peer: &str| {
            let found = between(all(), own.parse().unwrap(), peer.parse().unwrap());
            found.map(|subnet| subnet.link)
        };
        assert_eq!(at("10.78.0.1:7667", "10.78.0.2:999").as_deref(), Some("lan0"));
        assert_eq!(at("[::ffff:10.78.0.1]:7667", "[::ffff:10.78.0.2]:999").as_deref(), Some("lan0"));
        assert_eq!(at("[fe80::1%3]:7667", "[fe80::2%3]:999").as_deref(), Some("lan1"));
        for (own, peer) in [
            ("10.78.0.1:7667", "8.8.8.8:53"),
            ("10.78.0.1:7667", "10.78.0.1:999"),
            ("127.0.0.1:7667", "127.0.0.1:999"),
            ("172.17.0.1:7667", "172.17.0.2:999"),
        ] {
            assert_eq!(at(own, peer), None, "{own} {peer}");
        }
    }
}
