//! Access lists: operators, members, bans and mutes, by key and address.
//!
//! Knows no sessions and sends nothing; the commands that change the lists are in other files.

use super::peer::Peer;
use super::records::{BanRecord, MemberRecord, OperatorRecord, Record, Records, Sanction};
use super::sanctions::Sanctions;
use super::{Deliveries, Delivery};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_MEMBERS, MAX_OPERATORS};
use crate::name::{Name, NameKey};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct Access {
    /// Each with the key of its name.
    operators: BTreeMap<Fingerprint, (NameKey, OperatorRecord)>,
    /// The oldest first.
    members: BTreeMap<MemberPlace, MemberRecord>,
    /// Invariant: one entry per member.
    member_since: HashMap<Fingerprint, Timestamp>,
    bans: Sanctions,
    mutes: Sanctions,
}

/// A member's position in the list.
type MemberPlace = (Timestamp, Fingerprint);

impl Access {
    /// Loads the records, up to the limits.
    pub(super) fn new(records: &mut Records) -> Self {
        let operators = records.operators.drain(..).take(MAX_OPERATORS).map(keyed);
        let mut access = Self {
            operators: operators.collect(),
            members: BTreeMap::new(),
            member_since: HashMap::new(),
            bans: Sanctions::new(Sanction::Ban, std::mem::take(&mut records.bans)),
            mutes: Sanctions::new(Sanction::Mute, std::mem::take(&mut records.mutes)),
        };
        records.members.drain(..).take(MAX_MEMBERS).for_each(|row| access.insert_member(row));
        access
    }

    pub(super) fn is_operator(&self, key: Option<&Fingerprint>) -> bool {
        key.is_some_and(|key| self.operators.contains_key(key))
    }

    pub(super) fn operator_keys(&self) -> impl Iterator<Item = &Fingerprint> {
        self.operators.keys()
    }

    /// See [`Chat::date_sanctions`](super::Chat::date_sanctions).
    pub(super) fn date_sanctions(&mut self, at: Timestamp, out: &mut Deliveries) {
        self.bans.date_anew(at, out);
        self.mutes.date_anew(at, out);
    }

    /// Operators are members, too.
    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.member_since.contains_key(key) || self.operators.contains_key(key)
    }

    /// Returns `false` if the list is full.
    pub(super) fn add_operator(&mut self, row: OperatorRecord, out: &mut Deliveries) -> bool {
        let fits = self.operators.len() < MAX_OPERATORS || self.operators.contains_key(&row.key);
        if fits {
            out.push(Delivery::record(Record::Operator(row.key, Some(row.clone()))));
            self.operators.extend([keyed(row)]);
        }
        fits
    }

    pub(super) fn remove_operator(&mut self, key: &Fingerprint, out: &mut Deliveries) {
        if self.operators.remove(key).is_some() {
            out.push(Delivery::record(Record::Operator(*key, None)));
        }
    }

    /// A page of operators in the order of their keys, and the total.
    pub(super) fn operators_after(
        &self,
        after: Option<Fingerprint>,
        most: usize,
    ) -> (impl Iterator<Item = &OperatorRecord>, usize) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.operators.range((start, Bound::Unbounded)).take(most);
        (rows.map(|(_, (_, row))| row), self.operators.len())
    }

    pub(super) fn operator_names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.operators.values().map(|(key, row)| (key.as_str(), row.name.as_str()))
    }

    /// A page of members, the oldest first, and the total.
    pub(super) fn members_after(
        &self,
        after: Option<Fingerprint>,
        most: usize,
    ) -> (impl Iterator<Item = &MemberRecord>, usize) {
        let after = after.and_then(|key| Some((*self.member_since.get(&key)?, key)));
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        (self.members.range((start, Bound::Unbounded)).take(most).map(|(_, row)| row), self.members.len())
    }

    /// The operator who had this name when promoted.
    pub(super) fn operator_named(&self, name: &NameKey) -> Option<Fingerprint> {
        self.operators.values().find(|(known, _)| known == name).map(|(_, row)| row.key)
    }

    pub(super) fn add_member(&mut self, row: MemberRecord, out: &mut Deliveries) {
        if self.members.len() >= MAX_MEMBERS
            && !self.member_since.contains_key(&row.key)
            && let Some(((_, first), _)) = self.members.first_key_value()
        {
            let first = *first;
            self.remove_member(&first, out);
        }
        out.push(Delivery::record(Record::Member(row.key, Some(row.clone()))));
        self.insert_member(row);
    }

    /// Returns whether the key was a member.
    pub(super) fn remove_member(&mut self, key: &Fingerprint, out: &mut Deliveries) -> bool {
        let Some(since) = self.member_since.remove(key) else { return false };
        self.members.remove(&(since, *key));
        out.push(Delivery::record(Record::Member(*key, None)));
        true
    }

    fn insert_member(&mut self, row: MemberRecord) {
        if let Some(before) = self.member_since.insert(row.key, row.since) {
            self.members.remove(&(before, row.key));
        }
        self.members.insert((row.since, row.key), row);
    }

    /// The ban that matches this peer.
    pub(super) fn ban_of(&self, peer: &Peer, at: Timestamp) -> Option<&BanRecord> {
        self.bans.ban_of(peer, self.is_operator(peer.key.as_ref()), at)
    }

    fn is_hit_by_address(&self, peer: &Peer) -> bool {
        !peer.local && !self.is_operator(peer.key.as_ref())
    }

    /// Whether a ban in force matches this peer. Bans by address never match the server's own machine or an
    /// operator, so a network that is too wide locks neither out.
    pub(super) fn hits(&self, ban: &BanRecord, peer: &Peer) -> bool {
        ban.key.is_some() && ban.key == peer.key
            || ban.ips.iter().any(|net| net.contains(peer.ip)) && self.is_hit_by_address(peer)
    }

    /// The mute that matches this user at this peer.
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

    /// Up to `most` sanctions in force, the latest first, and the total.
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

    pub(super) fn rows(&self, sanction: Sanction) -> &Sanctions {
        match sanction {
            Sanction::Ban => &self.bans,
            Sanction::Mute => &self.mutes,
        }
    }

    pub(super) fn rows_mut(&mut self, sanction: Sanction) -> &mut Sanctions {
        match sanction {
            Sanction::Ban => &mut self.bans,
            Sanction::Mute => &mut self.mutes,
        }
    }
}

fn keyed(row: OperatorRecord) -> (Fingerprint, (NameKey, OperatorRecord)) {
    (row.key, (NameKey::of(&row.name), row))
}

#[cfg(any(test, fuzzing))]
impl Access {
    /// Appends all rows in force.
    pub(super) fn records(&self, at: Timestamp, records: &mut Records) {
        records.operators = self.operators.values().map(|(_, row)| row.clone()).collect();
        records.members = self.members.values().cloned().collect();
        (records.bans, records.mutes) = (self.bans.records(at), self.mutes.records(at));
    }
}
