//! The servers that a user knows, by their keys.
//!
//! There are two files `known_servers`, with one JSON object per line: the user's, which each join writes, and
//! the system's, which is only read; if it exists, no other keys are accepted. Unknown members are kept; lines
//! that cannot be read are ignored with a warning. Knows neither how servers are found nor how to ask for their
//! keys.

mod key_verdict;

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::encoding;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_ANNOUNCED_NAME_BYTES, MAX_KNOWN_FILE_BYTES, MAX_KNOWN_SERVERS};

pub use key_verdict::{KeyVerdict, Presented, RequestedServer};

/// The file's name, in the user's state directory and in the system's configuration directory.
const FILE: &str = "known_servers";

/// Addresses to keep per server, the last one that worked first.
const MAX_ADDRS: usize = 8;

/// Names to keep by which the user asked for a server.
const MAX_HOSTS: usize = 4;

/// Why a key is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustBasis {
    /// Trust on first use.
    Tofu,
    /// A person compared its digits.
    Digits,
    /// The server proved that it knows the passphrase.
    Passphrase,
    /// The user passed it: by an option, an invitation, or the server's own directory.
    Flag,
}

impl TrustBasis {
    /// As in the file.
    fn word(self) -> &'static str {
        match self {
            Self::Tofu => "tofu",
            Self::Digits => "digits",
            Self::Passphrase => "passphrase",
            Self::Flag => "flag",
        }
    }
}

/// A known server: one line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownServer {
    /// Its key's fingerprint.
    pub fp: Fingerprint,
    /// The last known name, as the server sent it: not safe for a terminal.
    #[serde(default)]
    pub name: String,
    /// Addresses where it answered, the latest first.
    #[serde(default)]
    pub addrs: Vec<SocketAddr>,
    /// Hosts and ports by which the user asked for it, the latest first. A name that now leads elsewhere is a
    /// reason for an alarm, whatever the address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Addresses of the chat's servers that one of them has named: nothing has been proved there yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<SocketAddr>,
    #[serde(default)]
    how: String,
    /// The first join: RFC 3339, UTC.
    #[serde(default)]
    pub first: String,
    /// The last join: RFC 3339, UTC. The order of the lines says the same without clocks.
    #[serde(default)]
    pub last: String,
    /// Members that other versions write.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

impl KnownServer {
    fn new(fp: Fingerprint, now: &str) -> Self {
        Self {
            fp,
            name: String::new(),
            addrs: Vec::new(),
            hosts: Vec::new(),
            named: Vec::new(),
            how: TrustBasis::Tofu.word().into(),
            first: now.into(),
            last: String::new(),
            rest: serde_json::Map::new(),
        }
    }

    /// Whether there is more evidence for the key than first use.
    pub fn is_verified(&self) -> bool {
        [TrustBasis::Digits, TrustBasis::Passphrase, TrustBasis::Flag]
            .iter()
            .any(|how| how.word() == self.how)
    }

    /// Whether this user joined by the passphrase.
    pub fn is_member(&self) -> bool {
        self.how == TrustBasis::Passphrase.word()
    }

    /// The day of the first join, if known.
    pub fn since(&self) -> &str {
        self.first.get(..10).unwrap_or("an unknown day")
    }

    fn is_asked_for_by(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)))
    }

    /// Compares names without regard to case.
    pub fn is_called(&self, name: &str) -> bool {
        !self.name.is_empty() && self.name.to_lowercase() == bounded(name).to_lowercase()
    }
}

/// The directory of the system's file.
pub fn system_dir() -> Option<PathBuf> {
    if cfg!(windows) {
        return std::env::var_os("PROGRAMDATA").map(|dir| PathBuf::from(dir).join("lanchat"));
    }
    Some(PathBuf::from("/etc/lanchat"))
}

/// The directory of the system's file, unless a user who is not an administrator has put that file there.
pub fn trusted_system_dir() -> Option<PathBuf> {
    let dir = system_dir()?;
    let file = dir.join(FILE);
    if file.exists() && !files::is_of_administrators(&file) {
        tracing::warn!("ignored {}: it does not belong to an administrator", file.display());
        return None;
    }
    Some(dir)
}

/// All known servers, the last used first.
#[derive(Debug, Clone, Default)]
pub struct KnownServers {
    path: Option<PathBuf>,
    servers: Vec<KnownServer>,
    /// `None`: there is no system file.
    system: Option<Vec<KnownServer>>,
}

/// Refuses a system file without servers: an empty list would refuse each server, and nobody would know why.
const NO_SERVERS: &str = r#"no line of it is a server, such as {"fp":"SHA256:...","name":"Office"}"#;

