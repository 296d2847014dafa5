//! Tables of what there is one of for each connection or user, by number.
//!
//! Rows lie side by side: a hash table of big values would be a third empty rows.

use indexmap::IndexMap;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::ops::Index;

/// How the chat's own numbers are hashed. Nobody else chooses them, so nobody can make them collide.
pub(super) type Numbers = foldhash::fast::RandomState;

/// Rows that are never given back, as a small table is not worth copying.
const KEPT: usize = 64;

/// Gives the memory of a map back when most of it has gone. Copying what is left is paid for by the many
/// that went before.
pub(super) fn give_back<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if map.capacity() > (4 * map.len()).max(KEPT) {
        map.shrink_to(2 * map.len());
    }
}

/// Rows by number, in no particular order.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    rows: IndexMap<K, V, Numbers>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: IndexMap::default() }
    }
}

impl<K: Copy + Eq + Hash, V> Table<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.rows.get_mut(key)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    pub(super) fn insert(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
    }

    /// Takes a row out, and [gives back](give_back) memory.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.swap_remove(key);
        if self.rows.capacity() > (4 * self.rows.len()).max(KEPT) {
            self.rows.shrink_to(2 * self.rows.len());
        }
        row
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.rows.keys()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }
}

/// For tests: a row that must be there.
impl<K: Copy + Eq + Hash, V> Index<&K> for Table<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        &self.rows[key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_number_whichever_went_before() {
        let mut table = Table::default();
        (0..1000_u64).for_each(|number| table.insert(number, number * 2));
        for gone in (0..1000).step_by(3) {
            assert_eq!(table.remove(&gone), Some(gone * 2));
            assert_eq!(table.remove(&gone), None);
        }
        for number in 0..1000 {
            assert_eq!(table.get(&number).copied(), (number % 3 > 0).then_some(number * 2));
        }
    }

    #[test]
    fn a_storm_leaves_no_memory_behind() {
        let mut table = Table::default();
        (0..10_000_u64).for_each(|number| table.insert(number, [0_u8; 32]));
        assert!((1..10_000).all(|number| table.remove(&number).is_some()));
        assert!(table.contains_key(&0) && table.rows.capacity() <= KEPT, "{}", table.rows.capacity());
    }
}
