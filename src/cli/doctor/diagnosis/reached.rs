//! A server on another machine answers. Did mDNS find it, and if not, why not?

use super::super::findings::{AnnouncedServer, Findings, MulticastPaths, Probe, ProbeSource};
use super::super::lists::listed;
use super::super::machine::Proto;
use super::super::remedy::{self, AllowRule, Remedy};
use super::{Cause, Diagnosis, joinable};
use crate::client::Untested;
use crate::limits::MDNS_PORT;

pub(super) fn judge(findings: &Findings) -> Option<Diagnosis> {
    let elsewhere = || joinable(findings).filter(|(probe, _)| !findings.is_own(probe.addr.ip()));
    if findings.host.is_some() {
        return elsewhere().next().map(|(probe, server)| well(probe, server));
    }
    let announced = elsewhere().filter_map(|(probe, name)| Some((probe, name, heard(findings, probe)?)));
    // A server that was heard in both ways comes first.
    let announced = announced.min_by_key(|(_, _, server)| !(server.heard.browse && server.heard.one_shot));
    if let Some((probe, name, server)) = announced {
        let is_half = server.heard.browse && !server.heard.one_shot;
        // It may have been heard only because it had just started.
        let is_lost = !findings.unsent.is_empty()
            || matches!(tested(findings, name), Some(Ok(MulticastPaths { out: false, .. })));
        return Some(match (is_half, is_lost) {
            (false, _) => several(findings).unwrap_or_else(|| well(probe, name)),
            (true, true) => unheard(findings, probe, name),
            (true, false) => no_unicast(findings, probe, name),
        });
    }
    let first = elsewhere().min_by_key(|(probe, name)| (tested(findings, name).is_none(), probe.source));
    first.map(|(probe, name)| unheard(findings, probe, name))
}

/// The result of the multicast test with that server, at any of its addresses.
fn tested<'a>(findings: &'a Findings, name: &str) -> Option<&'a Result<MulticastPaths, Untested>> {
    let test = findings.test.as_ref()?;
    joinable(findings)
        .any(|(probe, server)| server == name && probe.addr == test.addr)
        .then_some(&test.result)
}

/// Finds what mDNS showed of the server at that address.
fn heard<'a>(findings: &'a Findings, probe: &Probe) -> Option<&'a AnnouncedServer> {
    let here = |server: &&AnnouncedServer| {
        server.addrs.contains(&probe.addr) && (server.heard.browse || server.heard.one_shot)
    };
    findings.servers.iter().find(here)
}

fn well(probe: &Probe, name: &str) -> Diagnosis {
    Diagnosis::new(Cause::Well, format!("all is well: {name} answers at {}", probe.addr), Vec::new())
}

/// Reports that several servers answer, if they do.
fn several(findings: &Findings) -> Option<Diagnosis> {
    let mut names: Vec<&str> = joinable(findings).map(|(_, name)| name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return None;
    }
    let line = format!(
        "all is well: {} servers answer ({}); `lanchat` joins the one that you used last, or asks you",
        names.len(),
        listed(&names)
    );
    let remedy = Remedy::new("here, to pick one", "lanchat --server NAME");
    Some(Diagnosis::new(Cause::Well, line, vec![remedy]))
}

fn no_unicast(findings: &Findings, probe: &Probe, name: &str) -> Diagnosis {
    let line = format!(
        "all is well: {name} answers at {}; but this machine's firewall drops unicast answers, so finding it takes up \
         to a second longer",
        probe.addr
    );
    Diagnosis::new(Cause::NoUnicast, line, remedy::open_here(&findings.machine, AllowRule::FromMdns))
}

