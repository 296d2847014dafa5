//! The networks that this machine is in: which addresses are on the same link, and which lie behind a router.

use super::net::{Net, up};
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
        Net { ip: self.address, prefix: self.prefix }.contains(ip)
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
    Ok(up()?
        .filter(|entry| !entry.is_loopback())
        .map(|entry| {
            let Net { ip: address, prefix } = Net::of(&entry);
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
