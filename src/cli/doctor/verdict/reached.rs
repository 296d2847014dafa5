//! A server on another machine answers. Was it found, and if not, why not?

use super::super::findings::{By, Findings, Knock, Server, Tested};
use super::super::machine::Proto;
use super::super::remedy::{self, Opening, Remedy};
use super::{Cause, Verdict, good};
use crate::limits::MDNS_PORT;

/// Servers named in a line; more would not help.
const MAX_NAMED: usize = 8;

pub(super) fn judge(findings: &Findings) -> Option<Verdict> {
    let elsewhere = || good(findings).filter(|(knock, _)| !findings.is_own(knock.addr.ip()));
    if findings.host.is_some() {
        return elsewhere().next().map(|(knock, server)| well(knock, server));
    }
    let announced = elsewhere().filter_map(|(knock, name)| Some((knock, name, heard(findings, knock)?)));
    // One that was heard in both ways before one that was not.
    let announced = announced.min_by_key(|(_, _, server)| !(server.heard.browse && server.heard.one_shot));
    if let Some((knock, name, server)) = announced {
        let is_half = server.heard.browse && !server.heard.one_shot;
        // It may have been heard because it had just started.
        let is_lost = !findings.unsent.is_empty()
            || matches!(tested(findings, name), Some(Tested::Ways { out: false, .. }));
        return Some(match (is_half, is_lost) {
            (false, _) => several(findings).unwrap_or_else(|| well(knock, name)),
            (true, true) => unheard(findings, knock, name),
            (true, false) => no_unicast(findings, knock, name),
        });
    }
    let first = elsewhere().min_by_key(|(knock, name)| (tested(findings, name).is_none(), knock.by));
    first.map(|(knock, name)| unheard(findings, knock, name))
}

/// What came of a test with the server of that name and id, at whichever of its addresses.
fn tested<'a>(findings: &'a Findings, name: &str) -> Option<&'a Tested> {
    let test = findings.test.as_ref()?;
    good(findings).any(|(knock, server)| server == name && knock.addr == test.addr).then_some(&test.result)
}

/// What was heard of the server at that address.
fn heard<'a>(findings: &'a Findings, knock: &Knock) -> Option<&'a Server> {
    let here = |server: &&Server| {
        server.addrs.contains(&knock.addr) && (server.heard.browse || server.heard.one_shot)
    };
    findings.servers.iter().find(here)
}

fn well(knock: &Knock, name: &str) -> Verdict {
    Verdict::new(Cause::Well, format!("all is well: {name} answers at {}", knock.addr), Vec::new())
}

/// Several servers may be meant.
fn several(findings: &Findings) -> Option<Verdict> {
    let mut names: Vec<&str> = good(findings).map(|(_, name)| name).collect();
    names.sort_unstable();
    names.dedup();
    let (last, others) = names.split_last().filter(|(_, others)| !others.is_empty())?;
    let shown = others.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if others.len() > MAX_NAMED { " and others" } else { "" };
    let line = format!(
        "all is well: {} servers answer ({shown}{more} and {last}); `lanchat` joins the one that you used last, or \
         asks which",
        names.len()
    );
    let remedy = Remedy::new("here, to pick one", "lanchat --server NAME");
    Some(Verdict::new(Cause::Well, line, vec![remedy]))
}

fn no_unicast(findings: &Findings, knock: &Knock, name: &str) -> Verdict {
    let line = format!(
        "all is well: {name} answers at {}; this machine's firewall drops unicast answers, without which finding it \
         takes up to a second longer",
        knock.addr
    );
    Verdict::new(Cause::NoUnicast, line, remedy::here(&findings.machine, Opening::FromMdns))
}

