//! The result of a search for a server, and its message for the user. Pure.

use super::connect_failure::ConnectFailure;
use super::label::short_id;
use super::mdns_search::Reach;
use crate::text::safe_line;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Maximum failures listed in a message; more would not help.
const MAX_NAMED: usize = 4;

/// Maximum servers in a message with the reason why they cannot be reached.
const MAX_REASONS: usize = 2;

/// Maximum other servers listed in a message.
const MAX_OTHERS: usize = 12;

/// A probe's result from an address where a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<T> {
    /// The server's id, which the probe verified or accepted unverified.
    pub id: String,
    /// The name that the server gives.
    pub name: String,
    /// The open link, or other data for the caller.
    pub link: T,
}

/// A server that proved its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// Its id.
    pub id: String,
    /// The name that the server gives: not yet safe for a terminal.
    pub name: String,
    /// The address where it answered first.
    pub addr: SocketAddr,
    /// All its known addresses, that one first, to remember for the next search.
    pub addrs: Vec<SocketAddr>,
    /// The ids of other servers with the same name. Not verified.
    pub namesakes: Vec<String>,
    /// The probe's link or data.
    pub link: T,
}

/// The result of a search.
#[derive(Debug)]
pub enum FindOutcome<T> {
    /// The server to join.
    Found(Found<T>),
    /// Servers for the user to choose from, ordered by name. Their links time out while the user thinks.
    Several(Vec<Found<T>>),
    /// No server, and a report.
    Nothing(SearchReport),
}

/// The report of a search that found no server. Displayed as one line for the user: the failure, its reason if
/// known, and the remedy.
#[derive(Clone, Debug, Default)]
pub struct SearchReport {
    /// The wanted name or id.
    pub wanted: Option<String>,
    /// How far the search went; `None` if discovery was off.
    pub reach: Option<Reach>,
    /// The duration of the search.
    pub waited: Duration,
    /// The addresses that failed.
    pub failed: Vec<FailedAddress>,
    /// Whether the search heard of any server by mDNS.
    pub heard: bool,
    /// Whether a scan tried each address of this machine's networks.
    pub scanned: bool,
    /// Servers that answered at another server's address.
    pub strangers: Vec<UnexpectedServer>,
    /// Servers that the search found, but that are not wanted; safe for a terminal.
    pub others: Vec<String>,
}

/// An address where no server proved its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAddress {
    /// The address.
    pub addr: SocketAddr,
    /// The server that should be there; safe for a terminal.
    pub server: Option<String>,
    /// Why a server may be there.
    pub source: Source,
    /// Whether the address is on a network of this machine.
    pub near: bool,
    /// Why the last attempt failed.
    pub why: ConnectFailure,
}

/// Why a server may be at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was there in an earlier session.
    Known {
        /// Whether this server was used last.
        last_used: bool,
    },
    /// mDNS announces it.
    Announced,
    /// A host named `lanchat` exists.
    Named,
    /// A guess: the default gateway.
    Guessed,
}

impl FailedAddress {
    /// Whether this failure shows that a server is or should be on this network. A server of another network
    /// that does not answer shows nothing.
    fn is_here(&self) -> bool {
        match self.source {
            Source::Announced | Source::Named => true,
            Source::Known { .. } => {
                self.near || matches!(self.why, ConnectFailure::Refused | ConnectFailure::Said(_))
            }
            Source::Guessed => false,
        }
    }

    /// Whether this remembered server was on this machine, which has the addresses `own` besides loopback,
    /// and is not running.
    pub fn is_stopped_here(&self, own: &[IpAddr]) -> bool {
        let is_own = self.addr.ip().is_loopback() || own.contains(&self.addr.ip());
        is_own && self.why == ConnectFailure::Refused && matches!(self.source, Source::Known { .. })
    }

    /// Orders failures by how much they tell. The server used last comes first: others could forge
    /// announcements to hide its failure.
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

/// One sentence: which server, where, what happened, and the remedy.
impl fmt::Display for FailedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, port) = (self.addr, self.addr.port());
        let server = self.server.as_deref().filter(|server| !server.is_empty()).unwrap_or("a server");
        let is_announced = self.source == Source::Announced;
        match self.source {
            Source::Announced => write!(f, "{server} is announced at {addr}")?,
            Source::Named => write!(f, "{server} is {addr}")?,
            Source::Known { .. } if self.is_stopped_here(&[]) => {
                return write!(
                    f,
                    "{server} was last on this machine and is not running; start it with `lanchat serve`"
                );
            }
            Source::Known { .. } | Source::Guessed => write!(f, "{server} was last at {addr}")?,
        }
        match &self.why {
            ConnectFailure::Refused if is_announced => write!(
                f,
                ", but the connection is refused: the server has just ended, or a firewall there rejects TCP port {port}"
            ),
            ConnectFailure::Refused => {
                f.write_str(", but nothing listens there (connection refused): start `lanchat serve` there")
            }
            ConnectFailure::Silent if is_announced => write!(
                f,
                ", but does not answer: a firewall drops TCP port {port}; on that machine, run `sudo ufw allow {port}/tcp`"
            ),
            ConnectFailure::Silent => write!(
                f,
                ", but does not answer: that machine is off, the server hangs, or a firewall drops TCP port {port}"
            ),
            ConnectFailure::Rejected => write!(
                f,
                ", but a firewall rejects TCP port {port}; on that machine, run `sudo ufw allow {port}/tcp`, or check this \
                 machine's own firewall"
            ),
            ConnectFailure::Nobody => f.write_str(
                ", but no machine has that address now: it is off, or the access point isolates its clients",
            ),
            ConnectFailure::NoRoute => f.write_str(
                ", but this machine has no route to that address; check that both are on the same network",
            ),
            ConnectFailure::Forbidden => write!(
                f,
                ", but this machine blocks the connection: allow TCP port {port} in its firewall or VPN"
            ),
            ConnectFailure::Elsewhere => write!(
                f,
                ", which is not on a network of this machine, so lanchat does not trust the announcement; if you know the \
                 server, connect with --host {addr}"
            ),
            ConnectFailure::Said(words) => write!(f, ": {}", safe_line(words)),
        }
    }
}

