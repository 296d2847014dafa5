//! Collects joins and leaves: one packet per second tells a crowd, not one per person.
//!
//! A user who leaves and returns within the window was never gone, and vice versa. The key or the token tells
//! whether it is the same user.

use super::table::give_back;
use super::who::Owner;
use crate::limits::{PRESENCE_NAMES_MAX_MEMBERS, PRESENCE_NAMES_PER_PACKET, PRESENCE_WINDOW};
use crate::name::{Name, NameKey, RoomName};
use crate::protocol::Event;
use crate::protocol::event::Crowd;
use std::collections::HashMap;
use std::time::Duration;

/// Joins and leaves to announce.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Not a tree, whose many nodes would fragment the heap.
    changes: HashMap<NameKey, Change>,
    /// When to announce, as an uptime. Invariant: set exactly while there are changes.
    due: Option<Duration>,
}

/// A change of a name's bearer. One owner may have left it and another taken it.
#[derive(Debug)]
enum Change {
    Came(Bearer),
    Went(Bearer),
    /// The first one left, then the second one joined.
    Moved(Box<(Bearer, Bearer)>),
}

#[derive(Debug)]
struct Bearer {
    name: Name,
    owner: Owner,
}

impl Presence {
    pub(super) fn came(&mut self, name: &Name, owner: &Owner, uptime: Duration) {
        let key = name.key();
        let came = Bearer::new(name, owner);
        let change = match self.changes.remove(&key) {
            Some(Change::Went(went)) if went.owner.is_same(owner) => None,
            Some(Change::Went(went)) => Some(Change::Moved(Box::new((went, came)))),
            Some(Change::Moved(moved)) if moved.0.owner.is_same(owner) => None,
            Some(Change::Moved(moved)) => Some(Change::Moved(Box::new((moved.0, came)))),
            Some(Change::Came(_)) | None => Some(Change::Came(came)),
        };
        self.settle(key, change, uptime);
    }

    pub(super) fn went(&mut self, name: &Name, owner: &Owner, uptime: Duration) {
        let key = name.key();
        let change = match self.changes.remove(&key) {
            Some(Change::Came(_)) => None,
            Some(Change::Moved(moved)) => Some(Change::Went(moved.0)),
            Some(Change::Went(_)) | None => Some(Change::Went(Bearer::new(name, owner))),
        };
        self.settle(key, change, uptime);
    }

    /// When to call [`Self::tell`], as an uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Whether the name's arrival is still pending.
    pub(super) fn hides(&self, name: &Name) -> bool {
        let change = if self.changes.is_empty() { None } else { self.changes.get(&name.key()) };
        matches!(change, Some(Change::Came(_) | Change::Moved(_)))
    }

    /// Whether changes to one of these names are pending.
    pub(super) fn tells_of(&self, names: &[NameKey]) -> bool {
        names.iter().any(|name| self.changes.contains_key(name))
    }

    /// All changes as events, leaves first, so a name that changed hands is free in between.
    pub(super) fn tell(&mut self, room: Option<&RoomName>, total: usize) -> Vec<Event> {
        self.due = None;
        let (mut went, mut came) = (Vec::new(), Vec::new());
        for (key, change) in std::mem::take(&mut self.changes) {
            match change {
                Change::Came(bearer) => came.push((key, bearer.name)),
                Change::Went(bearer) => went.push((key, bearer.name)),
                Change::Moved(moved) => {
                    went.push((key.clone(), moved.0.name));
                    came.push((key, moved.1.name));
                }
            }
        }
        // Those who came are not there yet when the others leave.
        let between = total.saturating_sub(came.len());
        let is_big = total > PRESENCE_NAMES_MAX_MEMBERS;
        let crowd = |bearers: Vec<(NameKey, Name)>, total| {
            (!bearers.is_empty()).then(|| gather(room, bearers, is_big, total))
        };
        let (left, joined) = (crowd(went, between), crowd(came, total));
        [left.map(Event::Left), joined.map(Event::Joined)].into_iter().flatten().collect()
    }

