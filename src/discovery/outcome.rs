//! What a search for a server comes to. Pure.

use super::connect_failure::ConnectFailure;
use super::label::short_id;
use super::mdns_search::Reach;
use crate::text::safe_line;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Addresses and servers named in a message; more would not help.
const MAX_NAMED: usize = 4;

/// Servers of which is told why they cannot be connected to.
const MAX_REASONS: usize = 2;

/// Servers named that are not the wanted one.
const MAX_OTHERS: usize = 12;

/// What a probe brings back from an address at which a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<T> {
    /// The server's id: what its probe found proven, or took its word for.
    pub id: String,
    /// The server's name, as it gives it itself.
    pub name: String,
    /// The open link, or whatever else the caller wants of the winner.
    pub link: T,
}

/// A server that proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// Its id.
    pub id: String,
    /// Its name. As the server sent it: not yet safe for a terminal.
    pub name: String,
    /// The address at which it answered first.
    pub addr: SocketAddr,
    /// All addresses known of it, that one first: what to remember for the next time.
    pub addrs: Vec<SocketAddr>,
    /// The ids of others that were heard of, or answered, under the same name. Not proven.
    pub namesakes: Vec<String>,
    /// What its probe brought back.
    pub link: T,
}

/// What a search for a server comes to.
#[derive(Debug)]
pub enum FindOutcome<T> {
    /// The server to join.
    Found(Found<T>),
    /// Servers among which the user has to choose, by their names. Their links do not stay open for long
    /// while somebody thinks.
    Several(Vec<Found<T>>),
    /// No server, and what was done to find one.
    Nothing(SearchReport),
}

/// What was done to find a server, in vain. Displayed as one line for the user: what failed, why as
/// far as is known, and what to do.
#[derive(Clone, Debug, Default)]
pub struct SearchReport {
    /// The server that was asked for by name or id.
    pub wanted: Option<String>,
    /// How far the search went; `None` if discovery was off.
    pub reach: Option<Reach>,
    /// How long it took.
    pub waited: Duration,
    /// Where a server was tried in vain, and why.
    pub failed: Vec<FailedAddress>,
    /// Whether any server was heard of by mDNS.
    pub heard: bool,
    /// Whether each address of the own networks was tried.
    pub scanned: bool,
    /// Addresses at which another server answered than the one expected there, and that server.
    pub strangers: Vec<UnexpectedServer>,
    /// Servers that were heard of, or answered, but are not the one wanted; safe for a terminal.
    pub others: Vec<String>,
}

/// An address at which no server proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAddress {
    /// Where.
    pub addr: SocketAddr,
    /// Which server should be there, as people tell it from others; safe for a terminal.
    pub server: Option<String>,
    /// Who says so.
    pub source: Source,
    /// Whether the address is on a network of this machine.
    pub near: bool,
    /// What happened at the last attempt.
    pub why: ConnectFailure,
}

/// Who says that a server may be at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was there before.
    Known {
        /// Whether it is the server that was used last.
        last_used: bool,
    },
    /// It is announced by mDNS.
    Announced,
    /// The resolver knows a host named `lanchat`.
    Named,
    /// Nobody.
    Guessed,
}

impl FailedAddress {
    /// Whether that says that a server is here, or should be: not so if one of another network does not
    /// answer.
    fn is_here(&self) -> bool {
        match self.source {
            Source::Announced | Source::Named => true,
            Source::Known { .. } => {
                self.near || matches!(self.why, ConnectFailure::Refused | ConnectFailure::Said(_))
            }
            Source::Guessed => false,
        }
    }

    /// What says most comes first. Anybody can announce any number of servers; which one was used last, only this
    /// user knows.
    fn rank(&self) -> (u8, u8) {
        let rank = match self.why {
            ConnectFailure::Said(_) => 0,
            ConnectFailure::Forbidden => 1,
            ConnectFailure::Rejected => 2,
            ConnectFailure::Refused => 3,
            ConnectFailure::Silent => 4,
            ConnectFailure::Nobody => 5,
            ConnectFailure::NoRoute => 6,
            ConnectFailure::Elsewhere => 7,
        };
        let is_told = matches!(
            self.why,
            ConnectFailure::Said(_)
                | ConnectFailure::Forbidden
                | ConnectFailure::Rejected
                | ConnectFailure::Refused
        );
        let source = match self.source {
            Source::Known { last_used: true } if is_told => 0,
            Source::Announced => 1,
            _ => 2,
        };
        (source, rank)
    }
}

