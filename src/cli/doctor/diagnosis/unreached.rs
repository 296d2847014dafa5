//! A server is known, but cannot be reached.

use super::super::findings::{Findings, Probe, ProbeOutcome, ProbeSource};
use super::super::machine::{Direction, Proto};
use super::super::remedy::{self, AllowRule, Remedy};
use super::{Cause, Diagnosis, described};
use crate::client::JoinRefusal;
use crate::limits::DEFAULT_PORT;
use std::net::IpAddr;

/// Diagnoses the address that tells most; `None` if no server is known.
pub(super) fn judge(findings: &Findings) -> Option<Diagnosis> {
    let probes = findings.probes.iter().filter(|probe| is_about_a_server(probe) && is_meant(findings, probe));
    let telling = probes.min_by_key(|probe| (probe.source, rank(probe)))?;
    let title = described(findings, telling);
    if telling.outcome.is_unconnected() && telling.detour.is_some() {
        return Some(vpn(telling, ""));
    }
    Some(match &telling.outcome {
        ProbeOutcome::Answered { server, key: Err(JoinRefusal::Key(why)), .. } => {
            wrong_key(server, telling, why)
        }
        ProbeOutcome::Answered { server, key: Err(JoinRefusal::Namesake { label, .. }), .. } => {
            namesake(findings, server, telling, label)
        }
        ProbeOutcome::Answered { .. } => return None,
        ProbeOutcome::TurnedAway(why) => {
            let line = format!("{title} is a lanchat server, but does not admit you: {why}");
            Diagnosis::new(Cause::TurnedAway, line, Vec::new())
        }
        ProbeOutcome::Foreign(why) => foreign(telling, why),
        ProbeOutcome::Hung => hung(telling, &title),
        ProbeOutcome::Forbidden => forbidden(&title),
        ProbeOutcome::Refused => refused(findings, telling, &title),
        ProbeOutcome::NoRoute => no_route(findings, telling, &title),
        ProbeOutcome::Rejected => rejected(findings, telling, &title),
        ProbeOutcome::Unreachable | ProbeOutcome::Silent => silent(findings, telling, &title),
    })
}

/// Whether a probe tells something about a server: a guessed or remembered address without an answer does not.
fn is_about_a_server(probe: &Probe) -> bool {
    match probe.source {
        ProbeSource::Host | ProbeSource::Announced => true,
        ProbeSource::Remembered | ProbeSource::WellKnown => {
            !probe.outcome.is_unconnected() && probe.outcome != ProbeOutcome::Forbidden
        }
        ProbeSource::Own => matches!(probe.outcome, ProbeOutcome::Hung | ProbeOutcome::TurnedAway(_)),
        ProbeSource::Scan | ProbeSource::Neighbour | ProbeSource::Gateway => {
            let is_wrong = matches!(probe.outcome, ProbeOutcome::Answered { key: Err(_), .. });
            is_wrong || matches!(probe.outcome, ProbeOutcome::TurnedAway(_) | ProbeOutcome::Hung)
        }
    }
}

fn is_meant(findings: &Findings, probe: &Probe) -> bool {
    let of = findings.servers.iter().filter(|server| server.addrs.contains(&probe.addr));
    let mut of = of.peekable();
    of.peek().is_none() || of.any(|server| server.is_meant)
}

/// Ranks probes: the more certain their result, the lower.
fn rank(probe: &Probe) -> u8 {
    match (&probe.outcome, probe.detour.is_some(), probe.is_there) {
        // At another address of the server, the same key may look like a namesake's.
        (ProbeOutcome::Answered { key: Err(JoinRefusal::Key(_)), .. }, ..) => 0,
        (ProbeOutcome::Answered { .. }, ..) => 1,
        (ProbeOutcome::TurnedAway(_), ..) => 2,
        (ProbeOutcome::Hung, ..) => 3,
        (ProbeOutcome::Foreign(_), ..) => 4,
        (ProbeOutcome::Forbidden, ..) => 5,
        (_, true, _) => 6,
        (ProbeOutcome::Refused, ..) => 7,
        (ProbeOutcome::Rejected, ..) => 8,
        (ProbeOutcome::Silent | ProbeOutcome::Unreachable, _, Some(_)) => 9,
        (ProbeOutcome::NoRoute, ..) => 10,
        (ProbeOutcome::Silent | ProbeOutcome::Unreachable, ..) if probe.addr.is_ipv4() => 11,
        (ProbeOutcome::Silent | ProbeOutcome::Unreachable, ..) => 12,
    }
}

