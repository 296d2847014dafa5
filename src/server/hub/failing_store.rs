//! A server of several whose store fails: it takes no part, and its people go to other servers unless that passes soon.

use crate::limits::CUT_OFF_TOLD;
use std::time::Duration;

/// To its people, and to those who connect while that lasts: their clients try the other servers.
pub(super) const FAILS: &str = "this server cannot store messages, as its disk is full or fails; use another server, or \
                                try again later";

#[derive(Debug, Default)]
pub(super) struct FailingStore {
    /// Since when it fails, as an uptime.
    since: Option<Duration>,
    is_told: bool,
}

impl FailingStore {
    pub(super) fn note(&mut self, is_failing: bool, uptime: Duration) {
        match is_failing {
            true => drop(self.since.get_or_insert(uptime)),
            false => *self = Self::default(),
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it is time to send the people away, once.
    pub(super) fn tells(&mut self, uptime: Duration) -> bool {
        let is_due = self.since.is_some_and(|since| uptime >= since + CUT_OFF_TOLD);
        is_due && !std::mem::replace(&mut self.is_told, true)
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_away_once_if_it_lasts() {
        let (mut store, at) = (FailingStore::default(), Duration::from_secs);
        store.note(true, at(5));
        store.note(true, at(9));
        assert!(store.is_failing() && !store.tells(at(14)));
        assert!(store.tells(at(15)) && store.is_told() && !store.tells(at(16)));
        store.note(false, at(17));
        assert!(!store.is_failing() && !store.is_told());
        store.note(true, at(20));
        assert!(!store.tells(at(21)) && store.tells(at(30)));
    }
}
