//! Servers for Tab: those that the user has joined, and those that answer on the network within a moment.
//!
//! Anyone on the network can announce any name, so Tab offers only names without a meaning for shells, and
//! otherwise the server's label, such as `office-3f9a1c77`.

use std::net::SocketAddr;

use tokio::time::Instant;

use super::context::TabContext;
use crate::cli::runtime;
use crate::cli::values::HostPort;
use crate::client;
use crate::discovery::{MdnsSearch, SearchOptions, Sighting, server_label};
use crate::limits::{DEFAULT_PORT, MAX_TAB_SERVERS, TAB_SEARCH, TAB_SEARCH_QUIET};
use crate::security::KnownServer;
use crate::text::safe_line;

/// Characters besides letters, digits and spaces that Tab offers in a server's name: no shell expands them
/// or ends a command at them.
const TAME: &str = "-_.,:+@#'()[]/";

/// A server that a word may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TabServer {
    /// Its name, unchecked.
    name: String,
    /// Its id in hexadecimal digits, or their beginning.
    id: String,
    /// Its fingerprint, if the user has accepted it.
    pub(super) key: Option<String>,
    /// Hosts by which to join it, each with its port unless it is the usual one.
    pub(super) hosts: Vec<String>,
}

/// The servers for a word: those that the user has joined first.
pub(super) fn servers(context: &TabContext) -> Vec<TabServer> {
    let known = client::servers_joined();
    let joined: Vec<TabServer> = known.iter().take(MAX_TAB_SERVERS).map(TabServer::joined).collect();
    let seen = if context.settings().discovery { on_the_air() } else { Vec::new() };
    let only: Option<Vec<String>> = known.only().map(|keys| keys.iter().map(|key| key.id()).collect());
    let is_allowed =
        |server: &TabServer| only.as_ref().is_none_or(|ids| ids.iter().any(|id| id.starts_with(&server.id)));
    merged(joined, seen.iter().filter_map(TabServer::seen).filter(is_allowed))
}

/// Only the servers that the user has joined.
pub(super) fn joined() -> Vec<TabServer> {
    client::servers_joined().iter().take(MAX_TAB_SERVERS).map(TabServer::joined).collect()
}

fn merged(mut servers: Vec<TabServer>, seen: impl Iterator<Item = TabServer>) -> Vec<TabServer> {
    for server in seen {
        match servers.iter().position(|known| known.id.starts_with(&server.id)) {
            Some(known) => servers[known].add_hosts(server.hosts),
            None if servers.len() < 2 * MAX_TAB_SERVERS => servers.push(server),
            None => {}
        }
    }
    servers
}

/// Asks the network from a port of its own, so that the answers disturb nobody, and returns the answers of the
/// first moment. Says nothing if that fails.
fn on_the_air() -> Vec<Sighting> {
    let Ok(runtime) = runtime::small() else { return Vec::new() };
    runtime::finish(runtime, async {
        let mut search = MdnsSearch::start(SearchOptions { browse: false, one_shot: true });
        search.collect(Instant::now() + TAB_SEARCH, TAB_SEARCH_QUIET).await;
        search.sightings().take(MAX_TAB_SERVERS).cloned().collect()
    })
}

impl TabServer {
    fn joined(known: &KnownServer) -> TabServer {
        let mut server = TabServer {
            name: known.name.clone(),
            id: known.fp.id(),
            key: Some(known.fp.to_string()),
            hosts: known
                .hosts
                .iter()
                .filter(|host| is_tame(host) && host.parse::<HostPort>().is_ok())
                .cloned()
                .collect(),
        };
        server.add_hosts(known.addrs.first().map(host));
        server
    }

    /// `None` if another program announces it.
    fn seen(seen: &Sighting) -> Option<TabServer> {
        let id = seen.id.clone()?;
        Some(TabServer {
            name: seen.name.clone(),
            id,
            key: None,
            hosts: seen.addrs.first().map(host).into_iter().collect(),
        })
    }

