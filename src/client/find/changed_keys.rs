//! Known servers whose addresses answer with another key now: `trust` without a fingerprint shows them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::inspector::anonymous;
use crate::client::error::Error;
use crate::client::link::ServerLink;
use crate::client::state_dir::state_dir;
use crate::client::trust::known_servers;
use crate::discovery::{is_unambiguous, server_label};
use crate::fingerprint::Fingerprint;
use crate::security::{Expect, KnownServer};
use crate::text::safe_line;

/// Addresses to ask at once, the most recent servers first: more would look like a scan.
const MAX_ASKED: usize = 32;

/// A known server, and the other key that its address presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedKey {
    /// The server's name, safe for a terminal.
    pub name: String,
    /// The text that names the server, and no other.
    pub which: String,
    pub addr: SocketAddr,
    /// The day since which the key is known.
    pub since: String,
    pub known: Fingerprint,
    pub presented: Fingerprint,
}

/// Asks at the addresses of the user's known servers, or of those that `which` names, for changed keys.
///
/// # Errors
/// [`Error::Usage`] if no known server is called that, [`Error::Local`] if the list cannot be read.
pub async fn changed_keys(which: Option<&str>, wait: Duration) -> Result<Vec<ChangedKey>, Error> {
    let known = known_servers(state_dir().as_deref())?;
    let is_meant = |server: &&KnownServer| {
        which.is_none_or(|which| {
            server.is_called(which) || is_unambiguous(which, &server.name, &server.fp.id())
        })
    };
    let meant: Vec<&KnownServer> = known.own_servers().iter().filter(is_meant).collect();
    if let (Some(which), []) = (which, meant.as_slice()) {
        let name = safe_line(which);
        return Err(Error::Usage(format!("no server that you know is called \"{name}\"; check the name")));
    }
    let is_twice = |name: &str| known.own_servers().iter().filter(|other| other.is_called(name)).count() > 1;
    let channel = anonymous(Expect::Anyone)?;
    let mut asked = JoinSet::new();
    let places = meant.iter().flat_map(|server| server.addrs.iter().map(move |addr| (*server, *addr)));
    for (server, addr) in places.take(MAX_ASKED) {
        let label = server_label(&server.name, &server.fp.id());
        let server = ChangedKey {
            name: safe_line(&server.name),
            which: if is_twice(&server.name) { label } else { server.name.clone() },
            addr,
            since: safe_line(server.since()),
            known: server.fp,
            presented: server.fp,
        };
        let channel = channel.clone();
        asked.spawn(async move {
            let link = timeout(wait, ServerLink::connect(addr, &channel)).await.ok()?.ok()?;
            Some(ChangedKey { presented: link.key()?, ..server })
        });
    }
    let mut changed = Vec::new();
    while let Some(answer) = asked.join_next().await {
        // Another known server may have the address now.
        let is_news = |key: &ChangedKey| !known.iter().any(|server| server.fp == key.presented);
        changed.extend(answer.ok().flatten().filter(is_news));
    }
    changed.sort_by_key(|key| (key.name.clone(), key.addr));
    changed.dedup_by_key(|key| (key.known, key.presented));
    Ok(changed)
}
