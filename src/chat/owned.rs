//! Names that belong to keys: to the first key that uses one, while it keeps coming back.
//!
//! Knows no users: callers report when a name's use begins and ends. This file limits new names and decides
//! which ones expire; [`keeping`] decides when to store a use.

#[cfg(any(test, fuzzing))]
mod check;
mod keeping;
mod newcomers;
mod room;
#[cfg(test)]
mod tests;

use super::lookalikes::Lookalikes;
use super::name_use::NameUse;
use super::records::{NameRecord, Record};
use super::{Deliveries, Delivery};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_OWNED_NAMES, NAMES_PER_KEY};
use crate::name::{Likeness, Name, NameKey};
use jiff::Timestamp;
use keeping::Keeping;
pub use newcomers::NewNames;
use newcomers::NewcomerLimit;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Bound;
use std::time::Duration;

/// A row's index plus 1.
type Slot = NonZeroU32;

/// See the module.
#[derive(Debug)]
pub(super) struct OwnedNames {
    /// By slot; `None` where a row was removed.
    rows: Vec<Option<NameRow>>,
    free: Vec<Slot>,
    /// Invariant: no two rows look alike.
    looks: Lookalikes<Slot>,
    /// In alphabetical order, to suggest similar names.
    by_name: BTreeMap<NameKey, Slot>,
    /// Invariant: no empty entries.
    by_key: HashMap<Fingerprint, [Option<Slot>; NAMES_PER_KEY]>,
    newcomers: NewcomerLimit,
    most: usize,
    /// The second in which a use last began or ended, and how many did so before in it.
    latest: (i64, u16),
    /// Where the search for names to remove continues.
    looked: usize,
    keeping: Keeping,
}

#[derive(Debug)]
struct NameRow {
    name: Name,
    key: Fingerprint,
    /// Seconds of Unix time: the last use, or the start of the current one.
    last: i64,
    /// Orders uses within a second, so which name goes is never random.
    order: u16,
    /// Total seconds of use before the current one.
    used: u32,
    in_use: bool,
    /// A use has begun or ended since the row was stored.
    is_unkept: bool,
}

/// Whether a key owns the name that it now uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    Owned,
    /// Not owned: this many names became owned from its address, the hourly limit.
    TooMany(u32),
    NotOwned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned<'a> {
    /// As its owner writes it.
    pub(super) name: &'a Name,
    pub(super) key: Fingerprint,
    /// `None`: in use.
    pub(super) last: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) second: i64,
    pub(super) uptime: Duration,
}

impl NameRow {
    fn usage(&self) -> NameUse {
        NameUse { last: self.last, used: self.used, in_use: self.in_use }
    }

    /// Total seconds of use as of `second`.
    fn used(&self, second: i64) -> u32 {
        self.usage().used(second)
    }

    fn is_over(&self, second: i64) -> bool {
        self.usage().is_over(second)
    }
}

impl OwnedNames {
    /// Loads the records. Of look-alikes, and of a key's surplus names, the first count. The others stay
    /// stored, as another version may judge them differently.
    pub(super) fn new(records: Vec<NameRecord>) -> Self {
        let mut names = Self {
            rows: Vec::new(),
            free: Vec::new(),
            looks: Lookalikes::default(),
            by_name: BTreeMap::new(),
            by_key: HashMap::new(),
            newcomers: NewcomerLimit::default(),
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
            let row = NameRow::of(name, &record);
            names.insert(row, &likeness);
        }
        names
    }

