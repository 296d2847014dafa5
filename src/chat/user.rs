//! Users and their sessions.

use super::paced_sender::{PaceNotice, SessionPace};
use super::paces::{ChargedTo, Origin, PaceClass};
use super::peer::Peer;
use super::who::{Owner, SessionId, UserId, Who};
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::pace::Bucket;
use crate::protocol::request::Mode;
use smallvec::SmallVec;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) ip: IpAddr,
    pub(super) encrypted: bool,
    pub(super) place: SessionPlace,
    /// Boxed, as it is big and many sessions have none.
    key: Option<Box<Fingerprint>>,
    pub(super) mode: Mode,
    /// Set once registered.
    pub(super) user: Option<UserId>,
    /// These three are its [`SessionPace`], which would be bigger as one member.
    pace: Bucket,
    packets: u8,
    /// Whether it tells what its user has read, so it also wants to know that of the user's other sessions.
    pub(super) reads: bool,
    charged: (ChargedTo, PaceClass),
}

/// Where a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionPlace {
    /// See [`Peer::local`].
    OwnMachine,
    Elsewhere,
    /// A browser, wherever it runs.
    Browser,
}

/// A person with a name and at least one session.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) owner: Owner,
    /// When they joined, in seconds of Unix time.
    pub(super) since: i64,
    /// Oldest first. Most users have one.
    pub(super) sessions: SmallVec<[SessionId; 2]>,
    /// The number of chat sessions. The user is present while there is one.
    pub(super) chatting: u32,
    pub(super) notice: PaceNotice,
}

impl Session {
    pub(super) fn new(peer: Peer) -> Self {
        let Peer { ip, key, encrypted, local, web } = peer;
        let key = key.map(Box::new);
        let place = match (web, local) {
            (true, _) => SessionPlace::Browser,
            (false, true) => SessionPlace::OwnMachine,
            (false, false) => SessionPlace::Elsewhere,
        };
        Self {
            ip,
            encrypted,
            place,
            key,
            mode: Mode::Chat,
            user: None,
            pace: Bucket::default(),
            packets: 0,
            reads: false,
            charged: Default::default(),
        }
    }

    pub(super) fn peer(&self) -> Peer {
        let (local, web) = (self.is_local(), self.is_web());
        Peer { ip: self.ip, key: self.key().copied(), encrypted: self.encrypted, local, web }
    }

    /// See [`Peer::local`].
    pub(super) fn is_local(&self) -> bool {
        self.place == SessionPlace::OwnMachine
    }

    pub(super) fn is_web(&self) -> bool {
        self.place == SessionPlace::Browser
    }

    pub(super) fn key(&self) -> Option<&Fingerprint> {
        self.key.as_deref()
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::new(self.ip, self.is_local())
    }

    pub(super) fn pace(&self) -> SessionPace {
        SessionPace { used: self.pace, packets: self.packets, charged: self.charged }
    }

    pub(super) fn set_pace(&mut self, pace: SessionPace) {
        SessionPace { used: self.pace, packets: self.packets, charged: self.charged } = pace;
    }

    /// Whether it receives other people's messages.
    pub(super) fn listens(&self) -> bool {
        self.mode != Mode::Send
    }
}

impl User {
    /// The member that they are in rooms; `id` is their own number.
    pub(super) fn who(&self, id: UserId) -> Who {
        self.owner.account().map_or(Who::User(id), |account| Who::Account(Arc::clone(account)))
    }
}

/// One per connection and one per user.
const _: () = assert!(size_of::<Session>() <= 48 && size_of::<User>() <= 88);
