//! What was looked at, line by line. Pure.

use super::findings::{By, Findings, Knock, Lookup, Outcome, Seat, Tested};
use super::verdict::answer;
use crate::text::safe_line;
use serde::Serialize;
use std::fmt;

/// Lines about addresses that are shown; of a flood of dead ones more would not help.
const MAX_KNOCKS: usize = 12;

/// Interfaces and servers named in a line.
const MAX_NAMED: usize = 8;

/// One thing that was looked at. Displayed as one line, safe for terminals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// How it was found to be.
    pub state: State,
    /// What was looked at.
    pub subject: String,
    /// What was seen.
    pub detail: String,
    /// Whether it tells of keys, which have no place in a ticket.
    #[serde(skip)]
    pub is_about_keys: bool,
}

/// How something was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Failed,
    /// Neither here nor there.
    Note,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.state {
            State::Ok => "ok",
            State::Failed => "failed",
            State::Note => "note",
        };
        write!(f, "{word:<8}{}: {}", safe_line(&self.subject), safe_line(&self.detail))
    }
}

impl Check {
    fn new(state: State, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { state, subject: subject.into(), detail: detail.into(), is_about_keys: false }
    }
}

/// All of them, from this machine to the server.
pub fn checks(findings: &Findings) -> Vec<Check> {
    let mut checks = Vec::new();
    match &findings.host {
        Some(host) => checks.push(match &host.lookup {
            Lookup::Found(addrs) => {
                Check::new(State::Ok, "host name", format!("{} is {}", host.name, listed(addrs)))
            }
            Lookup::Unknown(why) | Lookup::Unanswered(why) => {
                Check::new(State::Failed, "host name", format!("{}: {why}", host.name))
            }
        }),
        None => {
            checks.push(interfaces(findings));
            checks.extend(multicast(findings));
            checks.push(heard(findings));
        }
    }
    checks.extend(surroundings(findings));
    checks.extend(knocks(findings));
    checks.extend(tested(findings));
    checks
}

fn interfaces(findings: &Findings) -> Check {
    let (unreal, real): (Vec<&Seat>, Vec<&Seat>) = findings.links.iter().partition(|link| link.is_virtual);
    let more = match unreal.len() {
        0 => String::new(),
        count => format!("{count} of containers and virtual machines"),
    };
    let names = real.iter().map(|link| format!("{} ({})", link.name, listed(&link.addrs)));
    let named = capped(names.collect());
    match real.len() {
        0 if unreal.is_empty() => {
            Check::new(State::Failed, "network interfaces", "none is up with an address")
        }
        0 => Check::new(State::Failed, "network interfaces", format!("none but {more}")),
        _ if more.is_empty() => Check::new(State::Ok, "network interfaces", named),
        _ => Check::new(State::Ok, "network interfaces", format!("{named} and {more}")),
    }
}

fn multicast(findings: &Findings) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match findings.failures.as_slice() {
        [] => Check::new(State::Ok, "multicast sockets", "opened"),
        failures => Check::new(State::Failed, "multicast sockets", capped(failures.to_vec())),
    });
    let unsent: Vec<String> = findings.unsent.iter().map(|(link, why)| format!("{link}: {why}")).collect();
    if !unsent.is_empty() {
        checks.push(Check::new(State::Failed, "sending to UDP port 5353", capped(unsent)));
    }
    checks.push(match &findings.port {
        None => Check::new(State::Ok, "UDP port 5353", "can be shared"),
        Some(why) => {
            let holder = findings.machine.port_holder.as_ref();
            let holder = holder.map_or(String::new(), |holder| format!(", held by {holder}"));
            Check::new(State::Failed, "UDP port 5353", format!("{why}{holder}"))
        }
    });
    checks
}

fn heard(findings: &Findings) -> Check {
    if findings.servers.is_empty() {
        let others = match findings.others {
            0 => "nor any other machine".to_owned(),
            1 => "but 1 other machine was heard".to_owned(),
            count => format!("but {count} other machines were heard"),
        };
        return Check::new(State::Failed, "mDNS answers", format!("no server answered, {others}"));
    }
    let each = findings.servers.iter().map(|server| {
        let ways = match (server.heard.browse, server.heard.one_shot) {
            (true, false) => "by multicast only",
            (false, true) => "by unicast only (multicast does not get in: changes show late)",
            _ => "by multicast and unicast",
        };
        format!("{} {ways}", server.title)
    });
    Check::new(State::Ok, "mDNS answers", capped(each.collect()))
}

fn surroundings(findings: &Findings) -> Vec<Check> {
    let mut checks = Vec::new();
    let machine = &findings.machine;
    let note = |subject: &str, detail: String| Check::new(State::Note, subject, detail);
    if let Some(kind) = machine.container.or(findings.looks_contained().then_some("container, by its looks"))
    {
        checks.push(note("this machine", format!("is a {kind}")));
    }
    if machine.is_wsl {
        checks.push(note("this machine", "Linux within Windows (WSL)".into()));
    }
    if !findings.elsewhere.is_empty() {
        let each = findings.elsewhere.iter().map(|(server, addr)| format!("{server} at {addr}"));
        let told = capped(each.collect());
        checks.push(note("announced elsewhere", format!("{told}: not tried; --host tries an address")));
    }
    if !machine.firewalls.is_empty() {
        let names: Vec<&str> = machine.firewalls.iter().map(|wall| wall.name()).collect();
        checks.push(note("firewall here", names.join(", ")));
    }
    match &findings.well_known {
        Some(Lookup::Found(addrs)) => checks.push(note("host named lanchat", listed(addrs))),
        Some(Lookup::Unanswered(why)) if !findings.knocks.iter().any(is_answered) => {
            checks.push(note("host named lanchat", format!("not known: {why}")))
        }
        Some(Lookup::Unanswered(_) | Lookup::Unknown(_)) | None => {}
    }
    if findings.scanned {
        let found = findings.scan_found;
        let machines =
            findings.machines.map_or(String::new(), |count| format!("; {} on the link", answer(count)));
        let servers = if found == 1 { "1 server".into() } else { format!("{found} servers") };
        checks.push(note("each address of this network", format!("{servers} on port 7667{machines}")));
    }
    checks
}

