//! Where and how a client opens the connection for a file.

use crate::client::link::Channel;
use crate::fingerprint::Fingerprint;
use crate::security::{ClientTls, Expect};
use std::net::SocketAddr;

/// Where and how a client opens the connection for a file: as it is connected to the chat.
#[derive(Debug, Clone)]
pub struct Door {
    pub(super) addr: SocketAddr,
    pub(super) channel: Channel,
}

impl Door {
    /// The server of a chat connection, with its channel narrowed to the server's key.
    pub(crate) fn new(addr: SocketAddr, channel: Channel) -> Self {
        Self { addr, channel }
    }

    /// A server that is spoken to without encryption.
    pub fn plain(addr: SocketAddr) -> Self {
        Self::new(addr, Channel::Plain)
    }

    /// A server that owns this key, which is spoken to with the user's own.
    pub fn encrypted(addr: SocketAddr, tls: ClientTls, server: Fingerprint) -> Self {
        Self::new(addr, Channel::Tls { tls: Box::new(tls), expect: Expect::Only(vec![server]) })
    }
}
