//! Bans or mutes, indexed by key, name and address, because each message and each connection is checked
//! against them.

use super::net::Net;
use super::peer::Peer;
use super::records::{BanRecord, Record, Sanction};
use super::subject::Subject;
use super::{Deliveries, Delivery};
use crate::fingerprint::Fingerprint;
use crate::limits::{CLOCK_FLOOR, MAX_BAN_ADDRESSES, MAX_BANS};
use crate::name::NameKey;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// When a row was imposed, and its unique number.
pub(super) type SanctionId = (Timestamp, u32);

/// See the module.
#[derive(Debug)]
pub(super) struct Sanctions {
    kind: Sanction,
    /// The oldest first.
    rows: BTreeMap<SanctionId, Arc<BanRecord>>,
    next: u32,
    by_key: Index<Fingerprint>,
    by_name: Index<NameKey>,
    by_net: Index<Net>,
    /// How many rows have a network of this size; `true` for IPv4.
    widths: BTreeMap<(bool, u8), usize>,
    /// The rows that expire, the earliest first.
    ends: BTreeSet<(Timestamp, SanctionId)>,
}

/// Rows by what they match. Invariant: no empty entries.
type Index<K> = BTreeMap<K, BTreeSet<SanctionId>>;

/// How many expired rows to remove per new one.
const DROPPED: usize = 8;

impl Sanctions {
    /// Loads the records, up to the limit.
    pub(super) fn new(kind: Sanction, rows: Vec<(u32, BanRecord)>) -> Self {
        let mut sanctions = Self {
            kind,
            rows: BTreeMap::new(),
            next: 0,
            by_key: Index::default(),
            by_name: Index::default(),
            by_net: Index::default(),
            widths: BTreeMap::new(),
            ends: BTreeSet::new(),
        };
        for (number, row) in rows.into_iter().take(MAX_BANS) {
            sanctions.next = sanctions.next.max(number.saturating_add(1));
            sanctions.insert_at((row.since, number), Arc::new(row));
        }
        sanctions
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self, at: Timestamp) -> usize {
        let over = self.ends.range(..(at, (Timestamp::MAX, u32::MAX)));
        self.rows.len() - over.count()
    }

    /// Those in force, the latest first.
    pub(super) fn latest(&self, at: Timestamp) -> impl Iterator<Item = &Arc<BanRecord>> {
        self.rows.values().rev().filter(move |row| row.holds(at))
    }

    /// One in force against this key.
    pub(super) fn of_key(&self, key: &Fingerprint, at: Timestamp) -> Option<&BanRecord> {
        self.first(self.by_key.get(key)?, at, |_| true)
    }

    /// One in force against this name without a key, at this address.
    pub(super) fn of_name(&self, name: &NameKey, ip: IpAddr, at: Timestamp) -> Option<&BanRecord> {
        let is_there = |row: &BanRecord| row.key.is_none() && row.ips.iter().any(|net| net.contains(ip));
        self.first(self.by_name.get(name)?, at, is_there)
    }

    /// The nearest names in the alphabet with one in force, `each` per side.
    pub(super) fn around(
        &self,
        name: &NameKey,
        each: usize,
        at: Timestamp,
    ) -> impl Iterator<Item = (&NameKey, &str)> {
        let after = self.by_name.range(name..).take(each);
        let before = self.by_name.range(..name).rev().take(each);
        after.chain(before).filter_map(move |(key, places)| {
            let row = self.first(places, at, |_| true)?;
            Some((key, row.name.as_deref()?))
        })
    }

    /// One in force against this address that passes the filter.
    pub(super) fn of_address(
        &self,
        ip: IpAddr,
        at: Timestamp,
        is_such: impl Fn(&BanRecord) -> bool,
    ) -> Option<&BanRecord> {
        let ip = ip.to_canonical();
        let widths = self.widths.keys().filter(|(is_v4, _)| *is_v4 == ip.is_ipv4());
        let places = widths.filter_map(|(_, bits)| self.by_net.get(&Net::around(ip, *bits)));
        places.into_iter().find_map(|places| self.first(places, at, &is_such))
    }

    /// The ban in force that matches this peer. Those by address never match the server's own machine or an operator.
    pub(super) fn ban_of(&self, peer: &Peer, is_operator: bool, at: Timestamp) -> Option<&BanRecord> {
        let of_key = peer.key.as_ref().and_then(|key| self.of_key(key, at));
        let is_hit_by_address = !peer.local && !is_operator;
        of_key.or_else(|| is_hit_by_address.then(|| self.of_address(peer.ip, at, |_| true))?)
    }

    /// Adds a row. It replaces rows on the same subject and takes over their addresses, so banning a key
    /// keeps earlier bans of its owner's addresses. Returns `false` if the list is full.
    pub(super) fn impose(&mut self, mut row: BanRecord, at: Timestamp, out: &mut Deliveries) -> bool {
        self.drop_over(at, out);
        for place in self.about_the_same(&row) {
            let Some(old) = self.drop(place, out).filter(|old| old.holds(at)) else { continue };
            let more = old.ips.iter().filter(|ip| !row.ips.contains(ip)).copied();
            let more: Vec<_> = more.take(MAX_BAN_ADDRESSES.saturating_sub(row.ips.len())).collect();
            row.ips.extend(more);
        }
        let fits = self.rows.len() < MAX_BANS;
        if fits {
            let place = (row.since, self.next);
            self.next = self.next.saturating_add(1);
            self.keep(place, Some(&row), out);
            self.insert_at(place, Arc::new(row));
        }
        fits
    }

