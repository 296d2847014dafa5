//! Classifies interfaces by what the kernel reports rather than by name. Pure.
//!
//! If in doubt, an interface counts as a LAN: announcing a server where no one looks is harmless, but clients
//! cannot find a server that is not announced on their network.

/// The kinds of interfaces, the most useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InterfaceKind {
    /// Leads to other machines: hardware, a VLAN, a bridge with such a port, a container's own veth.
    Lan,
    /// Leads to other machines through another network: the taps of ZeroTier, tinc or OpenVPN, and VXLAN.
    /// These carry multicast, and people use them as a LAN.
    Overlay,
    /// Leads to this machine's own containers and virtual machines, or nowhere.
    Inner,
    /// Part of a bridge or a bond, which counts instead.
    Port,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) name: String,
    /// The kernel's type, such as `bridge`, `veth`, `tun`, `vlan`; empty for hardware.
    pub(super) made_as: String,
    /// Whether it is part of a bridge, a bond or a switch.
    pub(super) is_port: bool,
    /// For a `veth`: whether its other end is in the same namespace.
    pub(super) ends_here: bool,
    /// Whether it does not use ARP, such as `dummy`.
    pub(super) no_arp: bool,
    /// For a bridge: the names and types of its ports.
    pub(super) ports: Vec<(String, String)>,
    /// Whether it has an address in a network that other machines may be in, besides link-local ones.
    pub(super) has_network: bool,
}

/// Classifies an interface. `hardware` says whether this machine has a hardware interface: a container has
/// none, so its veth leads to other machines.
pub(super) fn judge(traits: &Traits, hardware: bool) -> InterfaceKind {
    if traits.is_port {
        return InterfaceKind::Port;
    }
    let inner = |is_inner: bool| if is_inner { InterfaceKind::Inner } else { InterfaceKind::Lan };
    match traits.made_as.as_str() {
        "bridge" => inner(traits.ports.iter().all(|(name, made_as)| is_engines_port(name, made_as))),
        "veth" => {
            inner(traits.ends_here || is_engines_cable(&traits.name) || (hardware && !traits.has_network))
        }
        "tun" => InterfaceKind::Overlay,
        "vxlan" | "geneve" | "gretap" | "ip6gretap" if traits.has_network => InterfaceKind::Overlay,
        // An orchestrator's overlay, whose hosts have networks of one address.
        "vxlan" | "geneve" | "gretap" | "ip6gretap" | "dummy" | "ifb" => InterfaceKind::Inner,
        _ if traits.no_arp && !traits.has_network => InterfaceKind::Inner,
        _ => inner(is_hypervisors(&traits.name)),
    }
}

/// Whether a bridge's port belongs to a container engine or a hypervisor. A bridge with only such ports, or
/// none, does, too. Names decide here: a veth into a container and one into a switch have the same type.
fn is_engines_port(name: &str, made_as: &str) -> bool {
    match made_as {
        "veth" => is_engines_cable(name),
        // The tap of a virtual machine; VPNs use other names.
        "tun" => ["vnet", "tap", "fwpr"].iter().any(|prefix| name.starts_with(prefix)),
        "dummy" => true,
        _ => false,
    }
}

