//! Who may do what: operators, members, bans and mutes, by key and address.
//!
//! Knows no sessions and sends nothing; what commands do with it is in the files beside it.

use super::net::Net;
use super::records::{BanRecord, MemberRecord, OperatorRecord, Records};
use super::user::Peer;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_BAN_ADDRESSES, MAX_BANS, MAX_MEMBERS, MAX_OPERATORS};
use crate::name::{Name, NameKey};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Standing {
    operators: HashMap<Fingerprint, OperatorRecord>,
    /// In the order in which they came.
    members: BTreeMap<MemberPlace, MemberRecord>,
    /// Since when each is one. Invariant: one entry a member.
    member_since: HashMap<Fingerprint, Timestamp>,
    bans: Vec<BanRecord>,
    mutes: Vec<BanRecord>,
    changed: bool,
    members_changed: bool,
}

/// Where a member stands among them.
pub(super) type MemberPlace = (Timestamp, Fingerprint);

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sanction {
    Ban,
    Mute,
}

/// Whom an operator's command is about, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Name(String),
    Key(Fingerprint),
    Net(Net),
}

impl Standing {
    /// What these rows say; no more of them than there may be.
    pub(super) fn new(records: &mut Records) -> Self {
        let take = |rows: &mut Vec<BanRecord>| rows.drain(..).take(MAX_BANS).collect();
        let operators = records.operators.drain(..).take(MAX_OPERATORS).map(|row| (row.key, row));
        let mut standing = Self {
            operators: operators.collect(),
            bans: take(&mut records.bans),
            mutes: take(&mut records.mutes),
            ..Self::default()
        };
        records.members.drain(..).take(MAX_MEMBERS).for_each(|row| standing.insert_member(row));
        standing
    }

    /// The rows that hold, members aside, each list in a fixed order.
    pub(super) fn fill(&self, records: &mut Records, at: Timestamp) {
        records.operators = self.operators.values().cloned().collect();
        records.operators.sort_by_key(|row| (row.since, row.key));
        records.bans = self.bans.iter().filter(|row| row.holds(at)).cloned().collect();
        records.mutes = self.mutes.iter().filter(|row| row.holds(at)).cloned().collect();
    }

