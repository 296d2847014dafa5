//! A server is known, and is not reached.

use super::super::findings::{By, Findings, Knock, Outcome};
use super::super::machine::{Flow, Proto};
use super::super::remedy::{self, Opening, Remedy};
use super::{Cause, Verdict, titled};
use crate::client::JoinRefusal;
use crate::limits::DEFAULT_PORT;
use std::net::IpAddr;

/// The verdict on the address that tells most; `None`: no server is known.
pub(super) fn judge(findings: &Findings) -> Option<Verdict> {
    let knocks = findings.knocks.iter().filter(|knock| is_about_a_server(knock) && is_meant(findings, knock));
    let telling = knocks.min_by_key(|knock| (knock.by, rank(knock)))?;
    let title = titled(findings, telling);
    let is_silent = matches!(
        telling.outcome,
        Outcome::Refused | Outcome::NoRoute | Outcome::Rejected | Outcome::Unreachable | Outcome::Silent
    );
    if let Some(by) = telling.detour.as_ref().filter(|_| is_silent) {
        return Some(vpn(telling, by));
    }
    Some(match &telling.outcome {
        Outcome::Answered { server, standing: Err(JoinRefusal::Key(why)), .. } => {
            wrong_key(server, telling, why)
        }
        Outcome::Answered { server, standing: Err(JoinRefusal::Namesake { label, .. }), .. } => {
            namesake(findings, server, telling, label)
        }
        Outcome::Answered { .. } => return None,
        Outcome::TurnedAway(why) => {
            let line = format!("{title} is a lanchat server and does not take you: {why}");
            Verdict::new(Cause::TurnedAway, line, Vec::new())
        }
        Outcome::Foreign(why) => foreign(telling, why),
        Outcome::Hung => hung(telling, &title),
        Outcome::Forbidden => forbidden(&title),
        Outcome::Refused => refused(findings, telling, &title),
        Outcome::NoRoute => no_route(findings, telling, &title),
        Outcome::Rejected => rejected(findings, telling, &title),
        Outcome::Unreachable | Outcome::Silent => silent(findings, telling, &title),
    })
}

/// Addresses that are a mere guess say nothing when nobody is there; nor does what was remembered.
fn is_about_a_server(knock: &Knock) -> bool {
    match knock.by {
        By::Host | By::Announced => true,
        By::Remembered | By::WellKnown => !matches!(
            knock.outcome,
            Outcome::Refused
                | Outcome::NoRoute
                | Outcome::Rejected
                | Outcome::Unreachable
                | Outcome::Silent
                | Outcome::Forbidden
        ),
        By::Own => matches!(knock.outcome, Outcome::Hung | Outcome::TurnedAway(_)),
        By::Scan | By::Neighbour | By::Gateway => {
            let is_wrong = matches!(knock.outcome, Outcome::Answered { standing: Err(_), .. });
            is_wrong || matches!(knock.outcome, Outcome::TurnedAway(_) | Outcome::Hung)
        }
    }
}

fn is_meant(findings: &Findings, knock: &Knock) -> bool {
    let of = findings.servers.iter().filter(|server| server.addrs.contains(&knock.addr));
    let mut of = of.peekable();
    of.peek().is_none() || of.any(|server| server.is_meant)
}

/// The more certain what it tells, the lower.
fn rank(knock: &Knock) -> u8 {
    match (&knock.outcome, knock.detour.is_some(), knock.is_there) {
        // At another of its addresses the same key may look like a namesake's.
        (Outcome::Answered { standing: Err(JoinRefusal::Key(_)), .. }, ..) => 0,
        (Outcome::Answered { .. }, ..) => 1,
        (Outcome::TurnedAway(_), ..) => 2,
        (Outcome::Hung, ..) => 3,
        (Outcome::Foreign(_), ..) => 4,
        (Outcome::Forbidden, ..) => 5,
        (_, true, _) => 6,
        (Outcome::Refused, ..) => 7,
        (Outcome::Rejected, ..) => 8,
        (Outcome::Silent | Outcome::Unreachable, _, Some(_)) => 9,
        (Outcome::NoRoute, ..) => 10,
        (Outcome::Silent | Outcome::Unreachable, ..) if knock.addr.is_ipv4() => 11,
        (Outcome::Silent | Outcome::Unreachable, ..) => 12,
    }
}

fn wrong_key(server: &str, knock: &Knock, why: &str) -> Verdict {
    let line = format!(
        "{server} at {} is refused because its key has changed ({why}): it was reinstalled, or someone is \
         impersonating it; ask whoever runs it to read out `lanchat fingerprint`, and if the digits are the new \
         ones, run the line that `lanchat` prints",
        knock.addr
    );
    Verdict::new(Cause::WrongKey, line, vec![Remedy::new("on the server", "lanchat fingerprint")])
}

