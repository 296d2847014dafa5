//! Users and their sessions.

use crate::name::Name;
use crate::protocol::request::Mode;
use jiff::Timestamp;
use std::net::IpAddr;

/// A connection's number. Never used twice while a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A user's number. Stays when the name changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UserId(pub(super) u64);

/// What the server knows of a connection before it says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where it comes from.
    pub ip: IpAddr,
    /// Whether it may use the operators' commands: until there are keys, a connection from the
    /// server's own machine.
    pub operator: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: Peer,
    pub(super) mode: Mode,
    /// Whose it is, once registered.
    pub(super) user: Option<UserId>,
}

/// Somebody with a name and at least one session.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    /// What a further session must show to be the same user. Without one there is only ever one
    /// session.
    pub(super) token: Option<Box<str>>,
    pub(super) since: Timestamp,
    /// Oldest first.
    pub(super) sessions: Vec<SessionId>,
    /// How many of them are chat sessions. The user is present while there is one.
    pub(super) chatting: usize,
}

impl Session {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, mode: Mode::Chat, user: None }
    }

    /// Whether it gets what others say.
    pub(super) fn listens(&self) -> bool {
        self.mode != Mode::Send
    }
}
