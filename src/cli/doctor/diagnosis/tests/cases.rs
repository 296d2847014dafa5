//! Table 2 of the networks in which doctor was tried, a row a case: what is between two machines.

use super::*;

#[test]
fn each_way_of_not_being_reached_is_told_apart_with_its_remedy() {
    let unsent = vec![("lan0".to_owned(), "Operation not permitted".to_owned())];
    let multicast_only = HeardBy { browse: true, one_shot: false };
    let vpn = |by| Probe { detour: Some("tun0".into()), ..probe(by, SERVER, ProbeOutcome::Silent) };
    let bridges =
        (0..200).map(|n| InterfaceReport { name: format!("veth{n}"), addrs: vec![], is_virtual: true });
    let slow = Probe {
        took: Duration::from_millis(3060),
        is_there: Some(false),
        ..probe(ProbeSource::Host, SERVER, ProbeOutcome::Unreachable)
    };
    let mut far = host(ProbeOutcome::Silent);
    far.probes[0].addr = at("10.79.1.1:7667");
    let mut slow_host = host(ProbeOutcome::Silent);
    slow_host.probes = vec![slow];
    let walled = |outcome| {
        let rules = "table inet f {\nchain o {\ntype filter hook output priority filter; policy accept;\n\
                     tcp dport 7667 reject\n}\n}\n";
        let wall = Firewall::Nft { rules: rules.into(), chain: None };
        let machine = Machine { firewalls: vec![wall], ..Machine::default() };
        and(Findings { machine, ..announced(BOTH) }, probe(ProbeSource::Announced, SERVER, outcome))
    };
    for (case, findings, cause, words, paste) in [
        (
            "nothing wrong",
            and(announced(BOTH), probe(ProbeSource::Announced, SERVER, answered())),
            Cause::Well,
            "all is well",
            "",
        ),
        (
            "k1 queries lost",
            tested(false, true),
            Cause::QuestionsLost,
            "does not hear this machine",
            "sudo ufw allow 5353/udp",
        ),
        (
            "k1, known, older server",
            and(lan(), probe(ProbeSource::Remembered, SERVER, answered())),
            Cause::Unheard,
            "found where it was last time",
            "sudo ufw allow 5353/udp",
        ),
        (
            "k2 TCP dropped",
            and(announced(BOTH), there(true)),
            Cause::Dropped,
            "a firewall on that machine",
            "sudo ufw allow 7667/tcp",
        ),
        (
            "k2 firewalld",
            and(announced(BOTH), there(true)),
            Cause::Dropped,
            "office (3f9a1c77)",
            "sudo firewall-cmd --permanent --add-port=7667/tcp && sudo firewall-cmd --reload",
        ),
        (
            "k2b reset",
            and(announced(BOTH), probe(ProbeSource::Announced, SERVER, ProbeOutcome::Refused)),
            Cause::Refused,
            "either a firewall there rejects TCP port 7667, or the server stopped a moment ago",
            "lanchat doctor",
        ),
        (
            "k2c admin-prohibited",
            and(announced(BOTH), probe(ProbeSource::Announced, SERVER, ProbeOutcome::Rejected)),
            Cause::Rejected,
            "a firewall rejects connections",
            "sudo firewall-cmd --permanent",
        ),
        (
            "k3 both dropped",
            Findings { scanned: true, machines: Some(2), ..lan() },
            Cause::NobodyHeard,
            "2 other machines answer on the link",
            "sudo ufw allow 5353/udp",
        ),
        (
            "k3, known",
            and(lan(), Probe { source: ProbeSource::Remembered, ..there(true) }),
            Cause::Walled,
            "where office was last time",
            "sudo ufw allow 7667/tcp",
        ),
        (
            "k4 answers lost",
            tested(true, false),
            Cause::AnswersLost,
            "it hears this machine",
            "sudo ufw allow 5353/udp",
        ),
        (
            "multicast filtered",
            tested(false, false),
            Cause::MulticastLost,
            "in both directions",
            "sudo ufw allow 5353/udp",
        ),
        ("not announced", tested(true, true), Cause::NotAnnounced, "announces nothing", "lanchat doctor"),
        (
            "k1, just started",
            {
                let servers = announced(multicast_only).servers;
                let mut findings = Findings { servers, ..tested(false, true) };
                findings.probes[0].source = ProbeSource::Announced;
                findings
            },
            Cause::QuestionsLost,
            "because it announced itself a moment ago",
            "sudo ufw allow 5353/udp",
        ),
        (
            "k5 ufw's defaults",
            and(announced(multicast_only), probe(ProbeSource::Announced, SERVER, answered())),
            Cause::NoUnicast,
            "all is well",
            "sudo ufw allow proto udp from any port 5353",
        ),
        (
            "k6 own output",
            Findings { unsent: unsent.clone(), ..lan() },
            Cause::SendingForbidden,
            "kill switch",
            "sudo nft list ruleset",
        ),
        (
            "k6, known server",
            and(Findings { unsent, ..lan() }, probe(ProbeSource::Remembered, SERVER, answered())),
            Cause::QuestionsForbidden,
            "Operation not permitted",
            "sudo nft list ruleset",
        ),
        (
            "k7 own output of TCP",
            and(
                announced(BOTH),
                Probe { is_swallowed: true, ..probe(ProbeSource::Announced, SERVER, ProbeOutcome::Silent) },
            ),
            Cause::SendingForbidden,
            "this machine drops its own connections",
            "sudo nft list ruleset",
        ),
        (
            "k7 as its rules say",
            walled(ProbeOutcome::Silent),
            Cause::SendingForbidden,
            "this machine",
            "sudo nft list ruleset",
        ),
        (
            "k7 rejected",
            walled(ProbeOutcome::Refused),
            Cause::SendingForbidden,
            "this machine",
            "sudo nft list ruleset",
        ),
        (
            "k7 not permitted",
            and(announced(BOTH), probe(ProbeSource::Announced, SERVER, ProbeOutcome::Forbidden)),
            Cause::SendingForbidden,
            "this machine does not permit",
            "sudo nft list ruleset",
        ),
        (
            "k8 isolation",
            Findings { scanned: true, machines: Some(0), ..lan() },
            Cause::Alone,
            "AP isolation",
            "lanchat doctor",
        ),
        (
            "k8, known",
            and(lan(), Probe { source: ProbeSource::Remembered, ..there(false) }),
            Cause::Missing,
            "no machine has the address 10.78.0.1 now",
            "ip -brief address",
        ),
        (
            "k8 --host",
            slow_host,
            Cause::NotThere,
            "the access point isolates its clients",
            "ip -brief address",
        ),
        (
            "k9 stopped, known",
            and(lan(), probe(ProbeSource::Remembered, SERVER, ProbeOutcome::Refused)),
            Cause::Stopped,
            "where office was last time",
            "lanchat serve",
        ),
        (
            "k9 --host",
            host(ProbeOutcome::Refused),
            Cause::Refused,
            "no server runs on that port",
            "lanchat serve",
        ),
        (
            "k10 hung",
            host(ProbeOutcome::Hung),
            Cause::Hung,
            "the server hangs",
            "sudo systemctl restart lanchat",
        ),
        (
            "k10, found by its machine",
            and(lan(), probe(ProbeSource::Neighbour, SERVER, ProbeOutcome::Hung)),
            Cause::Hung,
            "does not answer",
            "",
        ),
        (
            "VPN",
            and(announced(BOTH), vpn(ProbeSource::Announced)),
            Cause::Vpn,
            "through tun0: a VPN takes",
            "ip route get 10.78.0.1",
        ),
        (
            "VPN, nothing heard",
            and(lan(), vpn(ProbeSource::Remembered)),
            Cause::Vpn,
            "through tun0",
            "ip route get 10.78.0.1",
        ),
        (
            "no DHCP",
            with_address("169.254.7.7", 16),
            Cause::NoAddress,
            "no address from DHCP",
            "dhclient lan0",
        ),
        (
            "fe80 only",
            with_address("fe80::7", 64),
            Cause::NoAddress,
            "only one that it gave itself (fe80::7)",
            "dhclient lan0",
        ),
        (
            "fe80 only, server heard",
            {
                let servers = announced(BOTH).servers;
                and(
                    Findings { servers, ..with_address("fe80::7", 64) },
                    probe(ProbeSource::Announced, SERVER, ProbeOutcome::NoRoute),
                )
            },
            Cause::NoAddress,
            "is announced, but cannot be reached",
            "dhclient lan0",
        ),
        (
            "other subnet",
            {
                let servers = announced(BOTH).servers;
                and(
                    Findings { servers, ..with_address("192.168.9.9", 24) },
                    probe(ProbeSource::Announced, SERVER, ProbeOutcome::NoRoute),
                )
            },
            Cause::NoRoute,
            "192.168.9.9/24 on lan0",
            "dhclient lan0",
        ),
        (
            "only bridges",
            Findings { links: bridges.collect(), ..Findings::default() },
            Cause::NoNetwork,
            "200 interfaces",
            "",
        ),
        ("nothing up", Findings::default(), Cause::NoNetwork, "has no network", ""),
        (
            "VLAN, DNS",
            and(lan(), probe(ProbeSource::WellKnown, "10.79.1.1:7667", answered())),
            Cause::Routed,
            "another network or VLAN",
            "",
        ),
        (
            "VLAN, remembered",
            and(lan(), probe(ProbeSource::Remembered, "10.79.1.1:7667", answered())),
            Cause::Routed,
            "routers do not forward multicast",
            "enable-reflector=yes",
        ),
        ("far host", far, Cause::FarAndSilent, "on another network", "sudo ufw allow 7667/tcp"),
    ] {
        holds(case, &findings, cause, words, paste);
    }
}
