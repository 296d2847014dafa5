//! Diagnoses why no server was found.

use super::super::findings::{Findings, Probe, ProbeOutcome, ProbeSource};
use super::super::lists::{listed, other_machines_answer};
use super::super::machine::Proto;
use super::super::remedy::{self, AllowRule, PORT_OWNER, Remedy};
use super::{Cause, Diagnosis, unreached};
use crate::limits::MDNS_PORT;
use crate::text::safe_line;

pub(super) fn judge(findings: &Findings) -> Diagnosis {
    let machine = &findings.machine;
    let real = findings.links.iter().filter(|link| !link.is_virtual).count();
    if real == 0 && !findings.looks_contained() {
        return no_network(findings);
    }
    if findings.has_only_self_assigned() {
        return unreached::no_address(findings, None);
    }
    if let Some((link, why)) = findings.unsent.first() {
        return sending_forbidden(link, why);
    }
    if let Some(why) = &findings.port {
        return port_taken(findings, why);
    }
    if let Some(probe) = findings.probes.iter().find(|probe| is_stopped(probe)) {
        return stopped(probe);
    }
    if findings.looks_contained() {
        return contained(findings, machine.container.unwrap_or("container"));
    }
    if machine.is_wsl {
        return wsl(findings);
    }
    if let Some(probe) = findings.probes.iter().find(|probe| probe.detour.is_some()) {
        return unreached::vpn(probe, "no server found; ");
    }
    if findings.others > 0 {
        return no_server(findings);
    }
    if let Some(diagnosis) = findings.probes.iter().find_map(last_place) {
        return diagnosis;
    }
    if let Some(why) = findings.failures.first() {
        let line = format!(
            "this machine cannot do multicast ({}): use the server's address instead",
            safe_line(why)
        );
        return Diagnosis::new(Cause::NoMulticast, line, vec![Remedy::new("here", "lanchat --host HOST")]);
    }
    nobody(findings)
}

/// Whether a known server's machine says that nothing listens there.
fn is_stopped(probe: &Probe) -> bool {
    matches!(probe.source, ProbeSource::Remembered | ProbeSource::WellKnown)
        && probe.outcome == ProbeOutcome::Refused
}

fn stopped(probe: &Probe) -> Diagnosis {
    let name = probe.name.clone().unwrap_or_else(|| "a server".into());
    let line = format!(
        "no server found; the machine at {}, where {name} was last time, is on but refuses connections: its server \
         has stopped, or now uses another port",
        probe.addr
    );
    let remedies = vec![
        Remedy::new(format!("on {}", probe.addr.ip()), "lanchat serve"),
        Remedy::new("there, if the server is a system service", "sudo systemctl start lanchat"),
    ];
    Diagnosis::new(Cause::Stopped, line, remedies)
}

/// Diagnoses the address at which a server was last time.
fn last_place(probe: &Probe) -> Option<Diagnosis> {
    let is_silent =
        matches!(probe.outcome, ProbeOutcome::Silent | ProbeOutcome::Unreachable | ProbeOutcome::Rejected);
    let (ProbeSource::Remembered, Some(is_there), true) = (probe.source, probe.is_there, is_silent) else {
        return None;
    };
    let (name, at, port) = (probe.name.as_deref().unwrap_or("a server"), probe.addr, probe.addr.port());
    let place = format!("on {}", at.ip());
    Some(if is_there {
        let mut remedies = remedy::open_there(&place, AllowRule::To(Proto::Tcp, port));
        remedies.extend(remedy::open_there(&place, AllowRule::To(Proto::Udp, MDNS_PORT)));
        let line = format!(
            "no server found; the machine at {at}, where {name} was last time, is on but drops packets: its \
             firewall blocks UDP port 5353 and TCP port {port}, or another machine has that address now"
        );
        Diagnosis::new(Cause::Walled, line, remedies)
    } else {
        let line = format!(
            "no server found; no machine has the address {} now, where {name} was last time: its machine is off or \
             has another address, or the access point isolates its clients (guest Wi-Fi, \"AP isolation\")",
            at.ip()
        );
        Diagnosis::new(
            Cause::Missing,
            line,
            vec![Remedy::new("on the server, to see its address", "ip -brief address")],
        )
    })
}

fn no_network(findings: &Findings) -> Diagnosis {
    let line = match findings.links.len() {
        0 => "this machine has no network: connect it to the Wi-Fi or cable that the server is on".to_owned(),
        count => format!(
            "this machine has only the networks of containers and virtual machines ({count} interfaces): connect it \
             to the Wi-Fi or cable that the server is on"
        ),
    };
    let remedies = if cfg!(windows) {
        Vec::new()
    } else {
        vec![Remedy::new("here, to see the interfaces", "ip -brief link")]
    };
    Diagnosis::new(Cause::NoNetwork, line, remedies)
}

fn sending_forbidden(link: &str, why: &str) -> Diagnosis {
    let line = format!(
        "this machine blocks its own mDNS queries on {link} ({why}): its firewall, or a VPN's kill switch, forbids \
         sending to UDP port 5353; allow the local network there"
    );
    Diagnosis::new(Cause::SendingForbidden, line, remedy::outgoing_rules())
}

