//! How the settled time advances, and when it follows the machine's clock.
//!
//! - It advances with uptime.
//! - A clock that is ahead pulls it ahead, but only within the credit, which running earns: at a start at
//!   once, because the machine was off; otherwise, and after a start if the clock had been set while the
//!   server ran, once the clock has advanced with uptime for an hour.
//! - A clock that is behind is trusted once it has advanced with uptime for an hour: that deletes nothing.
//! - An earlier settled time returns with the clock, if the clock had agreed with it for longer.
//! - A settled time that never came from a clock that was set is worthless: the first such clock is trusted.

use super::{Earlier, Kept, Reading};
use crate::limits::{
    CLOCK_ABSENCE, CLOCK_BELIEVED, CLOCK_CREDIT, CLOCK_EARNED, CLOCK_FLOOR, CLOCK_FOLLOWED, CLOCK_STEP,
    CLOCK_TOLERANCE, CLOCK_UNKNOWN,
};
use jiff::Timestamp;
use std::time::Duration;

/// See the module. All times are in milliseconds.
#[derive(Debug)]
pub(super) struct Settling {
    /// As of the latest reading.
    kept: Kept,
    uptime: i64,
    /// The clock minus uptime; `None` before the first reading.
    offset: Option<i64>,
    /// For how long the clock has advanced with uptime.
    steady: i64,
    /// How far the clock was set, in total.
    shift: i64,
    /// How far the settled time has jumped, in total.
    jumped: i64,
    is_doubtful: bool,
}

/// The initial state for a history without a stored time.
pub(super) fn of_history(latest: Timestamp) -> Option<Kept> {
    let settled = latest.as_millisecond();
    (settled >= CLOCK_FLOOR * 1000).then(|| Kept { settled, is_known: true, ..unknown() })
}

fn unknown() -> Kept {
    // A first start has earned no credit, but has nothing to lose either.
    let credit = millis(CLOCK_CREDIT);
    Kept { settled: CLOCK_UNKNOWN * 1000, credit, agreed: 0, is_known: false, was_set: false, earlier: None }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn instant(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or_default()
}

impl Settling {
    pub(super) fn new(kept: Option<Kept>) -> Self {
        Self {
            kept: kept.unwrap_or_else(unknown),
            uptime: 0,
            offset: None,
            steady: 0,
            shift: 0,
            jumped: 0,
            is_doubtful: false,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.offset.is_some()
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept
    }

    /// Updates the state with a reading of the machine's clock.
    pub(super) fn read(&mut self, wall: Timestamp, uptime: Duration) -> Reading {
        let (now, since_start) = (wall.as_millisecond(), millis(uptime));
        let elapsed = (since_start - self.uptime).max(0);
        self.uptime += elapsed;
        self.go_on(now, elapsed);
        let is_start = self.offset.is_none();
        self.look_for_step(now - self.uptime, elapsed);
        self.settle(now, is_start);
        if is_start {
            // Nothing has been imposed yet that a jump could shorten.
            self.jumped = 0;
        }
        let is_right = self.judge(now);
        self.kept.agreed += if is_right { elapsed } else { 0 };
        let Self { kept: Kept { settled, .. }, jumped, shift, is_doubtful, .. } = *self;
        Reading {
            wall,
            settled: instant(settled),
            steady: instant(settled - jumped),
            uptime,
            shift,
            is_right,
            is_doubtful,
        }
    }

    fn go_on(&mut self, now: i64, elapsed: i64) {
        let kept = &mut self.kept;
        kept.settled += elapsed;
        let is_plausible = (now - kept.settled).abs() <= millis(CLOCK_ABSENCE);
        let earned = elapsed.saturating_mul(if is_plausible { CLOCK_EARNED } else { 1 });
        kept.credit = kept.credit.saturating_add(earned).min(millis(CLOCK_CREDIT));
    }

    fn look_for_step(&mut self, offset: i64, elapsed: i64) {
        let step = self.offset.replace(offset).map_or(0, |before| offset - before);
        if step.abs() < millis(CLOCK_STEP) {
            self.steady += elapsed;
            return;
        }
        (self.steady, self.kept.was_set) = (0, true);
        self.shift += step;
    }

    fn settle(&mut self, now: i64, is_start: bool) {
        if !self.kept.is_known {
            if now >= CLOCK_FLOOR * 1000 {
                self.kept.is_known = true;
                self.jump(now - self.kept.settled);
            }
            return;
        }
        self.return_to_earlier(now);
        let off = now - self.kept.settled;
        let is_near = off.abs() <= millis(CLOCK_FOLLOWED);
        let has_lasted = self.steady >= millis(CLOCK_BELIEVED);
        let is_absence = is_start && !self.kept.was_set && off <= millis(CLOCK_ABSENCE);
        if off > 0 && (is_near || has_lasted || is_absence) {
            self.pull(off);
        } else if off < 0 && is_near {
            self.kept.settled = now;
        } else if off < 0 && has_lasted && now >= CLOCK_FLOOR * 1000 {
            self.leave(off);
            self.jump(off);
        }
    }

    /// Spends credit on following a clock that is ahead.
    fn pull(&mut self, off: i64) {
        let pull = off.min(self.kept.credit);
        if self.is_doubtful {
            self.leave(pull);
            // A clock that may be wrong must not shorten bans and mutes.
            self.jumped += pull;
        }
        self.kept.settled += pull;
        self.kept.credit -= pull;
    }

    fn jump(&mut self, by: i64) {
        self.kept.settled += by;
        self.jumped += by;
    }

    /// Before a jump: remembers the settled time, or keeps the one remembered before, if the clock had agreed
    /// with it.
    fn leave(&mut self, by: i64) {
        let Kept { agreed, earlier, .. } = self.kept;
        let before = earlier.filter(|earlier| earlier.agreed > agreed);
        let Earlier { ahead, agreed } = before.unwrap_or(Earlier { ahead: 0, agreed });
        self.kept.earlier = Some(Earlier { ahead: ahead - by, agreed });
        self.kept.agreed = 0;
    }

    fn return_to_earlier(&mut self, now: i64) {
        let Some(Earlier { ahead, agreed }) = self.kept.earlier else { return };
        if agreed <= self.kept.agreed {
            self.kept.earlier = None;
            return;
        }
        let is_off = (now - self.kept.settled).abs() > millis(CLOCK_TOLERANCE);
        let off = now - (self.kept.settled + ahead);
        let near = millis(CLOCK_FOLLOWED);
        if is_off && (-near..=self.kept.credit + near).contains(&off) {
            self.jump(ahead);
            (self.kept.agreed, self.kept.earlier) = (agreed, None);
        }
    }

    /// Judges whether the clock is right, and whether it is doubtful.
    fn judge(&mut self, now: i64) -> bool {
        let off = now - self.kept.settled;
        let tolerance = millis(CLOCK_TOLERANCE);
        let is_right = self.kept.is_known && off.abs() <= tolerance;
        if is_right {
            (self.is_doubtful, self.kept.was_set) = (false, false);
        } else {
            let absence = if self.kept.was_set { 0 } else { millis(CLOCK_ABSENCE) };
            let is_far = off < -tolerance || off > tolerance + self.kept.credit + absence;
            self.is_doubtful |= !self.kept.is_known || is_far;
        }
        is_right
    }
}
