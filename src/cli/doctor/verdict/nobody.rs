//! No server is known at all. What is in the way of hearing of one?

use super::super::findings::{By, Findings, Knock, Outcome};
use super::super::machine::Proto;
use super::super::remedy::{self, Opening, PORT_OWNER, Remedy};
use super::unreached::route_line;
use super::{Cause, Verdict, unreached};
use crate::limits::MDNS_PORT;
use crate::text::safe_line;

pub(super) fn judge(findings: &Findings) -> Verdict {
    let machine = &findings.machine;
    let real = findings.links.iter().filter(|link| !link.is_virtual).count();
    if real == 0 && !findings.looks_contained() {
        return no_network(findings);
    }
    if findings.has_only_own_making() {
        return unreached::no_address(findings, None);
    }
    if let Some((link, why)) = findings.unsent.first() {
        return sending_forbidden(link, why);
    }
    if let Some(why) = &findings.port {
        return port_taken(findings, why);
    }
    if let Some(knock) = findings.knocks.iter().find(|knock| is_stopped(knock)) {
        return stopped(knock);
    }
    if findings.looks_contained() {
        return contained(findings, machine.container.unwrap_or("container"));
    }
    if machine.is_wsl {
        return wsl(findings);
    }
    if let Some(knock) = findings.knocks.iter().find(|knock| knock.detour.is_some()) {
        return vpn(knock);
    }
    if findings.others > 0 {
        return no_server(findings);
    }
    if let Some(verdict) = findings.knocks.iter().find_map(last_place) {
        return verdict;
    }
    if let Some(why) = findings.failures.first() {
        let line =
            format!("this machine cannot do multicast ({}): connect by the server's address", safe_line(why));
        return Verdict::new(Cause::NoMulticast, line, vec![Remedy::new("here", "lanchat --host HOST")]);
    }
    nobody(findings)
}

/// The machine of a server that was there before says that nothing listens.
fn is_stopped(knock: &Knock) -> bool {
    matches!(knock.by, By::Remembered | By::WellKnown) && knock.outcome == Outcome::Refused
}

fn stopped(knock: &Knock) -> Verdict {
    let name = knock.of.clone().unwrap_or_else(|| "a server".into());
    let line = format!(
        "no server found; the machine at {}, where {name} was last time, is on and refuses connections: the server \
         there has stopped, or listens on another port now",
        knock.addr
    );
    let remedies = vec![
        Remedy::new(format!("on {}", knock.addr.ip()), "lanchat serve"),
        Remedy::new("there, if it is the system's service", "sudo systemctl start lanchat"),
    ];
    Verdict::new(Cause::Stopped, line, remedies)
}

/// What became of the place at which a server was last time.
fn last_place(knock: &Knock) -> Option<Verdict> {
    let is_silent = matches!(knock.outcome, Outcome::Silent | Outcome::Unreachable | Outcome::Rejected);
    let (By::Remembered, Some(is_there), true) = (knock.by, knock.is_there, is_silent) else { return None };
    let (name, at, port) = (knock.of.as_deref().unwrap_or("a server"), knock.addr, knock.addr.port());
    let place = format!("on {}", at.ip());
    Some(if is_there {
        let mut remedies = remedy::there(&place, Opening::To(Proto::Tcp, port));
        remedies.extend(remedy::there(&place, Opening::To(Proto::Udp, MDNS_PORT)));
        let line = format!(
            "no server found; the machine at {at}, where {name} was last time, is on and drops what comes to it: its \
             firewall keeps UDP port 5353 and TCP port {port} closed, or another machine has that address now"
        );
        Verdict::new(Cause::Walled, line, remedies)
    } else {
        let line = format!(
            "no server found; no machine has the address {} now, where {name} was last time: its machine is off or \
             has another address, or the access point keeps its clients apart (guest Wi-Fi, \"AP isolation\")",
            at.ip()
        );
        Verdict::new(
            Cause::Missing,
            line,
            vec![Remedy::new("on the server, to see its address", "ip -brief address")],
        )
    })
}

fn no_network(findings: &Findings) -> Verdict {
    let line = match findings.links.len() {
        0 => "this machine has no network: connect it to the Wi-Fi or cable that the server is on".to_owned(),
        count => format!(
            "this machine has no network but those of containers and virtual machines ({count} interfaces): connect \
             it to the Wi-Fi or cable that the server is on"
        ),
    };
    let remedies = if cfg!(windows) {
        Vec::new()
    } else {
        vec![Remedy::new("here, to see the interfaces", "ip -brief link")]
    };
    Verdict::new(Cause::NoNetwork, line, remedies)
}

fn sending_forbidden(link: &str, why: &str) -> Verdict {
    let line = format!(
        "this machine does not let its own questions out on {link} ({why}): its firewall, or a VPN's kill switch, \
         forbids sending to UDP port 5353; allow the local network there"
    );
    Verdict::new(Cause::SendingForbidden, line, remedy::rules_for_leaving())
}

fn port_taken(findings: &Findings, why: &str) -> Verdict {
    let holder = findings.machine.port_holder.as_deref().unwrap_or("another program");
    let mut remedies = vec![Remedy::new("here, to see which", PORT_OWNER)];
    if holder.contains("avahi") {
        let set =
            "in /etc/avahi/avahi-daemon.conf, section [server]; then sudo systemctl restart avahi-daemon";
        remedies.push(Remedy::new(set, "disallow-other-stacks=no"));
    }
    remedies.push(Remedy::new("or here", "lanchat --host HOST"));
    let line = format!(
        "{} keeps UDP port 5353 to itself ({why}): end it, or let it share the port",
        safe_line(holder)
    );
    Verdict::new(Cause::PortTaken, line, remedies)
}