    /// So many members, in order, after that one.
    pub(super) fn members_after(&self, after: Option<MemberPlace>, most: usize) -> Vec<MemberRecord> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.members.range((start, Bound::Unbounded)).take(most).map(|(_, row)| row.clone()).collect()
    }

    /// Whether anything but members has changed, and whether members have.
    pub(super) fn changed(&self) -> (bool, bool) {
        (self.changed, self.members_changed)
    }

    /// Sets what [`Self::changed`] says.
    pub(super) fn set_changed(&mut self, changed: bool, members: bool) {
        (self.changed, self.members_changed) = (changed, members);
    }

    pub(super) fn is_operator(&self, key: Option<&Fingerprint>) -> bool {
        key.is_some_and(|key| self.operators.contains_key(key))
    }

    /// Operators are members.
    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.member_since.contains_key(key) || self.operators.contains_key(key)
    }

    /// Returns whether there was room.
    pub(super) fn add_operator(&mut self, row: OperatorRecord) -> bool {
        let fits = self.operators.len() < MAX_OPERATORS || self.operators.contains_key(&row.key);
        if fits {
            self.operators.insert(row.key, row);
            self.changed = true;
        }
        fits
    }

    pub(super) fn remove_operator(&mut self, key: &Fingerprint) -> bool {
        let removed = self.operators.remove(key).is_some();
        self.changed |= removed;
        removed
    }

    /// The operator who had this name when they became one.
    pub(super) fn operator_named(&self, name: &str) -> Option<Fingerprint> {
        let wanted = NameKey::of(name);
        self.operators.values().find(|row| NameKey::of(&row.name) == wanted).map(|row| row.key)
    }

    pub(super) fn add_member(&mut self, row: MemberRecord) {
        if self.members.len() >= MAX_MEMBERS
            && let Some(((_, first), _)) = self.members.pop_first()
        {
            self.member_since.remove(&first);
        }
        self.insert_member(row);
        self.members_changed = true;
    }

    fn insert_member(&mut self, row: MemberRecord) {
        if let Some(before) = self.member_since.insert(row.key, row.since) {
            self.members.remove(&(before, row.key));
        }
        self.members.insert((row.since, row.key), row);
    }

    /// The ban that keeps this peer out.
    pub(super) fn ban_of(&self, peer: &Peer, at: Timestamp) -> Option<&BanRecord> {
        self.bans.iter().find(|row| row.holds(at) && self.hits(row, peer))
    }

    /// Whether a ban that holds keeps this peer out. The server's own machine is never banned by
    /// address, nor is an operator: nobody locks themselves out with a network that is too wide.
    pub(super) fn hits(&self, ban: &BanRecord, peer: &Peer) -> bool {
        ban.key.is_some() && ban.key == peer.key
            || ban.ips.iter().any(|net| net.contains(peer.ip))
                && !peer.local
                && !self.is_operator(peer.key.as_ref())
    }

    /// The mute that silences this user at this peer.
    pub(super) fn mute_of(&self, peer: &Peer, name: &Name, at: Timestamp) -> Option<&BanRecord> {
        let is_there = |row: &BanRecord| row.ips.iter().any(|net| net.contains(peer.ip));
        self.mutes.iter().filter(|row| row.holds(at)).find(|row| match (&row.key, &row.name) {
            (Some(key), _) => peer.key.as_ref() == Some(key),
            (None, Some(muted)) => peer.key.is_none() && is_there(row) && NameKey::of(muted) == name.key(),
            (None, None) => !peer.local && !self.is_operator(peer.key.as_ref()) && is_there(row),
        })
    }

    /// Adds a row in place of those about the same, whose addresses it takes over: a ban of the key
    /// does not end the ban of where its owner came from. Returns whether there was room.
    pub(super) fn impose(&mut self, sanction: Sanction, mut row: BanRecord, at: Timestamp) -> bool {
        let rows = self.rows_mut(sanction);
        rows.retain(|old| {
            let same =
                old.key == row.key && (row.key.is_some() || old.ips == row.ips && old.name == row.name);
            if same && old.holds(at) {
                let more = old.ips.iter().filter(|ip| !row.ips.contains(ip)).copied();
                let more: Vec<_> = more.take(MAX_BAN_ADDRESSES.saturating_sub(row.ips.len())).collect();
                row.ips.extend(more);
            }
            old.holds(at) && !same
        });
        let fits = rows.len() < MAX_BANS;
        if fits {
            rows.push(row);
        }
        self.changed = true;
        fits
    }

    /// Takes back what was imposed on the subject; `owner` is whose the name is. Returns how many
    /// rows that changed.
    pub(super) fn lift(
        &mut self,
        sanction: Sanction,
        subject: &Subject,
        owner: Option<Fingerprint>,
    ) -> usize {
        let mut lifted = 0;
        self.rows_mut(sanction).retain_mut(|row| {
            let (hit, stays) = match subject {
                Subject::Name(name) => {
                    let named = row.name.as_ref().is_some_and(|row| NameKey::of(row) == NameKey::of(name));
                    (named || owner.is_some() && row.key == owner, false)
                }
                Subject::Key(key) => (row.key.as_ref() == Some(key), false),
                Subject::Net(net) => {
                    let before = row.ips.len();
                    row.ips.retain(|ip| ip != net);
                    (row.ips.len() < before, row.key.is_some() || !row.ips.is_empty())
                }
            };
            lifted += usize::from(hit);
            !hit || stays
        });
        self.changed |= lifted > 0;
        lifted
    }

    /// Everything that was imposed and holds, the latest first.
    pub(super) fn sanctions(&self, at: Timestamp) -> Vec<(Sanction, &BanRecord)> {
        let bans = self.bans.iter().map(|row| (Sanction::Ban, row));
        let mutes = self.mutes.iter().map(|row| (Sanction::Mute, row));
        let mut all: Vec<_> = bans.chain(mutes).filter(|(_, row)| row.holds(at)).collect();
        all.sort_by_key(|(_, row)| std::cmp::Reverse(row.since));
        all
    }

    fn rows_mut(&mut self, sanction: Sanction) -> &mut Vec<BanRecord> {
        match sanction {
            Sanction::Ban => &mut self.bans,
            Sanction::Mute => &mut self.mutes,
        }
    }
}
