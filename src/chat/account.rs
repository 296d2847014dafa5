//! The identity of a person across sessions and starts.

use crate::fingerprint::Fingerprint;

/// A person across all sessions, online or offline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// The owner of a key: the only ones who can receive messages while they are offline.
    Key(Fingerprint),
    /// A client without a key, identified by its own secret.
    Token(Box<str>),
}