/// One sentence: which server, where, what happened, and what to do.
impl fmt::Display for FailedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, port) = (self.addr, self.addr.port());
        let server = self.server.as_deref().filter(|server| !server.is_empty()).unwrap_or("a server");
        let is_announced = self.source == Source::Announced;
        match self.source {
            Source::Announced => write!(f, "{server} is announced at {addr}")?,
            Source::Named => write!(f, "{server} is {addr}")?,
            Source::Known { .. } if addr.ip().is_loopback() && self.why == ConnectFailure::Refused => {
                return write!(
                    f,
                    "{server} was last on this machine, and does not run: start it with `lanchat serve`"
                );
            }
            Source::Known { .. } | Source::Guessed => write!(f, "{server} was last at {addr}")?,
        }
        match &self.why {
            ConnectFailure::Refused if is_announced => write!(
                f,
                ", but the connection is refused: it has just ended, or a firewall there rejects TCP port {port}"
            ),
            ConnectFailure::Refused => f.write_str(", and nothing listens there (connection refused): start `lanchat serve` there"),
            ConnectFailure::Silent if is_announced => write!(
                f,
                ", but there is no answer: a firewall drops TCP port {port}; there: `sudo ufw allow {port}/tcp`"
            ),
            ConnectFailure::Silent => write!(
                f,
                ", and there is no answer: that machine is off, the server hangs, or a firewall drops TCP port {port}"
            ),
            ConnectFailure::Rejected => write!(
                f,
                ", but a firewall rejects TCP port {port}; there: `sudo ufw allow {port}/tcp`, or look at this \
                 machine's own rules"
            ),
            ConnectFailure::Nobody => f.write_str(
                ", but no machine has that address now: it is off, or the access point keeps its clients apart",
            ),
            ConnectFailure::NoRoute => f.write_str(", but this machine has no route there: is it on the same network?"),
            ConnectFailure::Forbidden => write!(
                f,
                ", but this machine does not let the connection out: a firewall or a VPN here forbids TCP port \
                 {port}"
            ),
            ConnectFailure::Elsewhere => write!(
                f,
                ", on no network of this machine, where an announcement alone leads nobody: if you know the \
                 server, name it with --host {addr}"
            ),
            ConnectFailure::Said(words) => write!(f, ": {}", safe_line(words)),
        }
    }
}

impl SearchReport {
    /// Whether a server is here, for all that is known, and could not be connected to.
    pub fn is_here(&self) -> bool {
        self.failed.iter().any(FailedAddress::is_here)
    }

    /// Why those that are here could not be connected to: what says most of each, the server that was used last
    /// first, and then announced ones.
    pub fn reasons(&self) -> Vec<&FailedAddress> {
        let mut failed: Vec<&FailedAddress> = self.failed.iter().filter(|failed| failed.is_here()).collect();
        failed.sort_by_key(|failed| failed.rank());
        let mut told: Vec<&FailedAddress> = Vec::new();
        for failed in failed {
            if !told.iter().any(|told| told.server == failed.server) {
                told.push(failed);
            }
        }
        told
    }
}

/// A server that answered where another one was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedServer {
    /// Where it answered.
    pub addr: SocketAddr,
    /// Its id, as its probe found it.
    pub id: String,
    /// Its name, as it gives it itself: not yet safe for a terminal.
    pub name: String,
}

/// A server as people tell it from others: `office (3f9a1c77)`, safe for a terminal.
pub(super) fn server_name(name: &str, id: &str) -> String {
    safe_line(&format!("{name} ({})", short_id(id)))
}

