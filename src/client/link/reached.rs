//! A server that answered: the link to it, and what it says about itself.

use super::server_link::{ServerLink, ServerStatus};
use crate::discovery::Found;
use crate::protocol::packet::ServerInfo;
use std::net::SocketAddr;

pub(crate) struct Reached {
    pub(crate) link: ServerLink,
    pub(crate) server: ServerInfo,
    pub(crate) addrs: Vec<SocketAddr>,
    /// Whether newcomers need a passphrase.
    pub(crate) closed: bool,
    /// Whether the user named the host.
    pub(crate) asked_for: bool,
    /// Whether a trusted server named this one by its key.
    pub(crate) is_referred: bool,
    /// The ids of other servers with the same name.
    pub(crate) namesakes: Vec<String>,
    /// Why it is not the server that the user named, but another one of its chat.
    pub(crate) instead: Option<String>,
}

impl From<Found<(ServerLink, ServerStatus)>> for Reached {
    fn from(found: Found<(ServerLink, ServerStatus)>) -> Self {
        let (link, ServerStatus { server, closed, .. }) = found.link;
        let (addrs, namesakes) = (found.addrs, found.namesakes);
        Self { link, server, addrs, closed, asked_for: false, is_referred: false, namesakes, instead: None }
    }
}
