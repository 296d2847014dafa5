//! What an examination comes to: a cause, a line for people, and what to do about it. Pure: made of the
//! findings, from the most certain cause to the least.

mod nobody;
mod own;
mod reached;
mod unreached;

#[cfg(test)]
mod tests;

pub(super) use nobody::answer;

use super::findings::{By, Findings, Knock, Lookup, Outcome};
use super::remedy::Remedy;
use crate::cli::exit::Exit;
use std::fmt;

/// The result of an examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is, for programs.
    pub cause: Cause,
    /// The same for people: one line, safe for a terminal.
    pub line: String,
    /// What helps: lines to paste.
    pub remedies: Vec<Remedy>,
}

/// What kind of end it is: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A server answered that may be joined.
    Well,
    /// Something on this machine is in the way.
    Here,
    /// No server was found.
    Nobody,
    /// One was found and cannot be connected to.
    Unreachable,
    /// It refuses, or its key is refused.
    Refused,
    /// What answers is no lanchat server.
    Foreign,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $class:ident;)+) => {
        /// What was found to be so.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause { $($(#[$doc])* $variant,)+ }

        impl Cause {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As programs read it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Of which class it is.
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)+ }
            }
        }
    };
}

causes! {
    /// The server is found and answers.
    Well = "well", Well;
    /// The same, but only multicast answers get in here.
    NoUnicast = "no_unicast_answers", Well;
    /// A server answers, and was not found by mDNS: its machine does not hear questions.
    QuestionsLost = "questions_lost", Well;
    /// The same: this machine does not let its questions out.
    QuestionsForbidden = "questions_forbidden", Well;
    /// The same: its answers do not get in here.
    AnswersLost = "answers_lost", Well;
    /// The same: neither way.
    MulticastLost = "multicast_lost", Well;
    /// The same: it announces nothing.
    NotAnnounced = "not_announced", Well;
    /// The same: it is on another network.
    Routed = "routed", Well;
    /// The same, of an older server that can't be tested with.
    Unheard = "unheard", Well;
    /// This machine's own server answers.
    OwnServer = "own_server", Well;
    /// The same, and nobody else can reach it: it listens on the loopback address.
    OwnServerLocal = "own_server_local", Here;
    /// The same: this machine's firewall drops connections to it.
    OwnServerWalled = "own_server_walled", Here;
    /// The same: this machine's firewall drops questions for it.
    OwnServerUnheard = "own_server_unheard", Here;
    /// No interface is up.
    NoNetwork = "no_network", Here;
    /// Nobody gave this machine an address.
    NoAddress = "no_address", Here;
    /// This machine forbids sending.
    SendingForbidden = "sending_forbidden", Here;
    /// A VPN takes the traffic for the local network.
    Vpn = "vpn", Here;
    /// Another program keeps the port of mDNS.
    PortTaken = "port_taken", Here;
    /// There is no multicast on this machine.
    NoMulticast = "no_multicast", Here;
    /// The name servers do not answer.
    NameServers = "name_servers", Here;
    /// No server, though others are heard.
    NoServer = "no_server", Nobody;
    /// The machine of the last server is on, and the server is not.
    Stopped = "stopped", Nobody;
    /// Where the last server was, a machine drops connections.
    Walled = "walled", Nobody;
    /// Where the last server was, nobody has the address.
    Missing = "missing", Nobody;
    /// Servers, but not the one that was asked for.
    NotAmongThem = "not_among_them", Nobody;
    /// Nobody is heard, in a container.
    Container = "container", Nobody;
    /// Nobody is heard, in Linux within Windows.
    Wsl = "wsl", Nobody;
    /// Other machines are there, and nobody speaks mDNS.
    NobodyHeard = "nobody_heard", Nobody;
    /// Not even other machines are there.
    Alone = "alone", Nobody;
    /// The host has no such name.
    UnknownHost = "unknown_host", Unreachable;
    /// There is no way to its network.
    NoRoute = "no_route", Unreachable;
    /// Nobody has the address.
    NotThere = "not_there", Unreachable;
    /// A firewall drops connections to it.
    Dropped = "dropped", Unreachable;
    /// A firewall refuses them, and says so.
    Rejected = "rejected", Unreachable;
    /// Nothing listens there, or a firewall says so.
    Refused = "refused", Unreachable;
    /// It is behind a router and does not answer.
    FarAndSilent = "far_and_silent", Unreachable;
    /// It takes connections and says nothing.
    Hung = "hung", Unreachable;
    /// Its key is another one than it should be.
    WrongKey = "wrong_key", Refused;
    /// It is not the known server of its name.
    Namesake = "namesake", Refused;
    /// It does not take this client.
    TurnedAway = "turned_away", Refused;
    /// What answers is no lanchat server.
    Foreign = "not_lanchat", Foreign;
}

impl Class {
    /// As programs read it.
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

    /// With which status the program ends.
    pub fn exit(self) -> Exit {
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

impl Verdict {
    fn new(cause: Cause, line: impl Into<String>, remedies: Vec<Remedy>) -> Self {
        Self { cause, line: line.into(), remedies }
    }

    /// Judges.
    pub fn of(findings: &Findings) -> Self {
        if let Some(host) = &findings.host {
            match &host.lookup {
                Lookup::Found(_) => {}
                Lookup::Unknown(_) => return unreached::unknown_host(&host.name),
                // Name servers know nothing of those names, and some do not even say so.
                Lookup::Unanswered(_) if unreached::is_mdns_name(&host.name) => {
                    return unreached::unknown_host(&host.name);
                }
                Lookup::Unanswered(why) => return unreached::name_servers(&host.name, why),
            }
        }
        let others_are_there = findings.wanted.is_some() && !anything_is_meant(findings);
        if others_are_there && anything_is_known(findings) {
            return nobody::not_among_them(findings);
        }
        reached::judge(findings)
            .or_else(|| own::judge(findings))
            .or_else(|| unreached::judge(findings))
            .unwrap_or_else(|| nobody::judge(findings))
    }
}

/// One line, and one for each remedy.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        let width = self.remedies.iter().map(|remedy| remedy.place.chars().count()).max().unwrap_or(0) + 1;
        for Remedy { place, line } in &self.remedies {
            write!(f, "\n  {:<width$} {line}", format!("{place}:"))?;
        }
        Ok(())
    }
}

/// The servers that answered and may be joined.
fn good(findings: &Findings) -> impl Iterator<Item = (&Knock, &str)> {
    findings.knocks.iter().filter_map(|knock| match &knock.outcome {
        Outcome::Answered { server, standing: Ok(_), is_meant: true } => Some((knock, server.as_str())),
        _ => None,
    })
}

fn anything_is_meant(findings: &Findings) -> bool {
    let answers = |knock: &Knock| matches!(&knock.outcome, Outcome::Answered { is_meant: true, .. });
    findings.knocks.iter().any(answers) || findings.servers.iter().any(|server| server.is_meant)
}

fn anything_is_known(findings: &Findings) -> bool {
    let answers = |knock: &Knock| matches!(&knock.outcome, Outcome::Answered { .. });
    findings.knocks.iter().any(answers) || !findings.servers.is_empty()
}

/// What an address is called: by its server's name, if that is known.
fn titled(findings: &Findings, knock: &Knock) -> String {
    let announced = findings.servers.iter().find(|server| server.addrs.contains(&knock.addr));
    let name = announced.map(|server| &server.title).or(knock.of.as_ref());
    match (name, knock.by) {
        (Some(name), _) => format!("{name} at {}", knock.addr),
        (None, By::Gateway) => format!("the router {}", knock.addr),
        (None, _) => knock.addr.to_string(),
    }
}
