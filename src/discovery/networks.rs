//! The networks that this machine is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of a network: those that begin as one of this machine's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    addr: IpAddr,
    /// How many bits they share with it.
    prefix: u8,
}

impl Network {
    /// Whether the address is one of this network's.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.leading_zeros() >= u32::from(self.prefix).min(Ipv4Addr::BITS)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.leading_zeros() >= u32::from(self.prefix).min(Ipv6Addr::BITS)
            }
            _ => false,
        }
    }

    /// Whether its addresses tell it from other networks: loopback and link-local ones are the same
    /// everywhere.
    fn is_somewhere(&self) -> bool {
        let is_everywhere = match self.addr {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        };
        !is_everywhere && self.prefix > 0
    }
}

/// The networks on which this machine has an address, without loopback and link-local ones; none if the
/// operating system won't list them.
pub fn networks() -> Vec<Network> {
    let entries = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::debug!(%error, "the network interfaces cannot be listed");
        Vec::new()
    });
    let network = |addr: if_addrs::IfAddr| match addr {
        if_addrs::IfAddr::V4(v4) => Network { addr: v4.ip.into(), prefix: v4.prefixlen },
        if_addrs::IfAddr::V6(v6) => Network { addr: v6.ip.into(), prefix: v6.prefixlen },
    };
    entries.into_iter().map(|entry| network(entry.addr)).filter(Network::is_somewhere).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(addr: &str, prefix: u8) -> Network {
        Network { addr: addr.parse().unwrap(), prefix }
    }

    #[test]
    fn a_network_has_the_addresses_that_share_its_prefix() {
        for (own, prefix, other, is_in) in [
            ("192.168.1.5", 24, "192.168.1.77", true),
            ("192.168.1.5", 24, "192.168.2.77", false),
            ("10.1.2.3", 22, "10.1.3.9", true),
            ("10.1.2.3", 32, "10.1.2.3", true),
            ("10.1.2.3", 32, "10.1.2.2", false),
            ("fd00::1", 64, "fd00::9:9:9:9", true),
            ("fd00::1", 64, "fd00:0:0:1::9", false),
            ("fd00::1", 128, "fd00::2", false),
            ("10.1.2.3", 24, "::ffff:10.1.2.9", false),
        ] {
            assert_eq!(
                network(own, prefix).contains(other.parse().unwrap()),
                is_in,
                "{own}/{prefix} {other}"
            );
        }
    }

    #[test]
    fn what_is_the_same_everywhere_is_no_network_to_be_known_by() {
        for (own, prefix) in
            [("127.0.0.1", 8), ("169.254.3.4", 16), ("fe80::1", 64), ("::1", 128), ("10.0.0.1", 0)]
        {
            assert!(!network(own, prefix).is_somewhere(), "{own}/{prefix}");
        }
        assert!(network("192.168.1.5", 24).is_somewhere() && network("fd00::1", 64).is_somewhere());
    }
}
