//! How many names may become owned per address.
//!
//! Keys cost nothing to make, so without a limit one host could reserve all names. A school behind one
//! address must not notice it, though. So strangers from the Internet get few names, and everyone nearby
//! gets many at once, but not all.

use crate::chat::net::Net;
use crate::limits::{
    ADDRESSES_PER_NETWORK, MAX_NEW_NAME_BUCKETS, NEW_NAMES_AT_ONCE_NEARBY, NEW_NAMES_PER_HOUR,
    NEW_NAMES_PER_HOUR_NEARBY,
};
use crate::pace::{Buckets, Rate};
use std::net::IpAddr;
use std::time::Duration;

/// How many names may become owned per address and hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewNames {
    /// Few from public IPv4 addresses, unless the server is closed, and enough for a school from others.
    #[default]
    Usual,
    /// This many, also at once; at least 1.
    PerHour(u32),
    Unlimited,
}

/// See the module.
#[derive(Debug)]
pub(super) struct NewcomerLimit {
    names: NewNames,
    is_closed: bool,
    buckets: Buckets,
}

impl Default for NewcomerLimit {
    fn default() -> Self {
        Self { names: NewNames::Usual, is_closed: false, buckets: Buckets::new(MAX_NEW_NAME_BUCKETS) }
    }
}

impl NewcomerLimit {
    pub(super) fn set(&mut self, names: NewNames, is_closed: bool) {
        (self.names, self.is_closed) = (names, is_closed);
    }

    /// Counts a new name.
    ///
    /// # Errors
    /// The address has reached its limit, so many per hour.
    pub(super) fn count(&mut self, ip: IpAddr, uptime: Duration) -> Result<(), u32> {
        let (per_hour, at_once) = match self.names {
            NewNames::Unlimited => return Ok(()),
            NewNames::PerHour(number) => (number, number),
            NewNames::Usual if self.is_closed || is_nearby(ip) => {
                (NEW_NAMES_PER_HOUR_NEARBY, NEW_NAMES_AT_ONCE_NEARBY)
            }
            NewNames::Usual => (NEW_NAMES_PER_HOUR, NEW_NAMES_PER_HOUR),
        };
        let rate = Rate::every(3600, per_hour, at_once);
        // A host can give itself any number of addresses in its network.
        let (own, network) = (Net::counted(ip), Net::network(ip));
        let network = Some(network).filter(|network| *network != own);
        let many = rate.times(ADDRESSES_PER_NETWORK, ADDRESSES_PER_NETWORK);
        // A host beyond its limit takes nothing from its neighbours.
        let is_free = self.buckets.take(&own, rate, uptime).is_ok()
            && network.is_none_or(|network| self.buckets.take(&network, many, uptime).is_ok());
        if is_free { Ok(()) } else { Err(per_hour) }
    }
}

/// Whether the address can belong to a local network: any but a public IPv4 one. An IPv6 address does not
/// tell; a host on the Internet has as many networks there as it likes, so a lower limit for each would not
/// stop it.
fn is_nearby(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_OWNED_NAMES, NAME_KEPT_TRIED};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of 1,000 names the address may own at once.
    fn at_once(limit: &mut NewcomerLimit, address: &str) -> usize {
        (0..1000).filter(|_| limit.count(ip(address), Duration::ZERO).is_ok()).count()
    }

    #[test]
    fn a_school_behind_one_address_keeps_its_names_and_a_stranger_gets_few() {
        for address in [
            "192.168.1.1",
            "10.9.8.7",
            "169.254.3.4",
            "127.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
        ] {
            assert_eq!(at_once(&mut NewcomerLimit::default(), address), 600, "{address}");
        }
        assert_eq!(at_once(&mut NewcomerLimit::default(), "192.0.2.7"), 5);
        assert_eq!(at_once(&mut NewcomerLimit::default(), "::ffff:192.0.2.7"), 5);
        let mut closed = NewcomerLimit::default();
        closed.set(NewNames::Usual, true);
        assert_eq!(at_once(&mut closed, "192.0.2.7"), 600);
        let mut limit = NewcomerLimit::default();
        at_once(&mut limit, "192.0.2.7");
        assert_eq!(limit.count(ip("192.0.2.7"), Duration::ZERO), Err(NEW_NAMES_PER_HOUR));
        assert_eq!(limit.count(ip("192.0.2.7"), Duration::from_secs(3600)), Ok(()));
    }

    #[test]
    fn a_hostile_host_takes_only_a_part_of_all_names() {
        let mut limit = NewcomerLimit::default();
        let minutes = NAME_KEPT_TRIED.as_secs() / 60;
        let mut taken = 0;
        for minute in 0..minutes {
            while limit.count(ip("192.168.1.66"), Duration::from_secs(60 * minute)).is_ok() {
                taken += 1;
            }
        }
        assert!((3000..MAX_OWNED_NAMES / 10).contains(&taken), "{taken}");
        // With all addresses of its network, it takes no more than eight do.
        let mut limit = NewcomerLimit::default();
        let taken: usize = (1..=254).map(|last| at_once(&mut limit, &format!("192.168.1.{last}"))).sum();
        assert_eq!(taken, 8 * 600);
    }

    #[test]
    fn the_administrator_may_set_the_limit_or_lift_it() {
        let mut limit = NewcomerLimit::default();
        limit.set(NewNames::PerHour(20), false);
        assert_eq!([at_once(&mut limit, "192.0.2.7"), at_once(&mut limit, "192.168.1.1")], [20, 20]);
        assert_eq!(limit.count(ip("192.0.2.7"), Duration::ZERO), Err(20));
        limit.set(NewNames::Unlimited, false);
        assert_eq!(at_once(&mut limit, "192.0.2.7"), 1000);
    }
}