    /// Lifts the rows on the subject with that name key; `owner` is the name's key. Returns how many rows
    /// changed.
    pub(super) fn lift(
        &mut self,
        subject: &Subject,
        name: &NameKey,
        owner: Option<Fingerprint>,
        out: &mut Deliveries,
    ) -> usize {
        let of_key = |key: &Fingerprint| self.by_key.get(key).into_iter().flatten().copied();
        let places: BTreeSet<SanctionId> = match subject {
            Subject::Name(_) => {
                let named = self.by_name.get(name).into_iter().flatten().copied();
                named.chain(owner.iter().flat_map(of_key)).collect()
            }
            Subject::Key(key) => of_key(key).collect(),
            Subject::Net(net) => self.by_net.get(net).cloned().unwrap_or_default(),
        };
        for place in &places {
            let Some(mut row) = self.drop(*place, out) else { continue };
            let Subject::Net(net) = subject else { continue };
            let left = Arc::make_mut(&mut row);
            left.ips.retain(|ip| ip != net);
            if left.key.is_some() || !left.ips.is_empty() {
                self.keep(*place, Some(left), out);
                self.insert_at(*place, row);
            }
        }
        places.len()
    }

    /// Restarts rows dated in the future, or before the clock was ever set, with their full duration.
    pub(super) fn date_anew(&mut self, at: Timestamp, out: &mut Deliveries) {
        let is_wrong = |row: &BanRecord| row.since > at || row.since.as_second() < CLOCK_FLOOR;
        let wrong: Vec<SanctionId> =
            self.rows.iter().filter(|(_, row)| is_wrong(row)).map(|(place, _)| *place).collect();
        for place in wrong {
            let Some(mut row) = self.drop(place, out) else { continue };
            let dated = Arc::make_mut(&mut row);
            let length = dated.until.map(|until| until.duration_since(dated.since));
            dated.until = length.map(|length| at.checked_add(length).unwrap_or(Timestamp::MAX));
            dated.since = at;
            let place = (at, place.1);
            self.keep(place, Some(dated), out);
            self.insert_at(place, row);
        }
    }

    fn first<'a>(
        &'a self,
        places: &BTreeSet<SanctionId>,
        at: Timestamp,
        is_such: impl Fn(&BanRecord) -> bool,
    ) -> Option<&'a BanRecord> {
        let rows = places.iter().filter_map(|place| self.rows.get(place)).map(|row| &**row);
        rows.filter(|row| row.holds(at)).find(|row| is_such(row))
    }

    /// Rows on the same key; without one, on the same name and addresses.
    fn about_the_same(&self, row: &BanRecord) -> Vec<SanctionId> {
        let is_same = |place: &&SanctionId| {
            let old = self.rows.get(*place);
            old.is_some_and(|old| {
                old.key == row.key && (row.key.is_some() || old.ips == row.ips && old.name == row.name)
            })
        };
        let places = match (&row.key, row.ips.first()) {
            (Some(key), _) => self.by_key.get(key),
            (None, Some(net)) => self.by_net.get(net),
            (None, None) => None,
        };
        places.into_iter().flatten().filter(is_same).copied().collect()
    }

    fn drop_over(&mut self, at: Timestamp, out: &mut Deliveries) {
        for _ in 0..DROPPED {
            let Some((_, place)) = self.ends.first().filter(|(until, _)| *until <= at).copied() else {
                break;
            };
            self.drop(place, out);
        }
    }

    fn drop(&mut self, place: SanctionId, out: &mut Deliveries) -> Option<Arc<BanRecord>> {
        self.keep(place, None, out);
        self.remove(place)
    }

    fn keep(&self, (_, number): SanctionId, row: Option<&BanRecord>, out: &mut Deliveries) {
        out.push(Delivery::record(Record::Sanction(self.kind, number, row.cloned())));
    }

    pub(super) fn insert_at(&mut self, place: SanctionId, row: Arc<BanRecord>) {
        let name = row.name.as_deref().map(NameKey::of);
        row.key.iter().for_each(|key| add(&mut self.by_key, *key, place));
        name.into_iter().for_each(|name| add(&mut self.by_name, name, place));
        for net in &row.ips {
            add(&mut self.by_net, *net, place);
            *self.widths.entry(net.width()).or_default() += 1;
        }
        self.ends.extend(row.until.map(|until| (until, place)));
        self.rows.insert(place, row);
    }

    pub(super) fn remove(&mut self, place: SanctionId) -> Option<Arc<BanRecord>> {
        let row = self.rows.remove(&place)?;
        row.key.iter().for_each(|key| take(&mut self.by_key, key, place));
        row.name.iter().for_each(|name| take(&mut self.by_name, &NameKey::of(name), place));
        for net in &row.ips {
            take(&mut self.by_net, net, place);
            let width = net.width();
            let count = self.widths.get(&width).copied().unwrap_or_default();
            match count.checked_sub(1).filter(|count| *count > 0) {
                Some(count) => drop(self.widths.insert(width, count)),
                None => drop(self.widths.remove(&width)),
            }
        }
        row.until.iter().for_each(|until| _ = self.ends.remove(&(*until, place)));
        Some(row)
    }
}

fn add<K: Ord>(index: &mut Index<K>, key: K, place: SanctionId) {
    index.entry(key).or_default().insert(place);
}

fn take<K: Ord>(index: &mut Index<K>, key: &K, place: SanctionId) {
    let Some(places) = index.get_mut(key) else { return };
    places.remove(&place);
    if places.is_empty() {
        index.remove(key);
    }
}

#[cfg(any(test, fuzzing))]
impl Sanctions {
    /// The rows in force, with their numbers.
    pub(super) fn records(&self, at: Timestamp) -> Vec<(u32, BanRecord)> {
        let rows = self.rows.iter().filter(|(_, row)| row.holds(at));
        rows.map(|((_, number), row)| (*number, (**row).clone())).collect()
    }
}