/// It was reached by another way than mDNS.
fn unheard(findings: &Findings, knock: &Knock, name: &str) -> Verdict {
    let at = knock.addr;
    let how = how(knock.by);
    let start = format!("{name} answers at {at} (found {how}), but a search by mDNS does not find it");
    let mut remedies = match knock.by {
        // `lanchat` finds it by itself.
        By::Remembered | By::WellKnown => Vec::new(),
        _ => vec![remedy::by_address(at)],
    };
    if knock.by == By::Gateway && findings.looks_contained() {
        return routed(findings, knock, name, remedies);
    }
    let place = format!("on {}", at.ip());
    let mdns = Opening::To(Proto::Udp, MDNS_PORT);
    if let Some((link, why)) = findings.unsent.first() {
        let line = format!(
            "{start}: this machine's own firewall or VPN does not let questions out on {link} ({why})"
        );
        remedies.extend(remedy::rules_for_leaving());
        return Verdict::new(Cause::QuestionsForbidden, line, remedies);
    }
    let (cause, why) = match tested(findings, name) {
        Some(Tested::Ways { out: false, back: true }) => {
            remedies.extend(remedy::there(&place, mdns));
            let why = "its machine does not hear this one, so its firewall drops UDP port 5353";
            (Cause::QuestionsLost, why.to_owned())
        }
        Some(Tested::Ways { out: true, back: false }) => {
            remedies.extend(remedy::here(&findings.machine, mdns));
            let why = "it hears this machine, whose own firewall drops what comes to UDP port 5353";
            (Cause::AnswersLost, why.to_owned())
        }
        Some(Tested::Ways { out: false, back: false }) => {
            remedies.extend(remedy::here(&findings.machine, mdns));
            remedies.extend(remedy::there(&place, mdns));
            let why = "multicast gets lost in both directions: the access point or switch between them does not \
                       pass it on, or both firewalls drop UDP port 5353";
            (Cause::MulticastLost, why.to_owned())
        }
        Some(Tested::Ways { out: true, back: true }) => {
            remedies.push(Remedy::new(place, "lanchat doctor"));
            let why = "multicast passes in both directions, so the server announces nothing; another program keeps \
                       UDP port 5353 on its machine, or it cannot announce on this network";
            (Cause::NotAnnounced, why.to_owned())
        }
        _ if findings.subnet_of(at.ip()).is_none() => return routed(findings, knock, name, remedies),
        Some(Tested::Unused(_)) => {
            let why = "it announces nothing, because it was started with --no-discovery";
            (Cause::NotAnnounced, why.to_owned())
        }
        _ => {
            remedies.extend(remedy::there(&place, mdns));
            let why =
                "the firewall of either machine drops UDP port 5353, or the access point does not pass it on";
            (Cause::Unheard, why.to_owned())
        }
    };
    Verdict::new(cause, format!("{start}: {why}"), remedies)
}

fn how(by: By) -> &'static str {
    match by {
        By::Remembered => "where it was last time",
        By::WellKnown => "by the host name lanchat",
        By::Scan => "by trying each address of this network",
        By::Gateway => "at the default router",
        By::Neighbour => "at the address of a machine that speaks mDNS",
        By::Announced => "because it announced itself a moment ago",
        By::Host | By::Own => "by its address",
    }
}

fn routed(findings: &Findings, knock: &Knock, name: &str, mut remedies: Vec<Remedy>) -> Verdict {
    let at = knock.addr;
    let kind = findings.machine.container.unwrap_or("container");
    let container = findings.looks_contained().then_some(kind);
    let why = match (container, findings.machine.is_wsl) {
        (Some(kind), _) => format!("this is a {kind}, which has a network of its own"),
        (None, true) => "this is WSL, which has a network of its own".into(),
        (None, false) => {
            "it is on another network (another VLAN, say), and multicast does not pass a router".into()
        }
    };
    if knock.by != By::WellKnown && container.is_none() && !findings.machine.is_wsl {
        let set = "in /etc/avahi/avahi-daemon.conf on the router, section [reflector]";
        remedies.push(Remedy::new(set, "enable-reflector=yes"));
        remedies.push(Remedy::new("or in the network's DNS: the name", format!("lanchat  A  {}", at.ip())));
    }
    let line = format!("{name} answers at {at}, but a search by mDNS does not find it: {why}");
    Verdict::new(Cause::Routed, line, remedies)
}
