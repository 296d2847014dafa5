//! Where to knock on the word of an announcement, which anybody can send: on this machine's own networks and
//! in private ones, never at a machine of the internet, which would have everybody who searches at its door.

use super::net::{Net, up};
use crate::limits::MIN_ANNOUNCED_PORT;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The networks that this machine is on.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    own: Vec<Net>,
}

impl Networks {
    /// Those of the interfaces that are up, at this moment.
    ///
    /// # Errors
    /// The system's, if it does not list them.
    pub fn now() -> io::Result<Networks> {
        Ok(Networks { own: up()?.map(|interface| Net::of(&interface)).collect() })
    }

    /// Whether a server may be where an announcement says.
    pub fn may_be_at(&self, addr: SocketAddr) -> bool {
        addr.port() >= MIN_ANNOUNCED_PORT && (is_private(addr.ip()) || self.has(addr.ip()))
    }

    /// Whether an address is on one of these networks, so that it is reached without a router.
    pub(super) fn has(&self, ip: IpAddr) -> bool {
        self.own.iter().any(|net| net.contains(ip))
    }
}

/// Whether an address is of no meaning in the internet: RFC 1918, RFC 6598 (shared by providers, and used by
/// virtual networks), RFC 3927 and 4291 (link-local), RFC 4193, and the machine itself.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback() || is_shared(v4),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6 == Ipv6Addr::LOCALHOST,
    }
}

/// Whether it is in 100.64.0.0/10.
fn is_shared(v4: Ipv4Addr) -> bool {
    matches!(v4.octets(), [100, 64..=127, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campus() -> Networks {
        let own = [("192.0.2.7", 25), ("2001:db8:1:2::7", 64), ("10.8.0.2", 32)];
        Networks {
            own: own.iter().map(|(ip, prefix)| Net { ip: ip.parse().unwrap(), prefix: *prefix }).collect(),
        }
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
    fn an_announcement_never_leads_to_a_system_port() {
        for (port, may) in [(22, false), (1023, false), (1024, true)] {
            assert_eq!(campus().may_be_at(SocketAddr::from(([10, 0, 0, 1], port))), may, "{port}");
        }
    }

    #[test]
    fn a_network_of_one_address_holds_no_other() {
        assert!(campus().has("10.8.0.2".parse().unwrap()));
        assert!(!campus().has("10.8.0.3".parse().unwrap()));
        let all = Networks { own: vec![Net { ip: "10.0.0.1".parse().unwrap(), prefix: 0 }] };
        assert!(all.has("8.8.8.8".parse().unwrap()));
    }
}