fn namesake(findings: &Findings, server: &str, knock: &Knock, label: &str) -> Verdict {
    let line = format!(
        "{server} answers at {}, but it is not the server of this name that you know: `lanchat` asks before it joins \
         this one, and `lanchat send` refuses it",
        knock.addr
    );
    let at_prompt = match findings.host {
        Some(_) => remedy::by_address(knock.addr),
        None => Remedy::new("here, if you mean this one", format!("lanchat --server {label}")),
    };
    let mut remedies = vec![at_prompt];
    if findings.host.is_none() {
        remedies.push(Remedy::new("here, in a script", format!("lanchat send --server {label} TEXT")));
    }
    Verdict::new(Cause::Namesake, line, remedies)
}

fn foreign(knock: &Knock, why: &str) -> Verdict {
    let line = format!(
        "what listens at {} does not answer as a lanchat server ({why}): give the server's own port with --host \
         HOST:PORT, or update the older of the two programs",
        knock.addr
    );
    Verdict::new(Cause::Foreign, line, Vec::new())
}

fn hung(knock: &Knock, title: &str) -> Verdict {
    let line = format!(
        "{title} takes connections and does not answer: the server hangs or is stopped, its machine is overloaded, or \
         another program has that port; restart it"
    );
    let unit = Remedy::new(
        format!("on {}, if it is the system's service", knock.addr.ip()),
        "sudo systemctl restart lanchat",
    );
    Verdict::new(Cause::Hung, line, vec![unit])
}

fn forbidden(title: &str) -> Verdict {
    let line = format!(
        "this machine does not let connections to {title} out: its own firewall, or a VPN's kill switch, forbids \
         them; allow the local network there"
    );
    Verdict::new(Cause::SendingForbidden, line, remedy::rules_for_leaving())
}

fn refused(findings: &Findings, knock: &Knock, title: &str) -> Verdict {
    let port = knock.addr.port();
    let place = format!("on {}", knock.addr.ip());
    if findings.machine.lets(Flow::Out, Proto::Tcp, port) == Some(false) {
        return forbidden(title);
    }
    let mut remedies = vec![Remedy::new(format!("{place}, to see whether it runs"), "lanchat doctor")];
    let line = if knock.by == By::Announced {
        remedies.extend(remedy::there(&place, Opening::To(Proto::Tcp, port)));
        format!(
            "{title} is announced, and refuses connections: either a firewall there rejects TCP port {port}, or the \
             server stopped a moment ago"
        )
    } else {
        remedies.push(Remedy::new(format!("{place}, if it does not"), serve_line(port)));
        format!(
            "the machine {} is on, and refuses connections to port {port}: no server runs on that port, or a firewall \
             there rejects them",
            knock.addr.ip()
        )
    };
    Verdict::new(Cause::Refused, line, remedies)
}

fn serve_line(port: u16) -> String {
    if port == DEFAULT_PORT { "lanchat serve".into() } else { format!("lanchat serve --port {port}") }
}

