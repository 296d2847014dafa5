//! Who somebody is: a connection, a user, and what makes several of them the same one.

use super::archive::Account;
use crate::fingerprint::Fingerprint;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

/// A connection's number. Never used twice while a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A user's number. Stays when the name changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct UserId(pub(super) NonZeroU64);

/// What makes several sessions those of one user, together with the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A key, which was proved, or the secret of a client without one. Shared by all that know them.
    Known(Arc<Account>),
    /// Nothing: there is only ever one session.
    Nobody,
}

/// Who is in a room: somebody over all their sessions and names, or while they are here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Account(Arc<Account>),
    User(UserId),
}

/// Somebody who writes or is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Correspondent {
    /// Somebody who can't be known again.
    User(UserId),
    /// Somebody who can, here or not: by a hash, as many are remembered.
    Account(u64),
    Address(IpAddr),
}

impl Owner {
    /// Who comes with this key, or else with this token: with a key, what a client says of tokens does
    /// not count.
    pub(super) fn of(key: Option<Fingerprint>, token: Option<&str>) -> Self {
        match (key, token) {
            (Some(key), _) => Self::Known(Arc::new(Account::Key(key))),
            (None, Some(token)) if !token.is_empty() => Self::Known(Arc::new(Account::Token(token.into()))),
            (None, _) => Self::Nobody,
        }
    }

    /// Whether both are certainly the same one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        *self != Self::Nobody && self == other
    }

    /// Who they are over all their sessions and names; `None`: they can't be known again.
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