    /// Updates a name's change, and starts or ends the window.
    fn settle(&mut self, name: NameKey, change: Option<Change>, uptime: Duration) {
        if let Some(change) = change {
            self.changes.insert(name, change);
        }
        if self.changes.is_empty() {
            self.due = None;
            give_back(&mut self.changes);
        } else if self.due.is_none() {
            self.due = Some(uptime + PRESENCE_WINDOW);
        }
    }
}

impl Bearer {
    fn new(name: &Name, owner: &Owner) -> Self {
        Self { name: name.clone(), owner: owner.clone() }
    }
}

/// Names are in alphabetical order.
fn gather(room: Option<&RoomName>, mut bearers: Vec<(NameKey, Name)>, is_big: bool, total: usize) -> Crowd {
    let count = bearers.len();
    if is_big {
        bearers.clear();
    }
    // Sort only the names that the packet has room for.
    if bearers.len() > PRESENCE_NAMES_PER_PACKET {
        bearers.select_nth_unstable_by(PRESENCE_NAMES_PER_PACKET, |one, other| one.0.cmp(&other.0));
        bearers.truncate(PRESENCE_NAMES_PER_PACKET);
    }
    bearers.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let names = bearers.iter().map(|(_, name)| name.to_string()).collect();
    Crowd { room: room.map(RoomName::to_string), names, count, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn owner(token: &str) -> Owner {
        Owner::of(None, Some(token))
    }

    #[test]
    fn who_is_back_within_the_window_was_never_gone() {
        let mut presence = Presence::default();
        presence.went(&name("alice"), &owner("secret"), Duration::ZERO);
        presence.came(&name("Alice"), &owner("secret"), Duration::from_millis(200));
        assert_eq!(presence.due(), None);
        assert_eq!(presence.tell(None, 3), []);
    }

    #[test]
    fn a_name_that_somebody_else_takes_within_the_window_is_told_as_both() {
        for (one, other) in [("hers", "his"), ("hers", ""), ("", "")] {
            let mut presence = Presence::default();
            presence.went(&name("alice"), &owner(one), Duration::ZERO);
            presence.came(&name("alice"), &owner(other), Duration::from_millis(200));
            let crowd = |total| Crowd { room: None, names: vec!["alice".into()], count: 1, total };
            assert_eq!(presence.tell(None, 3), [Event::Left(crowd(2)), Event::Joined(crowd(3))]);
        }
    }

    #[test]
    fn who_came_and_went_within_the_window_was_never_here() {
        let mut presence = Presence::default();
        presence.went(&name("alice"), &owner("hers"), Duration::ZERO);
        presence.came(&name("alice"), &owner("his"), Duration::ZERO);
        presence.went(&name("alice"), &owner("his"), Duration::ZERO);
        let crowd = Crowd { room: None, names: vec!["alice".into()], count: 1, total: 2 };
        assert_eq!(presence.tell(None, 2), [Event::Left(crowd)]);
    }

    #[test]
    fn a_crowd_is_one_packet_and_the_window_starts_with_its_first() {
        let mut presence = Presence::default();
        for n in 0..60 {
            presence.came(&name(&format!("user{n:02}")), &Owner::Nobody, Duration::from_millis(n * 10));
        }
        assert_eq!(presence.due(), Some(PRESENCE_WINDOW));
        let told = presence.tell(None, 60);
        let [Event::Joined(crowd)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((crowd.names.len(), crowd.count, crowd.total), (PRESENCE_NAMES_PER_PACKET, 60, 60));
    }

    #[test]
    fn a_big_room_is_told_counts_only() {
        let mut presence = Presence::default();
        presence.came(&name("alice"), &Owner::Nobody, Duration::ZERO);
        presence.went(&name("bob"), &Owner::Nobody, Duration::ZERO);
        let total = PRESENCE_NAMES_MAX_MEMBERS + 1;
        let crowd = |total| Crowd { room: None, names: vec![], count: 1, total };
        assert_eq!(presence.tell(None, total), [Event::Left(crowd(total - 1)), Event::Joined(crowd(total))]);
    }
}