/// Whether container engines use such a name for a container's veth.
fn is_engines_cable(name: &str) -> bool {
    ["veth", "cali", "lxc"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether hypervisors use such a name; the kernel reports nothing else about these interfaces.
fn is_hypervisors(name: &str) -> bool {
    ["vmnet", "vboxnet"].iter().any(|prefix| name.starts_with(prefix))
}

/// Classifies an interface by its name, on systems that report nothing else: macOS and Windows.
pub(super) fn judge_name(name: &str) -> InterfaceKind {
    const INNER: [&str; 10] = [
        "docker",
        "veth",
        "virbr",
        "vmnet",
        "vboxnet",
        "vmenet",
        "vEthernet (WSL",
        "vEthernet (Default Switch)",
        "VMware Network Adapter",
        "VirtualBox Host-Only",
    ];
    if INNER.iter().any(|prefix| name.starts_with(prefix)) {
        InterfaceKind::Inner
    } else {
        InterfaceKind::Lan
    }
}

#[cfg(test)]
mod tests {
    use super::InterfaceKind::{Inner, Lan, Overlay, Port};
    use super::*;

    fn made(name: &str, made_as: &str) -> Traits {
        Traits { name: name.into(), made_as: made_as.into(), has_network: true, ..Traits::default() }
    }

    fn bridge(name: &str, ports: &[(&str, &str)]) -> Traits {
        let ports = ports.iter().map(|(name, made_as)| (name.to_string(), made_as.to_string()));
        Traits { ports: ports.collect(), ..made(name, "bridge") }
    }

    #[test]
    fn a_bridge_is_what_its_ports_are() {
        for (name, ports, kind) in [
            ("br-lan", &[("lan1", ""), ("wlan0", "")][..], Lan),
            ("br-lan", &[("lan1", "veth")], Lan),
            ("br-lan", &[("eth0.10", "vlan")], Lan),
            ("vmbr0", &[("enp3s0", ""), ("tap100i0", "tun"), ("veth101i0", "veth")], Lan),
            ("br0", &[("bond0", "bond")], Lan),
            ("br0", &[("bat0", "batadv")], Lan),
            ("br0", &[("vpn_office", "tun")], Lan),
            ("docker0", &[], Inner),
            ("docker0", &[("veth12ab34c", "veth")], Inner),
            ("br-4f5e6a7b8c9d", &[("veth1", "veth"), ("veth2", "veth")], Inner),
            ("virbr0", &[("vnet0", "tun"), ("virbr0-nic", "dummy")], Inner),
            ("lxdbr0", &[("veth1", "veth"), ("tap1", "tun")], Inner),
        ] {
            assert_eq!(judge(&bridge(name, ports), true), kind, "{name} {ports:?}");
            assert_eq!(judge(&bridge(name, ports), false), kind, "{name} {ports:?} in a container");
        }
    }

    #[test]
    fn a_cable_is_a_lan_where_it_leads_out() {
        let end = |name: &str| made(name, "veth");
        let bare = |name: &str| Traits { has_network: false, ..end(name) };
        for (traits, hardware, kind) in [
            (end("eth0"), false, Lan),
            (bare("eth0"), false, Lan),
            (end("lan0"), true, Lan),
            (bare("to-container"), true, Inner),
            (end("veth12ab"), false, Inner),
            (bare("cali1234"), true, Inner),
            (Traits { ends_here: true, ..end("a") }, false, Inner),
            (Traits { is_port: true, ..end("lan1") }, false, Port),
        ] {
            assert_eq!(judge(&traits, hardware), kind, "{traits:?}");
        }
    }

    #[test]
    fn the_others_are_what_people_have_them_for() {
        for (name, made_as, kind) in [
            ("eth0", "", Lan),
            ("br-lan", "", Lan),
            ("docker", "", Lan),
            ("wlan0", "", Lan),
            ("eth0.7", "vlan", Lan),
            ("bond0", "bond", Lan),
            ("eth0", "macvlan", Lan),
            ("ztbpaexample", "tun", Overlay),
            ("tap0", "tun", Overlay),
            ("vxlan7", "vxlan", Overlay),
            ("dummy0", "dummy", Inner),
            ("vmnet8", "", Inner),
            ("vboxnet0", "", Inner),
        ] {
            assert_eq!(judge(&made(name, made_as), true), kind, "{name}");
        }
        let alone = Traits { has_network: false, ..made("flannel.1", "vxlan") };
        assert_eq!(judge(&alone, true), Inner);
        let slave = Traits { is_port: true, ..made("eth1", "") };
        assert_eq!(judge(&slave, true), Port);
    }

    #[test]
    fn where_only_the_name_is_known_few_names_are_suspicious() {
        for name in ["docker0", "vmnet8", "vEthernet (WSL (Hyper-V firewall))"] {
            assert_eq!(judge_name(name), Inner, "{name}");
        }
        for name in ["en0", "bridge0", "br-lan", "feth1234", "vEthernet (External)", "Ethernet 2"] {
            assert_eq!(judge_name(name), Lan, "{name}");
        }
    }
}
