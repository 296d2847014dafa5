//! The names that Tab completes: users and rooms that this client has heard of.

use std::collections::BTreeMap;

use crate::name::{Name, RoomName};

/// Names to keep. Of a larger crowd, the first ones are completed.
const MAX_NAMES: usize = 20_000;

/// Rooms to keep: as many as a server has.
const MAX_ROOMS: usize = crate::limits::MAX_ROOMS;

/// Names by their lower-case form.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    users: BTreeMap<String, String>,
    rooms: BTreeMap<String, String>,
}

impl Roster {
    /// Adds a valid name; all names here are therefore safe for the terminal.
    pub(crate) fn add(&mut self, name: &str) {
        if self.users.len() < MAX_NAMES && Name::new(name).is_ok() {
            self.users.insert(name.to_lowercase(), name.to_owned());
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.users.remove(&name.to_lowercase());
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.users.contains_key(&name.to_lowercase())
    }

    pub(crate) fn clear(&mut self) {
        self.users.clear();
        self.rooms.clear();
    }

    /// Adds a valid room name.
    pub(crate) fn add_room(&mut self, name: &str) {
        if self.rooms.len() < MAX_ROOMS && RoomName::new(name).is_ok() {
            self.rooms.insert(name.to_lowercase(), name.to_owned());
        }
    }

    /// Names with that start, in any case and in alphabetical order; rooms if it starts with `#`.
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
