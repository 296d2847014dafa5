//! This machine's own server answers. That proves nothing for others, so this looks for whatever may keep them
//! from reaching it.

use super::super::findings::{Findings, Probe};
use super::super::machine::{Direction, Proto};
use super::super::remedy::{self, AllowRule, Remedy};
use super::{Cause, Diagnosis, joinable};
use crate::limits::MDNS_PORT;
use std::net::SocketAddr;

pub(super) fn judge(findings: &Findings) -> Option<Diagnosis> {
    // Prefer an address that others know.
    let (probe, name) = joinable(findings).min_by_key(|(probe, _)| probe.addr.ip().is_loopback())?;
    if findings.host.is_some() {
        // A user who names this machine wants to know whether the server is up, as a health check does.
        let line = format!(
            "all is well: {name} answers at {}; it runs on this machine, so others may still be unable to reach it",
            probe.addr
        );
        return Some(Diagnosis::new(Cause::OwnServer, line, Vec::new()));
    }
    let port = probe.addr.port();
    Some(
        is_local(findings, name, port)
            .or_else(|| is_walled(findings, name, port))
            .unwrap_or_else(|| looks_well(findings, probe, name)),
    )
}

/// Lists where programs listen on that port, if the system shows it.
fn listeners(findings: &Findings, port: u16) -> impl Iterator<Item = &SocketAddr> {
    findings.machine.listeners.iter().filter(move |addr| addr.port() == port)
}

fn is_local(findings: &Findings, name: &str, port: u16) -> Option<Diagnosis> {
    let mut all = listeners(findings, port).peekable();
    let is_local = all.peek().is_some() && all.all(|addr| addr.ip().is_loopback());
    is_local.then(|| {
        let line = format!(
            "{name} runs on this machine and listens on the loopback address only, where no other machine can reach \
             it: start it without --host"
        );
        Diagnosis::new(Cause::OwnServerLocal, line, vec![Remedy::new("here", "lanchat serve")])
    })
}

fn is_walled(findings: &Findings, name: &str, port: u16) -> Option<Diagnosis> {
    let machine = &findings.machine;
    let drops = |proto, port| machine.lets(Direction::In, proto, port) == Some(false);
    let (tcp, udp) = (drops(Proto::Tcp, port), drops(Proto::Udp, MDNS_PORT));
    let wall = machine.firewalls.first().map_or("the firewall", |wall| wall.name());
    let (cause, what) = match (tcp, udp) {
        (true, true) => (Cause::OwnServerWalled, format!("packets to TCP port {port} and UDP port 5353")),
        (true, false) => (Cause::OwnServerWalled, format!("connections to TCP port {port}")),
        (false, true) => (Cause::OwnServerUnheard, "packets to UDP port 5353".to_owned()),
        (false, false) => return None,
    };
    let mut remedies = Vec::new();
    if tcp {
        remedies.extend(remedy::open_here(machine, AllowRule::To(Proto::Tcp, port)));
    }
    if udp {
        remedies.extend(remedy::open_here(machine, AllowRule::To(Proto::Udp, MDNS_PORT)));
    }
    let end = if tcp { "others cannot connect" } else { "others cannot find it" };
    let line = format!("{name} runs on this machine and answers here, but {wall} drops {what}: {end}");
    Some(Diagnosis::new(cause, line, remedies))
}

fn looks_well(findings: &Findings, probe: &Probe, name: &str) -> Diagnosis {
    let port = probe.addr.port();
    let mut doubts = Vec::new();
    let mut remedies = Vec::new();
    let is_announced =
        findings.servers.iter().any(|server| server.addrs.iter().any(|addr| addr.port() == port));
    if !is_announced {
        doubts.push("it does not announce itself (was it started with --no-discovery?)".to_owned());
    }
    if let Some(joined) = &findings.machine.joined {
        let real =
            findings.links.iter().filter(|link| !link.is_virtual && link.addrs.iter().any(|ip| ip.is_ipv4()));
        let deaf: Vec<&str> =
            real.map(|link| link.name.as_str()).filter(|name| !joined.iter().any(|on| on == name)).collect();
        if is_announced && !deaf.is_empty() {
            doubts.push(format!("nothing here listens for mDNS queries on {}", deaf.join(", ")));
            remedies.push(Remedy::new(
                "here, if there are many interfaces",
                "sudo sysctl net.ipv4.igmp_max_memberships=200",
            ));
        }
    }
    let machine = &findings.machine;
    let is_unsure = machine.lets(Direction::In, Proto::Tcp, port).is_none() && !machine.firewalls.is_empty();
    if is_unsure {
        let wall = machine.firewalls[0].name();
        doubts.push(format!("{wall} is on, and only root can see whether it lets others in"));
        remedies.extend(remedy::open_here(machine, AllowRule::To(Proto::Tcp, port)));
        remedies.extend(remedy::open_here(machine, AllowRule::To(Proto::Udp, MDNS_PORT)));
    }
    if findings.looks_contained() {
        doubts
            .push("this is a container, which others reach only through a published port of its host".into());
    }
    if let Some(ip) = findings.shared().first() {
        let shown = remedy::host(SocketAddr::new(*ip, port));
        remedies.push(Remedy::new("on another machine", format!("lanchat doctor --host {shown}")));
    }
    let mut line = format!(
        "{name} runs on this machine and answers at {}; others may still be unable to reach it",
        probe.addr
    );
    match doubts.as_slice() {
        [] => line += ", but nothing on this machine seems to block them",
        doubts => line += &format!(": {}", doubts.join("; ")),
    }
    Diagnosis::new(Cause::OwnServer, line, remedies)
}
