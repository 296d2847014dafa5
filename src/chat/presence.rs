//! Who came and who went, gathered: one packet a second tells a crowd, not one for each.
//!
//! Somebody who leaves and is back within the window was never gone, and the other way round. It is
//! the token that tells whether it is the same one.

use crate::limits::{PRESENCE_NAMES_MAX_MEMBERS, PRESENCE_NAMES_PER_PACKET, PRESENCE_WINDOW};
use crate::name::{Name, NameKey};
use crate::protocol::Event;
use crate::protocol::event::Crowd;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is not told yet.
#[derive(Debug, Default)]
pub(super) struct Presence {
    changes: BTreeMap<NameKey, Change>,
    /// When to tell, as an uptime. Invariant: set exactly while there are changes.
    due: Option<Duration>,
}

/// What happened to a name. One owner may have left it and another have taken it.
#[derive(Debug, Default)]
struct Change {
    went: Option<Owner>,
    came: Option<Owner>,
}

#[derive(Debug)]
struct Owner {
    name: Name,
    token: Option<Box<str>>,
}

impl Presence {
    pub(super) fn came(&mut self, name: &Name, token: Option<&str>, uptime: Duration) {
        let change = self.changes.entry(name.key()).or_default();
        let is_back = change.went.as_ref().is_some_and(|owner| {
            // Without a token nobody can tell whether it is the same one.
            token.is_some() && owner.token.as_deref() == token
        });
        if is_back {
            change.went = None;
        } else {
            change.came = Some(Owner::new(name, token));
        }
        self.settle(name, uptime);
    }

    pub(super) fn went(&mut self, name: &Name, token: Option<&str>, uptime: Duration) {
        let change = self.changes.entry(name.key()).or_default();
        if change.came.take().is_none() {
            change.went = Some(Owner::new(name, token));
        }
        self.settle(name, uptime);
    }

    /// When [`Self::tell`] should be called, as an uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Whether that name's coming is not told yet.
    pub(super) fn hides(&self, name: &Name) -> bool {
        !self.changes.is_empty() && self.changes.get(&name.key()).is_some_and(|change| change.came.is_some())
    }

    /// All changes as events, leaves first: a name that moved from one to another is free then.
    pub(super) fn tell(&mut self, total: usize) -> Vec<Event> {
        self.due = None;
        let (mut went, mut came) = (Vec::new(), Vec::new());
        for change in std::mem::take(&mut self.changes).into_values() {
            went.extend(change.went);
            came.extend(change.came);
        }
        let crowd = |owners: Vec<Owner>| (!owners.is_empty()).then(|| gather(owners, total));
        [crowd(went).map(Event::Left), crowd(came).map(Event::Joined)].into_iter().flatten().collect()
    }

    /// Drops a change that came to nothing, and starts or ends the window.
    fn settle(&mut self, name: &Name, uptime: Duration) {
        let key = name.key();
        if self.changes.get(&key).is_some_and(|change| change.went.is_none() && change.came.is_none()) {
            self.changes.remove(&key);
        }
        if self.changes.is_empty() {
            self.due = None;
        } else if self.due.is_none() {
            self.due = Some(uptime + PRESENCE_WINDOW);
        }
    }
}

impl Owner {
    fn new(name: &Name, token: Option<&str>) -> Self {
        Self { name: name.clone(), token: token.map(Into::into) }
    }
}

fn gather(owners: Vec<Owner>, total: usize) -> Crowd {
    let count = owners.len();
    let named = if total > PRESENCE_NAMES_MAX_MEMBERS { 0 } else { PRESENCE_NAMES_PER_PACKET };
    let names = owners.into_iter().take(named).map(|owner| owner.name.to_string()).collect();
    Crowd { names, count, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    #[test]
    fn who_is_back_within_the_window_was_never_gone() {
        let mut presence = Presence::default();
        presence.went(&name("alice"), Some("secret"), Duration::ZERO);
        presence.came(&name("Alice"), Some("secret"), Duration::from_millis(200));
        assert_eq!(presence.due(), None);
        assert_eq!(presence.tell(3), []);
    }

    #[test]
    fn a_name_that_somebody_else_takes_within_the_window_is_told_as_both() {
        for (one, other) in [(Some("hers"), Some("his")), (Some("hers"), None), (None, None)] {
            let mut presence = Presence::default();
            presence.went(&name("alice"), one, Duration::ZERO);
            presence.came(&name("alice"), other, Duration::from_millis(200));
            let crowd = Crowd { names: vec!["alice".into()], count: 1, total: 3 };
            assert_eq!(presence.tell(3), [Event::Left(crowd.clone()), Event::Joined(crowd)]);
        }
    }

    #[test]
    fn who_came_and_went_within_the_window_was_never_here() {
        let mut presence = Presence::default();
        presence.went(&name("alice"), Some("hers"), Duration::ZERO);
        presence.came(&name("alice"), Some("his"), Duration::ZERO);
        presence.went(&name("alice"), Some("his"), Duration::ZERO);
        let crowd = Crowd { names: vec!["alice".into()], count: 1, total: 2 };
        assert_eq!(presence.tell(2), [Event::Left(crowd)]);
    }

    #[test]
    fn a_crowd_is_one_packet_and_the_window_starts_with_its_first() {
        let mut presence = Presence::default();
        for n in 0..60 {
            presence.came(&name(&format!("user{n:02}")), None, Duration::from_millis(n * 10));
        }
        assert_eq!(presence.due(), Some(PRESENCE_WINDOW));
        let told = presence.tell(60);
        let [Event::Joined(crowd)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((crowd.names.len(), crowd.count, crowd.total), (PRESENCE_NAMES_PER_PACKET, 60, 60));
    }

    #[test]
    fn a_big_room_is_told_counts_only() {
        let mut presence = Presence::default();
        presence.came(&name("alice"), None, Duration::ZERO);
        presence.went(&name("bob"), None, Duration::ZERO);
        let crowd = Crowd { names: vec![], count: 1, total: PRESENCE_NAMES_MAX_MEMBERS + 1 };
        assert_eq!(presence.tell(crowd.total), [Event::Left(crowd.clone()), Event::Joined(crowd)]);
    }
}
