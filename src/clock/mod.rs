//! The time for irreversible decisions: deletion by age, names that expire, bans that end.
//!
//! A machine's clock may be wrong for a minute or for months: no battery, a wrong answer by NTP, a restored
//! machine. So the server keeps a settled time, which advances with uptime and continues across runs. The
//! clock can pull it ahead only within a bounded credit (`settling.rs` has the rules). Beyond that credit, a
//! wrong clock deletes nothing early; a machine that was off for long deletes late.
//!
//! Knows neither the decisions nor where the time is stored.

mod settling;
#[cfg(test)]
mod tests;
mod witnesses;

use crate::limits::CLOCK_FLOOR;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settling::Settling;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use witnesses::Witnesses;

/// The clock of a process, shared by all its users.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// The machine's clock at that moment, even if the stored time is loaded later.
    began: Timestamp,
    settling: Mutex<Settling>,
    /// Unset: this is the only server.
    witnesses: OnceLock<Mutex<Witnesses>>,
    /// For tests: what the system's clocks show.
    #[cfg(test)]
    held: Mutex<Option<(Timestamp, Duration)>>,
}

/// All that is known of the time at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The machine's clock, to show people.
    pub wall: Timestamp,
    /// For irreversible decisions.
    pub settled: Timestamp,
    /// The same without jumps while the server runs, so a ban lasts as long as intended. With other servers, the machine's
    /// clock, which they compare.
    pub steady: Timestamp,
    /// Since the server started; never goes back.
    pub uptime: Duration,
    /// How far the machine's clock has been set against uptime since the start, in milliseconds.
    pub shift: i64,
    /// Whether the machine's clock agrees with the settled time.
    pub is_right: bool,
    /// Whether they differ so much that an administrator should look into it.
    pub is_doubtful: bool,
}

/// The state that is stored between runs; times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    settled: i64,
    /// How far the clock may still pull it ahead.
    credit: i64,
    /// For how long the machine's clock has agreed with it.
    agreed: i64,
    /// Whether it ever came from a clock that was set.
    is_known: bool,
    /// Whether the machine's clock was set while a server ran, and has not agreed since: being ahead at a
    /// start then does not mean that the machine was off.
    #[serde(default)]
    was_set: bool,
    /// The settled time before a jump.
    earlier: Option<Earlier>,
}

/// An earlier settled time, which returns if the machine's clock returns to it, unless the clock has agreed
/// with the later one for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Earlier {
    /// How far it is ahead of the settled time, in milliseconds.
    ahead: i64,
    agreed: i64,
}

impl Reading {
    /// Whether the settled time never came from a clock that was set.
    pub fn is_unset(&self) -> bool {
        self.settled.as_second() < CLOCK_FLOOR
    }
}

impl Clock {
    /// The system's clock, without a stored time.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            began: Timestamp::now(),
            settling: Mutex::new(Settling::new(None)),
            witnesses: OnceLock::new(),
            #[cfg(test)]
            held: Mutex::new(None),
        }
    }

    /// Continues from a stored time. Call this before the first reading.
    pub fn restore(&self, kept: Kept) {
        *self.lock() = Settling::new(Some(kept));
    }

    /// Reads the system's clocks and updates the settled time.
    pub fn now(&self) -> Reading {
        let mut settling = self.lock();
        // Within the lock, so uptime never goes back.
        let (wall, uptime) = self.system();
        if !settling.has_begun() {
            settling.read(self.began(wall), Duration::ZERO);
        }
        let reading = settling.read(wall, uptime);
        // Several servers end a ban at the same time only by clocks that they can compare.
        let has_others = self.witnesses.get().is_some();
        Reading { steady: if has_others { wall } else { reading.steady }, ..reading }
    }

    /// The chat has other servers, whose clocks count, too, before anything is old.
    pub fn needs_witnesses(&self) {
        self.witnesses.get_or_init(Mutex::default);
    }

    /// Another server's clock shows this time now, in milliseconds of Unix time.
    pub fn hear(&self, server: u8, theirs: i64) {
        let Reading { wall, uptime, .. } = self.now();
        if let Some(mut witnesses) = self.witnesses() {
            witnesses.hear(server, theirs, (wall.as_millisecond(), uptime));
        }
    }

    /// How far this machine's clock is ahead of those of other servers, in milliseconds, if more servers agree on another
    /// time than on this one's.
    pub fn outvoted(&self) -> Option<i64> {
        let uptime = self.now().uptime;
        self.witnesses()?.outvoted(uptime)
    }

    /// The time by which the age of messages counts: the earliest of those that this machine's clock, the settled time and
    /// the clocks of other servers give.
    pub fn for_removal(&self) -> Timestamp {
        let Reading { wall, settled, .. } = self.now();
        let own = wall.min(settled);
        self.witnesses().map_or(own, |witnesses| witnesses.agreed(own))
    }

    fn witnesses(&self) -> Option<MutexGuard<'_, Witnesses>> {
        Some(self.witnesses.get()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The state to store, as of the latest reading.
    pub fn kept(&self) -> Kept {
        self.lock().kept()
    }

    /// The start, from which uptime counts.
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
    /// For a history without a stored time: starts from its latest message. `None`: the clock was not set
    /// then.
    pub fn of_history(latest: Timestamp) -> Option<Self> {
        settling::of_history(latest)
    }
}

#[cfg(test)]
impl Clock {
    /// For tests: a clock that stands still.
    pub(crate) fn held(wall: Timestamp, uptime: Duration) -> Self {
        let clock = Self::new();
        clock.hold(wall, uptime);
        clock
    }

    /// Sets what the system's clocks show.
    pub(crate) fn hold(&self, wall: Timestamp, uptime: Duration) {
        *self.held.lock().unwrap() = Some((wall, uptime));
    }

    /// A clock that stands still has shown the same from the start.
    fn began(&self, wall: Timestamp) -> Timestamp {
        if self.held.lock().unwrap().is_some() { wall } else { self.began }
    }

    fn system(&self) -> (Timestamp, Duration) {
        self.held.lock().unwrap().unwrap_or_else(|| (Timestamp::now(), self.started.elapsed()))
    }
}
