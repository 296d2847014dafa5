//! Tables with a row per connection or user.
//!
//! Rows are adjacent: a hash table of big values would be a third empty.

use indexmap::IndexMap;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::ops::Deref;

/// Hashes the chat's own numbers. Nobody else chooses them, so nobody can make them collide.
pub(super) type NumberHasher = foldhash::fast::RandomState;

/// A small table keeps its capacity, as it is not worth copying.
const KEPT: usize = 64;

/// Shrinks a map once most of it has gone. The many removals before pay for copying the rest.
pub(super) fn give_back<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if map.capacity() > (4 * map.len()).max(KEPT) {
        map.shrink_to(2 * map.len());
    }
}

#[derive(Debug)]
pub(super) struct Table<K, V> {
    rows: IndexMap<K, V, NumberHasher>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: IndexMap::default() }
    }
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.rows.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
    }

    /// Removes a row, and [shrinks](give_back) the table.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.swap_remove(key);
        if self.rows.capacity() > (4 * self.rows.len()).max(KEPT) {
            self.rows.shrink_to(2 * self.rows.len());
        }
        row
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = IndexMap<K, V, NumberHasher>;

    fn deref(&self) -> &Self::Target {
        &self.rows
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