fn port_taken(findings: &Findings, why: &str) -> Diagnosis {
    let holder = findings.machine.port_holder.as_deref().unwrap_or("another program");
    let mut remedies = vec![Remedy::new("here, to see which program", PORT_OWNER)];
    if holder.contains("avahi") {
        let set =
            "in /etc/avahi/avahi-daemon.conf, section [server]; then sudo systemctl restart avahi-daemon";
        remedies.push(Remedy::new(set, "disallow-other-stacks=no"));
    }
    remedies.push(Remedy::new("or here", "lanchat --host HOST"));
    let line = format!(
        "{} does not share UDP port 5353 ({why}): stop it, or make it share the port",
        safe_line(holder)
    );
    Diagnosis::new(Cause::PortTaken, line, remedies)
}

fn contained(findings: &Findings, kind: &str) -> Diagnosis {
    let line = format!(
        "no server found; this is a {kind} with a network of its own, which multicast does not reach: give it the \
         host's network, or name the server"
    );
    let mut remedies = vec![Remedy::new("where you start it", "docker run --network host ...")];
    if let Some(router) = findings.machine.gateway {
        remedies.push(Remedy::new(
            "here, for a server on the container's host",
            format!("lanchat --host {router}"),
        ));
    }
    remedies.push(Remedy::new("here, for another", "lanchat --host HOST"));
    Diagnosis::new(Cause::Container, line, remedies)
}

fn wsl(findings: &Findings) -> Diagnosis {
    let line = "no server found; this is WSL, whose network is behind that of Windows, so multicast does not reach \
                it: mirror the network, or name the server";
    let mut remedies = vec![Remedy::new(
        "in %UserProfile%\\.wslconfig, section [wsl2]; then wsl --shutdown",
        "networkingMode=mirrored",
    )];
    if let Some(router) = findings.machine.gateway {
        remedies.push(Remedy::new("here, for a server on this Windows", format!("lanchat --host {router}")));
    }
    remedies.push(Remedy::new("here, for another", "lanchat --host HOST"));
    Diagnosis::new(Cause::Wsl, line, remedies)
}

fn no_server(findings: &Findings) -> Diagnosis {
    let count = findings.others;
    let heard = if count == 1 {
        "1 other machine was heard".to_owned()
    } else {
        format!("{count} other machines were heard")
    };
    let line = format!(
        "mDNS works here ({heard}), but no lanchat server is announced{}: start one; if one runs on this network, its \
         firewall drops UDP port 5353; if it runs on another network or VLAN, name it",
        scanned(findings)
    );
    let mut remedies = vec![Remedy::new("here, to start one", "lanchat serve")];
    remedies.push(Remedy::new("on the server, if one runs", "lanchat doctor"));
    remedies.push(Remedy::new("here, for one on another network", "lanchat --host HOST"));
    Diagnosis::new(Cause::NoServer, line, remedies)
}

/// Says that a scan found nothing either.
fn scanned(findings: &Findings) -> &'static str {
    if findings.scanned { ", and no address of this network answers on port 7667" } else { "" }
}

fn nobody(findings: &Findings) -> Diagnosis {
    let mut remedies = vec![Remedy::new("here, if there is no server yet", "lanchat serve")];
    remedies.push(Remedy::new("on the server, if one runs", "lanchat doctor"));
    remedies.extend(remedy::open_here(&findings.machine, AllowRule::To(Proto::Udp, MDNS_PORT)));
    remedies.push(Remedy::new("here, for a server on another network", "lanchat --host HOST"));
    if !findings.scanned {
        remedies.push(Remedy::new("here, to try each address", "lanchat discover --scan"));
    }
    let (cause, line) = match findings.machines {
        Some(0) => (
            Cause::Alone,
            format!(
                "no server found, and no other machine answers on this network{}: all are off, or the access point \
                 isolates its clients (guest Wi-Fi, \"AP isolation\"), or the server is on another network or VLAN",
                router(findings)
            ),
        ),
        machines => (
            Cause::NobodyHeard,
            format!(
                "no server found: nothing speaks mDNS on this network{}{}. Either no server runs, or a firewall (here \
                 or on the server) drops UDP port 5353 and TCP port 7667, or the access point isolates its clients, \
                 or the server is on another network or VLAN",
                machines.map_or(String::new(), |count| format!(
                    ", though {} on the link",
                    other_machines_answer(count)
                )),
                scanned(findings)
            ),
        ),
    };
    Diagnosis::new(cause, line, remedies)
}

fn router(findings: &Findings) -> String {
    findings.machine.gateway.map_or(String::new(), |router| format!(" except the router {router}"))
}

/// Servers answer, but not the wanted one.
pub(super) fn not_among_them(findings: &Findings) -> Diagnosis {
    let wanted = safe_line(findings.wanted.as_deref().unwrap_or_default());
    let mut names: Vec<&str> = findings.servers.iter().map(|server| server.title.as_str()).collect();
    for probe in &findings.probes {
        if let ProbeOutcome::Answered { server, .. } = &probe.outcome {
            names.push(server);
        }
    }
    names.sort_unstable();
    names.dedup();
    let line = format!("no server is called {wanted}; these are here: {}", listed(&names));
    Diagnosis::new(Cause::NotAmongThem, line, vec![Remedy::new("here, for all of them", "lanchat discover")])
}
