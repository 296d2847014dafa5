//! The names that Tab completes: who is here, and which rooms there are, as far as this client has been
//! told.

use std::collections::BTreeMap;

use crate::name::{Name, RoomName};

/// Names kept. A crowd beyond that is completed as far as its first ones go.
const MAX_NAMES: usize = 20_000;

/// Rooms kept: as many as a server has.
const MAX_ROOMS: usize = crate::limits::MAX_ROOMS;

/// Names by their lower-case form.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    users: BTreeMap<String, String>,
    rooms: BTreeMap<String, String>,
}

impl Roster {
    /// Adds a name. What is no name is left out, so that all of them are safe for the terminal.
    pub(crate) fn add(&mut self, name: &str) {
        if self.users.len() < MAX_NAMES && Name::new(name).is_ok() {
            self.users.insert(name.to_lowercase(), name.to_owned());
        }
    }

    /// Takes a name out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.users.remove(&name.to_lowercase());
    }

    /// Whether that name is there, in any case.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.users.contains_key(&name.to_lowercase())
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        self.users.clear();
        self.rooms.clear();
    }

    /// Adds a room; what is no room's name is left out too.
    pub(crate) fn add_room(&mut self, name: &str) {
        if self.rooms.len() < MAX_ROOMS && RoomName::new(name).is_ok() {
            self.rooms.insert(name.to_lowercase(), name.to_owned());
        }
    }

    /// The names that start like that, in any case, in alphabetical order: rooms, if it is a `#`.
    pub(crate) fn starting_with(&self, start: &str) -> impl Iterator<Item = &str> {
        let start = start.to_lowercase();
        let names = if start.starts_with('#') { &self.rooms } else { &self.users };
        names
            .range(start.clone()..)
            .take_while(move |(key, _)| key.starts_with(&start))
            .map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_what_is_no_name_is_not_kept() {
        let mut roster = Roster::default();
        for name in ["Bob", "bert", "alice", "b\x1b[2J", "two words"] {
            roster.add(name);
        }
        assert_eq!(roster.starting_with("B").collect::<Vec<_>>(), ["bert", "Bob"]);
        roster.remove("BOB");
        assert_eq!(roster.starting_with("").collect::<Vec<_>>(), ["alice", "bert"]);
        for room in ["#Games", "#two words", "games"] {
            roster.add_room(room);
        }
        assert_eq!(roster.starting_with("#g").collect::<Vec<_>>(), ["#Games"]);
    }
}
