//! Derives a diagnosis from the findings: a cause, a line for people, and remedies. Pure. The most certain
//! cause comes first.

mod copied;
mod nobody;
mod own;
mod reached;
mod unreached;

#[cfg(test)]
mod tests;

use super::findings::{Findings, Lookup, Probe, ProbeOutcome, ProbeSource};
use super::remedy::Remedy;
use crate::cli::exit::Exit;
use std::fmt;

/// Why a server can or cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause, for programs.
    pub cause: Cause,
    /// The cause and what to do, for people: one line, safe for a terminal.
    pub line: String,
    /// Lines to paste.
    pub remedies: Vec<Remedy>,
}

/// Kinds of causes, one for each exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A server answered, and the client may join it.
    Well,
    /// The problem is on this machine.
    Here,
    /// No server was found.
    Nobody,
    /// A server was found, but cannot be connected to.
    Unreachable,
    /// The server refuses the client, or the client refuses its key.
    Refused,
    /// Something other than a lanchat server answers.
    Foreign,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $class:ident;)+) => {
        /// A cause, named as programs read it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause { $(#[doc = $text] $(#[$doc])* $variant,)+ }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name for programs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Its class.
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)+ }
            }
        }
    };
}

causes! {
    Well = "well", Well;
    /// A server was found, but unicast answers do not reach this machine.
    NoUnicast = "no_unicast_answers", Well;
    /// A server answers, but mDNS did not find it: its machine does not hear queries.
    QuestionsLost = "questions_lost", Well;
    /// The same: this machine does not let its queries out.
    QuestionsForbidden = "questions_forbidden", Well;
    /// The same: its answers do not reach this machine.
    AnswersLost = "answers_lost", Well;
    /// The same: multicast arrives in neither direction.
    MulticastLost = "multicast_lost", Well;
    /// The same: it does not announce itself.
    NotAnnounced = "not_announced", Well;
    /// The same: it is on another network.
    Routed = "routed", Well;
    /// The same, for an unknown reason.
    Unheard = "unheard", Well;
    /// Servers that answer have the same key, so clients take one for the other.
    CopiedKey = "copied_key", Well;
    OwnServer = "own_server", Well;
    /// This machine's own server answers, but it listens on the loopback address, where nobody else can reach
    /// it.
    OwnServerLocal = "own_server_local", Here;
    /// The same, but this machine's firewall drops connections to it.
    OwnServerWalled = "own_server_walled", Here;
    /// The same, but this machine's firewall drops queries for it.
    OwnServerUnheard = "own_server_unheard", Here;
    NoNetwork = "no_network", Here;
    NoAddress = "no_address", Here;
    /// This machine forbids sending.
    SendingForbidden = "sending_forbidden", Here;
    Vpn = "vpn", Here;
    /// Another program does not share the mDNS port.
    PortTaken = "port_taken", Here;
    NoMulticast = "no_multicast", Here;
    NameServers = "name_servers", Here;
    /// mDNS works, but no server is announced.
    NoServer = "no_server", Nobody;
    /// The last server's machine is on, but its server does not run.
    Stopped = "stopped", Nobody;
    /// The last server's machine is on, but drops connections.
    Walled = "walled", Nobody;
    /// No machine has the last server's address.
    Missing = "missing", Nobody;
    /// Servers answer, but not the one that the user asked for.
    NotAmongThem = "not_among_them", Nobody;
    Container = "container", Nobody;
    Wsl = "wsl", Nobody;
    /// Other machines may be there, but none speaks mDNS.
    NobodyHeard = "nobody_heard", Nobody;
    Alone = "alone", Nobody;
    UnknownHost = "unknown_host", Unreachable;
    NoRoute = "no_route", Unreachable;
    NotThere = "not_there", Unreachable;
    Dropped = "dropped", Unreachable;
    Rejected = "rejected", Unreachable;
    /// Nothing listens there, or a firewall pretends so.
    Refused = "refused", Unreachable;
    /// The server is behind a router and does not answer.
    FarAndSilent = "far_and_silent", Unreachable;
    Hung = "hung", Unreachable;
    WrongKey = "wrong_key", Refused;
    /// Another server has the name of a known one.
    Namesake = "namesake", Refused;
    TurnedAway = "turned_away", Refused;
    Foreign = "not_lanchat", Foreign;
}

