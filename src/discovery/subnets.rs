//! The networks that this machine is in: which addresses are on the same link, and which lie behind a router.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// An address of this machine with the network around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The interface's name.
    pub link: String,
    /// The operating system's number for it.
    pub index: u32,
    /// This machine's address there.
    pub address: IpAddr,
    /// Leading bits that all addresses of the network have in common.
    pub prefix: u8,
}

impl Subnet {
    /// Whether the address is one of this network, by its bits. A link-local one is in that of each link.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (own, other, width) = match (self.address, ip) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (u32::from(own).into(), u32::from(other).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (u128::from(own), u128::from(other), 128),
            _ => return false,
        };
        let free = width - u32::from(self.prefix).min(width);
        // A shift by all bits would be none.
        free >= 128 || own >> free == other >> free
    }

    /// That by which two machines are connected: `None` if a router is between them, or both are this one.
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

/// All of them, of the interfaces that are up, tunnels too; without the loopback.
///
/// # Errors
/// What the operating system says if it won't list them.
pub fn subnets() -> io::Result<Vec<Subnet>> {
    let all =
        if_addrs::get_if_addrs()?.into_iter().filter(|entry| entry.is_oper_up() && !entry.is_loopback());
    Ok(all
        .map(|entry| {
            let prefix = match &entry.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            let address = entry.ip();
            Subnet { index: entry.index.unwrap_or_default(), link: entry.name, address, prefix }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(link: &str, index: u32, address: &str, prefix: u8) -> Subnet {
        Subnet { link: link.into(), index, address: address.parse().unwrap(), prefix }
    }

    #[test]
    fn an_address_is_of_a_network_by_its_leading_bits() {
        for (own, prefix, other, is_in) in [
            ("10.78.0.1", 24, "10.78.0.254", true),
            ("10.78.0.1", 24, "10.78.1.1", false),
            ("10.78.0.1", 16, "10.78.5.1", true),
            ("10.78.0.1", 0, "8.8.8.8", true),
            ("10.78.0.1", 32, "10.78.0.2", false),
            ("fe80::1", 64, "fe80::2", true),
            ("fd00::1", 64, "fd01::1", false),
            ("fd00::1", 0, "2001:db8::1", true),
            ("10.78.0.1", 24, "fe80::1", false),
        ] {
            let own = subnet("lan0", 2, own, prefix);
            assert_eq!(own.contains(other.parse().unwrap()), is_in, "{own:?} {other}");
        }
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