    /// A name of another key that is, or looks like, this one.
    pub(super) fn claimed(
        &self,
        likeness: &Likeness,
        key: Option<&Fingerprint>,
        at: At,
    ) -> Option<Owned<'_>> {
        let rows = self.looks.find(likeness).filter_map(|place| self.row(place));
        rows.filter(|row| Some(&row.key) != key && !row.is_over(at.second)).map(NameRow::owned).next()
    }

    /// The owner of exactly this name.
    #[cfg(test)]
    pub(super) fn owner(&self, name: &Name, at: At) -> Option<Fingerprint> {
        self.owned(&name.key(), at).map(|owned| owned.key)
    }

    /// The name that the key used last.
    pub(super) fn name_of(&self, key: &Fingerprint) -> Option<&Name> {
        let rows = self.by_key.get(key)?.iter().flatten().filter_map(|place| self.row(*place));
        rows.max_by_key(|row| (row.in_use, row.last, row.order)).map(|row| &row.name)
    }

    pub(super) fn has_any(&self, key: &Fingerprint, at: At) -> bool {
        self.rows_of(key, at).next().is_some()
    }

    /// Whether the key has used one of its names for long enough to count as established.
    pub(super) fn is_established(&self, key: &Fingerprint, at: At) -> bool {
        self.rows_of(key, at).any(|row| row.usage().is_established(at.second))
    }

    fn rows_of(&self, key: &Fingerprint, at: At) -> impl Iterator<Item = &NameRow> {
        let own = self.by_key.get(key).into_iter().flatten().flatten();
        own.filter_map(|place| self.row(*place)).filter(move |row| !row.is_over(at.second))
    }

    /// The nearest names in the alphabet, `each` per side.
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

    /// Begins a use of the name. The key becomes its owner if it is free and the limits allow; a look-alike
    /// of the key's own name needs no new row.
    pub(super) fn begin(
        &mut self,
        (name, likeness): (&Name, &Likeness),
        key: Fingerprint,
        ip: IpAddr,
        at: At,
        out: &mut Deliveries,
    ) -> Ownership {
        self.drop_lapsed(likeness, at, out);
        let order = self.next_order(at);
        if let Some(place) = self.looks.find(likeness).next() {
            let Some(row) = self.row_mut(place).filter(|row| row.key == key) else {
                return Ownership::NotOwned;
            };
            if !row.in_use {
                (row.in_use, row.last, row.order) = (true, at.second, order);
                self.use_begins(at);
                self.keep_soon(place, at);
            }
            return Ownership::Owned;
        }
        if self.uses_all(&key) {
            return Ownership::NotOwned;
        }
        // Check the limit before removing another name.
        if let Err(per_hour) = self.newcomers.count(ip, at.uptime) {
            return Ownership::TooMany(per_hour);
        }
        if !self.make_room(&key, at, out) {
            return Ownership::NotOwned;
        }
        let (name, last) = (name.clone(), at.second);
        let row = NameRow { name, key, last, order, used: 0, in_use: true, is_unkept: false };
        // At once: a name must be stored before its owner gets a receipt, even if the power fails.
        out.push(Delivery::record(row.record()));
        self.insert(row, likeness);
        self.use_begins(at);
        Ownership::Owned
    }

    /// Whether the key has reached its limit, with all its names in use.
    fn uses_all(&self, key: &Fingerprint) -> bool {
        let is_used =
            |place: &Option<Slot>| place.and_then(|place| self.row(place)).is_some_and(|row| row.in_use);
        self.by_key.get(key).is_some_and(|own| own.iter().all(is_used))
    }

    /// Sets how many new names may become owned.
    pub(super) fn limit_newcomers(&mut self, names: NewNames, is_closed: bool) {
        self.newcomers.set(names, is_closed);
    }

    /// Ends a use of the name.
    pub(super) fn end(&mut self, likeness: &Likeness, key: &Fingerprint, at: At) {
        let places: Vec<Slot> = self.looks.find(likeness).collect();
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

    /// A page of names with their owners and last uses, the name to continue after, and the total.
    pub(super) fn owners_after(
        &self,
        after: Option<&NameKey>,
        most: usize,
        at: At,
    ) -> (Vec<Owned<'_>>, Option<&Name>, usize) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let places = self.by_name.range::<NameKey, _>((start, Bound::Unbounded)).take(most);
        let rows: Vec<&NameRow> = places.filter_map(|(_, place)| self.row(*place)).collect();
        let next = rows.last().filter(|_| rows.len() == most).map(|row| &row.name);
        let hold = rows.into_iter().filter(|row| !row.is_over(at.second));
        (hold.map(NameRow::owned).collect(), next, self.len())
    }

    /// The owner of the name, and its last use.
    pub(super) fn owned(&self, name: &NameKey, at: At) -> Option<Owned<'_>> {
        let row = self.row(*self.by_name.get(name)?).filter(|row| !row.is_over(at.second))?;
        Some(row.owned())
    }

    /// Takes the name from its owner. Returns it as they wrote it.
    pub(super) fn release(&mut self, name: &NameKey, out: &mut Deliveries) -> Option<Name> {
        let place = *self.by_name.get(name)?;
        let name = self.row(place)?.name.clone();
        self.remove(place, out);
        Some(name)
    }

    fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    fn row(&self, place: Slot) -> Option<&NameRow> {
        self.rows.get(place.get() as usize - 1)?.as_ref()
    }

    fn row_mut(&mut self, place: Slot) -> Option<&mut NameRow> {
        self.rows.get_mut(place.get() as usize - 1)?.as_mut()
    }

    fn insert(&mut self, row: NameRow, likeness: &Likeness) {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.rows.push(None);
                match u32::try_from(self.rows.len()).ok().and_then(Slot::new) {
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

    fn remove(&mut self, place: Slot, out: &mut Deliveries) {
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

impl NameRow {
    fn record(&self) -> Record {
        let (name, last) = (self.name.to_string(), self.stamp());
        let row =
            NameRecord { name: name.clone(), key: self.key, last, used: self.used, in_use: self.in_use };
        Record::Name(name, Some(row))
    }

    fn owned(&self) -> Owned<'_> {
        Owned { name: &self.name, key: self.key, last: (!self.in_use).then(|| stamp(self.last)) }
    }
}

fn stamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}
