//! Counts of what each user or address has, and sets by key.
//!
//! Knows nothing of what is counted. Both tables give their memory back.

use super::table::give_back;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// How many each has. Invariant: no 0.
#[derive(Debug)]
pub(super) struct Tally<K>(HashMap<K, usize>);

/// All places of a table, and how many are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) taken: usize,
    pub(super) all: usize,
}

/// Why a user or address gets no further place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// They have as many as they may.
    Bound,
    /// The places that are left are for others, who have fewer than this many.
    Crowded(usize),
}

/// Sets by key. Invariant: none is empty.
#[derive(Debug)]
pub(super) struct Groups<K, V>(HashMap<K, BTreeSet<V>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Tally<K> {
    pub(super) fn count(&self, key: &K) -> usize {
        self.0.get(key).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, keys: impl Iterator<Item = K>) {
        keys.for_each(|key| *self.0.entry(key).or_default() += 1);
    }

    pub(super) fn remove(&mut self, keys: impl Iterator<Item = K>) {
        for key in keys {
            if let Some(count) = self.0.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(&key);
                }
            }
        }
        give_back(&mut self.0);
    }

    /// Whether `key` may have one more place, and at most `most`. Once half of all places are taken, this bound
    /// shrinks with the places that are left, so that one who has none finds a place though others take what they can.
    pub(super) fn check(&self, key: &K, most: usize, places: Places) -> Result<(), NoPlace> {
        match self.count(key) {
            has if has >= most => Err(NoPlace::Bound),
            has if has >= places.share(most) => Err(NoPlace::Crowded(has)),
            _ => Ok(()),
        }
    }
}

impl Places {
    /// The present bound of one that may have at most so many.
    pub(super) fn share(self, most: usize) -> usize {
        let Self { taken, all } = self;
        (2 * most.min(all) * all.saturating_sub(taken)).div_ceil(all.max(1)).min(most)
    }
}

impl<K, V> Default for Groups<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Ord + Copy> Groups<K, V> {
    pub(super) fn of(&self, key: &K) -> impl Iterator<Item = V> {
        self.0.get(key).into_iter().flatten().copied()
    }

    pub(super) fn add(&mut self, key: K, value: V) {
        self.0.entry(key).or_default().insert(value);
    }

    pub(super) fn remove(&mut self, key: &K, value: V) {
        let Some(group) = self.0.get_mut(key) else { return };
        group.remove(&value);
        if group.is_empty() {
            self.0.remove(key);
            give_back(&mut self.0);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl<K> Tally<K> {
    /// The sum of all counts.
    pub(super) fn sum(&self) -> usize {
        self.0.values().sum()
    }
}

#[cfg(any(test, fuzzing))]
impl<K, V> Groups<K, V> {
    /// The number of all values.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many places the last of so many gets, if all take what they can, one after the other, and how many are left.
    fn greedy(people: usize, most: usize, all: usize) -> (usize, usize) {
        let (mut tally, mut taken) = (Tally::default(), 0);
        for person in 0..people {
            while tally.check(&person, most, Places { taken, all }).is_ok() && taken < all {
                tally.add([person].into_iter());
                taken += 1;
            }
        }
        (tally.count(&(people - 1)), all - taken)
    }

    #[test]
    fn after_many_who_take_what_they_can_a_newcomer_finds_a_place() {
        assert_eq!(greedy(1, 32, 4096), (32, 4096 - 32));
        assert_eq!(greedy(60, 32, 4096).0, 32, "nobody is bounded before half of all are taken");
        for people in [128, 200, 256] {
            let (last, left) = greedy(people, 32, 4096);
            assert!(left > 0 && last > 0, "{people}: {last}, {left}");
        }
        for people in [8, 10, 12] {
            let (_, left) = greedy(people, 8, 64);
            assert!(left > 0, "{people}: {left}");
        }
        assert_eq!(greedy(1, 8, 1), (1, 0), "a single place is for the first");
    }

    #[test]
    fn a_bound_is_told_from_a_crowd() {
        let mut tally = Tally::default();
        tally.add(["one"; 3].into_iter());
        assert_eq!(tally.check(&"one", 3, Places { taken: 3, all: 100 }), Err(NoPlace::Bound));
        assert_eq!(tally.check(&"one", 4, Places { taken: 98, all: 100 }), Err(NoPlace::Crowded(3)));
        assert_eq!(tally.check(&"other", 4, Places { taken: 99, all: 100 }), Ok(()));
        tally.remove(["one"; 3].into_iter());
        assert_eq!((tally.count(&"one"), tally.sum()), (0, 0));
    }
}
