//! Users and their sessions.

use super::archive::Account;
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::pace::Bucket;
use crate::protocol::request::Mode;
use jiff::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};

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
    pub(super) peer: Peer,
    pub(super) mode: Mode,
    /// Whose it is, once registered.
    pub(super) user: Option<UserId>,
    /// Its packets until then; after that they are the user's.
    pub(super) pace: Bucket,
}

/// What makes several sessions those of one user, together with the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A key, which was proved. What the client says of tokens does not count then.
    Key(Fingerprint),
    /// A secret of a client without a key.
    Token(Box<str>),
    /// Nothing: there is only ever one session.
    Nobody,
}

/// Somebody with a name and at least one session.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) owner: Owner,
    pub(super) since: Timestamp,
    /// Oldest first.
    pub(super) sessions: Vec<SessionId>,
    /// How many of them are chat sessions. The user is present while there is one.
    pub(super) chatting: usize,
    pub(super) pace: Pace,
    /// Absent until something in it is needed: most users of a crowd only read.
    pub(super) news: Option<Box<News>>,
}

/// How fast a user sends.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) bucket: Bucket,
    /// When a packet of theirs last had to wait: the second of the uptime, which never is the first.
    pub(super) held: Option<NonZeroU32>,
    /// They are to be told.
    pub(super) untold: bool,
}

/// What a user did that is news to others.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) renames: Bucket,
    pub(super) strangers: Bucket,
    /// Rooms joined, and topics set.
    pub(super) rooms: Bucket,
    /// Whom they have written to, the latest last.
    pub(super) correspondents: Vec<Correspondent>,
}

/// Somebody written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Correspondent {
    /// Somebody who can't be known again.
    User(UserId),
    /// Somebody who can, here or not: by a hash, as many are remembered.
    Account(u64),
    Address(IpAddr),
}

impl Session {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, mode: Mode::Chat, user: None, pace: Bucket::default() }
    }

    /// Whether it gets what others say.
    pub(super) fn listens(&self) -> bool {
        self.mode != Mode::Send
    }
}

impl Owner {
    /// Who comes with this key, or else with this token.
    pub(super) fn of(key: Option<Fingerprint>, token: Option<&str>) -> Self {
        match (key, token) {
            (Some(key), _) => Self::Key(key),
            (None, Some(token)) if !token.is_empty() => Self::Token(token.into()),
            (None, _) => Self::Nobody,
        }
    }

    /// Whether both are certainly the same one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        *self != Self::Nobody && self == other
    }

    /// Who they are over all their sessions and names; `None`: they can't be known again.
    pub(super) fn account(&self) -> Option<Account> {
        match self {
            Self::Key(key) => Some(Account::Key(*key)),
            Self::Token(token) => Some(Account::Token(token.clone())),
            Self::Nobody => None,
        }
    }

    pub(super) fn key(&self) -> Option<&Fingerprint> {
        match self {
            Self::Key(key) => Some(key),
            Self::Token(_) | Self::Nobody => None,
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
    /// Whether they have written to them lately.
    pub(super) fn knows(&self, who: Correspondent) -> bool {
        self.news.as_ref().is_some_and(|news| news.correspondents.contains(&who))
    }
}
