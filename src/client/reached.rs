//! A server that answered: the link to it, and what it says of itself.

use super::link::{Link, Portrait};
use crate::discovery::Found;
use crate::protocol::packet::ServerInfo;
use std::net::SocketAddr;

/// A server that answered.
pub(super) struct Reached {
    pub(super) link: Link,
    pub(super) server: ServerInfo,
    pub(super) addrs: Vec<SocketAddr>,
    /// Whether newcomers need a passphrase.
    pub(super) closed: bool,
    /// Whether the user named the host.
    pub(super) asked_for: bool,
    /// The ids of others that go by the same name.
    pub(super) namesakes: Vec<String>,
}

impl From<Found<(Link, Portrait)>> for Reached {
    fn from(found: Found<(Link, Portrait)>) -> Self {
        let (link, Portrait { server, closed, .. }) = found.link;
        let (addrs, namesakes) = (found.addrs, found.namesakes);
        Self { link, server, addrs, closed, asked_for: false, namesakes }
    }
}