impl fmt::Display for SearchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons();
        if !reasons.is_empty() {
            f.write_str("cannot connect: ")?;
            for (at, failed) in reasons.iter().take(MAX_REASONS).enumerate() {
                write!(f, "{}{failed}", if at > 0 { "; " } else { "" })?;
            }
            if let Some(more @ 1..) = reasons.len().checked_sub(MAX_REASONS) {
                write!(f, "; {more} more do not answer either")?;
            }
            self.fmt_others(f)?;
            return f.write_str("; `lanchat doctor` tells more");
        }
        match &self.wanted {
            Some(wanted) => write!(f, "no server {} answered", safe_line(wanted))?,
            None => f.write_str("no lanchat server answered")?,
        }
        if let Some(reach) = &self.reach {
            if !reach.links.is_empty() {
                write!(f, " on {reach}")?;
            }
            write!(f, " within {:.1} s", self.waited.as_secs_f32())?;
            if !reach.links.is_empty() && !self.heard && self.others.is_empty() {
                f.write_str(": none runs, or a firewall drops UDP port 5353")?;
            }
            for failure in reach.failures.iter().take(MAX_NAMED) {
                write!(f, "; {failure}")?;
            }
            if let Some(why) = &reach.port {
                write!(f, "; UDP port 5353 cannot be shared: {why}")?;
            }
        }
        self.fmt_others(f)?;
        if !self.others.is_empty() {
            return Ok(());
        }
        match &self.reach {
            Some(reach) if reach.links.is_empty() => {
                f.write_str("; is this machine connected to the network?")?;
            }
            _ => f.write_str(";")?,
        }
        f.write_str(match self.scanned {
            true => " name the server with --host HOST, or run `lanchat doctor`",
            false => {
                " name the server with --host HOST, or run `lanchat discover --scan` or `lanchat doctor`"
            }
        })
    }
}

