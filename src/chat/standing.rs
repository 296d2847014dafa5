//! Who may do what: operators, members, bans and mutes, by key and address.
//!
//! Knows no sessions and sends nothing; what commands do with it is in the files beside it.

use super::net::Net;
use super::records::{BanRecord, MemberRecord, OperatorRecord, Records};
use super::sanctions::{Place, Sanctions};
use super::user::Peer;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_MEMBERS, MAX_OPERATORS, RECORDS_PORTION};
use crate::name::{Name, NameKey};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// With what decides whether a name is theirs.
    operators: BTreeMap<Fingerprint, (NameKey, OperatorRecord)>,
    /// In the order in which they came.
    members: BTreeMap<MemberPlace, MemberRecord>,
    /// Since when each is one. Invariant: one entry a member.
    member_since: HashMap<Fingerprint, Timestamp>,
    bans: Sanctions,
    mutes: Sanctions,
    changed: bool,
    members_changed: bool,
}

/// Where a member stands among them.
pub(super) type MemberPlace = (Timestamp, Fingerprint);

/// How far the rows have been read, members aside.
#[derive(Debug, Default)]
pub struct StandingRead {
    operator: Option<Fingerprint>,
    /// Of bans, and of mutes.
    places: [Option<Place>; 2],
}

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
        let operators = records.operators.drain(..).take(MAX_OPERATORS).map(keyed);
        let mut standing = Self {
            operators: operators.collect(),
            bans: Sanctions::new(std::mem::take(&mut records.bans)),
            mutes: Sanctions::new(std::mem::take(&mut records.mutes)),
            ..Self::default()
        };
        records.members.drain(..).take(MAX_MEMBERS).for_each(|row| standing.insert_member(row));
        standing
    }

    /// Appends some of the rows that hold, members aside; `false`: there are no more.
    pub(super) fn more(&self, read: &mut StandingRead, records: &mut Records, at: Timestamp) -> bool {
        let start = read.operator.map_or(Bound::Unbounded, Bound::Excluded);
        let operators = self.operators.range((start, Bound::Unbounded)).take(RECORDS_PORTION);
        let before = records.operators.len();
        records.operators.extend(operators.map(|(_, (_, row))| row.clone()));
        if let Some(last) = records.operators[before..].last() {
            read.operator = Some(last.key);
            return true;
        }
        let [bans, mutes] = &mut read.places;
        let lists = [(&self.bans, bans, &mut records.bans), (&self.mutes, mutes, &mut records.mutes)];
        for (rows, place, records) in lists {
            let before = *place;
            for (next, row) in rows.after(before, RECORDS_PORTION) {
                *place = Some(next);
                records.extend(row.holds(at).then(|| (**row).clone()));
            }
            if *place != before {
                return true;
            }
        }
        false
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

    /// The keys of operators.
    pub(super) fn operators(&self) -> impl Iterator<Item = &Fingerprint> {
        self.operators.keys()
    }

    /// Operators are members.
    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.member_since.contains_key(key) || self.operators.contains_key(key)
    }

    /// Returns whether there was room.
    pub(super) fn add_operator(&mut self, row: OperatorRecord) -> bool {
        let fits = self.operators.len() < MAX_OPERATORS || self.operators.contains_key(&row.key);
        if fits {
            self.operators.extend([keyed(row)]);
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
    pub(super) fn operator_named(&self, name: &NameKey) -> Option<Fingerprint> {
        self.operators.values().find(|(known, _)| known == name).map(|(_, row)| row.key)
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
        let of_key = peer.key.as_ref().and_then(|key| self.bans.of_key(key, at));
        of_key
            .or_else(|| self.is_hit_by_address(peer).then(|| self.bans.of_address(peer.ip, at, |_| true))?)
    }

    fn is_hit_by_address(&self, peer: &Peer) -> bool {
        !peer.local && !self.is_operator(peer.key.as_ref())
    }

    /// Whether a ban that holds keeps this peer out. The server's own machine is never banned by
    /// address, nor is an operator: nobody locks themselves out with a network that is too wide.
    pub(super) fn hits(&self, ban: &BanRecord, peer: &Peer) -> bool {
        ban.key.is_some() && ban.key == peer.key
            || ban.ips.iter().any(|net| net.contains(peer.ip)) && self.is_hit_by_address(peer)
    }

    /// The mute that silences this user at this peer.
    pub(super) fn mute_of(&self, peer: &Peer, name: &Name, at: Timestamp) -> Option<&BanRecord> {
        if self.mutes.is_empty() {
            return None;
        }
        let of_who = match &peer.key {
            Some(key) => self.mutes.of_key(key, at),
            None => self.mutes.of_name(&name.key(), peer.ip, at),
        };
        let is_of_all = |row: &BanRecord| row.key.is_none() && row.name.is_none();
        of_who.or_else(|| {
            self.is_hit_by_address(peer).then(|| self.mutes.of_address(peer.ip, at, is_of_all))?
        })
    }

    /// Adds a row in place of those about the same. Returns whether there was room.
    pub(super) fn impose(&mut self, sanction: Sanction, row: BanRecord, at: Timestamp) -> bool {
        self.changed = true;
        self.rows_mut(sanction).impose(row, at)
    }

    /// Takes back what was imposed on the subject. Returns how many rows that changed.
    pub(super) fn lift(
        &mut self,
        sanction: Sanction,
        subject: &Subject,
        name: &NameKey,
        owner: Option<Fingerprint>,
    ) -> usize {
        let lifted = self.rows_mut(sanction).lift(subject, name, owner);
        self.changed |= lifted > 0;
        lifted
    }

    /// What was imposed and holds, the latest first, as many as that; and how many there are.
    pub(super) fn sanctions(&self, at: Timestamp, most: usize) -> (Vec<(Sanction, Arc<BanRecord>)>, usize) {
        let mut bans = self.bans.latest(at).map(|row| (Sanction::Ban, row)).peekable();
        let mut mutes = self.mutes.latest(at).map(|row| (Sanction::Mute, row)).peekable();
        let mut all = Vec::new();
        while all.len() < most {
            let is_ban = match (bans.peek(), mutes.peek()) {
                (Some((_, ban)), Some((_, mute))) => ban.since >= mute.since,
                (ban, _) => ban.is_some(),
            };
            let Some((sanction, row)) = (if is_ban { bans.next() } else { mutes.next() }) else { break };
            all.push((sanction, Arc::clone(row)));
        }
        (all, self.bans.len(at) + self.mutes.len(at))
    }

    fn rows_mut(&mut self, sanction: Sanction) -> &mut Sanctions {
        match sanction {
            Sanction::Ban => &mut self.bans,
            Sanction::Mute => &mut self.mutes,
        }
    }
}

fn keyed(row: OperatorRecord) -> (Fingerprint, (NameKey, OperatorRecord)) {
    (row.key, (NameKey::of(&row.name), row))
}
