//! What a search for a server comes to. Pure.

use super::label::short_id;
use super::search::Reach;
use crate::text::safe_line;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Addresses and servers named in a message; more would not help.
const MAX_NAMED: usize = 4;

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
pub enum Outcome<T> {
    /// The server to join.
    Found(Found<T>),
    /// Servers among which the user has to choose, in the order in which they answered. Their links
    /// do not stay open for long while somebody thinks.
    Several(Vec<Found<T>>),
    /// No server, and what was done to find one.
    Nothing(Tried),
}

/// What was done to find a server, in vain. Displayed as one line for the user: what failed, why as
/// far as is known, and what to do.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// The server that was asked for by name or id.
    pub wanted: Option<String>,
    /// How far the search went; `None` if discovery was off.
    pub reach: Option<Reach>,
    /// How long it took.
    pub waited: Duration,
    /// Addresses that failed, and why.
    pub failed: Vec<(SocketAddr, String)>,
    /// Addresses at which another server answered than the one expected there, and that server.
    pub strangers: Vec<Stranger>,
    /// Servers that answered, but are not the one wanted.
    pub others: Vec<String>,
}

/// A server that answered where another one was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
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

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Some(wanted) => write!(f, "no server {} answered", safe_line(wanted))?,
            None => f.write_str("no lanchat server answered")?,
        }
        if let Some(reach) = &self.reach {
            if !reach.links.is_empty() {
                write!(f, " on {reach}")?;
            }
            write!(f, " within {:.1} s", self.waited.as_secs_f32())?;
            for failure in reach.failures.iter().take(MAX_NAMED) {
                write!(f, "; {failure}")?;
            }
        }
        for (addr, error) in self.failed.iter().take(MAX_NAMED) {
            write!(f, "; {addr}: {}", safe_line(error))?;
        }
        for Stranger { addr, id, name } in self.strangers.iter().take(MAX_NAMED) {
            write!(f, "; {addr} is another server now, {}", server_name(name, id))?;
        }
        if self.others.is_empty() {
            let firewall = match &self.reach {
                None => "",
                Some(reach) if reach.links.is_empty() => "is this machine connected to the network? ",
                Some(_) => "is UDP port 5353 open in the firewalls? ",
            };
            write!(f, "; {firewall}name the server with --host HOST, or see `lanchat doctor`")
        } else {
            write!(f, "; there are: {}", self.others.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_without_a_network_asks_for_one() {
        let reach = Reach { links: vec![], failures: vec![] };
        let tried = Tried { reach: Some(reach), waited: Duration::from_secs(1), ..Tried::default() };
        assert_eq!(
            tried.to_string(),
            "no lanchat server answered within 1.0 s; is this machine connected to the network? name the \
             server with --host HOST, or see `lanchat doctor`"
        );
    }

    #[test]
    fn a_vain_search_says_where_why_and_what_to_do() {
        let reach = Reach { links: vec!["lan0".into()], failures: vec!["no socket".into()] };
        let tried = Tried {
            reach: Some(reach),
            waited: Duration::from_secs(3),
            failed: vec![("10.0.0.1:7667".parse().unwrap(), "connection refused".into())],
            strangers: vec![Stranger {
                addr: "10.0.0.2:7667".parse().unwrap(),
                id: "00112233445566".into(),
                name: "b\u{1b}".into(),
            }],
            ..Tried::default()
        };
        assert_eq!(
            tried.to_string(),
            "no lanchat server answered on lan0 within 3.0 s; no socket; 10.0.0.1:7667: connection \
             refused; 10.0.0.2:7667 is another server now, b\u{fffd} (00112233); is UDP port 5353 open in \
             the firewalls? name the server with --host HOST, or see `lanchat doctor`"
        );
    }

    #[test]
    fn a_vain_search_by_name_tells_which_names_there_are() {
        let tried = Tried {
            wanted: Some("offcie".into()),
            others: vec![server_name("office", "3f9a1c7700112233")],
            ..Tried::default()
        };
        assert_eq!(tried.to_string(), "no server offcie answered; there are: office (3f9a1c77)");
    }
}
