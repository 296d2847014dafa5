//! What an interface is good for, judged by what it is and not by its name. Pure.
//!
//! In doubt it is a LAN: a server that is announced where nobody looks harms nobody, and one that is not
//! announced where people are is not found.

/// What an interface is good for, the most useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InterfaceKind {
    /// Other machines are on it: hardware, a VLAN, a bridge with such a port, a container's own cable.
    Lan,
    /// Other machines are on it by way of others: the taps of ZeroTier, tinc or OpenVPN, and VXLAN. They
    /// carry multicast, and people have them for being on one LAN.
    Overlay,
    /// Leads to this machine's own containers and virtual machines, or nowhere.
    Inner,
    /// Is a part of a bridge or of a bond, which stands for it.
    Port,
}

/// What is known of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Its name.
    pub(super) name: String,
    /// What made it, as the kernel calls it: `bridge`, `veth`, `tun`, `vlan`; empty for hardware.
    pub(super) made_as: String,
    /// Whether it is a part of a bridge, a bond or a switch.
    pub(super) is_port: bool,
    /// Of a `veth`: whether its other end is on this machine too, in no namespace of its own.
    pub(super) ends_here: bool,
    /// Whether nobody is asked for addresses on it, as with `dummy`.
    pub(super) no_arp: bool,
    /// Of a bridge: the names of its ports, and as what they were made.
    pub(super) ports: Vec<(String, String)>,
    /// Whether it has an address in a network that others may be in: not one that is alone in its
    /// network, and not a link-local one.
    pub(super) has_network: bool,
}

/// Judges one interface. `hardware` says whether this machine has an interface made of hardware: where
/// it has none, as in a container, the cables to elsewhere are what it has.
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
        // An overlay of an orchestrator, whose hosts have addresses that are alone in their network.
        "vxlan" | "geneve" | "gretap" | "ip6gretap" | "dummy" | "ifb" => InterfaceKind::Inner,
        _ if traits.no_arp && !traits.has_network => InterfaceKind::Inner,
        _ => inner(is_hypervisors(&traits.name)),
    }
}

/// A bridge of nothing but these, or of nothing at all, is one of a container engine or a hypervisor.
/// Here names decide: a cable into a container and one into a switch are made alike.
fn is_engines_port(name: &str, made_as: &str) -> bool {
    match made_as {
        "veth" => is_engines_cable(name),
        // The tap of a virtual machine; that of a VPN is called otherwise.
        "tun" => ["vnet", "tap", "fwpr"].iter().any(|prefix| name.starts_with(prefix)),
        "dummy" => true,
        _ => false,
    }
}

/// What container engines call the cables into their containers.
fn is_engines_cable(name: &str) -> bool {
    ["veth", "cali", "lxc"].iter().any(|prefix| name.starts_with(prefix))
}

/// Interfaces of hypervisors that bear no other mark.
fn is_hypervisors(name: &str) -> bool {
    ["vmnet", "vboxnet"].iter().any(|prefix| name.starts_with(prefix))
}

/// The judgement where nothing but the name can be learnt: on macOS and Windows.
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
