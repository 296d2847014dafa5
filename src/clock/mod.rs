//! The time that what can't be undone goes by: what is deleted for its age, names that lapse, bans that
//! end.
//!
//! A machine's clock may be wrong for a minute or for months: no battery, a bad answer by NTP, a machine
//! that was restored. So a settled time is kept, which goes on with uptime and from run to run; the clock
//! pulls it ahead by no more than a bounded credit (`settling.rs` has the rules). A clock that was wrong
//! deletes nothing early but for that; a machine that was off for long deletes late.
//!
//! Knows nothing of what is done by it, and is kept by whoever has it.

mod settling;
#[cfg(test)]
mod tests;

use crate::limits::CLOCK_FLOOR;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settling::Settling;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The clock of a process, shared by all that go by it.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// What the machine's clock showed then: the first reading, however long it takes to learn what was kept.
    began: Timestamp,
    settling: Mutex<Settling>,
    /// What the system's clocks are said to show.
    #[cfg(test)]
    held: Mutex<Option<(Timestamp, Duration)>>,
}

/// What is known of the time at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What the machine's clock says: for people.
    pub wall: Timestamp,
    /// What can't be undone goes by this.
    pub settled: Timestamp,
    /// The same, and it never jumps while the server runs: what is imposed for a time lasts so long.
    pub steady: Timestamp,
    /// Since the server started; never goes back.
    pub uptime: Duration,
    /// How far the machine's clock was set against uptime since the start, in all, in milliseconds.
    pub shift: i64,
    /// Whether the machine's clock agrees with the settled time.
    pub is_right: bool,
    /// Whether they are so far apart that somebody should see to it.
    pub is_doubtful: bool,
}

/// What outlives a run; times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The settled time, since 1970.
    settled: i64,
    /// By how much it may be pulled ahead.
    credit: i64,
    /// For how long the machine's clock has agreed with it.
    agreed: i64,
    /// Whether it ever came from a clock that was set.
    is_known: bool,
    /// Whether the machine's clock was set while a server ran, and has not agreed since: that it is ahead at a
    /// start does not come from the machine having been off.
    #[serde(default)]
    was_set: bool,
    /// A time that was settled before.
    earlier: Option<Earlier>,
}

/// A settled time that was left, and comes back if the machine's clock does and had agreed with it for
/// longer than with what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Earlier {
    /// How far it is ahead of the settled time, in milliseconds.
    ahead: i64,
    agreed: i64,
}

impl Reading {
    /// Whether the settled time comes from no clock that was ever set.
    pub fn is_unset(&self) -> bool {
        self.settled.as_second() < CLOCK_FLOOR
    }
}

impl Clock {
    /// The system's clock, with no time kept from before.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            began: Timestamp::now(),
            settling: Mutex::new(Settling::new(None)),
            #[cfg(test)]
            held: Mutex::new(None),
        }
    }

    /// Goes on from a time that was kept. To be called before the first reading.
    pub fn restore(&self, kept: Kept) {
        *self.lock() = Settling::new(Some(kept));
    }

    /// Reads the system's clocks, and draws conclusions.
    pub fn now(&self) -> Reading {
        let mut settling = self.lock();
        // Under the lock, so that uptime never goes back.
        let (wall, uptime) = self.system();
        if !settling.has_begun() {
            settling.read(self.began(wall), Duration::ZERO);
        }
        settling.read(wall, uptime)
    }

    /// What is to be kept, as of the latest reading.
    pub fn kept(&self) -> Kept {
        self.lock().kept()
    }

    /// When it began: uptime counts from here.
    pub fn started(&self) -> Instant {
        self.started
    }

    fn lock(&self) -> MutexGuard<'_, Settling> {
        self.settling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(not(test))]
    fn began(&self, _: Timestamp) -> Timestamp {
        self.began
    }

    #[cfg(not(test))]
    fn system(&self) -> (Timestamp, Duration) {
        (Timestamp::now(), self.started.elapsed())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Kept {
    /// What is known of a history that has kept no time: when the latest message was taken. `None`: its
    /// clock was not set then.
    pub fn of_history(latest: Timestamp) -> Option<Self> {
        settling::of_history(latest)
    }
}

#[cfg(test)]
impl Clock {
    /// One that shows what it is set to, and goes no further.
    pub(crate) fn held(wall: Timestamp, uptime: Duration) -> Self {
        let clock = Self::new();
        clock.hold(wall, uptime);
        clock
    }

    /// Sets what the system's clocks show.
    pub(crate) fn hold(&self, wall: Timestamp, uptime: Duration) {
        *self.held.lock().unwrap() = Some((wall, uptime));
    }

    /// One that is held has shown the same from the start on.
    fn began(&self, wall: Timestamp) -> Timestamp {
        if self.held.lock().unwrap().is_some() { wall } else { self.began }
    }

    fn system(&self) -> (Timestamp, Duration) {
        self.held.lock().unwrap().unwrap_or_else(|| (Timestamp::now(), self.started.elapsed()))
    }
}
