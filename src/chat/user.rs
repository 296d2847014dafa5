//! Users and their sessions.

use super::archive::Account;
use super::paces::{Level, Pays, Way};
use super::rooms::Who;
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::pace::Bucket;
use crate::protocol::request::Mode;
use smallvec::SmallVec;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

/// A connection's number. Never used twice while a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A user's number. Stays when the name changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct UserId(pub(super) NonZeroU64);

/// What the server knows of a connection before it says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where it comes from.
    pub ip: IpAddr,
    /// The key that it has proved to hold; none of a client without one.
    pub key: Option<Fingerprint>,
    /// Whether nobody can read along.
    pub encrypted: bool,
    /// Whether it comes from the server's own machine: by loopback, or from an address that is the
    /// server's. Such an address is never banned, and its users come, rename and
    /// write to strangers as often as they like.
    pub local: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    /// See [`Peer`].
    pub(super) ip: IpAddr,
    pub(super) encrypted: bool,
    pub(super) local: bool,
    /// Elsewhere, as it is big and many have none.
    key: Option<Box<Fingerprint>>,
    pub(super) mode: Mode,
    /// Whose it is, once registered.
    pub(super) user: Option<UserId>,
    /// Its packets until then; after that they are the user's.
    pub(super) pace: Bucket,
    /// How many these were, or more.
    pub(super) packets: u8,
    /// Who pays for the packet that was let through last.
    pub(super) way: (Way, Pays),
}

/// What makes several sessions those of one user, together with the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A key, which was proved, or the secret of a client without one. Shared by all that know them.
    Known(Arc<Account>),
    /// Nothing: there is only ever one session.
    Nobody,
}

/// Somebody with a name and at least one session.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) owner: Owner,
    /// When they came, in seconds of Unix time.
    pub(super) since: i64,
    /// Oldest first. Most users have one.
    pub(super) sessions: SmallVec<[SessionId; 2]>,
    /// How many of them are chat sessions. The user is present while there is one.
    pub(super) chatting: u32,
    pub(super) pace: Pace,
}

/// What a user is to be told of the pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When a packet of theirs last had to wait: the second of the uptime, which never is the first.
    pub(super) held: Option<NonZeroU32>,
    /// They are to be told, and for whose pace it was.
    pub(super) untold: Option<Level>,
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

impl Session {
    pub(super) fn new(peer: Peer) -> Self {
        let Peer { ip, key, encrypted, local } = peer;
        let key = key.map(Box::new);
        Self {
            ip,
            encrypted,
            local,
            key,
            mode: Mode::Chat,
            user: None,
            pace: Bucket::default(),
            packets: 0,
            way: Default::default(),
        }
    }

    pub(super) fn peer(&self) -> Peer {
        Peer { ip: self.ip, key: self.key().copied(), encrypted: self.encrypted, local: self.local }
    }

    pub(super) fn key(&self) -> Option<&Fingerprint> {
        self.key.as_deref()
    }

    /// Whether it gets what others say.
    pub(super) fn listens(&self) -> bool {
        self.mode != Mode::Send
    }
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

impl User {
    /// Who they are in a room; `id` is their own number.
    pub(super) fn who(&self, id: UserId) -> Who {
        self.owner.account().map_or(Who::User(id), |account| Who::Account(Arc::clone(account)))
    }
}

/// Held for each connection and each user.
const _: () = assert!(size_of::<Session>() <= 48 && size_of::<User>() <= 88);
