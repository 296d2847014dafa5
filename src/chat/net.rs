//! A network: an address and how many of its bits count.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that share their first bits (CIDR, RFC 4632 3.1); a single address shares all.
///
/// The bits after the prefix are 0. IPv4 addresses are never in IPv6 form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net(IpNet);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid address or network; use one such as ip:192.168.1.20 or ip:192.168.1.0/24")]
pub struct InvalidNet;

impl Net {
    pub fn host(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }

    /// The unit for counting addresses: an IPv4 address, a local IPv6 address, or the /64 of a global one, as
    /// one host has all of it.
    pub fn counted(address: IpAddr) -> Self {
        match address.to_canonical() {
            // Neighbours share the first bits (RFC 4291 2.5.6, RFC 4193 3.1).
            IpAddr::V6(v6) if v6.is_unicast_link_local() || v6.is_unique_local() => Self::host(address),
            IpAddr::V6(_) => Self::around(address, 64),
            IpAddr::V4(_) => Self::host(address),
        }
    }

    /// The network to count besides the address, as a host may have many of its addresses: the /64 of an IPv6
    /// address, even a local one (RFC 4291 2.5.1), or the /24 of an IPv4 address.
    pub fn network(address: IpAddr) -> Self {
        Self::around(address, if address.to_canonical().is_ipv4() { 24 } else { 64 })
    }

    /// The network of this size around the address.
    pub(super) fn around(address: IpAddr, bits: u8) -> Self {
        let address = address.to_canonical();
        IpNet::new(address, bits).map_or_else(|_| Self::host(address), |net| Self(net.trunc()))
    }

    /// Whether it is IPv4, and its prefix length.
    pub(super) fn width(&self) -> (bool, u8) {
        (self.0.addr().is_ipv4(), self.0.prefix_len())
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Net {
    type Err = InvalidNet;

    /// Reads an address, or one with `/` and the prefix length. Drops the bits after the prefix.
    fn from_str(text: &str) -> Result<Self, InvalidNet> {
        if let Ok(address) = text.parse() {
            return Ok(Self::host(address));
        }
        let net: IpNet = text.parse().map_err(|_| InvalidNet)?;
        match net.addr().to_canonical() {
            // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
            short @ IpAddr::V4(_) if net.addr().is_ipv6() && net.prefix_len() >= 96 => {
                Ok(Self::around(short, net.prefix_len() - 96))
            }
            _ => Ok(Self(net.trunc())),
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.prefix_len() == self.0.max_prefix_len() {
            true => self.0.addr().fmt(f),
            false => self.0.fmt(f),
        }
    }
}

impl serde::Serialize for Net {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Net {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        for (net, inside, outside) in [
            ("192.168.1.0/24", "192.168.1.255", "192.168.2.0"),
            ("192.168.1.77/24", "192.168.1.1", "192.168.0.255"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.7/31", "::ffff:10.0.0.6", "10.0.0.5"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "fe80::1", "10.0.0.1"),
            ("fe80::/10", "febf::1", "fec0::1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
        ] {
            let parsed: Net = net.parse().expect(net);
            assert!(parsed.contains(inside.parse().expect("an address")), "{net} {inside}");
            assert!(!parsed.contains(outside.parse().expect("an address")), "{net} {outside}");
        }
    }

    #[test]
    fn whoever_has_one_address_can_have_those_around_it() {
        for (address, around) in [
            ("192.168.1.77", "192.168.1.0/24"),
            ("::ffff:192.168.1.77", "192.168.1.0/24"),
            ("fe80::1:2", "fe80::/64"),
            ("fd77:1::5", "fd77:1::/64"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(Net::network(address.parse().expect("an address")).to_string(), around);
        }
    }

    #[test]
    fn a_network_is_written_as_short_as_it_can_be() {
        for (net, written) in [
            ("192.168.1.77/24", "192.168.1.0/24"),
            ("10.0.0.7/32", "10.0.0.7"),
            ("2001:DB8::1/64", "2001:db8::/64"),
            ("::ffff:10.0.0.7", "10.0.0.7"),
        ] {
            assert_eq!(net.parse().map(|net: Net| net.to_string()), Ok(written.to_owned()));
        }
        for net in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "x/8"] {
            assert_eq!(net.parse::<Net>(), Err(InvalidNet), "{net}");
        }
    }
}