    fn add_hosts(&mut self, hosts: impl IntoIterator<Item = String>) {
        for host in hosts {
            if !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
    }

    fn label(&self) -> String {
        server_label(&self.name, &self.id)
    }

    /// The words that name this server among `all`: its name if it is clear and harmless, and its label.
    pub(super) fn names(&self, all: &[TabServer]) -> Vec<String> {
        let same = |other: &&TabServer| other.name.to_lowercase() == self.name.to_lowercase();
        let is_clear = all.iter().filter(same).count() < 2;
        let name = (is_clear && is_tame(&self.name)).then(|| self.name.clone());
        name.into_iter().chain([self.label()]).collect()
    }

    /// Describes the server. Safe for a terminal.
    pub(super) fn description(&self) -> String {
        let state = if self.key.is_some() { "joined before" } else { "on this network" };
        match self.hosts.first() {
            Some(host) => format!("{}, {host}, {state}", safe_line(&self.name)),
            None => format!("{}, {state}", safe_line(&self.name)),
        }
    }
}

/// An address as people type it.
fn host(addr: &SocketAddr) -> String {
    match (addr, addr.port()) {
        (SocketAddr::V6(v6), DEFAULT_PORT) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        (_, DEFAULT_PORT) => addr.ip().to_string(),
        _ => addr.to_string(),
    }
}

/// Whether a word looks the same on a terminal, cannot be an option, and means nothing to a shell even if it is
/// quoted badly.
fn is_tame(word: &str) -> bool {
    let is_tame = |c: char| c.is_alphanumeric() || c == ' ' || (c.is_ascii() && TAME.contains(c));
    !word.is_empty()
        && !word.starts_with('-')
        && word.trim() == word
        && word.chars().all(is_tame)
        && safe_line(word) == word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, id: &str) -> TabServer {
        TabServer { name: name.into(), id: id.into(), key: None, hosts: vec!["10.0.0.5".into()] }
    }

    #[test]
    fn a_server_has_its_name_only_if_that_is_clear_and_harmless() {
        let id = "3f9a1c7700112233";
        for (name, words) in [
            ("Bob's laptop (2nd floor)", vec!["Bob's laptop (2nd floor)", "bob-s-laptop-2nd-floor-3f9a1c77"]),
            ("Büro", vec!["Büro", "b-ro-3f9a1c77"]),
            ("$(touch x)", vec!["touch-x-3f9a1c77"]),
            ("`touch x`", vec!["touch-x-3f9a1c77"]),
            ("a\nb", vec!["a-b-3f9a1c77"]),
            ("a\x1b[2Jb", vec!["a-2jb-3f9a1c77"]),
            ("--host=evil", vec!["host-evil-3f9a1c77"]),
            ("a\u{202e}b", vec!["a-b-3f9a1c77"]),
            (" a", vec!["a-3f9a1c77"]),
            ("", vec!["lanchat-3f9a1c77"]),
        ] {
            let server = server(name, id);
            assert_eq!(server.names(std::slice::from_ref(&server)), words, "{name:?}");
            assert!(!server.description().contains(char::is_control), "{name:?}");
        }
    }

    #[test]
    fn twins_are_told_apart_by_their_labels() {
        let all = [server("Office", "3f9a1c7700112233"), server("office", "8899aabbccddeeff")];
        assert_eq!(all[0].names(&all), ["office-3f9a1c77"]);
    }

    #[test]
    fn a_server_that_answers_and_was_joined_before_is_one() {
        let known = TabServer { id: "3f9a1c7700112233".repeat(4), ..server("Office", "") };
        let mut moved = server("Fake name", "3f9a1c7700112233");
        moved.hosts = vec!["10.0.0.9".into()];
        let all = merged(vec![known], [moved, server("Lab", "8899aabbccddeeff")].into_iter());
        assert_eq!(all.iter().map(|server| server.name.as_str()).collect::<Vec<_>>(), ["Office", "Lab"]);
        assert_eq!(all[0].hosts, ["10.0.0.5", "10.0.0.9"]);
        let flood = (0..10_000).map(|n| server("x", &format!("{n:016x}")));
        assert_eq!(merged(Vec::new(), flood).len(), 2 * MAX_TAB_SERVERS);
    }

    #[test]
    fn an_address_is_written_as_people_type_it() {
        for (addr, typed) in [
            ("10.0.0.5:7667", "10.0.0.5"),
            ("10.0.0.5:7700", "10.0.0.5:7700"),
            ("[fd00::1]:7667", "fd00::1"),
            ("[fe80::1%2]:7667", "fe80::1%2"),
            ("[fe80::1%2]:7700", "[fe80::1%2]:7700"),
        ] {
            let text = host(&addr.parse().unwrap());
            assert_eq!(text, typed);
            assert!(typed.parse::<HostPort>().is_ok(), "{typed}");
        }
    }
}
