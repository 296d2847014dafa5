//! A table with one row per session of this server, as an array.
//!
//! A [`SessionId`] has three parts: the generation of its slot (the upper half), the server's number among those of
//! the chat (8 bits), and the slot (24 bits), which is reused. So a table is as long as the peak number of sessions,
//! without hashes or spare room.

use crate::chat::{SLOT_BITS, SessionId};

const SLOT: u32 = (1 << SLOT_BITS) - 1;

#[derive(Debug)]
pub(super) struct Slots<T> {
    /// The server's number.
    node: u8,
    /// Each with its generation.
    rows: Vec<Option<(u32, T)>>,
    count: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::of(0)
    }
}

impl SessionId {
    /// The first session of a slot.
    pub(super) fn new(node: u8, slot: u32) -> Self {
        Self(u64::from(node) << SLOT_BITS | u64::from(slot & SLOT))
    }

    /// The same slot in another generation.
    pub(super) fn of_generation(self, generation: u32) -> Self {
        Self(self.0 & u64::from(u32::MAX) | u64::from(generation) << 32)
    }

    /// The id of the slot's next session.
    #[must_use]
    pub(super) fn next_generation(self) -> Self {
        Self(self.0.wrapping_add(1 << 32))
    }

    pub(super) fn slot(self) -> usize {
        (self.0 as u32 & SLOT) as usize
    }

    /// The number of its server.
    pub(super) fn node(self) -> u8 {
        self.server()
    }

    /// Whether a table of this server may have it, and if so, where.
    fn place(self, node: u8) -> Option<usize> {
        (self.node() == node).then(|| self.slot())
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl<T> Slots<T> {
    /// An empty table of the server with that number.
    pub(super) fn of(node: u8) -> Self {
        Self { node, rows: Vec::new(), count: 0 }
    }

    pub(super) fn node(&self) -> u8 {
        self.node
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&T> {
        self.rows
            .get(id.place(self.node)?)?
            .as_ref()
            .filter(|(generation, _)| *generation == id.generation())
            .map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut T> {
        let row = self.rows.get_mut(id.place(self.node)?)?.as_mut();
        row.filter(|(generation, _)| *generation == id.generation()).map(|(_, value)| value)
    }

    /// Sets the session's value; replaces that of an earlier session in its slot.
    pub(super) fn insert(&mut self, id: SessionId, value: T) {
        debug_assert_eq!(id.node(), self.node, "another server's session");
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
        Some(SessionId(u64::from(*generation) << 32 | SessionId::new(self.node, place as u32).0))
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

    #[test]
    fn a_session_of_another_server_is_not_in_the_table() {
        let (here, elsewhere) = (SessionId::new(1, 3), SessionId::new(2, 3).next_generation());
        let mut slots = Slots::of(1);
        slots.insert(here, "hers");
        assert_eq!(
            (slots.get(here), slots.get(elsewhere), slots.get(SessionId(3))),
            (Some(&"hers"), None, None)
        );
        assert_eq!((slots.remove(elsewhere), slots.at(3)), (None, Some(here)));
        assert_eq!((here.node(), here.slot(), elsewhere.node(), elsewhere.slot()), (1, 3, 2, 3));
        assert_eq!(here.next_generation().node(), 1);
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
