//! Remembers who has written to whom, because only first messages to strangers are limited.

use super::who::Correspondent;
use crate::limits::{MAX_CORRESPONDENTS, MAX_LEFT_REMEMBERED};
use std::collections::{HashMap, VecDeque};

/// See the module. People who only read take no memory.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    /// Each author's recipients, the latest last.
    written: HashMap<Correspondent, Vec<Correspondent>>,
    /// Authors who have left, the latest last.
    left: VecDeque<Correspondent>,
}

impl Acquaintances {
    /// Whether one has written to the other lately.
    pub(super) fn has_written(&self, who: Correspondent, to: Correspondent) -> bool {
        self.written.get(&who).is_some_and(|known| known.contains(&to))
    }

    pub(super) fn write(&mut self, who: Correspondent, to: Correspondent) {
        let known = self.written.entry(who).or_default();
        if known.last() == Some(&to) {
            return;
        }
        known.retain(|other| *other != to);
        if known.len() >= MAX_CORRESPONDENTS {
            known.remove(0);
        }
        known.push(to);
    }

    /// Notes that an author is back.
    pub(super) fn come(&mut self, who: Correspondent) {
        if self.written.contains_key(&who) {
            self.left.retain(|other| *other != who);
        }
    }

    /// Notes that an author has left.
    pub(super) fn leave(&mut self, who: Correspondent) {
        if !self.written.contains_key(&who) {
            return;
        }
        if matches!(who, Correspondent::User(_)) {
            // A user without an account never returns.
            self.written.remove(&who);
            return;
        }
        self.left.push_back(who);
        if self.left.len() > MAX_LEFT_REMEMBERED
            && let Some(first) = self.left.pop_front()
        {
            self.written.remove(&first);
        }
    }

    #[cfg(test)]
    pub(super) fn of(&self, who: Correspondent) -> usize {
        self.written.get(&who).map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_those_who_have_left_the_latest_are_remembered() {
        let mut known = Acquaintances::default();
        let (all, bob) = (MAX_LEFT_REMEMBERED as u64 + 10, Correspondent::Account(9999));
        for n in 0..all {
            known.write(Correspondent::Account(n), bob);
        }
        for n in 0..all {
            known.leave(Correspondent::Account(n));
            known.come(Correspondent::Account(0));
        }
        let remembered: Vec<u64> =
            (0..all).filter(|n| known.has_written(Correspondent::Account(*n), bob)).collect();
        assert_eq!(remembered.len(), MAX_LEFT_REMEMBERED + 1);
        assert_eq!((remembered[0], remembered[1]), (0, 10), "connected authors are not forgotten");
    }
}
