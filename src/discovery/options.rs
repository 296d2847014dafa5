//! What a search for a server goes by.

use crate::limits::{DEFAULT_PORT, SEARCH_TIMEOUT};
use std::net::SocketAddr;
use std::time::Duration;

/// A server of an earlier time.
#[derive(Clone, Debug)]
pub struct RememberedServer {
    /// Its id, which it has to prove again.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// Where it was then, newest first.
    pub addrs: Vec<SocketAddr>,
    /// Whether it is the one that was used last: it is joined as soon as it answers.
    pub last_used: bool,
}

/// What to look for, and how.
#[derive(Clone, Debug)]
pub struct FindOptions {
    /// Servers of earlier times, tried at once.
    pub known: Vec<RememberedServer>,
    /// The server's name, its label, or the first four or more digits of its id.
    pub wanted: Option<String>,
    /// When to give up.
    pub timeout: Duration,
    /// Whether to use mDNS and DNS; without it no multicast socket is opened.
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