/// The server was found by other means than mDNS.
fn unheard(findings: &Findings, probe: &Probe, name: &str) -> Diagnosis {
    let at = probe.addr;
    let how = how_found(probe.source);
    let start = format!("{name} answers at {at} (found {how}), but mDNS does not find it");
    let mut remedies = match probe.source {
        // `lanchat` finds it on its own.
        ProbeSource::Remembered | ProbeSource::WellKnown => Vec::new(),
        _ => vec![remedy::by_address(at)],
    };
    if probe.source == ProbeSource::Gateway && findings.looks_contained() {
        return routed(findings, probe, name, remedies);
    }
    let place = format!("on {}", at.ip());
    let mdns = AllowRule::To(Proto::Udp, MDNS_PORT);
    if let Some((link, why)) = findings.unsent.first() {
        let line =
            format!("{start}: this machine's own firewall or VPN blocks mDNS queries on {link} ({why})");
        remedies.extend(remedy::outgoing_rules());
        return Diagnosis::new(Cause::QuestionsForbidden, line, remedies);
    }
    let (cause, why) = match tested(findings, name) {
        Some(Ok(MulticastPaths { out: false, back: true })) => {
            remedies.extend(remedy::open_there(&place, mdns));
            let why = "the server does not hear this machine: a firewall on its machine or a switch drops UDP port 5353";
            (Cause::QuestionsLost, why.to_owned())
        }
        Some(Ok(MulticastPaths { out: true, back: false })) => {
            remedies.extend(remedy::open_here(&findings.machine, mdns));
            let why = "it hears this machine, but this machine's firewall drops packets to UDP port 5353";
            (Cause::AnswersLost, why.to_owned())
        }
        Some(Ok(MulticastPaths { out: false, back: false })) => {
            remedies.extend(remedy::open_here(&findings.machine, mdns));
            remedies.extend(remedy::open_there(&place, mdns));
            let why = "multicast gets lost in both directions: the access point or switch between the machines does \
                       not forward it, or both firewalls drop UDP port 5353";
            (Cause::MulticastLost, why.to_owned())
        }
        Some(Ok(MulticastPaths { out: true, back: true })) => {
            remedies.push(Remedy::new(place, "lanchat doctor"));
            let why = "multicast arrives in both directions, so the server announces nothing: another program holds \
                       UDP port 5353 on its machine, or it cannot announce on this network";
            (Cause::NotAnnounced, why.to_owned())
        }
        _ if findings.subnet_of(at.ip()).is_none() => return routed(findings, probe, name, remedies),
        Some(Err(Untested::Unused(_))) => {
            let why = "it announces nothing, because it was started with --no-discovery";
            (Cause::NotAnnounced, why.to_owned())
        }
        _ => {
            remedies.extend(remedy::open_there(&place, mdns));
            let why =
                "one machine's firewall drops UDP port 5353, or the access point does not forward multicast";
            (Cause::Unheard, why.to_owned())
        }
    };
    Diagnosis::new(cause, format!("{start}: {why}"), remedies)
}

fn how_found(source: ProbeSource) -> &'static str {
    match source {
        ProbeSource::Remembered => "where it was last time",
        ProbeSource::WellKnown => "by the host name lanchat",
        ProbeSource::Scan => "by a scan of this network",
        ProbeSource::Gateway => "at the default router",
        ProbeSource::Neighbour => "at the address of a machine that speaks mDNS",
        ProbeSource::Announced => "because it announced itself a moment ago",
        ProbeSource::Host | ProbeSource::Own => "by its address",
    }
}

fn routed(findings: &Findings, probe: &Probe, name: &str, mut remedies: Vec<Remedy>) -> Diagnosis {
    let at = probe.addr;
    let kind = findings.machine.container.unwrap_or("container");
    let container = findings.looks_contained().then_some(kind);
    let why = match (container, findings.machine.is_wsl) {
        (Some(kind), _) => format!("this is a {kind}, which has a network of its own"),
        (None, true) => "this is WSL, which has a network of its own".into(),
        (None, false) => "it is on another network or VLAN, and routers do not forward multicast".into(),
    };
    if probe.source != ProbeSource::WellKnown && container.is_none() && !findings.machine.is_wsl {
        let set = "on the router, in /etc/avahi/avahi-daemon.conf, section [reflector]";
        remedies.push(Remedy::new(set, "enable-reflector=yes"));
        remedies
            .push(Remedy::new("or, in the network's DNS, this record", format!("lanchat  A  {}", at.ip())));
    }
    let line = format!("{name} answers at {at}, but mDNS does not find it: {why}");
    Diagnosis::new(Cause::Routed, line, remedies)
}
