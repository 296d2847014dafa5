//! The options of a search.

use crate::limits::{DEFAULT_PORT, SEARCH_TIMEOUT};
use std::net::SocketAddr;
use std::time::Duration;

/// A server from an earlier session.
#[derive(Clone, Debug)]
pub struct RememberedServer {
    /// Its id, which it must prove again.
    pub id: String,
    /// Its name at that time.
    pub name: String,
    /// Its addresses, newest first.
    pub addrs: Vec<SocketAddr>,
    /// Where it says that its chat's other servers are: each is tried once.
    pub named: Vec<SocketAddr>,
    /// Whether it was used last, so it wins as soon as it answers.
    pub last_used: bool,
}

/// The options of [`super::find`].
#[derive(Clone, Debug)]
pub struct FindOptions {
    /// Servers from earlier sessions, tried at once.
    pub known: Vec<RememberedServer>,
    /// The wanted server's name or label, or the first four or more digits of its id.
    pub wanted: Option<String>,
    /// When to give up.
    pub timeout: Duration,
    /// Whether to use mDNS and DNS. Otherwise, the search opens no multicast socket.
    pub discovery: bool,
    /// The port to try at the host named `lanchat`.
    pub default_port: u16,
}

impl Default for FindOptions {
    fn default() -> FindOptions {
        FindOptions {
            known: Vec::new(),
            wanted: None,
            timeout: SEARCH_TIMEOUT,
            discovery: true,
            default_port: DEFAULT_PORT,
        }
    }
}
