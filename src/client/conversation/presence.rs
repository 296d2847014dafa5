//! Which joins and leaves are worth a line: in a crowd, those of people whom the user knows, and at most one
//! line per minute while nobody speaks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::protocol::event::Crowd;

/// The most users in a chat so small that each join and leave matters.
const FEW: usize = 12;

/// How long a user who has spoken counts as known.
const KNOWN_FOR: Duration = Duration::from_secs(15 * 60);

/// The shortest time between two lines while nobody speaks.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Names in a line; a count stands for the others.
const MAX_NAMED: usize = 5;

/// Users who spoke, and users to whom this user wrote, to remember: more than come and go in a quarter of an
/// hour.
const MAX_KNOWN: usize = 1000;

/// Names to keep for the next line.
const MAX_HELD: usize = 200;

#[derive(Debug, Default)]
pub(super) struct PresenceNews {
    /// When a user, by the name in lower case, last spoke.
    spoke: BTreeMap<String, Instant>,
    /// Users to whom this user wrote, in lower case.
    written_to: BTreeSet<String>,
    /// The last line, unless a user has spoken since.
    last: Option<Instant>,
    joined: Vec<String>,
    left: Vec<String>,
    total: usize,
}

impl PresenceNews {
    pub(super) fn spoke(&mut self, name: &str, now: Instant) {
        if self.spoke.len() >= MAX_KNOWN {
            self.spoke.retain(|_, at| now.saturating_duration_since(*at) < KNOWN_FOR / 2);
        }
        if self.spoke.len() < MAX_KNOWN {
            self.spoke.insert(name.to_lowercase(), now);
        }
        self.last = None;
    }

    pub(super) fn wrote_to(&mut self, name: &str) {
        if self.written_to.len() < MAX_KNOWN {
            self.written_to.insert(name.to_lowercase());
        }
    }

    pub(super) fn rename(&mut self, old: &str, name: &str) {
        let (old, name) = (old.to_lowercase(), name.to_lowercase());
        if let Some(at) = self.spoke.remove(&old) {
            self.spoke.insert(name.clone(), at);
        }
        if self.written_to.remove(&old) {
            self.written_to.insert(name);
        }
    }

    fn knows(&self, name: &str, now: Instant) -> bool {
        let name = name.to_lowercase();
        let spoke = self.spoke.get(&name).is_some_and(|at| now.saturating_duration_since(*at) < KNOWN_FOR);
        spoke || self.written_to.contains(&name)
    }

    /// Picks the part of the news to show now. While nobody speaks, news of the whole chat wait for the next
    /// line.
    pub(super) fn take(&mut self, crowd: &Crowd, is_join: bool, now: Instant) -> Option<Crowd> {
        if crowd.total <= FEW {
            return Some(crowd.clone());
        }
        let mut news = crowd.clone();
        news.names.retain(|name| self.knows(name, now));
        news.count = news.names.len();
        if news.count == 0 {
            return None;
        }
        self.total = crowd.total;
        let is_late = self.last.is_some_and(|last| now.saturating_duration_since(last) < LINE_EVERY);
        if crowd.room.is_none() && is_late {
            self.hold(news.names, is_join);
            return None;
        }
        if crowd.room.is_none() {
            self.last = Some(now);
        }
        news.names.truncate(MAX_NAMED);
        Some(news)
    }

    /// Keeps names for the next line; a user who came and went is not news.
    fn hold(&mut self, names: Vec<String>, is_join: bool) {
        let (to, from) = match is_join {
            true => (&mut self.joined, &mut self.left),
            false => (&mut self.left, &mut self.joined),
        };
        for name in names {
            let before = from.len();
            from.retain(|other| *other != name);
            if from.len() == before && to.len() < MAX_HELD && !to.contains(&name) {
                to.push(name);
            }
        }
    }

    /// Whether news wait for their line.
    pub(super) fn waits(&self) -> bool {
        !self.joined.is_empty() || !self.left.is_empty()
    }

    /// The names that have waited, first of leaves, then of joins, once it is time for a line.
    pub(super) fn due(&mut self, now: Instant) -> [Option<Crowd>; 2] {
        let is_time = self.last.is_none_or(|last| now.saturating_duration_since(last) >= LINE_EVERY);
        if !self.waits() || !is_time {
            return [None, None];
        }
        self.last = Some(now);
        let total = self.total;
        [&mut self.left, &mut self.joined].map(|names| {
            let mut names = std::mem::take(names);
            let count = names.len();
            names.truncate(MAX_NAMED);
            (count > 0).then_some(Crowd { room: None, names, count, total })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(names: &[&str], total: usize) -> Crowd {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Crowd { room: None, count: names.len(), names, total }
    }

    #[test]
    fn in_a_small_chat_everyone_counts_and_in_a_crowd_only_people_whom_the_user_knows() {
        let (mut news, now) = (PresenceNews::default(), Instant::now());
        let few = crowd(&["bob", "eve"], FEW);
        assert_eq!(news.take(&few, true, now), Some(few));
        let many = crowd(&["bob", "Carol", "dave", "eve"], FEW + 1);
        assert_eq!(news.take(&many, true, now), None);
        news.spoke("carol", now);
        news.wrote_to("Dave");
        let known = crowd(&["Carol", "dave"], FEW + 1);
        assert_eq!(news.take(&many, true, now), Some(known));
        let later = now + KNOWN_FOR;
        assert_eq!(news.take(&many, false, later), Some(crowd(&["dave"], FEW + 1)));
        news.rename("dave", "dan");
        assert_eq!(news.take(&crowd(&["Dan"], 99), false, later + LINE_EVERY), Some(crowd(&["Dan"], 99)));
    }

    #[test]
    fn while_nobody_speaks_news_wait_for_a_line_a_minute() {
        let (mut news, now) = (PresenceNews::default(), Instant::now());
        ["a", "b", "c", "d"].into_iter().for_each(|name| news.wrote_to(name));
        assert!(news.take(&crowd(&["a"], 99), true, now).is_some());
        assert_eq!(news.take(&crowd(&["b", "c"], 99), true, now), None);
        assert_eq!(news.take(&crowd(&["a", "c"], 98), false, now), None);
        assert_eq!(news.due(now + LINE_EVERY / 2), [None, None]);
        let due = news.due(now + LINE_EVERY);
        assert_eq!(due, [Some(crowd(&["a"], 98)), Some(crowd(&["b"], 98))]);
        assert!(!news.waits());
        news.spoke("eve", now + LINE_EVERY);
        assert!(news.take(&crowd(&["d"], 99), true, now + LINE_EVERY).is_some(), "eve has spoken");
    }

    #[test]
    fn a_line_has_five_names_and_what_is_remembered_is_bounded() {
        let (mut news, now) = (PresenceNews::default(), Instant::now());
        for n in 0..2 * MAX_KNOWN {
            news.spoke(&format!("u{n}"), now);
            news.wrote_to(&format!("u{n}"));
        }
        assert_eq!((news.spoke.len(), news.written_to.len()), (MAX_KNOWN, MAX_KNOWN));
        let names: Vec<_> = (0..50).map(|n| format!("u{n}")).collect();
        let many = Crowd { room: None, count: 50, names, total: 99 };
        let shown = news.take(&many, true, now).unwrap();
        assert_eq!((shown.names.len(), shown.count), (MAX_NAMED, 50));
    }
}