fn wrong_key(server: &str, probe: &Probe, why: &str) -> Diagnosis {
    let line = format!(
        "lanchat refuses {server} at {} because its key has changed ({why}): it was reinstalled, or someone is \
         impersonating it; ask its administrator to read out `lanchat fingerprint`, and if these are the new \
         digits, run the line that `lanchat` prints",
        probe.addr
    );
    Diagnosis::new(Cause::WrongKey, line, vec![Remedy::new("on the server", "lanchat fingerprint")])
}

fn namesake(findings: &Findings, server: &str, probe: &Probe, label: &str) -> Diagnosis {
    let line = format!(
        "{server} answers at {}, but it is not the server of this name that you know: `lanchat` asks before it joins, \
         and `lanchat send` refuses",
        probe.addr
    );
    let at_prompt = match findings.host {
        Some(_) => remedy::by_address(probe.addr),
        None => Remedy::new("here, if you mean this one", format!("lanchat --server {label}")),
    };
    let mut remedies = vec![at_prompt];
    if findings.host.is_none() {
        remedies.push(Remedy::new("here, in a script", format!("lanchat send --server {label} TEXT")));
    }
    Diagnosis::new(Cause::Namesake, line, remedies)
}

fn foreign(probe: &Probe, why: &str) -> Diagnosis {
    let line = format!(
        "at {}, {why}; give the server's port with --host HOST:PORT, or update the older of the two programs",
        probe.addr
    );
    Diagnosis::new(Cause::Foreign, line, Vec::new())
}

fn hung(probe: &Probe, title: &str) -> Diagnosis {
    let line = format!(
        "{title} accepts connections but does not answer: the server hangs, its machine is overloaded, or another \
         program has that port; restart the server"
    );
    let unit = Remedy::new(
        format!("on {}, if the server is a system service", probe.addr.ip()),
        "sudo systemctl restart lanchat",
    );
    Diagnosis::new(Cause::Hung, line, vec![unit])
}

fn forbidden(title: &str) -> Diagnosis {
    let line = format!(
        "this machine does not permit connections to {title}: its own firewall, or a VPN's kill switch, blocks them; \
         allow the local network there"
    );
    Diagnosis::new(Cause::SendingForbidden, line, remedy::outgoing_rules())
}

fn refused(findings: &Findings, probe: &Probe, title: &str) -> Diagnosis {
    let port = probe.addr.port();
    let place = format!("on {}", probe.addr.ip());
    if findings.machine.lets(Direction::Out, Proto::Tcp, port) == Some(false) {
        return forbidden(title);
    }
    let mut remedies = vec![Remedy::new(format!("{place}, to see whether it runs"), "lanchat doctor")];
    let line = if probe.source == ProbeSource::Announced {
        remedies.extend(remedy::open_there(&place, AllowRule::To(Proto::Tcp, port)));
        format!(
            "{title} is announced but refuses connections: either a firewall there rejects TCP port {port}, or the server \
             stopped a moment ago"
        )
    } else {
        remedies.push(Remedy::new(format!("{place}, if it does not"), serve_line(port)));
        format!(
            "the machine {} is on but refuses connections to port {port}: no server runs on that port, or a firewall \
             there rejects them",
            probe.addr.ip()
        )
    };
    Diagnosis::new(Cause::Refused, line, remedies)
}

