//! Something for each session, in an array: a session's number says where.
//!
//! The lower half of a [`SessionId`] is a place, which is used again, and the upper half says how often
//! it was. So a table is as long as there were ever sessions at a time, and holds no hashes and no room
//! for more.

use crate::chat::SessionId;

/// See the module.
#[derive(Debug)]
pub(super) struct Slots<T> {
    /// With the upper half of the number, of whoever has the place.
    rows: Vec<Option<(u32, T)>>,
    count: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), count: 0 }
    }
}

impl SessionId {
    /// The next session at the same place.
    #[must_use]
    pub(super) fn successor(self) -> Self {
        Self(self.0.wrapping_add(1 << 32))
    }

    /// Which place it has.
    pub(super) fn place(self) -> usize {
        self.0 as u32 as usize
    }

    fn turn(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl<T> Slots<T> {
    /// What the session has.
    pub(super) fn get(&self, id: SessionId) -> Option<&T> {
        self.rows.get(id.place())?.as_ref().filter(|(turn, _)| *turn == id.turn()).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut T> {
        let row = self.rows.get_mut(id.place())?.as_mut();
        row.filter(|(turn, _)| *turn == id.turn()).map(|(_, value)| value)
    }

    /// Gives the session something, in the place of what it or an earlier one at its place had.
    pub(super) fn insert(&mut self, id: SessionId, value: T) {
        if id.place() >= self.rows.len() {
            self.rows.resize_with(id.place() + 1, || None);
        }
        self.count += usize::from(self.rows[id.place()].is_none());
        self.rows[id.place()] = Some((id.turn(), value));
    }

    /// Takes it away.
    pub(super) fn remove(&mut self, id: SessionId) -> Option<T> {
        self.get(id)?;
        self.count -= 1;
        let (_, value) = self.rows[id.place()].take()?;
        if self.count == 0 {
            // A crowd that has left leaves no memory behind.
            self.rows = Vec::new();
        }
        Some(value)
    }

    /// Who has that place.
    pub(super) fn at(&self, place: usize) -> Option<SessionId> {
        let (turn, _) = self.rows.get(place)?.as_ref()?;
        Some(SessionId(u64::from(*turn) << 32 | place as u64))
    }

    /// How many sessions have something.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The sessions, with what they have, by place.
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
    fn who_has_a_place_after_another_has_nothing_of_theirs() {
        let mut slots = Slots::default();
        slots.insert(SessionId(3), "hers");
        let next = SessionId(3).successor();
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
