//! The checks, one line each. Pure.

use super::check_line::{CheckLine, CheckResult, failed, line, note, ok};
use super::findings::{Findings, InterfaceReport, Lookup, MulticastPaths, Probe, ProbeOutcome, ProbeSource};
use super::lists::{listed, other_machines_answer};
use super::page_checks::page_lines;
use crate::client::Untested;

/// Lines about addresses that are shown: more would not help, however many are announced.
const MAX_PROBES: usize = 12;

/// Lists the checks, from this machine to the server.
pub fn checks(findings: &Findings) -> Vec<CheckLine> {
    let mut checks = Vec::new();
    match &findings.host {
        Some(host) => checks.push(match &host.lookup {
            Lookup::Found(addrs) => {
                let addrs = listed(addrs);
                let addrs = if addrs == host.name { "an address".to_owned() } else { addrs };
                ok("host name", format!("{} is {addrs}", host.name))
            }
            Lookup::Unknown(why) | Lookup::Unanswered(why) => {
                failed("host name", format!("{}: {why}", host.name))
            }
        }),
        None => {
            checks.push(interfaces(findings));
            checks.extend(multicast(findings));
            checks.push(heard(findings));
        }
    }
    checks.extend(surroundings(findings));
    checks.extend(probes(findings));
    checks.extend(tested(findings));
    checks
}

fn interfaces(findings: &Findings) -> CheckLine {
    let (unreal, real): (Vec<&InterfaceReport>, Vec<&InterfaceReport>) =
        findings.links.iter().partition(|link| link.is_virtual);
    let more = match unreal.len() {
        0 => String::new(),
        count => format!("{count} of containers and virtual machines"),
    };
    let names = real.iter().map(|link| format!("{} ({})", link.name, listed(&link.addrs)));
    let named = listed(names);
    match real.len() {
        0 if unreal.is_empty() => failed("network interfaces", "no interface is up and has an address"),
        0 => failed("network interfaces", format!("only {more}")),
        _ if more.is_empty() => ok("network interfaces", named),
        _ => ok("network interfaces", format!("{named} and {more}")),
    }
}

fn multicast(findings: &Findings) -> Vec<CheckLine> {
    let mut checks = Vec::new();
    checks.push(match findings.failures.as_slice() {
        [] => ok("multicast sockets", "opened"),
        failures => failed("multicast sockets", listed(failures)),
    });
    if !findings.unsent.is_empty() {
        let unsent = findings.unsent.iter().map(|(link, why)| format!("{link}: {why}"));
        checks.push(failed("sending to UDP port 5353", listed(unsent)));
    }
    checks.push(match &findings.port {
        None => ok("UDP port 5353", "can be shared"),
        Some(why) => {
            let holder = findings.machine.port_holder.as_ref();
            let holder = holder.map_or(String::new(), |holder| format!(", held by {holder}"));
            failed("UDP port 5353", format!("{why}{holder}"))
        }
    });
    checks
}

fn heard(findings: &Findings) -> CheckLine {
    if findings.servers.is_empty() {
        let others = match findings.others {
            0 => "nor any other machine".to_owned(),
            1 => "but 1 other machine was heard".to_owned(),
            count => format!("but {count} other machines were heard"),
        };
        return failed("mDNS answers", format!("no server answered, {others}"));
    }
    let each = findings.servers.iter().map(|server| {
        let ways = match (server.heard.browse, server.heard.one_shot) {
            (true, false) => "by multicast only",
            (false, true) => "by unicast only (multicast answers do not arrive, so changes show late)",
            _ => "by multicast and unicast",
        };
        format!("{} {ways}", server.title)
    });
    ok("mDNS answers", listed(each))
}

fn surroundings(findings: &Findings) -> Vec<CheckLine> {
    let mut checks = Vec::new();
    let machine = &findings.machine;
    if let Some(kind) =
        machine.container.or(findings.looks_contained().then_some("container, judging by its network"))
    {
        checks.push(note("this machine", format!("a {kind}")));
    }
    if machine.is_wsl {
        checks.push(note("this machine", "Linux inside Windows (WSL)"));
    }
    if !findings.elsewhere.is_empty() {
        let each = findings.elsewhere.iter().map(|(server, addr)| format!("{server} at {addr}"));
        let detail = format!("{}: not tried, outside this network; to try one, use --host", listed(each));
        checks.push(note("announced elsewhere", detail));
    }
    if !machine.firewalls.is_empty() {
        let names: Vec<&str> = machine.firewalls.iter().map(|wall| wall.name()).collect();
        checks.push(note("firewall here", names.join(", ")));
    }
    match &findings.well_known {
        Some(Lookup::Found(addrs)) => checks.push(note("host named lanchat", listed(addrs))),
        Some(Lookup::Unanswered(why)) if !findings.probes.iter().any(is_answered) => {
            checks.push(note("host named lanchat", format!("unknown: {why}")))
        }
        Some(Lookup::Unanswered(_) | Lookup::Unknown(_)) | None => {}
    }
    if findings.scanned {
        let found = findings.scan_found;
        let machines = findings
            .machines
            .map_or(String::new(), |count| format!("; {} on the link", other_machines_answer(count)));
        let servers = if found == 1 { "1 server".into() } else { format!("{found} servers") };
        checks.push(note("each address of this network", format!("{servers} on port 7667{machines}")));
    }
    checks
}

