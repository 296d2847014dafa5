//! Remembers which messages were never stored: while the store fails, and always on a server without a
//! history. People who were away learn that they missed something, and nobody else does.
//!
//! It remembers only where and when a message was sent, and when people left, while the server runs. Across
//! restarts, the store records only that messages are missing. After a restart, or when space runs out,
//! people who missed nothing may also hear of a gap, never the reverse.

use super::archive::{Account, Lack, Mail, Venue};
use crate::limits::{MAX_LEFT, MAX_UNSTORED_MAILBOXES};
use crate::name::NameKey;
use indexmap::IndexMap;
use jiff::Timestamp;
use std::hash::{BuildHasher, RandomState};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    /// All messages up to this number are stored, or the server has no history.
    after: u64,
    /// A counter that orders messages and departures.
    turn: u64,
    rooms: IndexMap<NameKey, LastUnstored>,
    mailboxes: IndexMap<AccountId, LastUnstored>,
    /// For places that no longer have an entry.
    others: Option<LastUnstored>,
    /// From before this start.
    before: Option<Lack>,
    /// Since the store began to fail.
    latest: Option<Lack>,
    /// When each account's last session left.
    left: IndexMap<AccountId, u64>,
    /// Randomly keyed, because people choose what is hashed.
    hasher: RandomState,
}

/// A hash. Two accounts that share one would hear of each other's gaps, once in 2^64.
type AccountId = u64;

/// The last message in a place.
#[derive(Debug, Clone, Copy)]
struct LastUnstored {
    turn: u64,
    at: Timestamp,
    /// A client that has less than all up to this number was away when the failure began.
    after: u64,
    /// A client with a higher number was connected later, and was told.
    upto: u64,
}

/// How much a joining client already has.
#[derive(Debug, Clone, Copy)]
pub(super) enum SeenUpTo {
    Nothing,
    /// All messages up to this number.
    Seq(u64),
    /// All messages before this time.
    Time(Timestamp),
}

/// Where an account's owner was.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attendance {
    /// Connected, with another session.
    Here,
    /// Away since that point of the counter.
    Away(u64),
    /// Away for longer than this module remembers.
    Elsewhere,
}

impl Unstored {
    /// Continues from what earlier runs recorded.
    pub(super) fn new(before: Option<Lack>) -> Self {
        Self { before, ..Self::default() }
    }

    /// Notes that messages above this number are not stored.
    pub(super) fn begin(&mut self, after: u64) {
        (self.after, self.latest) = (after, None);
    }

    /// The last message since the store began to fail.
    pub(super) fn latest(&self) -> Option<Lack> {
        self.latest
    }

    /// Notes a message that is not stored; `latest` is the current number.
    pub(super) fn note(&mut self, venue: &Venue, mail: &[Mail], latest: u64, at: Timestamp) {
        self.turn += 1;
        let said = LastUnstored { turn: self.turn, at, after: self.after, upto: latest };
        self.latest = Some(Lack { upto: latest, at });
        match venue {
            Venue::Room(room) => _ = self.rooms.insert(room.key().clone(), said),
            Venue::Direct(_) => {
                for Mail { account, .. } in mail {
                    self.mailboxes.insert(self.hasher.hash_one(account), said);
                }
                while self.mailboxes.len() > MAX_UNSTORED_MAILBOXES {
                    let gone = self.mailboxes.swap_remove_index(0).map(|(_, said)| said);
                    self.others = gone.into_iter().chain(self.others).max_by_key(|said| said.turn);
                }
            }
        }
    }

    /// Whether nothing was noted, so departures need no record.
    pub(super) fn is_empty(&self) -> bool {
        self.turn == 0
    }

    /// Whether such a client missed messages before this start. The server no longer knows who was connected
    /// then, unless the client has received something since.
    pub(super) fn was_missed(&self, has: SeenUpTo) -> bool {
        self.before.is_some_and(|lack| match has {
            SeenUpTo::Nothing => false,
            SeenUpTo::Seq(seq) => seq <= lack.upto,
            SeenUpTo::Time(time) => time <= lack.at,
        })
    }

    /// Notes that an account's last session has left.
    pub(super) fn left(&mut self, account: &Account) {
        self.turn += 1;
        self.left.insert(self.hasher.hash_one(account), self.turn);
        if self.left.len() > MAX_LEFT {
            // An old one, as finding the oldest would move all others.
            self.left.swap_remove_index(0);
        }
    }

    /// Where the account's owner was, if the new session is the only one.
    pub(super) fn was(&self, account: &Account) -> Attendance {
        self.left
            .get(&self.hasher.hash_one(account))
            .map_or(Attendance::Elsewhere, |turn| Attendance::Away(*turn))
    }

    /// Whether an account missed messages in one of these rooms or in its mail. `keeps`: the server has a
    /// history; without one, numbers restart with each start.
    pub(super) fn is_missed<'r>(
        &self,
        mut rooms: impl Iterator<Item = &'r NameKey>,
        account: &Account,
        has: SeenUpTo,
        was: Attendance,
        keeps: bool,
    ) -> bool {
        let is_missed = |said: &LastUnstored| said.is_missed(has, was, keeps);
        let mail = self.mailboxes.get(&self.hasher.hash_one(account));
        rooms.any(|room| self.rooms.get(room).is_some_and(is_missed))
            || mail.into_iter().chain(&self.others).any(is_missed)
    }

    /// The same for a client without key and token on a server without a history: only the lobby counts.
    pub(super) fn is_missed_by_stranger(&self, lobby: &NameKey, has: SeenUpTo, latest: u64) -> bool {
        let said = self.rooms.get(lobby);
        said.is_some_and(|said| match has {
            SeenUpTo::Nothing => false,
            SeenUpTo::Seq(seq) => seq < said.upto || seq > latest,
            SeenUpTo::Time(time) => said.at >= time,
        })
    }
}

impl LastUnstored {
    fn is_missed(&self, has: SeenUpTo, was: Attendance, keeps: bool) -> bool {
        let was_here = matches!(was, Attendance::Away(turn) if turn > self.turn);
        match (has, was) {
            // A first visit misses nothing. Without a history, a client has no resume point.
            (SeenUpTo::Nothing, Attendance::Away(_)) if !keeps => !was_here,
            (SeenUpTo::Nothing, _) => false,
            (SeenUpTo::Time(time), _) => self.at >= time && !was_here,
            (SeenUpTo::Seq(seq), _) if keeps && seq > self.upto => false,
            (SeenUpTo::Seq(seq), _) if keeps && seq < self.after => true,
            (SeenUpTo::Seq(seq), Attendance::Here) if !keeps => seq < self.upto,
            (SeenUpTo::Seq(_), _) => !was_here,
        }
    }
}
