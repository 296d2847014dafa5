//! The servers this user has been on: where to look first, and which of several to prefer.
//!
//! The file `known_servers` has one JSON object a line. Members that this version does not know are
//! kept; lines that it cannot read are left out with a warning.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::protocol::packet::ServerInfo;

/// The file, in the state directory.
const FILE: &str = "known_servers";

/// Servers kept; the ones not used for longest are forgotten first.
const MAX_SERVERS: usize = 64;

/// Addresses kept a server, the last one that worked first.
const MAX_ADDRS: usize = 8;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KnownServer {
    /// The server's id.
    pub(super) id: String,
    /// Its name when last seen.
    pub(super) name: String,
    /// Where it answered, latest first.
    #[serde(default)]
    pub(super) addrs: Vec<SocketAddr>,
    /// When it was last joined: RFC 3339, UTC, so that text order is time order.
    #[serde(default)]
    last: String,
    /// What other versions keep here.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// The remembered servers, the last used first.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownServers {
    path: Option<PathBuf>,
    servers: Vec<KnownServer>,
}

impl KnownServers {
    /// Reads the file in `dir`. Without a directory nothing is remembered.
    pub(super) fn load(dir: Option<&Path>) -> Self {
        let Some(path) = dir.map(|dir| dir.join(FILE)) else { return Self::default() };
        let servers = match fs::read(&path) {
            Ok(content) => parse(&String::from_utf8_lossy(&content), &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!("cannot read {}: {error}", path.display());
                Vec::new()
            }
        };
        Self { path: Some(path), servers }
    }

    /// The servers, the last used first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &KnownServer> {
        self.servers.iter()
    }

    /// The server used last time.
    pub(super) fn last_used(&self) -> Option<&KnownServer> {
        self.servers.first()
    }

    /// Notes that the server was joined just now, at this address, and writes the file.
    pub(super) fn remember(&mut self, server: &ServerInfo, addr: SocketAddr) {
        if server.id.is_empty() {
            return;
        }
        // Another client may have written meanwhile.
        if let Some(dir) = self.path.as_deref().and_then(Path::parent) {
            self.servers = Self::load(Some(dir)).servers;
        }
        self.note(server, addr, jiff::Timestamp::now());
        let Some(path) = &self.path else { return };
        let lines: Vec<String> =
            self.servers.iter().filter_map(|known| serde_json::to_string(known).ok()).collect();
        if let Err(error) = files::replace(path, (lines.join("\n") + "\n").as_bytes()) {
            tracing::warn!("cannot remember this server in {}: {error}", path.display());
        }
    }

    fn note(&mut self, server: &ServerInfo, addr: SocketAddr, now: jiff::Timestamp) {
        let at = self.servers.iter().position(|known| known.id == server.id);
        let mut known = at.map_or_else(|| KnownServer::new(&server.id), |at| self.servers.remove(at));
        known.name.clone_from(&server.name);
        known.last = format!("{now:.3}");
        known.addrs.retain(|other| *other != addr);
        known.addrs.insert(0, addr);
        known.addrs.truncate(MAX_ADDRS);
        self.servers.insert(0, known);
        self.servers.truncate(MAX_SERVERS);
    }
}

impl KnownServer {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            addrs: Vec::new(),
            last: String::new(),
            rest: serde_json::Map::new(),
        }
    }
}

fn parse(content: &str, path: &Path) -> Vec<KnownServer> {
    let mut servers = Vec::new();
    for (at, line) in content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<KnownServer>(line) {
            Ok(known) => servers.push(known),
            Err(error) => tracing::warn!("{}, line {}: {error}; it is left out", path.display(), at + 1),
        }
    }
    servers.sort_by(|one, other| other.last.cmp(&one.last));
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str) -> ServerInfo {
        ServerInfo { id: id.into(), name: format!("name of {id}"), version: String::new() }
    }

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_last_used_server_and_its_latest_address_come_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut known = KnownServers::load(Some(dir.path()));
        known.remember(&info("a"), addr(1));
        known.remember(&info("b"), addr(2));
        known.remember(&info("a"), addr(3));
        let again = KnownServers::load(Some(dir.path()));
        let ids: Vec<_> = again.iter().map(|known| known.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(again.last_used().unwrap().addrs, [addr(3), addr(1)]);
    }

    #[test]
    fn damaged_lines_are_left_out_and_unknown_members_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let line = r#"{"id":"a","name":"office","addrs":["[fe80::1%2]:7667"],"last":"2026","key":{"x":[1]}}"#;
        fs::write(dir.path().join(FILE), format!("{{\"id\":\n{line}\n\u{0}\n[]\n")).unwrap();
        let mut known = KnownServers::load(Some(dir.path()));
        assert_eq!(known.iter().count(), 1);
        known.remember(&info("a"), addr(1));
        let written = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(written.contains(r#""key":{"x":[1]}"#), "{written}");
        assert!(written.contains("[fe80::1%2]:7667"), "{written}");
        assert_eq!(written.lines().count(), 1);
    }

    #[test]
    fn addresses_and_servers_are_bounded() {
        let mut known = KnownServers::default();
        for port in 1..20 {
            known.note(&info("a"), addr(port), jiff::Timestamp::UNIX_EPOCH);
        }
        for n in 0..100 {
            known.note(&info(&n.to_string()), addr(1), jiff::Timestamp::UNIX_EPOCH);
        }
        assert_eq!(known.iter().count(), MAX_SERVERS);
        known.note(&info("a"), addr(99), jiff::Timestamp::UNIX_EPOCH);
        assert!(known.last_used().unwrap().addrs.len() <= MAX_ADDRS);
    }
}
