//! Identities: a connection, a user, and what makes several of them the same person.

use super::account::Account;
use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

/// A connection's number, never reused while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// A user's number. It stays when the name changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct UserId(pub(super) NonZeroU64);

/// Makes several sessions one user, together with the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A proven key, or the secret of a client without one. Shared by all users who have it.
    Known(Arc<Account>),
    /// Neither: the user has only one session.
    Nobody,
}

/// A room member: an account across sessions and names, or one connected user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Account(Arc<Account>),
    User(UserId),
}

/// The sender or recipient of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Correspondent {
    /// A user without key and token.
    User(UserId),
    /// A hash of the account, to save memory.
    Account(u64),
    Address(IpAddr),
}

/// Bits of a session's number below its server's.
pub const SLOT_BITS: u32 = 24;

impl SessionId {
    /// The number of its server among those of the chat.
    pub fn server(self) -> u8 {
        (self.0 >> SLOT_BITS) as u8
    }
}

impl Owner {
    /// The owner with this key, or else with this token: once a key is proven, tokens do not count.
    pub(super) fn of(key: Option<Fingerprint>, token: Option<&str>) -> Self {
        match (key, token) {
            (Some(key), _) => Self::Known(Arc::new(Account::Key(key))),
            (None, Some(token)) if !token.is_empty() => Self::Known(Arc::new(Account::Token(token.into()))),
            (None, _) => Self::Nobody,
        }
    }

    /// Whether both are certainly the same person.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        *self != Self::Nobody && self == other
    }

    /// The account across all sessions and names; `None` without key and token.
    pub(super) fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Self::Known(account) => Some(account),
            Self::Nobody => None,
        }
    }

    pub(super) fn key(&self) -> Option<&Fingerprint> {
        match self.account().map(|account| &**account) {
            Some(Account::Key(key)) => Some(key),
            Some(Account::Token(_)) | None => None,
        }
    }
}

impl Who {
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Account(account) => Some(account),
            Self::User(_) => None,
        }
    }
}

impl Correspondent {
    pub(super) fn of(account: Option<&Account>, user: Option<UserId>) -> Option<Self> {
        let hash = |account: &Account| {
            let mut hasher = DefaultHasher::new();
            account.hash(&mut hasher);
            Self::Account(hasher.finish())
        };
        account.map(hash).or(user.map(Self::User))
    }
}
