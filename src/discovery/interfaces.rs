//! This machine's interfaces, and which of them discovery uses.

use super::interface_kind::{InterfaceKind, judge_name};
use super::networks::network_of;
use super::order::is_v6_link_local;
use crate::limits::MDNS_PORT;
use ipnet::IpNet;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Hops of a multicast packet (RFC 6762 11), which show that it has not left the link.
pub(super) const HOPS: u32 = 255;

/// An interface that is up, with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// The operating system's number for it, which link-local addresses need.
    pub index: u32,
    /// Whether it is the loopback interface.
    pub loopback: bool,
    /// Its addresses; never empty.
    pub addrs: Vec<IpAddr>,
}

impl Interface {
    pub(super) fn v4(&self) -> Option<Ipv4Addr> {
        self.addrs.iter().find_map(|ip| match ip {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    }

    /// Its link-local IPv6 address, or else any IPv6 address.
    pub(super) fn v6(&self) -> Option<Ipv6Addr> {
        let mut all = self.addrs.iter().filter_map(|ip| match ip {
            IpAddr::V6(v6) => Some(*v6),
            IpAddr::V4(_) => None,
        });
        let first = all.clone().next();
        all.find(Ipv6Addr::is_unicast_link_local).or(first)
    }
}

/// An interface with its networks and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InterfaceInfo {
    pub(super) link: Interface,
    /// The networks of its addresses, in the same order.
    pub(super) nets: Vec<IpNet>,
    pub(super) kind: InterfaceKind,
}

/// The interfaces for multicast: up, with an address, neither point-to-point like tunnels nor a part of a
/// bridge or bond. First those that lead to other machines, then those of containers and virtual machines;
/// each group by number.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    Ok(infos()?.into_iter().map(|info| info.link).collect())
}

/// The interfaces that are up, unsorted, and whether each leads only to this machine's own containers and
/// virtual machines.
pub fn all_interfaces() -> io::Result<Vec<(Interface, bool)>> {
    let meant = judged()?.into_iter().filter(|one| one.kind != InterfaceKind::Port);
    Ok(meant.map(|one| (one.link, one.kind == InterfaceKind::Inner)).collect())
}

/// Like [`interfaces`], with networks and kinds. If all seem to belong to containers and virtual machines,
/// this machine is probably one of these, and they count as LANs.
pub(super) fn infos() -> io::Result<Vec<InterfaceInfo>> {
    Ok(sorted_out(judged()?))
}

fn judged() -> io::Result<Vec<InterfaceInfo>> {
    let mut all: BTreeMap<u32, InterfaceInfo> = BTreeMap::new();
    for entry in if_addrs::get_if_addrs()? {
        if !entry.is_oper_up() || entry.is_p2p() {
            continue;
        }
        let index = entry.index.unwrap_or_default();
        let info = all.entry(index).or_insert_with(|| {
            let (name, loopback) = (entry.name.clone(), entry.is_loopback());
            let link = Interface { name, index, loopback, addrs: Vec::new() };
            InterfaceInfo { link, nets: Vec::new(), kind: InterfaceKind::Lan }
        });
        info.link.addrs.push(entry.ip());
        info.nets.push(network_of(&entry));
    }
    let mut all: Vec<InterfaceInfo> = all.into_values().collect();
    judge_all(&mut all);
    Ok(all)
}

#[cfg(target_os = "linux")]
fn judge_all(all: &mut [InterfaceInfo]) {
    // A sandbox may forbid asking the kernel; then names must do.
    let inventory = super::rtnetlink::inventory().unwrap_or_default();
    for info in all.iter_mut().filter(|info| !info.link.loopback) {
        let has_network = info.nets.iter().any(super::networks::is_shared);
        info.kind = match inventory.traits.get(&info.link.index) {
            Some(traits) => {
                let traits = super::interface_kind::Traits { has_network, ..traits.clone() };
                super::interface_kind::judge(&traits, inventory.hardware)
            }
            None => judge_name(&info.link.name),
        };
    }
}

#[cfg(not(target_os = "linux"))]
fn judge_all(all: &mut [InterfaceInfo]) {
    for info in all {
        info.kind = judge_name(&info.link.name);
    }
}

fn sorted_out(mut all: Vec<InterfaceInfo>) -> Vec<InterfaceInfo> {
    all.retain(|info| info.kind != InterfaceKind::Port);
    let leads_out = |one: &InterfaceInfo| !one.link.loopback && one.kind != InterfaceKind::Inner;
    if !all.iter().any(leads_out) {
        all.iter_mut().for_each(|info| info.kind = InterfaceKind::Lan);
    }
    all.sort_by_key(|info| (info.kind, info.link.index));
    all
}

/// The addresses where others may reach this machine, likeliest first: IPv4 before IPv6, and those of
/// containers and virtual machines only if it has no others.
pub fn own_addresses() -> io::Result<Vec<IpAddr>> {
    Ok(shared_addresses(&infos()?))
}

