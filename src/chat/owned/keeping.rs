//! When uses of names are written down.
//!
//! That a name is new, or nobody's any more, is pushed at once. That a use begins or ends is pushed a
//! little later and a few rows at a time, so that the morning's crowd holds nobody up: until then the row
//! says what it said before. A row that is in use says so, and what it says is refreshed every half a day;
//! after a crash it counts as used until the last time that the server is known to have run.

use super::{At, OwnedNames, Place, Row};
use crate::chat::records::{NameRecord, Record};
use crate::chat::{Deliveries, Delivery};
use crate::limits::{
    ALIVE_EVERY, NAMES_GATHERED, NAMES_LOOKED_AT, NAMES_PAUSE, NAMES_REFRESHED, NAMES_ROUND, RECORDS_PORTION,
};
use crate::name::Name;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Rows of which a use has begun or ended, and that are not written yet.
    unkept: VecDeque<Place>,
    /// When some of these are written, as an uptime.
    next_portion: Duration,
    /// How many rows are in use.
    in_use: usize,
    /// When it is noted that the server runs.
    next_alive: Duration,
    /// Where the next look at all rows goes on, and when.
    looked: usize,
    next_look: Duration,
}

impl Keeping {
    #[cfg(any(test, fuzzing))]
    pub(super) fn in_use(&self) -> usize {
        self.in_use
    }
}

impl OwnedNames {
    /// When [`Self::keep`] should be called next, as an uptime.
    pub(in crate::chat) fn due(&self) -> Option<Duration> {
        let Keeping { unkept, next_portion, in_use, next_alive, next_look, .. } = &self.keeping;
        let portion = (!unkept.is_empty()).then_some(*next_portion);
        let alive = (*in_use > 0).then_some(*next_alive);
        let look = (self.len() > 0).then_some(*next_look);
        [portion, alive, look].into_iter().flatten().min()
    }

    /// Writes down what is due: a portion of it.
    pub(in crate::chat) fn keep(&mut self, at: At, out: &mut Deliveries) {
        if !self.keeping.unkept.is_empty() && self.keeping.next_portion <= at.uptime {
            self.keep_portion(out);
            self.keeping.next_portion = at.uptime + NAMES_PAUSE;
        }
        if self.keeping.in_use > 0 && self.keeping.next_alive <= at.uptime {
            self.keep_alive(at, out);
        }
        if self.len() > 0 && self.keeping.next_look <= at.uptime {
            self.look(at, out);
        }
    }

    /// Writes down a portion of what is left at the end; `false`: that was all.
    pub(in crate::chat) fn keep_rest(&mut self, at: At, out: &mut Deliveries) -> bool {
        self.keep_portion(out);
        let has_more = !self.keeping.unkept.is_empty();
        if !has_more && self.keeping.in_use > 0 {
            self.keep_alive(at, out);
        }
        has_more
    }

    pub(super) fn use_begins(&mut self, at: At) {
        if self.keeping.in_use == 0 {
            self.keeping.next_alive = at.uptime + ALIVE_EVERY;
        }
        self.keeping.in_use += 1;
    }

    pub(super) fn use_ends(&mut self) {
        self.keeping.in_use -= 1;
    }

    pub(super) fn keep_soon(&mut self, place: Place, at: At) {
        let Some(row) = self.row_mut(place).filter(|row| !row.is_unkept) else { return };
        row.is_unkept = true;
        if self.keeping.unkept.is_empty() {
            self.keeping.next_portion = at.uptime + NAMES_GATHERED;
        }
        self.keeping.unkept.push_back(place);
    }

    fn keep_portion(&mut self, out: &mut Deliveries) {
        for _ in 0..RECORDS_PORTION {
            let Some(place) = self.keeping.unkept.pop_front() else { break };
            // Where it was, another name may be by now.
            if let Some(row) = self.row_mut(place).filter(|row| row.is_unkept) {
                row.is_unkept = false;
                out.push(Delivery::record(row.record()));
            }
        }
        if self.keeping.unkept.is_empty() {
            // A crowd that came or went leaves no memory behind.
            self.keeping.unkept.shrink_to_fit();
        }
    }

    fn keep_alive(&mut self, at: At, out: &mut Deliveries) {
        out.push(Delivery::record(Record::Alive(at.second)));
        self.keeping.next_alive = at.uptime + ALIVE_EVERY;
    }

    /// Looks at some rows: those whose time is over go, and those in use are refreshed.
    fn look(&mut self, at: At, out: &mut Deliveries) {
        let from = self.keeping.looked % self.rows.len().max(1);
        let upto = (from + NAMES_LOOKED_AT).min(self.rows.len());
        for index in from..upto {
            let Some(place) = u32::try_from(index + 1).ok().and_then(Place::new) else { continue };
            match self.row_mut(place) {
                Some(row) if row.is_over(at.second) => self.remove(place, out),
                Some(row) if row.is_stale(at) => {
                    (row.used, row.last) = (row.used(at.second), at.second);
                    out.push(Delivery::record(row.record()));
                }
                _ => {}
            }
        }
        self.keeping.looked = upto;
        let looks = u32::try_from(self.rows.len().div_ceil(NAMES_LOOKED_AT)).unwrap_or(u32::MAX).max(1);
        self.keeping.next_look = at.uptime + NAMES_ROUND / looks;
    }
}

impl OwnedNames {
    /// Which of the uses that begin or end in this second the next one is.
    pub(super) fn next_order(&mut self, at: At) -> u16 {
        self.latest = match self.latest {
            (second, order) if second == at.second => (second, order.saturating_add(1)),
            _ => (at.second, 0),
        };
        self.latest.1
    }
}

impl Row {
    /// As it was kept.
    pub(super) fn of(name: Name, record: &NameRecord) -> Self {
        let millis = record.last.as_millisecond();
        let order = u16::try_from(millis.rem_euclid(1000)).unwrap_or(0);
        let (last, used) = (millis.div_euclid(1000), record.used);
        Self { name, key: record.key, last, order, used, in_use: false, is_unkept: false }
    }

    /// When it was last used, as it is kept: the order within the second stands for its milliseconds.
    pub(super) fn stamp(&self) -> Timestamp {
        let millis = self.last.saturating_mul(1000).saturating_add(self.order.min(999).into());
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    fn is_stale(&self, at: At) -> bool {
        self.in_use && at.second.saturating_sub(self.last).unsigned_abs() >= NAMES_REFRESHED.as_secs()
    }
}