fn no_route(findings: &Findings, knock: &Knock, title: &str) -> Verdict {
    let ip = knock.addr.ip();
    if findings.has_only_own_making() {
        return no_address(findings, Some(title));
    }
    let kind = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    let networks: Vec<String> = findings
        .subnets
        .iter()
        .filter(|subnet| subnet.address.is_ipv4() == ip.is_ipv4())
        .map(|subnet| format!("{}/{} on {}", subnet.address, subnet.prefix, subnet.link))
        .collect();
    let own = if networks.is_empty() { format!("no {kind} address at all") } else { networks.join(", ") };
    let line = format!(
        "{title} is on another network than this machine, which has {own}, and no router is known that leads there: \
         give both machines addresses of one network (DHCP does), or this one a default route"
    );
    let link = findings.links.iter().find(|link| !link.is_virtual).map_or("eth0", |link| link.name.as_str());
    let remedies = vec![
        Remedy::new("here, for an address by DHCP", dhcp_line(link)),
        Remedy::new("here, to see the routes", "ip route"),
    ];
    Verdict::new(Cause::NoRoute, line, remedies)
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

/// Nobody gave this machine an address. `title`: what was seen all the same.
pub(super) fn no_address(findings: &Findings, title: Option<&str>) -> Verdict {
    let link = findings.links.iter().find(|link| !link.is_virtual);
    let (name, addrs) = link.map_or(("?", String::new()), |link| {
        (link.name.as_str(), link.addrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    });
    let seen =
        title.map_or(String::new(), |title| format!("; {title} was heard of, and cannot be reached from it"));
    let line = format!(
        "this machine has no address from DHCP: {name} has only the one that it gave itself ({addrs}){seen}; look \
         at the router, or at the cable or the Wi-Fi's password"
    );
    Verdict::new(Cause::NoAddress, line, vec![Remedy::new("here", dhcp_line(name))])
}

fn rejected(findings: &Findings, knock: &Knock, title: &str) -> Verdict {
    let port = knock.addr.port();
    if findings.machine.lets(Flow::Out, Proto::Tcp, port) == Some(false) {
        return forbidden(title);
    }
    let line = format!(
        "{title} is there, and a firewall forbids connections to its port {port}: somebody answered within {} ms \
         that there is no way",
        knock.took.as_millis().max(1)
    );
    let place = format!("on {}", knock.addr.ip());
    Verdict::new(Cause::Rejected, line, remedy::there(&place, Opening::To(Proto::Tcp, port)))
}

fn vpn(knock: &Knock, by: &str) -> Verdict {
    let ip = knock.addr.ip();
    let line = format!(
        "this machine sends traffic for {ip}, which is on its own network, through {by}: a VPN takes it; allow the \
         local network in the VPN's settings, or end the VPN"
    );
    Verdict::new(Cause::Vpn, line, vec![Remedy::new("here, to see by which way", route_line(ip))])
}

fn silent(findings: &Findings, knock: &Knock, title: &str) -> Verdict {
    let (ip, port) = (knock.addr.ip(), knock.addr.port());
    if knock.is_swallowed || findings.machine.lets(Flow::Out, Proto::Tcp, port) == Some(false) {
        let line = format!(
            "this machine drops its own connections to {title}: its firewall, or a VPN's kill switch, lets nothing \
             out to TCP port {port}"
        );
        return Verdict::new(Cause::SendingForbidden, line, remedy::rules_for_leaving());
    }
    let place = format!("on {ip}");
    let is_on_link = findings.subnet_of(ip).is_some();
    let is_heard = knock.by == By::Announced;
    match (is_on_link, knock.is_there) {
        (true, Some(false)) if !is_heard => not_there(findings, ip, title),
        (true, Some(true)) => {
            let line = format!(
                "{title} is there, but nothing comes back from port {port}: the firewall of that machine drops \
                 connections to it"
            );
            Verdict::new(Cause::Dropped, line, remedy::there(&place, Opening::To(Proto::Tcp, port)))
        }
        (false, _) if findings.looks_contained() => contained(findings, title),
        (false, _) => {
            let line = format!(
                "{title} is on another network than this machine, and nothing comes back: it is off, a firewall on \
                 the way or on it drops TCP port {port}, or the router does not pass it on (VLANs often may not \
                 reach each other)"
            );
            Verdict::new(Cause::FarAndSilent, line, remedy::there(&place, Opening::To(Proto::Tcp, port)))
        }
        _ => {
            let why = if is_heard {
                "its firewall drops connections to it"
            } else {
                "it is off, or its firewall drops connections"
            };
            let line = format!("nothing comes back from port {port} of {title}: {why}");
            Verdict::new(Cause::Dropped, line, remedy::there(&place, Opening::To(Proto::Tcp, port)))
        }
    }
}

fn not_there(findings: &Findings, ip: IpAddr, title: &str) -> Verdict {
    let hint = match findings.machine.gateway {
        Some(router) => format!("; the router {router} is asked in the same way"),
        None => String::new(),
    };
    let line = format!(
        "nobody on this network has the address of {title} (asked on the link, no answer{hint}): the machine is off \
         or has another address by now, or the access point keeps its clients apart (guest Wi-Fi, \"AP isolation\", \
         \"client isolation\")"
    );
    let remedies = vec![
        Remedy::new("on the server, to see its address", "ip -brief address"),
        Remedy::new("here", format!("ping -c 3 {ip}")),
    ];
    Verdict::new(Cause::NotThere, line, remedies)
}

fn contained(findings: &Findings, title: &str) -> Verdict {
    let line =
        format!("nothing comes back from {title}, and this looks like a container with a network of its own");
    let by_host = findings.machine.gateway.map(|router| {
        Remedy::new("here, for a server on the container's host", format!("lanchat --host {router}"))
    });
    Verdict::new(Cause::FarAndSilent, line, by_host.into_iter().collect())
}

pub(super) fn route_line(ip: IpAddr) -> String {
    if cfg!(windows) { format!("Find-NetRoute -RemoteIPAddress {ip}") } else { format!("ip route get {ip}") }
}

/// Whether a name is asked for by mDNS (RFC 6762 3).
pub(super) fn is_mdns_name(host: &str) -> bool {
    host.trim_end_matches('.').to_ascii_lowercase().ends_with(".local")
}

pub(super) fn unknown_host(host: &str) -> Verdict {
    let line = if is_mdns_name(host) {
        format!(
            "nobody on this network answers to {host}: names that end in .local are asked for by mDNS; its machine \
             is off or has another name, or UDP port 5353 is closed on it; give its IP address instead"
        )
    } else {
        format!("no address is known for {host}: check the spelling, or give the server's IP address")
    };
    Verdict::new(
        Cause::UnknownHost,
        line,
        vec![Remedy::new("here, to see which servers there are", "lanchat discover")],
    )
}

pub(super) fn name_servers(host: &str, why: &str) -> Verdict {
    let line = format!(
        "the name servers of this machine do not answer ({why}), so nobody knows whether there is a {host}: give the \
         server's IP address, or let this machine find it"
    );
    let remedies = vec![
        Remedy::new("here, to have servers found without names", "lanchat"),
        Remedy::new(
            "here, to see which name servers are asked",
            if cfg!(windows) { "ipconfig /all" } else { "cat /etc/resolv.conf" },
        ),
    ];
    Verdict::new(Cause::NameServers, line, remedies)
}
