//! The identity of a person across sessions and starts.

use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};

/// A person across all sessions, online or offline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Account {
    /// The owner of a key: the only ones who can receive messages while they are offline.
    Key(Fingerprint),
    /// A client without a key, identified by its own secret.
    Token(Box<str>),
}
