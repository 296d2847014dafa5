//! Bans, or mutes: found by the key, the name or the address that they hit, as each message and each
//! connection is held against them.

use super::net::Net;
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

/// Where a row stands: since when it holds, and its number, which no other row ever has.
pub(super) type Place = (Timestamp, u32);

/// See the module.
#[derive(Debug)]
pub(super) struct Sanctions {
    kind: Sanction,
    /// The oldest first.
    rows: BTreeMap<Place, Arc<BanRecord>>,
    next: u32,
    by_key: Index<Fingerprint>,
    by_name: Index<NameKey>,
    by_net: Index<Net>,
    /// How many rows have a network of that many bits, by whether it is of IPv4.
    widths: BTreeMap<(bool, u8), usize>,
    /// Those that end, the first first.
    ends: BTreeSet<(Timestamp, Place)>,
}

/// Rows by what they hit. Invariant: no empty entries.
type Index<K> = BTreeMap<K, BTreeSet<Place>>;

/// Rows that are over and are dropped when one is added.
const DROPPED: usize = 8;

impl Sanctions {
    /// These rows; no more of them than there may be.
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

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many hold.
    pub(super) fn len(&self, at: Timestamp) -> usize {
        let over = self.ends.range(..(at, (Timestamp::MAX, u32::MAX)));
        self.rows.len() - over.count()
    }

    /// Those that hold, the latest first.
    pub(super) fn latest(&self, at: Timestamp) -> impl Iterator<Item = &Arc<BanRecord>> {
        self.rows.values().rev().filter(move |row| row.holds(at))
    }

    /// One that holds and is about this key.
    pub(super) fn of_key(&self, key: &Fingerprint, at: Timestamp) -> Option<&BanRecord> {
        self.first(self.by_key.get(key)?, at, |_| true)
    }

    /// One that holds and is about this name, without a key, at this address.
    pub(super) fn of_name(&self, name: &NameKey, ip: IpAddr, at: Timestamp) -> Option<&BanRecord> {
        let is_there = |row: &BanRecord| row.key.is_none() && row.ips.iter().any(|net| net.contains(ip));
        self.first(self.by_name.get(name)?, at, is_there)
    }

    /// The names nearest in the alphabet, so many on each side, of those that something holds for.
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

    /// One that holds, is about this address, and is such a one.
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

    /// Adds a row in place of those about the same, whose addresses it takes over: a ban of the key
    /// does not end the ban of where its owner came from. Returns whether there was room.
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

    /// Takes back what was imposed on the subject, whose name has that key to it; `owner` is whose the
    /// name is. Returns how many rows that changed.
    pub(super) fn lift(
        &mut self,
        subject: &Subject,
        name: &NameKey,
        owner: Option<Fingerprint>,
        out: &mut Deliveries,
    ) -> usize {
        let of_key = |key: &Fingerprint| self.by_key.get(key).into_iter().flatten().copied();
        let places: BTreeSet<Place> = match subject {
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

    /// Rows of the future, or of before the clock was ever set, hold from now on as long as they were to.
    pub(super) fn date_anew(&mut self, at: Timestamp, out: &mut Deliveries) {
        let is_wrong = |row: &BanRecord| row.since > at || row.since.as_second() < CLOCK_FLOOR;
        let wrong: Vec<Place> =
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
        places: &BTreeSet<Place>,
        at: Timestamp,
        is_such: impl Fn(&BanRecord) -> bool,
    ) -> Option<&'a BanRecord> {
        let rows = places.iter().filter_map(|place| self.rows.get(place)).map(|row| &**row);
        rows.filter(|row| row.holds(at)).find(|row| is_such(row))
    }

    /// Of the same key; without one, of the same name and addresses.
    fn about_the_same(&self, row: &BanRecord) -> Vec<Place> {
        let is_same = |place: &&Place| {
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

    fn drop(&mut self, place: Place, out: &mut Deliveries) -> Option<Arc<BanRecord>> {
        self.keep(place, None, out);
        self.remove(place)
    }

    fn keep(&self, (_, number): Place, row: Option<&BanRecord>, out: &mut Deliveries) {
        out.push(Delivery::record(Record::Sanction(self.kind, number, row.cloned())));
    }

    fn insert_at(&mut self, place: Place, row: Arc<BanRecord>) {
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

    fn remove(&mut self, place: Place) -> Option<Arc<BanRecord>> {
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

fn add<K: Ord>(index: &mut Index<K>, key: K, place: Place) {
    index.entry(key).or_default().insert(place);
}

fn take<K: Ord>(index: &mut Index<K>, key: &K, place: Place) {
    let Some(places) = index.get_mut(key) else { return };
    places.remove(&place);
    if places.is_empty() {
        index.remove(key);
    }
}

#[cfg(any(test, fuzzing))]
impl Sanctions {
    /// The rows that hold, with their numbers.
    pub(super) fn records(&self, at: Timestamp) -> Vec<(u32, BanRecord)> {
        let rows = self.rows.iter().filter(|(_, row)| row.holds(at));
        rows.map(|((_, number), row)| (*number, (**row).clone())).collect()
    }
}