impl Class {
    /// Its name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Well => "well",
            Class::Here => "here",
            Class::Nobody => "nobody",
            Class::Unreachable => "unreachable",
            Class::Refused => "refused",
            Class::Foreign => "not_lanchat",
        }
    }

    /// The exit status.
    pub(in crate::cli) fn exit(self) -> Exit {
        match self {
            Class::Well => Exit::Ok,
            Class::Here => Exit::Failure,
            Class::Nobody => Exit::NoServer,
            Class::Unreachable => Exit::Disconnected,
            Class::Refused => Exit::Refused,
            Class::Foreign => Exit::Protocol,
        }
    }
}

impl Diagnosis {
    fn new(cause: Cause, line: impl Into<String>, remedies: Vec<Remedy>) -> Self {
        Self { cause, line: line.into(), remedies }
    }

    /// Diagnoses the findings.
    pub fn of(findings: &Findings) -> Self {
        if let Some(host) = &findings.host {
            match &host.lookup {
                Lookup::Found(_) => {}
                Lookup::Unknown(_) => return unreached::unknown_host(&host.name),
                // Name servers do not know .local names, and some do not even answer.
                Lookup::Unanswered(_) if unreached::is_mdns_name(&host.name) => {
                    return unreached::unknown_host(&host.name);
                }
                Lookup::Unanswered(why) => return unreached::name_servers(&host.name, why),
            }
        }
        let others_are_there = findings.wanted.is_some() && !is_any_wanted(findings);
        if others_are_there && is_any_known(findings) {
            return nobody::not_among_them(findings);
        }
        copied::judge(findings)
            .or_else(|| reached::judge(findings))
            .or_else(|| own::judge(findings))
            .or_else(|| unreached::judge(findings))
            .unwrap_or_else(|| nobody::judge(findings))
    }
}

/// Prints the line, then each remedy on a line of its own.
impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        let width = self.remedies.iter().map(|remedy| remedy.place.chars().count()).max().unwrap_or(0) + 1;
        for Remedy { place, line } in &self.remedies {
            write!(f, "\n  {:<width$} {line}", format!("{place}:"))?;
        }
        Ok(())
    }
}

/// Lists the servers that answered and that the client may join.
fn joinable(findings: &Findings) -> impl Iterator<Item = (&Probe, &str)> {
    findings.probes.iter().filter_map(|probe| match &probe.outcome {
        ProbeOutcome::Answered { server, key: Ok(_), is_meant: true } => Some((probe, server.as_str())),
        _ => None,
    })
}

fn is_any_wanted(findings: &Findings) -> bool {
    let answers = |probe: &Probe| matches!(&probe.outcome, ProbeOutcome::Answered { is_meant: true, .. });
    findings.probes.iter().any(answers) || findings.servers.iter().any(|server| server.is_meant)
}

fn is_any_known(findings: &Findings) -> bool {
    let answers = |probe: &Probe| matches!(&probe.outcome, ProbeOutcome::Answered { .. });
    findings.probes.iter().any(answers) || !findings.servers.is_empty()
}

/// Describes an address by its server's name, if that is known.
fn described(findings: &Findings, probe: &Probe) -> String {
    let announced = findings.servers.iter().find(|server| server.addrs.contains(&probe.addr));
    let name = announced.map(|server| &server.title).or(probe.name.as_ref());
    match (name, probe.source) {
        (Some(name), _) => format!("{name} at {}", probe.addr),
        (None, ProbeSource::Gateway) => format!("the router {}", probe.addr),
        (None, _) => probe.addr.to_string(),
    }
}