/// The system's file exists but cannot be read, so no server can be trusted.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {0}, which lists the servers that may be used: {1}")]
pub struct Unreadable(PathBuf, #[source] io::Error);

impl KnownServers {
    /// Reads the user's file in `dir`, and the system's in `system`. Without `dir`, nothing is remembered.
    ///
    /// # Errors
    /// If the system's file exists and cannot be read. A user's file that cannot be read counts as empty.
    pub fn load(dir: Option<&Path>, system: Option<&Path>) -> Result<Self, Unreadable> {
        let system = match system.map(|dir| dir.join(FILE)) {
            Some(path) => match read(&path) {
                Ok(text) => match text.map(|text| (parse(&text, &path), text)) {
                    Some((servers, text)) if servers.is_empty() && !text.trim().is_empty() => {
                        return Err(Unreadable(path, io::Error::other(NO_SERVERS)));
                    }
                    listed => listed.map(|(servers, _)| servers),
                },
                Err(error) => return Err(Unreadable(path, error)),
            },
            None => None,
        };
        let path = dir.map(|dir| dir.join(FILE));
        let servers = path.as_deref().map(load_own).unwrap_or_default();
        Ok(Self { path, servers, system })
    }

    /// The servers that the user may join: first those joined before, the last used first; then the others in
    /// the system's file.
    pub fn iter(&self) -> impl Iterator<Item = &KnownServer> {
        let others = self.system.iter().flatten().filter(|listed| self.own(&listed.fp).is_none());
        self.servers.iter().filter(|known| self.is_listed(&known.fp)).chain(others)
    }

    /// The server that was used last.
    pub fn last_used(&self) -> Option<&KnownServer> {
        self.servers.iter().find(|known| self.is_listed(&known.fp))
    }

    /// The only keys that may be accepted; `None`: the user decides.
    pub fn only(&self) -> Option<Vec<Fingerprint>> {
        self.system.as_ref().map(|listed| listed.iter().map(|known| known.fp).collect())
    }

    /// All known keys, if a known server answered at one of these addresses or was asked for by that name.
    pub fn expected_at(&self, addrs: &[SocketAddr], host: Option<&str>) -> Option<Vec<Fingerprint>> {
        self.met_at(addrs, host).map(|_| self.iter().map(|known| known.fp).collect())
    }

    /// The known server that answered at one of these addresses or was asked for by that name, the last used first.
    pub fn met_at(&self, addrs: &[SocketAddr], host: Option<&str>) -> Option<&KnownServer> {
        self.iter()
            .find(|known| known.is_asked_for_by(host) || known.addrs.iter().any(|addr| addrs.contains(addr)))
    }

    /// Records that the user has just joined this server. Better evidence than `how` is kept.
    pub fn remember(&mut self, joined: &Presented<'_>, how: TrustBasis) {
        self.change(|servers| note(servers, joined, how, Timestamp::now()));
    }

    /// Records where a known server says that its chat's servers are.
    pub fn name(&mut self, fp: &Fingerprint, named: &[SocketAddr]) {
        if self.own(fp).is_some_and(|known| known.named != named) {
            self.change(|servers| {
                let known = servers.iter_mut().filter(|known| known.fp == *fp);
                known.for_each(|known| known.named = named.to_vec());
            });
        }
    }

    /// Records that a person compared this key's digits; `false`: the key is unknown.
    pub fn verify(&mut self, fp: &Fingerprint) -> bool {
        let mut found = false;
        self.change(|servers| {
            for known in servers.iter_mut().filter(|known| known.fp == *fp) {
                found = true;
                if !known.is_verified() {
                    known.how = TrustBasis::Digits.word().into();
                }
            }
        });
        found
    }

    /// Takes back that the user has compared the key's digits; returns whether the user had.
    pub fn unverify(&mut self, fp: &Fingerprint) -> bool {
        let mut found = false;
        self.change(|servers| {
            for known in servers.iter_mut().filter(|known| known.fp == *fp) {
                if known.how == TrustBasis::Digits.word() {
                    found = true;
                    known.how = TrustBasis::Tofu.word().into();
                }
            }
        });
        found
    }

    /// The servers in the user's own file.
    pub fn own_servers(&self) -> &[KnownServer] {
        &self.servers
    }

    /// Trusts a key for a server of that name: instead of `replaced`, whose addresses it takes over, or beside
    /// other servers of that name.
    ///
    /// # Errors
    /// If the file cannot be written, or the user has no home directory.
    pub fn trust(&mut self, name: &str, fp: Fingerprint, replaced: Option<Fingerprint>) -> io::Result<()> {
        self.reload();
        let (mut old, mut kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.servers)
            .into_iter()
            .partition(|known| known.fp == fp || Some(known.fp) == replaced);
        let now = stamp(Timestamp::now());
        let known = old.iter().position(|known| known.fp == fp).map(|at| old.remove(at));
        let mut known = known.unwrap_or_else(|| KnownServer::new(fp, &now));
        known.name = bounded(name).into();
        known.how = TrustBasis::Flag.word().into();
        known.addrs.extend(old.iter().flat_map(|old| old.addrs.iter().copied()));
        known.addrs.truncate(MAX_ADDRS);
        known.hosts.extend(old.iter().flat_map(|old| old.hosts.iter().cloned()));
        known.hosts.truncate(MAX_HOSTS);
        known.last = now;
        // A server that was never joined is not the one used last.
        let at = if old.is_empty() { kept.len() } else { 0 };
        kept.insert(at, known);
        self.servers = kept;
        self.write()
    }

    fn own(&self, fp: &Fingerprint) -> Option<&KnownServer> {
        self.servers.iter().find(|known| known.fp == *fp)
    }

    fn is_listed(&self, fp: &Fingerprint) -> bool {
        self.system.as_ref().is_none_or(|listed| listed.iter().any(|known| known.fp == *fp))
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<KnownServer>)) {
        self.reload();
        change(&mut self.servers);
        if self.path.is_some()
            && let Err(error) = self.write()
        {
            tracing::warn!("cannot remember this server: {error}");
        }
    }

    /// Reads the file again, because other clients may have changed it.
    fn reload(&mut self) {
        if let Some(path) = &self.path {
            self.servers = load_own(path);
        }
    }

    fn write(&self) -> io::Result<()> {
        let path = self.path.as_ref().ok_or_else(|| io::Error::other("this user has no home directory"))?;
        files::replace(path, self.text().as_bytes())
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// The content of the user's file.
    pub(crate) fn text(&self) -> String {
        let lines = self.servers.iter().filter_map(|known| serde_json::to_string(known).ok());
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Parses such content, without a file.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_text(text: &str) -> Self {
        Self { path: None, servers: parse(text, Path::new(FILE)), system: None }
    }
}

fn note(servers: &mut Vec<KnownServer>, joined: &Presented<'_>, how: TrustBasis, now: Timestamp) {
    let Presented { fp, name, addr, host, .. } = *joined;
    let now = stamp(now);
    let at = servers.iter().position(|known| known.fp == fp);
    let mut known = at.map_or_else(|| KnownServer::new(fp, &now), |at| servers.remove(at));
    known.name = bounded(name).into();
    if how == TrustBasis::Passphrase || !known.is_verified() {
        known.how = how.word().into();
    }
    known.last = now;
    known.addrs.retain(|other| *other != addr);
    known.addrs.insert(0, addr);
    known.addrs.truncate(MAX_ADDRS);
    // An address belongs to the server that answered there last; finding another server there is not an alarm
    // for earlier ones.
    servers.iter_mut().for_each(|other| other.addrs.retain(|other| *other != addr));
    if let Some(host) = host {
        for known in servers.iter_mut().chain([&mut known]) {
            known.hosts.retain(|other| !other.eq_ignore_ascii_case(host));
        }
        known.hosts.insert(0, host.into());
        known.hosts.truncate(MAX_HOSTS);
    }
    servers.insert(0, known);
    while servers.len() > MAX_KNOWN_SERVERS {
        let oldest = servers.iter().rposition(|known| !known.is_verified()).unwrap_or(servers.len() - 1);
        servers.remove(oldest);
    }
}

fn stamp(now: Timestamp) -> String {
    format!("{now:.3}")
}

/// Cuts a name to the length that servers announce.
fn bounded(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_ANNOUNCED_NAME_BYTES)]
}

fn load_own(path: &Path) -> Vec<KnownServer> {
    match read(path) {
        Ok(text) => parse(&text.unwrap_or_default(), path),
        Err(error) => {
            tracing::warn!("cannot read {}: {error}", path.display());
            Vec::new()
        }
    }
}

/// `None`: there is no file.
fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut content = Vec::new();
    file.take(MAX_KNOWN_FILE_BYTES).read_to_end(&mut content)?;
    Ok(Some(encoding::decode_lossy(&content)))
}

fn parse(content: &str, path: &Path) -> Vec<KnownServer> {
    let mut servers = Vec::new();
    for (at, line) in content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<KnownServer>(line) {
            Ok(known) => servers.push(known),
            // From before there were keys: it proves nothing.
            Err(_) if is_keyless(line) => {}
            Err(error) => tracing::warn!("ignored line {} of {}: {error}", at + 1, path.display()),
        }
    }
    servers
}

fn is_keyless(line: &str) -> bool {
    let object: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(line);
    object.is_ok_and(|object| object.contains_key("id") && !object.contains_key("fp"))
}

#[cfg(test)]
mod tests;
