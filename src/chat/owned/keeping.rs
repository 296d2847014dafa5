//! Decides when to store the use of names.
//!
//! A new name, or one that has lost its owner, is stored at once. The start and end of a use are stored a
//! little later, a few rows at a time, so a morning's crowd delays nobody. A row in use is marked so and
//! refreshed twice a day; after a crash, it counts as used until the last time that the server recorded it
//! was running.

use super::{At, NameRow, OwnedNames, Slot};
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
    /// Rows whose use has begun or ended since they were stored.
    unkept: VecDeque<Slot>,
    /// When to store some of them, as an uptime.
    next_portion: Duration,
    /// How many rows are in use.
    in_use: usize,
    /// When to record that the server runs.
    next_alive: Duration,
    /// Where and when the scan of all rows continues.
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
    /// When to call [`Self::keep`] next, as an uptime.
    pub(in crate::chat) fn due(&self) -> Option<Duration> {
        let Keeping { unkept, next_portion, in_use, next_alive, next_look, .. } = &self.keeping;
        let portion = (!unkept.is_empty()).then_some(*next_portion);
        let alive = (*in_use > 0).then_some(*next_alive);
        let look = (self.len() > 0).then_some(*next_look);
        [portion, alive, look].into_iter().flatten().min()
    }

    /// Stores what is due, a portion per call.
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

    /// Stores a portion of the rest at shutdown; `false`: done.
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

    pub(super) fn keep_soon(&mut self, place: Slot, at: At) {
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
            // The slot may hold another name by now.
            if let Some(row) = self.row_mut(place).filter(|row| row.is_unkept) {
                row.is_unkept = false;
                out.push(Delivery::record(row.record()));
            }
        }
        if self.keeping.unkept.is_empty() {
            // A crowd must not leave memory behind.
            self.keeping.unkept.shrink_to_fit();
        }
    }

    fn keep_alive(&mut self, at: At, out: &mut Deliveries) {
        out.push(Delivery::record(Record::Alive(at.second)));
        self.keeping.next_alive = at.uptime + ALIVE_EVERY;
    }

    /// Scans some rows: removes expired ones and refreshes those in use.
    fn look(&mut self, at: At, out: &mut Deliveries) {
        let from = self.keeping.looked % self.rows.len().max(1);
        let upto = (from + NAMES_LOOKED_AT).min(self.rows.len());
        for index in from..upto {
            let Some(place) = u32::try_from(index + 1).ok().and_then(Slot::new) else { continue };
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
    /// The order of the next use that begins or ends in this second.
    pub(super) fn next_order(&mut self, at: At) -> u16 {
        self.latest = match self.latest {
            (second, order) if second == at.second => (second, order.saturating_add(1)),
            _ => (at.second, 0),
        };
        self.latest.1
    }
}

impl NameRow {
    /// Loads a record.
    pub(super) fn of(name: Name, record: &NameRecord) -> Self {
        let millis = record.last.as_millisecond();
        let order = u16::try_from(millis.rem_euclid(1000)).unwrap_or(0);
        let (last, used) = (millis.div_euclid(1000), record.used);
        Self { name, key: record.key, last, order, used, in_use: false, is_unkept: false }
    }

    /// The last use as stored: its milliseconds are the order within the second.
    pub(super) fn stamp(&self) -> Timestamp {
        let millis = self.last.saturating_mul(1000).saturating_add(self.order.min(999).into());
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    fn is_stale(&self, at: At) -> bool {
        self.in_use && at.second.saturating_sub(self.last).unsigned_abs() >= NAMES_REFRESHED.as_secs()
    }
}
