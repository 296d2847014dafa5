//! Users and their sessions.

use super::paces::{Level, Origin, Pays, Way};
use super::who::{Owner, SessionId, UserId, Who};
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::pace::Bucket;
use crate::protocol::request::Mode;
use smallvec::SmallVec;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

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

    /// Where its packets come from.
    pub(super) fn origin(&self) -> Origin {
        Origin::new(self.ip, self.local)
    }

    /// Whether it gets what others say.
    pub(super) fn listens(&self) -> bool {
        self.mode != Mode::Send
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
