//! Users whom this client found in a room that it has just joined. The server tells joins up to a second
//! later, so its first news may include them.

use std::collections::{BTreeMap, HashSet};

use crate::name::RoomName;
use crate::protocol::event::Crowd;

/// Rooms to remember: more than anyone joins in the second until their news come.
const MAX_FOUND_ROOMS: usize = 100;

/// Names to remember in a room. Joins in a larger crowd are hardly worth a line.
const MAX_FOUND_NAMES: usize = 5000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FoundMembers {
    /// Until the first news of joins; `None`: the list has not come yet.
    rooms: BTreeMap<RoomName, Option<HashSet<String>>>,
}

impl FoundMembers {
    /// The user has joined, and the client has asked who is there.
    pub(super) fn await_list(&mut self, room: RoomName) {
        if self.rooms.len() < MAX_FOUND_ROOMS {
            self.rooms.insert(room, None);
        }
    }

    /// The list has come.
    pub(super) fn found<'a>(&mut self, room: &RoomName, names: impl Iterator<Item = &'a str>) {
        if let Some(found) = self.rooms.get_mut(room) {
            *found = Some(names.take(MAX_FOUND_NAMES).map(str::to_owned).collect());
        }
    }

    /// The users of the news who have really just joined; `None`: all were here before.
    pub(super) fn news(&mut self, crowd: &Crowd) -> Option<Crowd> {
        let room = crowd.room.as_deref().and_then(|room| RoomName::new(room).ok());
        let Some(room) = room.filter(|room| self.rooms.contains_key(room)) else {
            return Some(crowd.clone());
        };
        if self.rooms.get(&room).is_some_and(Option::is_none) {
            // The list has everyone whom the news names.
            return None;
        }
        let found = self.rooms.remove(&room).flatten().unwrap_or_default();
        let mut news = crowd.clone();
        news.names.retain(|name| !found.contains(name));
        // Nobody knows how many of the others were there before.
        news.count = news.names.len();
        (news.count > 0).then_some(news)
    }

    /// Users have left; when they come back, that is news.
    pub(super) fn left(&mut self, crowd: &Crowd) {
        let room = crowd.room.as_deref().and_then(|room| RoomName::new(room).ok());
        if let Some(Some(found)) = room.and_then(|room| self.rooms.get_mut(&room)) {
            found.retain(|name| !crowd.names.contains(name));
        }
    }

    /// This user has left the room.
    pub(super) fn forget(&mut self, room: &RoomName) {
        self.rooms.remove(room);
    }

    /// The connection is lost, and with it all answers.
    pub(super) fn clear(&mut self) {
        self.rooms.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut found = FoundMembers::default();
        let room = |n| RoomName::new(&format!("#r{n}")).unwrap();
        (0..2 * MAX_FOUND_ROOMS).for_each(|n| found.await_list(room(n)));
        assert_eq!(found.rooms.len(), MAX_FOUND_ROOMS);
        let names: Vec<_> = (0..2 * MAX_FOUND_NAMES).map(|n| format!("u{n}")).collect();
        found.found(&room(0), names.iter().map(String::as_str));
        assert_eq!(found.rooms[&room(0)].as_ref().unwrap().len(), MAX_FOUND_NAMES);
    }
}
