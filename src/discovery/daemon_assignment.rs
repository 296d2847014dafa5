//! Assigns interfaces to mDNS daemons. Pure.
//!
//! A socket can join 20 multicast groups (`net.ipv4.igmp_max_memberships`), and a daemon of the library has
//! one socket per address family for all of its interfaces, so one daemon would leave out those past the
//! 20th. A daemon also announces the link-local addresses of all its interfaces on each of them, where all
//! but one are unreachable. So each network has its own daemon while there are few networks; then they share.

use super::interfaces::InterfaceInfo;
use super::networks::is_link_local;
use crate::limits::MAX_ANNOUNCERS;
use ipnet::IpNet;
use std::collections::BTreeMap;

/// The daemons of interfaces by interface number.
#[derive(Debug, Default)]
pub(super) struct DaemonAssignment {
    assigned: BTreeMap<u32, Assigned>,
}

#[derive(Debug)]
struct Assigned {
    daemon: usize,
    nets: Vec<IpNet>,
    loopback: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: bool,
    /// The names of interfaces that no daemon has room for.
    pub(super) left_out: Vec<String>,
}

impl DaemonAssignment {
    /// Takes in the current interfaces. One daemon serves all interfaces of a network: two would keep
    /// declaring each other's addresses invalid (RFC 6762 10.2).
    pub(super) fn update(&mut self, present: &[&InterfaceInfo], places_each: usize) -> Changes {
        let mut changes = Changes::default();
        self.assigned.retain(|index, _| present.iter().any(|one| one.link.index == *index));
        for one in present {
            if let Some(assigned) = self.assigned.get_mut(&one.link.index) {
                assigned.nets.clone_from(&one.nets);
                continue;
            }
            let Some(daemon) = self.daemon_for(one, places_each) else {
                changes.left_out.push(one.link.name.clone());
                continue;
            };
            let (nets, loopback) = (one.nets.clone(), one.link.loopback);
            self.assigned.insert(one.link.index, Assigned { daemon, nets, loopback });
            changes.added = true;
        }
        changes
    }

    fn daemon_for(&self, one: &InterfaceInfo, places_each: usize) -> Option<usize> {
        // Loopback takes no other interface's room.
        if one.link.loopback {
            return Some(0);
        }
        let has_room = |daemon: &usize| self.count(*daemon) < places_each;
        let same_net = self.assigned.values().find(|assigned| share_network(&assigned.nets, &one.nets));
        if let Some(daemon) = same_net.map(|assigned| assigned.daemon).filter(has_room) {
            return Some(daemon);
        }
        // The daemon with the fewest interfaces.
        (0..MAX_ANNOUNCERS).filter(has_room).min_by_key(|daemon| (self.count(*daemon), *daemon))
    }

    fn count(&self, daemon: usize) -> usize {
        self.assigned.values().filter(|assigned| assigned.daemon == daemon && !assigned.loopback).count()
    }

    pub(super) fn daemon_of(&self, index: u32) -> Option<usize> {
        self.assigned.get(&index).map(|assigned| assigned.daemon)
    }

    pub(super) fn is_used(&self, daemon: usize) -> bool {
        self.assigned.values().any(|assigned| assigned.daemon == daemon)
    }

    /// Whether to announce an interface's link-local address: if only machines that can reach it will hear
    /// it, or if it has no other address.
    pub(super) fn tells_link_local(&self, index: u32) -> bool {
        let Some(assigned) = self.assigned.get(&index) else { return false };
        let others = self.assigned.iter().filter(|(number, other)| {
            **number != index && other.daemon == assigned.daemon && !other.loopback
        });
        others.map(|(_, other)| other).all(|other| share_network(&other.nets, &assigned.nets))
            || assigned.nets.iter().all(|net| is_link_local(net.addr()))
    }
}

fn share_network(some: &[IpNet], others: &[IpNet]) -> bool {
    let wide = |net: &&IpNet| !is_link_local(net.addr());
    some.iter().filter(wide).any(|net| others.iter().filter(wide).any(|other| net.contains(&other.addr())))
}

#[cfg(test)]
mod tests {
    use super::super::interface_kind::InterfaceKind;
    use super::super::interfaces::Interface;
    use super::*;

    const PLACES: usize = 15;

    fn attached(index: u32, nets: &[(&str, u8)]) -> InterfaceInfo {
        let nets: Vec<IpNet> =
            nets.iter().map(|(ip, prefix)| IpNet::new(ip.parse().unwrap(), *prefix).unwrap()).collect();
        let addrs = nets.iter().map(|net| net.addr()).collect();
        let link = Interface { name: format!("vlan{index}"), index, loopback: false, addrs };
        InterfaceInfo { link, nets, kind: InterfaceKind::Lan }
    }

    fn vlans(count: u32) -> Vec<InterfaceInfo> {
        (1..=count).map(|n| attached(n, &[(&format!("10.{}.{}.1", n / 250, n % 250), 24)])).collect()
    }

    fn update(assignment: &mut DaemonAssignment, present: &[InterfaceInfo]) -> Changes {
        assignment.update(&present.iter().collect::<Vec<_>>(), PLACES)
    }

    #[test]
    fn no_daemon_gets_more_than_it_can_join_and_nobody_is_left_out() {
        let mut assignment = DaemonAssignment::default();
        let changes = update(&mut assignment, &vlans(100));
        assert_eq!(changes, Changes { added: true, left_out: vec![] });
        assert!((0..MAX_ANNOUNCERS).all(|daemon| assignment.count(daemon) <= PLACES));
        assert!((1..=100).all(|index| assignment.daemon_of(index).is_some()));
        assert!((1..=100).all(|index| !assignment.tells_link_local(index)), "they would hear the others'");
    }

    #[test]
    fn more_than_all_daemons_can_serve_are_named() {
        let most = (MAX_ANNOUNCERS * PLACES) as u32;
        let changes = update(&mut DaemonAssignment::default(), &vlans(most + 1));
        assert_eq!(changes.left_out, [format!("vlan{}", most + 1)]);
    }

    #[test]
    fn each_network_has_its_own_daemon_while_there_are_few() {
        let mut assignment = DaemonAssignment::default();
        let eth0 = attached(2, &[("10.0.0.1", 24), ("fe80::1", 64)]);
        let wlan0 = attached(3, &[("10.0.0.2", 24), ("fe80::2", 64)]);
        let eth1 = attached(4, &[("10.0.1.1", 24), ("fe80::3", 64)]);
        update(&mut assignment, &[eth0.clone(), wlan0.clone(), eth1.clone()]);
        assert_eq!(assignment.daemon_of(2), assignment.daemon_of(3), "one network");
        assert_ne!(assignment.daemon_of(2), assignment.daemon_of(4), "another one");
        assert!([2, 3, 4].iter().all(|index| assignment.tells_link_local(*index)));
        assert!(!update(&mut assignment, &[eth0.clone(), wlan0, eth1]).added);
        assert!(!update(&mut assignment, &[eth0]).added);
        assert!(assignment.daemon_of(4).is_none() && assignment.tells_link_local(2));
    }
}