fn contained(findings: &Findings, kind: &str) -> Verdict {
    let line = format!(
        "no server found; this is a {kind} with a network of its own, which multicast does not enter: give the \
         container the host's network, or name the server"
    );
    let mut remedies = vec![Remedy::new("where it is started", "docker run --network host ...")];
    if let Some(router) = findings.machine.gateway {
        remedies.push(Remedy::new(
            "here, for a server on the container's host",
            format!("lanchat --host {router}"),
        ));
    }
    remedies.push(Remedy::new("here, for another", "lanchat --host HOST"));
    Verdict::new(Cause::Container, line, remedies)
}

fn wsl(findings: &Findings) -> Verdict {
    let line = "no server found; this is WSL, whose network lies behind that of Windows, so multicast does not \
                enter: mirror the network, or name the server";
    let mut remedies = vec![Remedy::new(
        "in %UserProfile%\\.wslconfig, section [wsl2]; then wsl --shutdown",
        "networkingMode=mirrored",
    )];
    if let Some(router) = findings.machine.gateway {
        remedies.push(Remedy::new("here, for a server on this Windows", format!("lanchat --host {router}")));
    }
    remedies.push(Remedy::new("here, for another", "lanchat --host HOST"));
    Verdict::new(Cause::Wsl, line, remedies)
}

fn vpn(knock: &Knock) -> Verdict {
    let (ip, by) = (knock.addr.ip(), knock.detour.as_deref().unwrap_or("another way"));
    let line = format!(
        "no server found; this machine sends traffic for its own network ({ip}) through {by}: a VPN takes it; allow \
         the local network in the VPN's settings, or end the VPN"
    );
    Verdict::new(Cause::Vpn, line, vec![Remedy::new("here, to see by which way", route_line(ip))])
}

fn no_server(findings: &Findings) -> Verdict {
    let count = findings.others;
    let heard = if count == 1 {
        "1 other machine was heard".to_owned()
    } else {
        format!("{count} other machines were heard")
    };
    let line = format!(
        "mDNS works here ({heard}), but no lanchat server is announced{}: start one; if one runs on this network, its \
         firewall drops UDP port 5353; if it runs on another network (another VLAN, say), name it",
        scanned(findings)
    );
    let mut remedies = vec![Remedy::new("here, to start one", "lanchat serve")];
    remedies.push(Remedy::new("on the server, if one runs", "lanchat doctor"));
    remedies.push(Remedy::new("here, for one on another network", "lanchat --host HOST"));
    Verdict::new(Cause::NoServer, line, remedies)
}

/// What trying all addresses adds.
fn scanned(findings: &Findings) -> &'static str {
    if findings.scanned { ", and none answers on port 7667 at any address of this network" } else { "" }
}

fn nobody(findings: &Findings) -> Verdict {
    let mut remedies = vec![Remedy::new("here, if there is no server yet", "lanchat serve")];
    remedies.push(Remedy::new("on the server, if one runs", "lanchat doctor"));
    remedies.extend(remedy::here(&findings.machine, Opening::To(Proto::Udp, MDNS_PORT)));
    remedies.push(Remedy::new("here, for a server on another network", "lanchat --host HOST"));
    if !findings.scanned {
        remedies.push(Remedy::new("here, to try each address", "lanchat discover --scan"));
    }
    let (cause, line) = match findings.machines {
        Some(0) => (
            Cause::Alone,
            format!(
                "no server found, and no other machine answers on this network{}: none is on, or the access point \
                 keeps its clients apart (guest Wi-Fi, \"AP isolation\"), or the server is on another network \
                 (another VLAN, say)",
                router(findings)
            ),
        ),
        machines => (
            Cause::NobodyHeard,
            format!(
                "no server found: nothing speaks mDNS on this network{}{}. Either no server runs, or a firewall (here \
                 or on the server) drops UDP port 5353 and TCP port 7667, or the access point keeps its clients apart, \
                 or the server is on another network (another VLAN, say)",
                machines.map_or(String::new(), |count| format!(", though {} on the link", answer(count))),
                scanned(findings)
            ),
        ),
    };
    Verdict::new(cause, line, remedies)
}

/// `1 other machine answers`, `2 other machines answer`.
pub(in crate::cli::doctor) fn answer(count: usize) -> String {
    if count == 1 { "1 other machine answers".into() } else { format!("{count} other machines answer") }
}

fn router(findings: &Findings) -> String {
    findings.machine.gateway.map_or(String::new(), |router| format!(" but the router {router}"))
}

/// Servers are there, but not the one that is wanted.
pub(super) fn not_among_them(findings: &Findings) -> Verdict {
    let wanted = safe_line(findings.wanted.as_deref().unwrap_or_default());
    let mut names: Vec<&str> = findings.servers.iter().map(|server| server.title.as_str()).collect();
    for knock in &findings.knocks {
        if let Outcome::Answered { server, .. } = &knock.outcome {
            names.push(server);
        }
    }
    names.sort_unstable();
    names.dedup();
    let (shown, more) = names.split_at(names.len().min(MAX_NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let line = format!("no server is called {wanted}; there are: {}{more}", shown.join(", "));
    Verdict::new(Cause::NotAmongThem, line, vec![Remedy::new("here, for all of them", "lanchat discover")])
}

/// Servers named in a line; more would not help.
const MAX_NAMED: usize = 8;
