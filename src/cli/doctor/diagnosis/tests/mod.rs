//! Verdicts on findings that stand for networks.

mod cases;
mod places;

use super::super::check_line::CheckResult;
use super::super::checks::checks;
use super::super::findings::{
    AnnouncedServer, HostLookup, InterfaceReport, MulticastFinding, MulticastPaths, PageFinding,
};
use super::super::machine::{Firewall, Machine};
use super::*;
use crate::client::JoinRefusal;
use crate::discovery::{HeardBy, Subnet};
use std::net::SocketAddr;
use std::time::Duration;

const SERVER: &str = "10.78.0.1:7667";
const BOTH: HeardBy = HeardBy { browse: true, one_shot: true };

fn at(addr: &str) -> SocketAddr {
    addr.parse().unwrap()
}

fn subnet(link: &str, address: &str, prefix: u8) -> Subnet {
    Subnet { link: link.into(), index: 2, address: address.parse().unwrap(), prefix }
}

/// A client at 10.78.0.2/24 that has found nothing.
fn lan() -> Findings {
    let addrs = vec!["10.78.0.2".parse().unwrap(), "fe80::2".parse().unwrap()];
    Findings {
        links: vec![InterfaceReport { name: "lan0".into(), addrs, is_virtual: false }],
        subnets: vec![subnet("lan0", "10.78.0.2", 24), subnet("lan0", "fe80::2", 64)],
        ..Findings::default()
    }
}

fn with_address(address: &str, prefix: u8) -> Findings {
    let ip = address.parse().unwrap();
    Findings {
        links: vec![InterfaceReport { name: "lan0".into(), addrs: vec![ip], is_virtual: false }],
        subnets: vec![subnet("lan0", address, prefix)],
        ..Findings::default()
    }
}

fn announced(heard: HeardBy) -> Findings {
    let server =
        AnnouncedServer { title: "office (3f9a1c77)".into(), addrs: vec![at(SERVER)], heard, is_meant: true };
    Findings { servers: vec![server], ..lan() }
}

fn probe(source: ProbeSource, addr: &str, outcome: ProbeOutcome) -> Probe {
    let took = Duration::from_millis(if outcome == ProbeOutcome::Silent { 3500 } else { 1 });
    let (detour, is_there, is_swallowed) = (None, None, false);
    Probe {
        addr: at(addr),
        source,
        name: Some("office".into()),
        outcome,
        run: None,
        page: PageFinding::Unknown,
        took,
        detour,
        is_there,
        is_swallowed,
    }
}

fn answered() -> ProbeOutcome {
    ProbeOutcome::Answered { server: "office (3f9a1c77)".into(), key: Ok("new".into()), is_meant: true }
}

fn refused(refusal: JoinRefusal) -> ProbeOutcome {
    ProbeOutcome::Answered { server: "vm (0c8bbd84)".into(), key: Err(refusal), is_meant: true }
}

fn namesake() -> JoinRefusal {
    JoinRefusal::Namesake { line: "60771".into(), label: "vm-0c8bbd84".into() }
}

fn and(mut findings: Findings, probe: Probe) -> Findings {
    findings.probes.push(probe);
    findings
}

fn tested(out: bool, back: bool) -> Findings {
    let test = Some(MulticastFinding { addr: at(SERVER), result: Ok(MulticastPaths { out, back }) });
    and(Findings { test, ..lan() }, probe(ProbeSource::Scan, SERVER, answered()))
}

fn host(outcome: ProbeOutcome) -> Findings {
    let lookup = Lookup::Found(vec![at(SERVER).ip()]);
    let named = HostLookup { name: "10.78.0.1".into(), lookup };
    and(
        Findings { host: Some(named), ..lan() },
        Probe { name: None, ..probe(ProbeSource::Host, SERVER, outcome) },
    )
}

fn named(name: &str, lookup: Lookup) -> Findings {
    Findings { host: Some(HostLookup { name: name.into(), lookup }), ..lan() }
}

fn there(is_there: bool) -> Probe {
    Probe { is_there: Some(is_there), ..probe(ProbeSource::Announced, SERVER, ProbeOutcome::Silent) }
}

fn machine(machine: Machine) -> Findings {
    Findings { machine, ..lan() }
}

