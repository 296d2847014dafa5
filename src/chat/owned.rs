//! Names that belong to keys: to the first one that used them, for as long as it comes back.
//!
//! Knows no users: it is told when a name's use begins and ends. What limits new names, and what goes
//! when there are too many, is here; when a use is written down is in [`keeping`].

#[cfg(any(test, fuzzing))]
mod check;
mod keeping;
mod room;
#[cfg(test)]
mod tests;

use super::lookalikes::Lookalikes;
use super::net::Net;
use super::records::{NameRecord, Record};
use super::{Deliveries, Delivery};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    ADDRESSES_PER_NETWORK, CLOCK_FLOOR, MAX_NEW_NAME_BUCKETS, MAX_OWNED_NAMES, NAME_KEPT, NAME_KEPT_TRIED,
    NAME_TRIED, NAMES_PER_KEY, NEW_NAMES_PER_HOUR,
};
use crate::name::{Likeness, Name, NameKey};
use crate::pace::{Buckets, Rate};
use jiff::Timestamp;
use keeping::Keeping;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Bound;
use std::time::Duration;

/// A row's place in the table, from 1.
type Place = NonZeroU32;

/// New names of one address.
const NEWCOMERS: Rate = Rate::every(3600, NEW_NAMES_PER_HOUR, NEW_NAMES_PER_HOUR);

/// See the module.
#[derive(Debug)]
pub(super) struct OwnedNames {
    /// By place; `None` where one was removed.
    rows: Vec<Option<Row>>,
    free: Vec<Place>,
    /// Invariant: no two rows look alike.
    looks: Lookalikes<Place>,
    /// The same in alphabetical order, for names that are nearly right.
    by_name: BTreeMap<NameKey, Place>,
    /// Invariant: no empty entries.
    by_key: HashMap<Fingerprint, [Option<Place>; NAMES_PER_KEY]>,
    /// New names by address.
    newcomers: Buckets,
    most: usize,
    /// The second in which a use began or ended last, and how many did before in it.
    latest: (i64, u16),
    /// Where names that may go were looked for last.
    looked: usize,
    keeping: Keeping,
}

#[derive(Debug)]
struct Row {
    name: Name,
    key: Fingerprint,
    /// Seconds of Unix time: when it was last used, or since when it is in use.
    last: i64,
    /// Which of the uses that begin or end in that second: which of some names goes is never left to chance.
    order: u16,
    /// Seconds that it was used in all, without the use that goes on.
    used: u32,
    in_use: bool,
    /// A use has begun or ended, and that is not written down yet.
    is_unkept: bool,
}

/// What became of a name whose use has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It is the key's.
    Owned,
    /// It is used, and nobody's: this many names of its address are new, the most in an hour.
    TooMany(u32),
    /// It is used, and nobody's.
    NotOwned,
}

/// Somebody else's name that a new one would be taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    /// As its owner writes it.
    pub(super) name: Name,
    /// When it was last used; `None`: it is in use.
    pub(super) last: Option<Timestamp>,
}

/// A name and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned<'a> {
    /// As its owner writes it.
    pub(super) name: &'a Name,
    pub(super) key: Fingerprint,
    /// When it was last used; `None`: it is in use.
    pub(super) last: Option<Timestamp>,
}

/// What a call needs to know of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Seconds of Unix time.
    pub(super) second: i64,
    pub(super) uptime: Duration,
}

impl Row {
    /// Seconds of use in all, as of `second`.
    fn used(&self, second: i64) -> u32 {
        let running = if self.in_use { second.saturating_sub(self.last).max(0) } else { 0 };
        self.used.saturating_add(u32::try_from(running).unwrap_or(u32::MAX))
    }

    fn is_tried_only(&self) -> bool {
        u64::from(self.used) < NAME_TRIED.as_secs()
    }

    fn is_over(&self, second: i64) -> bool {
        let kept = if self.is_tried_only() { NAME_KEPT_TRIED } else { NAME_KEPT };
        // What was used before the clock was ever set may have been used yesterday.
        let is_dated = self.last >= CLOCK_FLOOR;
        !self.in_use
            && is_dated
            && second.saturating_sub(self.last) > i64::try_from(kept.as_secs()).unwrap_or(i64::MAX)
    }
}

impl OwnedNames {
    /// The names of these rows. Of two that look alike, or too many of a key, the first count; the others stay
    /// where they are kept, as what looks alike may change with a version.
    pub(super) fn new(records: Vec<NameRecord>) -> Self {
        let mut names = Self {
            rows: Vec::new(),
            free: Vec::new(),
            looks: Lookalikes::default(),
            by_name: BTreeMap::new(),
            by_key: HashMap::new(),
            newcomers: Buckets::new(MAX_NEW_NAME_BUCKETS),
            most: MAX_OWNED_NAMES,
            latest: (0, 0),
            looked: 0,
            keeping: Keeping::default(),
        };
        for record in records.into_iter().take(MAX_OWNED_NAMES) {
            let Ok(name) = Name::new(&record.name) else { continue };
            let likeness = name.likeness();
            let is_full = names.by_key.get(&record.key).is_some_and(|own| own.iter().all(Option::is_some));
            if is_full || names.looks.find(&likeness).next().is_some() {
                continue;
            }
            let row = Row::of(name, &record);
            names.insert(row, &likeness);
        }
        names
    }