impl SearchReport {
    fn fmt_others(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.others.is_empty() {
            return Ok(());
        }
        let (named, rest) = self.others.split_at(self.others.len().min(MAX_OTHERS));
        write!(f, "; there are: {}", named.join(", "))?;
        match rest.len() {
            0 => Ok(()),
            more => write!(f, ", and {more} more, which `lanchat discover` lists"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(addr: &str, source: Source, near: bool, why: ConnectFailure) -> FailedAddress {
        let server = Some("office (3f9a1c77)".into());
        FailedAddress { addr: addr.parse().unwrap(), server, source, near, why }
    }

    fn vain(failed: Vec<FailedAddress>) -> SearchReport {
        let reach = Reach { links: vec!["lan0".into()], failures: vec!["no socket".into()], port: None };
        SearchReport { reach: Some(reach), waited: Duration::from_secs(3), failed, ..SearchReport::default() }
    }

    const KNOWN: Source = Source::Known { last_used: true };

    #[test]
    fn a_search_without_a_network_asks_for_one() {
        let reach = Reach::default();
        let tried =
            SearchReport { reach: Some(reach), waited: Duration::from_secs(1), ..SearchReport::default() };
        assert_eq!(
            tried.to_string(),
            "no lanchat server answered within 1.0 s; is this machine connected to the network? name the \
             server with --host HOST, or run `lanchat discover --scan` or `lanchat doctor`"
        );
    }

    #[test]
    fn where_nothing_was_heard_the_port_of_mdns_is_asked_after() {
        assert_eq!(
            vain(Vec::new()).to_string(),
            "no lanchat server answered on lan0 within 3.0 s: none runs, or a firewall drops UDP port 5353; no \
             socket; name the server with --host HOST, or run `lanchat discover --scan` or `lanchat doctor`"
        );
        let heard = SearchReport { heard: true, ..vain(Vec::new()) };
        assert!(!heard.to_string().contains("5353"), "{heard}");
    }

    #[test]
    fn a_server_that_is_there_is_named_with_its_address_what_happened_and_what_to_do() {
        for (source, why, words) in [
            (Source::Announced, ConnectFailure::Silent, "`sudo ufw allow 7667/tcp`"),
            (Source::Announced, ConnectFailure::Refused, "a firewall there rejects TCP port 7667"),
            (Source::Announced, ConnectFailure::Rejected, "a firewall rejects TCP port 7667"),
            (Source::Announced, ConnectFailure::NoRoute, "no route there"),
            (Source::Announced, ConnectFailure::Elsewhere, "--host 10.0.0.1:7667"),
            (Source::Announced, ConnectFailure::Forbidden, "a firewall or a VPN here"),
            (KNOWN, ConnectFailure::Refused, "start `lanchat serve` there"),
            (KNOWN, ConnectFailure::Silent, "the server hangs"),
            (KNOWN, ConnectFailure::Silent, "that machine is off"),
            (KNOWN, ConnectFailure::Nobody, "the access point keeps its clients apart"),
            (KNOWN, ConnectFailure::Said("full\u{1b}".into()), "10.0.0.1:7667: full\u{fffd}"),
        ] {
            let tried = vain(vec![failed("10.0.0.1:7667", source, true, why)]);
            let text = tried.to_string();
            assert!(tried.is_here() && text.contains(words), "{text}");
            assert!(text.starts_with("cannot connect: office (3f9a1c77) "), "{text}");
            assert!(
                text.contains("10.0.0.1:7667") && text.ends_with("`lanchat doctor` tells more"),
                "{text}"
            );
            assert!(!text.contains("5353"), "{text}");
        }
    }

    #[test]
    fn a_server_that_ran_on_this_machine_is_started_here() {
        let tried = vain(vec![failed("127.0.0.1:7667", KNOWN, true, ConnectFailure::Refused)]);
        assert_eq!(
            tried.to_string(),
            "cannot connect: office (3f9a1c77) was last on this machine, and does not run: start it with `lanchat \
             serve`; `lanchat doctor` tells more"
        );
    }

    #[test]
    fn of_each_server_what_says_most_is_told_and_of_the_one_used_last_first() {
        let other = FailedAddress {
            server: Some("lab (a0b1c2d3)".into()),
            ..failed("10.0.0.9:1", KNOWN, true, ConnectFailure::Refused)
        };
        let tried = vain(vec![
            other,
            failed("10.0.0.1:1", Source::Announced, true, ConnectFailure::Silent),
            failed("10.0.0.2:1", Source::Announced, true, ConnectFailure::Refused),
        ]);
        let told: Vec<String> = tried.reasons().iter().map(|failed| failed.addr.to_string()).collect();
        assert_eq!(told, ["10.0.0.9:1", "10.0.0.2:1"]);
    }

    #[test]
    fn forged_announcements_do_not_hide_what_is_wrong_with_the_server_that_was_used_last() {
        let forged = (2..99).map(|host| FailedAddress {
            server: Some(format!("fake{host} (a0b1c2d3)")),
            ..failed(&format!("10.0.0.{host}:1"), Source::Announced, true, ConnectFailure::Refused)
        });
        let own = failed("10.0.0.1:1", Source::Known { last_used: true }, true, ConnectFailure::Refused);
        let text = vain(forged.chain([own]).collect()).to_string();
        assert!(
            text.starts_with("cannot connect: office (3f9a1c77) was last at 10.0.0.1:1, and nothing listens"),
            "{text}"
        );
    }

    #[test]
    fn servers_of_other_networks_and_mere_guesses_are_none_that_are_here() {
        for elsewhere in [
            failed("10.200.0.1:7667", KNOWN, false, ConnectFailure::Silent),
            failed("10.200.0.1:7667", KNOWN, false, ConnectFailure::NoRoute),
            failed("10.0.0.254:7667", Source::Guessed, true, ConnectFailure::Refused),
        ] {
            let tried = vain(vec![elsewhere]);
            assert!(!tried.is_here() && tried.to_string().contains("5353"), "{tried}");
        }
    }

    #[test]
    fn a_vain_search_by_name_tells_which_names_there_are() {
        let mut others = vec![server_name("office", "3f9a1c7700112233")];
        let tried =
            SearchReport { wanted: Some("offcie".into()), others: others.clone(), ..SearchReport::default() };
        assert_eq!(tried.to_string(), "no server offcie answered; there are: office (3f9a1c77)");
        others.resize(50, "lab".into());
        let text =
            SearchReport { wanted: Some("offcie".into()), others, ..SearchReport::default() }.to_string();
        assert!(text.ends_with(", lab, and 38 more, which `lanchat discover` lists"), "{text}");
    }
}
