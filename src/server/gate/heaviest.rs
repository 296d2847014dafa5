//! Finds the host with the most of something: within the network with most, the address with most. So nobody is
//! the heaviest as one of many, and nobody stays light by using many addresses of a network.

use crate::chat::Net;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// A fast hash, because a flood needs this for each connection.
pub(super) type Hasher = foldhash::fast::RandomState;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Heaviest {
    pub(in crate::server) host: IpAddr,
    /// How many the host has.
    pub(in crate::server) by_host: usize,
    /// How many its network has.
    pub(in crate::server) by_network: usize,
}

/// The heaviest of these hosts, each listed once per thing that it has; of several, the first.
pub(in crate::server) fn heaviest(hosts: impl Iterator<Item = IpAddr> + Clone) -> Option<Heaviest> {
    let (network, by_network) = most(hosts.clone().map(Net::network))?;
    let (host, by_host) = most(hosts.filter(|host| Net::network(*host) == network))?;
    Some(Heaviest { host, by_host, by_network })
}

/// The most frequent value and its count; of several, the first.
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
