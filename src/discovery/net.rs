//! An IP network around one of this machine's addresses. Pure.

use if_addrs::Interface;
use ipnet::IpNet;
use std::io;
use std::net::IpAddr;

/// An address, and how many of its bits are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// This machine's address in it.
    pub ip: IpAddr,
    /// Leading bits that all addresses of the network have in common.
    pub prefix: u8,
}

impl Net {
    /// That of an interface's address.
    pub(super) fn of(interface: &Interface) -> Net {
        let prefix = match &interface.addr {
            if_addrs::IfAddr::V4(v4) => v4.prefixlen,
            if_addrs::IfAddr::V6(v6) => v6.prefixlen,
        };
        Net { ip: interface.ip(), prefix }
    }

    /// Whether the address is one of this network, by its bits. A link-local one is in that of each link.
    pub fn contains(&self, ip: IpAddr) -> bool {
        IpNet::new(self.ip, self.prefix).is_ok_and(|net| net.contains(&ip))
    }

    /// Whether others may be in it, wherever they are on the link.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn is_shared(&self) -> bool {
        match self.ip {
            IpAddr::V4(_) => self.prefix < 32,
            IpAddr::V6(v6) => self.prefix < 128 && !v6.is_unicast_link_local(),
        }
    }

    /// Whether its addresses tell it from other networks: loopback and link-local ones are the same
    /// everywhere.
    fn is_somewhere(&self) -> bool {
        let is_everywhere = match self.ip {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        };
        !is_everywhere && self.prefix > 0
    }
}

/// The networks that this machine is connected to, without loopback and link-local ones; none if the operating
/// system won't list them.
pub fn networks() -> Vec<Net> {
    match up() {
        Ok(up) => up.map(|interface| Net::of(&interface)).filter(Net::is_somewhere).collect(),
        Err(error) => {
            tracing::debug!(%error, "the network interfaces cannot be listed");
            Vec::new()
        }
    }
}

/// The addresses of the interfaces that are up: one that is down may keep the address of another place.
pub(super) fn up() -> io::Result<impl Iterator<Item = Interface>> {
    Ok(if_addrs::get_if_addrs()?.into_iter().filter(Interface::is_oper_up))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(ip: &str, prefix: u8) -> Net {
        Net { ip: ip.parse().unwrap(), prefix }
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
            assert_eq!(net(own, prefix).contains(other.parse().unwrap()), is_in, "{own}/{prefix} {other}");
        }
    }

    #[test]
    fn what_is_the_same_everywhere_is_not_a_network_to_be_known_by() {
        for (own, prefix) in
            [("127.0.0.1", 8), ("169.254.3.4", 16), ("fe80::1", 64), ("::1", 128), ("10.0.0.1", 0)]
        {
            assert!(!net(own, prefix).is_somewhere(), "{own}/{prefix}");
        }
        assert!(net("192.168.1.5", 24).is_somewhere() && net("fd00::1", 64).is_somewhere());
    }
}