fn probes(findings: &Findings) -> Vec<CheckLine> {
    // A guess that led nowhere is not worth a line.
    let is_told = |probe: &&Probe| match probe.source {
        ProbeSource::Gateway | ProbeSource::Neighbour | ProbeSource::Own => {
            matches!(
                probe.outcome,
                ProbeOutcome::Answered { .. } | ProbeOutcome::Hung | ProbeOutcome::TurnedAway(_)
            )
        }
        _ => true,
    };
    let told: Vec<&Probe> = findings.probes.iter().filter(is_told).collect();
    let mut checks: Vec<CheckLine> = Vec::new();
    // If a server answers, an address remembered from another day or network is not a fault.
    let is_stale = |probe: &Probe| {
        probe.source == ProbeSource::Remembered && told.iter().any(|other| is_answered(other))
    };
    for check in told.iter().take(MAX_PROBES).flat_map(|probe| probe_lines(probe, is_stale(probe))) {
        // A server's key and certificate appear once, however many of its addresses answer.
        if !checks.contains(&check) {
            checks.push(check);
        }
    }
    if let Some(more) = told.len().checked_sub(MAX_PROBES).filter(|more| *more > 0) {
        let silent = told.iter().skip(MAX_PROBES).filter(|probe| !is_answered(probe));
        let detail = format!("{more} more, {} of which did not answer", silent.count());
        checks.push(note("addresses", detail));
    }
    checks
}

fn is_answered(probe: &Probe) -> bool {
    matches!(probe.outcome, ProbeOutcome::Answered { .. })
}

fn probe_lines(probe: &Probe, is_stale: bool) -> Vec<CheckLine> {
    let why = match (probe.source, &probe.name) {
        (ProbeSource::Host | ProbeSource::Announced, _) => String::new(),
        (ProbeSource::Remembered, Some(name)) => format!(" (where {name} was last time)"),
        (ProbeSource::Remembered, None) => " (from before)".into(),
        (ProbeSource::WellKnown, _) => " (the host named lanchat)".into(),
        (ProbeSource::Scan, _) => " (found by a scan)".into(),
        (ProbeSource::Neighbour, _) => " (speaks mDNS)".into(),
        (ProbeSource::Gateway, _) => " (the router)".into(),
        (ProbeSource::Own, _) => " (this machine's own)".into(),
    };
    let subject = format!("{}{why}", probe.addr);
    let state = if is_stale { CheckResult::Note } else { CheckResult::Failed };
    let failed = |detail: String| vec![line(state, subject.clone(), detail)];
    let took = format!("{:.1} ms", probe.took.as_secs_f64() * 1000.0);
    match &probe.outcome {
        ProbeOutcome::Answered { server, key, .. } => {
            let (state, detail) = match key {
                Ok(detail) => (CheckResult::Ok, detail.as_str()),
                Err(refusal) => (CheckResult::Failed, refusal.as_str()),
            };
            let key = CheckLine { is_about_keys: true, ..line(state, format!("key of {server}"), detail) };
            let mut lines = vec![ok(subject, format!("{server} answered in {took}")), key];
            lines.extend(page_lines(&probe.page, server, probe.addr.port()));
            lines
        }
        ProbeOutcome::TurnedAway(why) => {
            failed(format!("a lanchat server that does not admit this client: {why}"))
        }
        ProbeOutcome::Foreign(why) => failed(why.clone()),
        ProbeOutcome::Hung => failed("accepts connections, but does not answer".into()),
        ProbeOutcome::Refused => failed(format!("connection refused after {took}")),
        ProbeOutcome::Rejected => failed(format!("a firewall rejected the connection after {took}")),
        ProbeOutcome::Unreachable => failed(format!("no route to host after {took}{}", remarks(probe))),
        ProbeOutcome::NoRoute => failed("network unreachable: this machine has no route there".into()),
        ProbeOutcome::Forbidden => failed("this machine does not permit the connection".into()),
        ProbeOutcome::Silent => {
            failed(format!("no answer within {:.1} s{}", probe.took.as_secs_f64(), remarks(probe)))
        }
    }
}

fn remarks(probe: &Probe) -> String {
    let mut text = match probe.is_there {
        Some(true) => "; a machine is there".to_owned(),
        Some(false) => "; no machine here has that address".to_owned(),
        None => String::new(),
    };
    if let Some(by) = &probe.detour {
        text += &format!("; sent through {by}");
    }
    if probe.is_swallowed {
        text += "; nothing left this machine";
    }
    text
}

fn tested(findings: &Findings) -> Option<CheckLine> {
    let test = findings.test.as_ref()?;
    let subject = format!("multicast with {}", test.addr.ip());
    Some(match &test.result {
        &Ok(MulticastPaths { out, back }) => {
            let says = |arrived: bool| if arrived { "arrives" } else { "gets lost" };
            let state = if out && back { CheckResult::Ok } else { CheckResult::Failed };
            line(state, subject, format!("to it {}, from it {}", says(out), says(back)))
        }
        Err(Untested::Unused(why)) => note(subject, format!("not tested: {why}")),
        Err(Untested::Impossible(why)) => note(subject, format!("could not be tested: {why}")),
    })
}