impl SearchReport {
    /// Whether a server seems to be on this network but cannot be reached.
    pub fn is_here(&self) -> bool {
        self.failed.iter().any(FailedAddress::is_here)
    }

    /// The most telling failure of each such server: first the server used last, then announced ones.
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

/// A server that answered at another server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedServer {
    /// The address where it answered.
    pub addr: SocketAddr,
    /// Its id, from the probe.
    pub id: String,
    /// The name that it gives: not yet safe for a terminal.
    pub name: String,
}

/// A server's name and short id, such as `office (3f9a1c77)`; safe for a terminal.
pub(super) fn server_name(name: &str, id: &str) -> String {
    safe_line(&format!("{name} ({})", short_id(id)))
}

/// A server's name with its short id, if known; safe for a terminal.
pub(super) fn full_name(name: &str, id: Option<&str>) -> String {
    id.map_or_else(|| safe_line(name), |id| server_name(name, id))
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
                write!(f, "; {more} more servers do not answer")?;
            }
            self.fmt_others(f)?;
            return f.write_str("; for details, run `lanchat doctor`");
        }
        match &self.wanted {
            Some(wanted) => write!(f, "no server {} answered", safe_line(wanted))?,
            None => f.write_str("no lanchat server answered")?,
        }
        if let Some(reach) = &self.reach {
            if !reach.links.is_empty() {
                write!(f, " on {}", reach.links.join(", "))?;
            }
            write!(f, " within {:.1} s", self.waited.as_secs_f32())?;
            if !reach.links.is_empty() && !self.heard && self.others.is_empty() {
                f.write_str(": no server is running, or a firewall drops UDP port 5353")?;
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
                f.write_str("; check that this machine is connected to a network;")?;
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
            more => write!(f, ", and {more} more; `lanchat discover` lists all"),
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
            "no lanchat server answered within 1.0 s; check that this machine is connected to a network; name the \
             server with --host HOST, or run `lanchat discover --scan` or `lanchat doctor`"
        );
    }

    #[test]
    fn where_nothing_was_heard_the_port_of_mdns_is_asked_after() {
        assert_eq!(
            vain(Vec::new()).to_string(),
            "no lanchat server answered on lan0 within 3.0 s: no server is running, or a firewall drops UDP port 5353; no \
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
            (Source::Announced, ConnectFailure::NoRoute, "no route to that address"),
            (Source::Announced, ConnectFailure::Elsewhere, "--host 10.0.0.1:7667"),
            (Source::Announced, ConnectFailure::Forbidden, "allow TCP port 7667 in its firewall or VPN"),
            (KNOWN, ConnectFailure::Refused, "start `lanchat serve` there"),
            (KNOWN, ConnectFailure::Silent, "the server hangs"),
            (KNOWN, ConnectFailure::Silent, "that machine is off"),
            (KNOWN, ConnectFailure::Nobody, "the access point isolates its clients"),
            (KNOWN, ConnectFailure::Said("full\u{1b}".into()), "10.0.0.1:7667: full\u{fffd}"),
        ] {
            let tried = vain(vec![failed("10.0.0.1:7667", source, true, why)]);
            let text = tried.to_string();
            assert!(tried.is_here() && text.contains(words), "{text}");
            assert!(text.starts_with("cannot connect: office (3f9a1c77) "), "{text}");
            assert!(
                text.contains("10.0.0.1:7667") && text.ends_with("for details, run `lanchat doctor`"),
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
            "cannot connect: office (3f9a1c77) was last on this machine and is not running; start it with `lanchat \
             serve`; for details, run `lanchat doctor`"
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
            text.starts_with("cannot connect: office (3f9a1c77) was last at 10.0.0.1:1, but nothing listens"),
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
        assert!(text.ends_with(", lab, and 38 more; `lanchat discover` lists all"), "{text}");
    }
}
