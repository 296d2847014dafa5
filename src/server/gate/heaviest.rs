//! Which of many hosts has the most of something: of the network that has the most, the address that has
//! the most. So nobody is the heaviest by being one of many, and nobody stays light by having many
//! addresses of a network.

use crate::chat::Net;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// Quick, as a flood has this done for each of its connections.
pub(super) type Hasher = foldhash::fast::RandomState;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Heaviest {
    pub(in crate::server) host: IpAddr,
    /// How many the host has.
    pub(in crate::server) by_host: usize,
    /// How many its network has.
    pub(in crate::server) by_network: usize,
}

/// The heaviest of these, each named once for each thing it has; of several the one that comes first.
pub(in crate::server) fn heaviest(hosts: impl Iterator<Item = IpAddr> + Clone) -> Option<Heaviest> {
    let (network, by_network) = most(hosts.clone().map(Net::network))?;
    let (host, by_host) = most(hosts.filter(|host| Net::network(*host) == network))?;
    Some(Heaviest { host, by_host, by_network })
}

/// What comes most often, and how often; of several the one that comes first.
pub(super) fn most<T: Copy + Eq + Hash>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: HashMap<T, (usize, Reverse<usize>), Hasher> = HashMap::default();
    for (n, one) in all.enumerate() {
        counts.entry(one).or_insert((0, Reverse(n))).0 += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(one, (count, _))| (one, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hosts: &[&str]) -> Option<(String, usize, usize)> {
        let hosts = hosts.iter().map(|host| host.parse().expect("an address"));
        heaviest(hosts).map(|found| (found.host.to_string(), found.by_host, found.by_network))
    }

    #[test]
    fn many_addresses_of_a_network_weigh_together_and_then_the_busiest_of_them() {
        assert_eq!(of(&[]), None);
        let found = of(&["10.0.0.1", "10.0.0.1", "fd00::1", "fd00::2", "fd00::3", "fd00::2", "10.0.0.1"]);
        assert_eq!(found, Some(("fd00::2".into(), 2, 4)));
        let even = of(&["10.0.1.2", "10.0.1.1", "10.0.0.1", "10.0.0.2"]);
        assert_eq!(even, Some(("10.0.1.2".into(), 1, 2)), "of equals the first");
    }
}