fn gateway(router: &str) -> Option<std::net::Ipv4Addr> {
    Some(router.parse().unwrap())
}

fn own(machine: Machine) -> Findings {
    let server = AnnouncedServer {
        title: "vm (00112233)".into(),
        addrs: vec![at("10.78.0.2:7667")],
        heard: BOTH,
        is_meant: true,
    };
    and(
        Findings { servers: vec![server], machine, ..lan() },
        probe(ProbeSource::Announced, "10.78.0.2:7667", answered()),
    )
}

fn nft(rule: &str) -> Machine {
    let rules = format!(
        "table inet f {{\nchain i {{\ntype filter hook input priority filter; policy drop;\nudp dport 5353 accept\n{rule}\n}}\n}}\n"
    );
    Machine { firewalls: vec![Firewall::Nft { rules, chain: Some("inet f i".into()) }], ..Machine::default() }
}

#[test]
fn a_flood_of_dead_announcements_does_not_hide_the_server_that_answers() {
    let mut findings = and(announced(BOTH), probe(ProbeSource::Announced, SERVER, answered()));
    for host in 0..64 {
        let addr = SocketAddr::from(([10, 78, 0, 100 + host], 7667));
        findings.servers.push(AnnouncedServer {
            title: format!("dead {host}"),
            addrs: vec![addr],
            heard: BOTH,
            is_meant: true,
        });
        findings.probes.push(Probe { addr, ..probe(ProbeSource::Announced, SERVER, ProbeOutcome::Silent) });
    }
    assert_eq!(Diagnosis::of(&findings).cause, Cause::Well);
    assert!(checks(&findings).len() < 30);
}

#[test]
fn what_was_remembered_of_another_network_is_no_fault_where_a_server_answers() {
    let old = probe(ProbeSource::Remembered, "10.99.0.1:7667", ProbeOutcome::Silent);
    let state = |findings: &Findings| {
        checks(findings).into_iter().find(|check| check.subject.starts_with("10.99.0.1")).unwrap().state
    };
    assert_eq!(state(&and(lan(), old.clone())), CheckResult::Failed);
    let found = and(announced(BOTH), probe(ProbeSource::Announced, SERVER, answered()));
    assert_eq!(state(&and(found, old)), CheckResult::Note);
}

#[test]
fn two_hundred_virtual_interfaces_are_a_count() {
    let mut findings = lan();
    findings.links.extend((0..200).map(|n| InterfaceReport {
        name: format!("veth{n}"),
        addrs: vec![],
        is_virtual: true,
    }));
    let lines: Vec<String> = checks(&findings).iter().map(ToString::to_string).collect();
    let interfaces = lines.iter().find(|line| line.contains("network interfaces")).unwrap();
    assert!(interfaces.contains("lan0") && interfaces.contains("and 200 of containers"), "{interfaces}");
    assert!(interfaces.len() < 200, "{interfaces}");
}

#[test]
fn causes_have_names_of_their_own_and_statuses_their_meaning() {
    let names: std::collections::BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    assert_eq!(names.len(), Cause::ALL.len());
    for (class, status) in [
        (Class::Well, 0),
        (Class::Here, 1),
        (Class::Nobody, 3),
        (Class::Unreachable, 4),
        (Class::Refused, 5),
        (Class::Foreign, 6),
    ] {
        assert_eq!(class.exit().code(), status);
    }
}

/// Checks the cause of a case, and words of its line and of a line to paste.
fn holds(case: &str, findings: &Findings, cause: Cause, words: &str, paste: &str) {
    let verdict = Diagnosis::of(findings);
    assert_eq!(verdict.cause, cause, "{case}: {verdict}");
    assert!(verdict.line.contains(words), "{case}: {words}:\n{verdict}");
    let pasted = verdict.remedies.iter().any(|remedy| remedy.line.contains(paste));
    // The lines of these cases are for Linux; `remedy` tests those for Windows.
    assert!(pasted || paste.is_empty() || cfg!(not(target_os = "linux")), "{case}: {paste}:\n{verdict}");
    assert!(!verdict.line.contains('\n') && !verdict.line.contains("  "), "{case}: {verdict}");
    assert!(verdict.remedies.iter().all(|remedy| !remedy.line.contains('\n')), "{case}: {verdict}");
}