fn serve_line(port: u16) -> String {
    if port == DEFAULT_PORT { "lanchat serve".into() } else { format!("lanchat serve --port {port}") }
}

fn no_route(findings: &Findings, probe: &Probe, title: &str) -> Diagnosis {
    let ip = probe.addr.ip();
    if findings.has_only_self_assigned() {
        return no_address(findings, Some(title));
    }
    let kind = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    let networks: Vec<String> = findings
        .subnets
        .iter()
        .filter(|subnet| subnet.address.is_ipv4() == ip.is_ipv4())
        .map(|subnet| format!("{}/{} on {}", subnet.address, subnet.prefix, subnet.link))
        .collect();
    let own = if networks.is_empty() { format!("no {kind} address") } else { networks.join(", ") };
    let line = format!(
        "{title} is on another network than this machine, which has {own}, and this machine has no route there: put \
         both machines on one network (DHCP does that), or give this one a default route"
    );
    let link = findings.links.iter().find(|link| !link.is_virtual).map_or("eth0", |link| link.name.as_str());
    let remedies = vec![
        Remedy::new("here, for an address by DHCP", dhcp_line(link)),
        Remedy::new("here, to see the routes", if cfg!(windows) { "route print" } else { "ip route" }),
    ];
    Diagnosis::new(Cause::NoRoute, line, remedies)
}

fn dhcp_line(link: &str) -> String {
    if cfg!(windows) {
        "ipconfig /renew".into()
    } else if cfg!(target_os = "macos") {
        format!("sudo ipconfig set {link} DHCP")
    } else {
        format!("sudo nmcli device reapply {link} || sudo dhclient {link}")
    }
}