fn shared_addresses(all: &[InterfaceInfo]) -> Vec<IpAddr> {
    let wide = |ip: &IpAddr| !is_v6_link_local(*ip);
    let meant = all.iter().filter(|one| !one.link.loopback && one.kind != InterfaceKind::Inner);
    let mut addrs: Vec<IpAddr> = meant.flat_map(|one| one.link.addrs.iter().copied()).filter(wide).collect();
    addrs.sort_by_key(IpAddr::is_ipv6);
    addrs
}

/// The address of this machine if it seems to be a container with a network of its own, as Docker, Podman and
/// Kubernetes create them: no packets from other machines get there, neither multicast nor unicast, unless
/// the host forwards the port. Such a container has only veth interfaces, and an address from a range of
/// these engines.
pub fn container_address() -> Option<Ipv4Addr> {
    #[cfg(target_os = "linux")]
    {
        let inventory = super::rtnetlink::inventory().ok()?;
        let all = infos().ok()?;
        let mut ways_out = all.iter().filter(|one| !one.link.loopback).peekable();
        ways_out.peek()?;
        let is_cable = |one: &InterfaceInfo| {
            inventory.traits.get(&one.link.index).is_some_and(|traits| traits.made_as == "veth")
        };
        let is_marked = |path: &str| std::path::Path::new(path).exists();
        let marked = is_marked("/.dockerenv") || is_marked("/run/.containerenv");
        let in_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let v4 = ways_out.clone().find_map(|one| one.link.v4())?;
        let isolated = ways_out.all(is_cable) && !inventory.hardware;
        (isolated && (in_pod || is_engines(v4, marked))).then_some(v4)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// Whether an address is from a range of container engines: Docker's 172.16.0.0/12, or Podman's 10.88.0.0/15.
/// Others also use the latter, so it counts only for a machine that is marked as a container.
#[cfg(any(target_os = "linux", test))]
fn is_engines(ip: Ipv4Addr, marked: bool) -> bool {
    let [a, b, ..] = ip.octets();
    (a == 172 && (16..32).contains(&b)) || (marked && a == 10 && (88..90).contains(&b))
}

/// Checks that this program can share the mDNS port, for IPv4 and for IPv6. The library that browses does not
/// report if it cannot, usually because another program does not share the port.
pub(super) fn multicast_ports() -> (io::Result<()>, io::Result<()>) {
    (shared_socket(Domain::IPV4).map(drop), shared_socket(Domain::IPV6).map(drop))
}

/// A socket on the mDNS port, shared with other programs of this machine.
pub(super) fn shared_socket(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    let any: IpAddr = if domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
        socket.set_multicast_hops_v6(HOPS)?;
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        socket.set_multicast_ttl_v4(HOPS)?;
        Ipv4Addr::UNSPECIFIED.into()
    };
    socket.bind(&SocketAddr::from((any, MDNS_PORT)).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, addrs: &[&str]) -> Interface {
        let addrs = addrs.iter().map(|text| text.parse().unwrap()).collect();
        Interface { name: name.into(), index: 2, loopback: false, addrs }
    }

    fn attached(link: Interface, kind: InterfaceKind) -> InterfaceInfo {
        InterfaceInfo { link, nets: Vec::new(), kind }
    }

    #[test]
    fn others_reach_this_machine_at_its_wide_addresses() {
        let text = |all: &[InterfaceInfo]| {
            shared_addresses(&sorted_out(all.to_vec())).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let bridge = attached(link("docker0", &["172.17.0.1"]), InterfaceKind::Inner);
        let vpn = attached(link("zt0", &["10.147.17.1"]), InterfaceKind::Overlay);
        let lan = attached(link("eth0", &["fe80::1", "2001:db8::1", "10.0.0.1"]), InterfaceKind::Lan);
        assert_eq!(text(&[bridge.clone(), vpn, lan]), ["10.0.0.1", "10.147.17.1", "2001:db8::1"]);
        let lo = attached(Interface { loopback: true, ..link("lo", &["127.0.0.1"]) }, InterfaceKind::Lan);
        assert_eq!(text(&[lo, bridge]), ["172.17.0.1"], "inside a container it is all there is");
    }

    #[test]
    fn a_part_of_a_bridge_is_left_to_the_bridge() {
        let port = attached(link("lan1", &["fe80::1"]), InterfaceKind::Port);
        let bridge = attached(link("br-lan", &["10.0.0.1"]), InterfaceKind::Lan);
        assert_eq!(sorted_out(vec![port, bridge.clone()]), [bridge]);
    }

    #[test]
    fn container_engines_have_their_own_addresses() {
        for (ip, marked, engines) in [
            ("172.17.0.2", false, true),
            ("172.31.0.2", true, true),
            ("172.32.0.2", true, false),
            ("10.88.0.5", true, true),
            ("10.88.0.5", false, false),
            ("192.168.1.5", true, false),
        ] {
            assert_eq!(is_engines(ip.parse().unwrap(), marked), engines, "{ip}");
        }
    }

    #[test]
    fn a_link_asks_from_its_link_local_address() {
        assert_eq!(link("x", &["fd00::1", "fe80::1"]).v6(), Some("fe80::1".parse().unwrap()));
        assert_eq!(link("x", &["fd00::1"]).v6(), Some("fd00::1".parse().unwrap()));
        assert_eq!(link("x", &["10.0.0.1"]).v6(), None);
    }
}
