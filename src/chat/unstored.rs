//! What was said and is stored nowhere, so that nobody can be given it later: while the store fails, and always
//! on a server that keeps no messages. Who was away meanwhile is told of a gap, and nobody else.
//!
//! Of what was said only where and when is remembered, of who went only when, and both as long as the server
//! runs; over restarts the store keeps that there was something. When there is no room for more, and after a
//! restart, somebody may be told of a gap who missed nothing, never the reverse.

use super::archive::{Account, Lack, Mail, Venue};
use crate::limits::{MAX_LEFT, MAX_UNSTORED_MAILBOXES};
use crate::name::NameKey;
use indexmap::IndexMap;
use jiff::Timestamp;
use std::hash::{BuildHasher, RandomState};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    /// All up to this number is stored, or nothing ever was.
    after: u64,
    /// Goes on with each thing that is noted: what came before what.
    turn: u64,
    rooms: IndexMap<NameKey, Said>,
    mailboxes: IndexMap<AccountId, Said>,
    /// What there was no room for, wherever it was said.
    others: Option<Said>,
    /// The last that was said before this start.
    before: Option<Lack>,
    /// The last that was said since the store began to fail.
    latest: Option<Lack>,
    /// When the last session of each was gone.
    left: IndexMap<AccountId, u64>,
    /// Keyed, as people choose what they are known by.
    hasher: RandomState,
}

/// A hash: two that share one would be told of one another's gaps, once in 2^64.
type AccountId = u64;

/// The last that was said at a place.
#[derive(Debug, Clone, Copy)]
struct Said {
    turn: u64,
    at: Timestamp,
    /// Whoever has not all up to here was not here when it began.
    after: u64,
    /// Whoever has more than this was here after it, and was told.
    upto: u64,
}

/// What somebody has who comes in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Has {
    Nothing,
    /// All up to this number.
    Seq(u64),
    /// All before.
    Time(Timestamp),
}

/// Where somebody was.
#[derive(Debug, Clone, Copy)]
pub(super) enum Was {
    /// Here, in another session.
    Here,
    /// Away since that turn.
    Away(u64),
    /// Not here as long as anything is remembered.
    Elsewhere,
}

impl Unstored {
    /// Goes on from what is known of earlier runs.
    pub(super) fn new(before: Option<Lack>) -> Self {
        Self { before, ..Self::default() }
    }

    /// From now on nothing is stored that has a higher number.
    pub(super) fn begin(&mut self, after: u64) {
        (self.after, self.latest) = (after, None);
    }

    /// The last that was said since the store began to fail; `None`: nothing was.
    pub(super) fn latest(&self) -> Option<Lack> {
        self.latest
    }

    /// Something was said there; `latest`: the latest number by now.
    pub(super) fn note(&mut self, venue: &Venue, mail: &[Mail], latest: u64, at: Timestamp) {
        self.turn += 1;
        let said = Said { turn: self.turn, at, after: self.after, upto: latest };
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

    /// Whether it matters who goes.
    pub(super) fn is_empty(&self) -> bool {
        self.turn == 0
    }

    /// Whether somebody who has that has missed something before this start. Who was here then is not known,
    /// unless they have had something since.
    pub(super) fn was_missed(&self, has: Has) -> bool {
        self.before.is_some_and(|lack| match has {
            Has::Nothing => false,
            Has::Seq(seq) => seq <= lack.upto,
            Has::Time(time) => time <= lack.at,
        })
    }

    /// The last session of this account is gone.
    pub(super) fn left(&mut self, account: &Account) {
        self.turn += 1;
        self.left.insert(self.hasher.hash_one(account), self.turn);
        if self.left.len() > MAX_LEFT {
            // The oldest of some, as all would have to be moved for the first.
            self.left.swap_remove_index(0);
        }
    }

    /// Where this account was, if it has no session but the new one.
    pub(super) fn was(&self, account: &Account) -> Was {
        self.left.get(&self.hasher.hash_one(account)).map_or(Was::Elsewhere, |turn| Was::Away(*turn))
    }

    /// Whether somebody has missed something in one of these rooms or in their mail. `keeps`: messages are
    /// kept here, if the store works; else numbers begin anew with each start.
    pub(super) fn is_missed<'r>(
        &self,
        mut rooms: impl Iterator<Item = &'r NameKey>,
        account: &Account,
        has: Has,
        was: Was,
        keeps: bool,
    ) -> bool {
        let is_missed = |said: &Said| said.is_missed(has, was, keeps);
        let mail = self.mailboxes.get(&self.hasher.hash_one(account));
        rooms.any(|room| self.rooms.get(room).is_some_and(is_missed))
            || mail.into_iter().chain(&self.others).any(is_missed)
    }

    /// The same for somebody who can't be known again and has all up to that number, of a server that keeps
    /// no messages: of what was said to everybody.
    pub(super) fn is_missed_by_stranger(&self, lobby: &NameKey, has: Has, latest: u64) -> bool {
        let said = self.rooms.get(lobby);
        said.is_some_and(|said| match has {
            Has::Nothing => false,
            Has::Seq(seq) => seq < said.upto || seq > latest,
            Has::Time(time) => said.at >= time,
        })
    }
}

impl Said {
    fn is_missed(&self, has: Has, was: Was, keeps: bool) -> bool {
        let was_here = matches!(was, Was::Away(turn) if turn > self.turn);
        match (has, was) {
            // On a first visit nothing is missed. Without a history a client has nothing to go on from.
            (Has::Nothing, Was::Away(_)) if !keeps => !was_here,
            (Has::Nothing, _) => false,
            (Has::Time(time), _) => self.at >= time && !was_here,
            (Has::Seq(seq), _) if keeps && seq > self.upto => false,
            (Has::Seq(seq), _) if keeps && seq < self.after => true,
            (Has::Seq(seq), Was::Here) if !keeps => seq < self.upto,
            (Has::Seq(_), _) => !was_here,
        }
    }
}