fn knocks(findings: &Findings) -> Vec<Check> {
    // A guess that leads nowhere is not worth a line.
    let is_told = |knock: &&Knock| match knock.by {
        By::Gateway | By::Neighbour | By::Own => {
            matches!(knock.outcome, Outcome::Answered { .. } | Outcome::Hung | Outcome::TurnedAway(_))
        }
        _ => true,
    };
    let told: Vec<&Knock> = findings.knocks.iter().filter(is_told).collect();
    let mut checks: Vec<Check> = Vec::new();
    // Where somebody answers, what was remembered of other days and networks is no fault.
    let is_stale = |knock: &Knock| knock.by == By::Remembered && told.iter().any(|other| is_answered(other));
    for check in told.iter().take(MAX_KNOCKS).flat_map(|knock| told_of(knock, is_stale(knock))) {
        // A server's key is told once, at whatever addresses it answers.
        if !(check.is_about_keys && checks.contains(&check)) {
            checks.push(check);
        }
    }
    if let Some(more) = told.len().checked_sub(MAX_KNOCKS).filter(|more| *more > 0) {
        let silent = told.iter().skip(MAX_KNOCKS).filter(|knock| !is_answered(knock));
        let detail = format!("{more} more, of which {} lead nowhere", silent.count());
        checks.push(Check::new(State::Note, "addresses", detail));
    }
    checks
}

fn is_answered(knock: &Knock) -> bool {
    matches!(knock.outcome, Outcome::Answered { .. })
}

fn told_of(knock: &Knock, is_stale: bool) -> Vec<Check> {
    let why = match (knock.by, &knock.of) {
        (By::Host | By::Announced, _) => String::new(),
        (By::Remembered, Some(name)) => format!(" (where {name} was last time)"),
        (By::Remembered, None) => " (from before)".into(),
        (By::WellKnown, _) => " (the host named lanchat)".into(),
        (By::Scan, _) => " (found by trying)".into(),
        (By::Neighbour, _) => " (speaks mDNS)".into(),
        (By::Gateway, _) => " (the router)".into(),
        (By::Own, _) => " (this machine's own)".into(),
    };
    let subject = format!("{}{why}", knock.addr);
    let state = if is_stale { State::Note } else { State::Failed };
    let failed = |detail: String| vec![Check::new(state, subject.clone(), detail)];
    let took = format!("{:.1} ms", knock.took.as_secs_f64() * 1000.0);
    match &knock.outcome {
        Outcome::Answered { server, standing, .. } => {
            let (state, detail) = match standing {
                Ok(detail) => (State::Ok, detail.as_str()),
                Err(refusal) => (State::Failed, refusal.as_str()),
            };
            let key = Check { is_about_keys: true, ..Check::new(state, format!("key of {server}"), detail) };
            vec![Check::new(State::Ok, subject, format!("{server} answered in {took}")), key]
        }
        Outcome::TurnedAway(why) => failed(format!("a lanchat server that does not take this client: {why}")),
        Outcome::Foreign(why) => failed(format!("no lanchat server: {why}")),
        Outcome::Hung => failed("takes connections, and says nothing".into()),
        Outcome::Refused => failed(format!("connection refused, in {took}")),
        Outcome::Rejected => failed(format!("a firewall rejects the connection, in {took}")),
        Outcome::Unreachable => failed(format!("no route to host, in {took}{}", there(knock))),
        Outcome::NoRoute => failed("network unreachable: this machine knows no way there".into()),
        Outcome::Forbidden => failed("this machine does not permit it".into()),
        Outcome::Silent => {
            failed(format!("no answer within {:.1} s{}", knock.took.as_secs_f64(), there(knock)))
        }
    }
}

fn there(knock: &Knock) -> String {
    let mut words = match knock.is_there {
        Some(true) => "; a machine is there".to_owned(),
        Some(false) => "; nobody has that address here".to_owned(),
        None => String::new(),
    };
    if let Some(by) = &knock.detour {
        words += &format!("; sent by {by}");
    }
    if knock.is_swallowed {
        words += "; nothing left this machine";
    }
    words
}

fn tested(findings: &Findings) -> Option<Check> {
    let test = findings.test.as_ref()?;
    let subject = format!("multicast with {}", test.addr.ip());
    Some(match &test.result {
        Tested::Ways { out, back } => {
            let says = |came: &bool| if *came { "arrives" } else { "gets lost" };
            let state = if *out && *back { State::Ok } else { State::Failed };
            Check::new(state, subject, format!("to it {}, from it {}", says(out), says(back)))
        }
        Tested::Unused(why) => Check::new(State::Note, subject, format!("not tested: {why}")),
        Tested::Impossible(why) => Check::new(State::Note, subject, format!("could not be tested: {why}")),
    })
}

/// The first of them, and how many more.
fn capped(items: Vec<String>) -> String {
    match items.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", items[..MAX_NAMED].join(", ")),
        None => items.join(", "),
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    capped(items.iter().map(ToString::to_string).collect())
}