    /// A name of somebody other than `key` that looks like this one, or is it.
    pub(super) fn claimed(&self, likeness: &Likeness, key: Option<&Fingerprint>, at: At) -> Option<Claimed> {
        let rows = self.looks.find(likeness).filter_map(|place| self.row(place));
        rows.filter(|row| Some(&row.key) != key && !row.is_over(at.second)).map(|row| row.claimed()).next()
    }

    /// Whose this very name is.
    #[cfg(test)]
    pub(super) fn owner(&self, name: &Name, at: At) -> Option<Fingerprint> {
        self.bearer(&name.key(), at).map(|(_, key)| key)
    }

    /// The same, with the name as its owner writes it.
    pub(super) fn bearer(&self, name: &NameKey, at: At) -> Option<(&Name, Fingerprint)> {
        let row = self.row(*self.by_name.get(name)?).filter(|row| !row.is_over(at.second))?;
        Some((&row.name, row.key))
    }

    /// A name of the key: the one used last.
    pub(super) fn name_of(&self, key: &Fingerprint) -> Option<&Name> {
        let rows = self.by_key.get(key)?.iter().flatten().filter_map(|place| self.row(*place));
        rows.max_by_key(|row| (row.in_use, row.last, row.order)).map(|row| &row.name)
    }

    /// Whether any name is the key's.
    pub(super) fn has_any(&self, key: &Fingerprint, at: At) -> bool {
        let own = self.by_key.get(key).into_iter().flatten().flatten();
        own.filter_map(|place| self.row(*place)).any(|row| !row.is_over(at.second))
    }

    /// Whether the key has a name that it has used for a while.
    pub(super) fn is_established(&self, key: &Fingerprint, at: At) -> bool {
        let own = self.by_key.get(key).into_iter().flatten().flatten();
        let mut rows = own.filter_map(|place| self.row(*place)).filter(|row| !row.is_over(at.second));
        rows.any(|row| u64::from(row.used(at.second)) >= NAME_TRIED.as_secs())
    }

    /// The names in alphabetical order around that one, so many each way.
    pub(super) fn around(
        &self,
        name: &NameKey,
        each: usize,
        at: At,
    ) -> impl Iterator<Item = (&NameKey, &Name)> {
        let after = self.by_name.range(name..).take(each);
        let before = self.by_name.range(..name).rev().take(each);
        let rows = after.chain(before).filter_map(|(key, place)| Some((key, self.row(*place)?)));
        rows.filter(move |(_, row)| !row.is_over(at.second)).map(|(key, row)| (key, &row.name))
    }

    /// A use of the name by the key begins. It becomes the key's if it is nobody's and there is room;
    /// a name that looks like one that the key has needs none.
    pub(super) fn begin(
        &mut self,
        (name, likeness): (&Name, &Likeness),
        key: Fingerprint,
        ip: IpAddr,
        at: At,
        out: &mut Deliveries,
    ) -> Begun {
        self.drop_lapsed(likeness, at, out);
        let order = self.next_order(at);
        if let Some(place) = self.looks.find(likeness).next() {
            let Some(row) = self.row_mut(place).filter(|row| row.key == key) else { return Begun::NotOwned };
            if !row.in_use {
                (row.in_use, row.last, row.order) = (true, at.second, order);
                self.use_begins(at);
                self.keep_soon(place, at);
            }
            return Begun::Owned;
        }
        if self.uses_all(&key) {
            return Begun::NotOwned;
        }
        // Before another name goes for it.
        if !self.count_newcomer(ip, at) {
            return Begun::TooMany(NEW_NAMES_PER_HOUR);
        }
        if !self.make_room(&key, at, out) {
            return Begun::NotOwned;
        }
        let (name, last) = (name.clone(), at.second);
        let row = Row { name, key, last, order, used: 0, in_use: true, is_unkept: false };
        // At once: whoever has a receipt is known from then on, whatever is pulled.
        out.push(Delivery::record(row.record()));
        self.insert(row, likeness);
        self.use_begins(at);
        Begun::Owned
    }

    /// Whether the key has as many names as it may, and all of them are in use.
    fn uses_all(&self, key: &Fingerprint) -> bool {
        let is_used =
            |place: &Option<Place>| place.and_then(|place| self.row(place)).is_some_and(|row| row.in_use);
        self.by_key.get(key).is_some_and(|own| own.iter().all(is_used))
    }