/// This machine has only self-assigned addresses. `title` is a server that mDNS showed nevertheless.
pub(super) fn no_address(findings: &Findings, title: Option<&str>) -> Diagnosis {
    let link = findings.links.iter().find(|link| !link.is_virtual);
    let (name, addrs) = link.map_or(("?", String::new()), |link| {
        (link.name.as_str(), link.addrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    });
    let seen = title.map_or(String::new(), |title| {
        format!("; {title} is announced, but cannot be reached from this address")
    });
    let line = format!(
        "this machine has no address from DHCP: {name} has only one that it gave itself ({addrs}){seen}; check the \
         router, the cable or the Wi-Fi password"
    );
    Diagnosis::new(Cause::NoAddress, line, vec![Remedy::new("here", dhcp_line(name))])
}

fn rejected(findings: &Findings, probe: &Probe, title: &str) -> Diagnosis {
    let port = probe.addr.port();
    if findings.machine.lets(Direction::Out, Proto::Tcp, port) == Some(false) {
        return forbidden(title);
    }
    let line = format!(
        "{title} is there, but a firewall rejects connections to its port {port}: it answered within {} ms",
        probe.took.as_millis().max(1)
    );
    let place = format!("on {}", probe.addr.ip());
    Diagnosis::new(Cause::Rejected, line, remedy::open_there(&place, AllowRule::To(Proto::Tcp, port)))
}

pub(super) fn vpn(probe: &Probe, lead: &str) -> Diagnosis {
    let (ip, link) = (probe.addr.ip(), probe.detour.as_deref().unwrap_or("another interface"));
    let line = format!(
        "{lead}this machine sends traffic for {ip}, which is on its own network, through {link}: a VPN takes it; \
         allow the local network in the VPN's settings, or disconnect the VPN"
    );
    let route = if cfg!(windows) {
        format!("Find-NetRoute -RemoteIPAddress {ip}")
    } else {
        format!("ip route get {ip}")
    };
    Diagnosis::new(Cause::Vpn, line, vec![Remedy::new("here, to see the route", route)])
}

fn silent(findings: &Findings, probe: &Probe, title: &str) -> Diagnosis {
    let (ip, port) = (probe.addr.ip(), probe.addr.port());
    if probe.is_swallowed || findings.machine.lets(Direction::Out, Proto::Tcp, port) == Some(false) {
        let line = format!(
            "this machine drops its own connections to {title}: its firewall, or a VPN's kill switch, blocks TCP port \
             {port}; allow the local network there"
        );
        return Diagnosis::new(Cause::SendingForbidden, line, remedy::outgoing_rules());
    }
    let place = format!("on {ip}");
    let is_on_link = findings.subnet_of(ip).is_some();
    let is_heard = probe.source == ProbeSource::Announced;
    match (is_on_link, probe.is_there) {
        (true, Some(false)) if !is_heard => not_there(ip, title),
        (true, Some(true)) => {
            let line = format!(
                "{title} is there, but port {port} does not answer: most likely, a firewall on that machine drops connections"
            );
            Diagnosis::new(Cause::Dropped, line, remedy::open_there(&place, AllowRule::To(Proto::Tcp, port)))
        }
        (false, _) if findings.looks_contained() => contained(findings, title),
        (false, _) => {
            let line = format!(
                "{title} is on another network than this machine and does not answer: it is off, a firewall on the way or \
                 on that machine drops TCP port {port}, or the router does not forward it (many keep VLANs apart)"
            );
            Diagnosis::new(
                Cause::FarAndSilent,
                line,
                remedy::open_there(&place, AllowRule::To(Proto::Tcp, port)),
            )
        }
        _ => {
            let why = if is_heard {
                "most likely, a firewall on that machine or on the way drops connections"
            } else {
                "it is off, or a firewall on that machine or on the way drops connections"
            };
            let line = format!("port {port} of {title} does not answer: {why}");
            Diagnosis::new(Cause::Dropped, line, remedy::open_there(&place, AllowRule::To(Proto::Tcp, port)))
        }
    }
}

fn not_there(ip: IpAddr, title: &str) -> Diagnosis {
    let line = format!(
        "no machine on this network has the address of {title}: the machine is off or now has another address, or \
         the access point isolates its clients (guest Wi-Fi, \"AP isolation\", \"client isolation\")"
    );
    let remedies = vec![
        Remedy::new("on the server, to see its address", "ip -brief address"),
        Remedy::new("here", format!("ping -c 3 {ip}")),
    ];
    Diagnosis::new(Cause::NotThere, line, remedies)
}

fn contained(findings: &Findings, title: &str) -> Diagnosis {
    let line = format!("{title} does not answer, and this looks like a container with a network of its own");
    let by_host = findings.machine.gateway.map(|router| {
        Remedy::new("here, for a server on the container's host", format!("lanchat --host {router}"))
    });
    Diagnosis::new(Cause::FarAndSilent, line, by_host.into_iter().collect())
}

/// Whether mDNS resolves the name (RFC 6762 section 3).
pub(super) fn is_mdns_name(host: &str) -> bool {
    host.trim_end_matches('.').to_ascii_lowercase().ends_with(".local")
}

pub(super) fn unknown_host(host: &str) -> Diagnosis {
    let line = if is_mdns_name(host) {
        format!(
            "no machine on this network answers to {host} (mDNS resolves names that end in .local): it is off or has \
             another name, or a firewall drops UDP port 5353; use its IP address instead"
        )
    } else {
        format!("{host} has no address: check the spelling, or use the server's IP address")
    };
    Diagnosis::new(
        Cause::UnknownHost,
        line,
        vec![Remedy::new("here, to list the servers", "lanchat discover")],
    )
}

pub(super) fn name_servers(host: &str, why: &str) -> Diagnosis {
    let line = format!(
        "this machine's name servers do not answer ({why}), so {host} may or may not exist: use the server's IP \
         address, or let lanchat find the server"
    );
    let remedies = vec![
        Remedy::new("here, to find the server without its name", "lanchat"),
        Remedy::new(
            "here, to see the name servers",
            if cfg!(windows) { "ipconfig /all" } else { "cat /etc/resolv.conf" },
        ),
    ];
    Diagnosis::new(Cause::NameServers, line, remedies)
}
