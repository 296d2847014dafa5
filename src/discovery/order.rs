//! Selects and orders addresses to try. Pure.

use crate::limits::{LINK_LOCAL_PAUSE, MAX_SERVER_ADDRS};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// Whether a server may be at an address that was announced on a link. A loopback address counts only on the
/// loopback link: elsewhere, someone else would send clients to their own machine.
pub(super) fn is_usable(ip: IpAddr, on_loopback: bool) -> bool {
    let strange = match ip {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast() || v6.to_ipv4_mapped().is_some(),
    };
    !strange && (on_loopback || !ip.is_loopback())
}

/// An address with its port, and with its interface if it is link-local (RFC 4007 11), which is necessary to
/// connect.
pub(super) fn scoped(ip: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match ip {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, port, 0, interface).into(),
        ip => SocketAddr::new(ip, port),
    }
}

/// Whether an address is link-local IPv6, so each link may have it.
pub(super) fn is_v6_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// How much later to try an address if its server has other ones, or may have.
pub(super) fn pause(addr: &SocketAddr, may_have_others: bool) -> Duration {
    if may_have_others && is_v6_link_local(addr.ip()) { LINK_LOCAL_PAUSE } else { Duration::ZERO }
}

/// Orders addresses by how likely they work at once: IPv4, then global IPv6, then link-local. Removes
/// duplicates, applies the bound, and keeps the order within each kind.
pub(super) fn in_order(addrs: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut ordered: Vec<SocketAddr> = Vec::new();
    for addr in addrs {
        if !ordered.contains(&addr) {
            ordered.push(addr);
        }
    }
    ordered.sort_by_key(|addr| match addr.ip() {
        IpAddr::V4(v4) => u8::from(v4.is_loopback()),
        IpAddr::V6(v6) if v6 == Ipv6Addr::LOCALHOST => 3,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => 4,
        IpAddr::V6(_) => 2,
    });
    ordered.truncate(MAX_SERVER_ADDRS);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addrs(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn ipv4_goes_first_and_link_local_last() {
        let given = ["[fe80::1%3]:1", "[fd00::1]:1", "10.0.0.1:1", "[2001:db8::1]:1", "10.0.0.1:1"];
        let wanted = ["10.0.0.1:1", "[fd00::1]:1", "[2001:db8::1]:1", "[fe80::1%3]:1"];
        assert_eq!(in_order(addrs(&given)), addrs(&wanted));
    }

    #[test]
    fn a_server_has_a_bounded_number_of_addresses() {
        let many = (0..200).map(|n| SocketAddr::from(([10, 0, 0, n], 1)));
        assert_eq!(in_order(many).len(), MAX_SERVER_ADDRS);
    }

    #[test]
    fn link_local_addresses_keep_their_interface() {
        let ip: IpAddr = "fe80::1".parse().unwrap();
        assert_eq!(scoped(ip, 7, 3), "[fe80::1%3]:7".parse().unwrap());
        let ip: IpAddr = "fd00::1".parse().unwrap();
        assert_eq!(scoped(ip, 7, 3), "[fd00::1]:7".parse().unwrap());
    }

    #[test]
    fn addresses_nobody_can_be_reached_at_are_refused() {
        for ip in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:10.0.0.1"] {
            assert!(!is_usable(ip.parse().unwrap(), true), "{ip}");
        }
        for ip in ["127.0.0.1", "::1"] {
            assert!(!is_usable(ip.parse().unwrap(), false), "{ip}");
            assert!(is_usable(ip.parse().unwrap(), true), "{ip}");
        }
        assert!(is_usable("169.254.1.1".parse().unwrap(), false));
    }
}