    /// Counts a name that becomes owned; `false`: enough have from there.
    fn count_newcomer(&mut self, ip: IpAddr, at: At) -> bool {
        // A host gives itself as many IPv6 addresses of its network as it likes.
        let (own, network) = (Net::counted(ip), Net::network(ip));
        let network = Some(network).filter(|network| *network != own && ip.to_canonical().is_ipv6());
        let many = NEWCOMERS.times(ADDRESSES_PER_NETWORK, ADDRESSES_PER_NETWORK);
        network.is_none_or(|network| self.newcomers.take(&network, many, at.uptime).is_ok())
            && self.newcomers.take(&own, NEWCOMERS, at.uptime).is_ok()
    }

    /// The use of the name by the key ends.
    pub(super) fn end(&mut self, likeness: &Likeness, key: &Fingerprint, at: At) {
        let places: Vec<Place> = self.looks.find(likeness).collect();
        let order = self.next_order(at);
        for place in places {
            if let Some(row) = self.row_mut(place).filter(|row| row.key == *key && row.in_use) {
                (row.used, row.last, row.in_use) = (row.used(at.second), at.second.max(row.last), false);
                row.order = order;
                self.use_ends();
                self.keep_soon(place, at);
            }
        }
    }

    /// So many names after that one in alphabetical order with their owners and when they were last used
    /// (`None`: they are in use), after which name to go on if that is not the end, and how many there are.
    pub(super) fn owners_after(
        &self,
        after: Option<&NameKey>,
        most: usize,
        at: At,
    ) -> (Vec<Owned<'_>>, Option<&Name>, usize) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let places = self.by_name.range::<NameKey, _>((start, Bound::Unbounded)).take(most);
        let rows: Vec<&Row> = places.filter_map(|(_, place)| self.row(*place)).collect();
        let next = rows.last().filter(|_| rows.len() == most).map(|row| &row.name);
        let hold = rows.into_iter().filter(|row| !row.is_over(at.second));
        (hold.map(Row::owned).collect(), next, self.len())
    }

    /// Who owns the name, and when it was last used; `None`: it is nobody's.
    pub(super) fn owned(&self, name: &NameKey, at: At) -> Option<Owned<'_>> {
        let row = self.row(*self.by_name.get(name)?).filter(|row| !row.is_over(at.second))?;
        Some(row.owned())
    }

    /// The name is nobody's from here on, whoever uses it. Returns as its owner wrote it.
    pub(super) fn release(&mut self, name: &NameKey, out: &mut Deliveries) -> Option<Name> {
        let place = *self.by_name.get(name)?;
        let name = self.row(place)?.name.clone();
        self.remove(place, out);
        Some(name)
    }

    fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    fn row(&self, place: Place) -> Option<&Row> {
        self.rows.get(place.get() as usize - 1)?.as_ref()
    }

    fn row_mut(&mut self, place: Place) -> Option<&mut Row> {
        self.rows.get_mut(place.get() as usize - 1)?.as_mut()
    }

    fn insert(&mut self, row: Row, likeness: &Likeness) {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.rows.push(None);
                match u32::try_from(self.rows.len()).ok().and_then(Place::new) {
                    Some(place) => place,
                    None => return,
                }
            }
        };
        let own = self.by_key.entry(row.key).or_default();
        if let Some(slot) = own.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(place);
        }
        self.looks.insert(likeness, place);
        self.by_name.insert(row.name.key(), place);
        self.rows[place.get() as usize - 1] = Some(row);
    }

    fn remove(&mut self, place: Place, out: &mut Deliveries) {
        let Some(row) = self.rows.get_mut(place.get() as usize - 1).and_then(Option::take) else { return };
        if row.in_use {
            self.use_ends();
        }
        self.looks.remove(&row.name.likeness());
        self.by_name.remove(&row.name.key());
        if let Some(own) = self.by_key.get_mut(&row.key) {
            own.iter_mut().filter(|slot| **slot == Some(place)).for_each(|slot| *slot = None);
            if own.iter().all(Option::is_none) {
                self.by_key.remove(&row.key);
            }
        }
        self.free.push(place);
        out.push(Delivery::record(Record::Name(row.name.to_string(), None)));
    }
}

impl Row {
    /// As it is kept.
    fn record(&self) -> Record {
        let (name, last) = (self.name.to_string(), self.stamp());
        let row =
            NameRecord { name: name.clone(), key: self.key, last, used: self.used, in_use: self.in_use };
        Record::Name(name, Some(row))
    }

    fn owned(&self) -> Owned<'_> {
        Owned { name: &self.name, key: self.key, last: (!self.in_use).then(|| stamp(self.last)) }
    }

    fn claimed(&self) -> Claimed {
        Claimed { name: self.name.clone(), last: (!self.in_use).then(|| stamp(self.last)) }
    }
}

fn stamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}
