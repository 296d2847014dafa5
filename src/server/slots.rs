//! A table with one row per session, as an array: the lower half of a [`SessionId`] is its slot, which is
//! reused; the upper half is the slot's generation.
//!
//! So a table is as long as the peak number of sessions, without hashes or spare room.

use crate::chat::SessionId;

#[derive(Debug)]
pub(super) struct Slots<T> {
    /// Each with its generation.
    rows: Vec<Option<(u32, T)>>,
    count: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), count: 0 }
    }
}

impl SessionId {
    /// The id of the slot's next session.
    #[must_use]
    pub(super) fn next_generation(self) -> Self {
        Self(self.0.wrapping_add(1 << 32))
    }

    pub(super) fn slot(self) -> usize {
        self.0 as u32 as usize
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl<T> Slots<T> {
    pub(super) fn get(&self, id: SessionId) -> Option<&T> {
        self.rows
            .get(id.slot())?
            .as_ref()
            .filter(|(generation, _)| *generation == id.generation())
            .map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut T> {
        let row = self.rows.get_mut(id.slot())?.as_mut();
        row.filter(|(generation, _)| *generation == id.generation()).map(|(_, value)| value)
    }

    /// Sets the session's value; replaces that of an earlier session in its slot.
    pub(super) fn insert(&mut self, id: SessionId, value: T) {
        if id.slot() >= self.rows.len() {
            self.rows.resize_with(id.slot() + 1, || None);
        }
        self.count += usize::from(self.rows[id.slot()].is_none());
        self.rows[id.slot()] = Some((id.generation(), value));
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<T> {
        self.get(id)?;
        self.count -= 1;
        let (_, value) = self.rows[id.slot()].take()?;
        if self.count == 0 {
            // Gives the memory back after a crowd has left.
            self.rows = Vec::new();
        }
        Some(value)
    }

    /// The session in that slot.
    pub(super) fn at(&self, place: usize) -> Option<SessionId> {
        let (generation, _) = self.rows.get(place)?.as_ref()?;
        Some(SessionId(u64::from(*generation) << 32 | place as u64))
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Iterates in the order of slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &T)> {
        (0..).zip(&self.rows).filter_map(|(place, row)| Some((self.at(place)?, &row.as_ref()?.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_next_session_in_a_slot_gets_nothing_of_the_last_one() {
        let mut slots = Slots::default();
        slots.insert(SessionId(3), "hers");
        let next = SessionId(3).next_generation();
        assert_eq!(slots.remove(next), None);
        assert_eq!(slots.get(next), None);
        slots.insert(next, "his");
        assert_eq!((slots.get(SessionId(3)), slots.get(next), slots.count), (None, Some(&"his"), 1));
    }

    proptest! {
        #[test]
        fn a_table_is_what_a_map_is(steps in proptest::collection::vec((0..8_u64, any::<bool>()), 0..64)) {
            let (mut slots, mut map) = (Slots::default(), BTreeMap::new());
            for (n, (place, comes)) in steps.into_iter().enumerate() {
                let id = SessionId(place);
                if comes {
                    slots.insert(id, n);
                    map.insert(id, n);
                } else {
                    prop_assert_eq!(slots.remove(id), map.remove(&id));
                }
                prop_assert_eq!(slots.count, map.len());
                prop_assert!(slots.iter().map(|(id, n)| (id, *n)).eq(map.iter().map(|(id, n)| (*id, *n))));
            }
        }
    }
}
