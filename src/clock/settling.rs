//! How the settled time goes on, and what it makes of a machine's clock.
//!
//! - It goes on with uptime.
//! - A clock that is ahead pulls it ahead by no more than the credit, which running earns: at a start at
//!   once, as the machine was off; while it runs once the clock has gone on with uptime for an hour, and so too
//!   after a start if the clock had been set before it, while the server ran.
//! - A clock that is behind is believed once it has gone on with uptime for an hour: that deletes nothing.
//! - A settled time that was left comes back with the clock, if the clock had agreed with it for longer.
//! - One that never came from a clock that was set is worth nothing: the first such clock is believed.

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
    /// What the clock shows beyond uptime; `None`: it was not read yet.
    offset: Option<i64>,
    /// For how long it has gone on with uptime.
    steady: i64,
    /// How far it was set in all.
    shift: i64,
    /// How far the settled time has jumped in all.
    jumped: i64,
    is_doubtful: bool,
}

/// What a history without a kept time begins with.
pub(super) fn of_history(latest: Timestamp) -> Option<Kept> {
    let settled = latest.as_millisecond();
    (settled >= CLOCK_FLOOR * 1000).then(|| Kept { settled, is_known: true, ..unknown() })
}

fn unknown() -> Kept {
    // A first start has earned nothing, and there is nothing that it could lose by it.
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

    /// Whether the clock was read.
    pub(super) fn has_begun(&self) -> bool {
        self.offset.is_some()
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept
    }

    /// The machine's clock shows `wall`.
    pub(super) fn read(&mut self, wall: Timestamp, uptime: Duration) -> Reading {
        let (now, since_start) = (wall.as_millisecond(), millis(uptime));
        let elapsed = (since_start - self.uptime).max(0);
        self.uptime += elapsed;
        self.go_on(now, elapsed);
        let is_start = self.offset.is_none();
        self.look_for_step(now - self.uptime, elapsed);
        self.settle(now, is_start);
        if is_start {
            // Nothing has been imposed yet that could be cut short.
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

    /// The credit is spent on a clock that is ahead.
    fn pull(&mut self, off: i64) {
        let pull = off.min(self.kept.credit);
        if self.is_doubtful {
            self.leave(pull);
            // What is imposed for a time is not cut short by a clock that may be wrong.
            self.jumped += pull;
        }
        self.kept.settled += pull;
        self.kept.credit -= pull;
    }

    fn jump(&mut self, by: i64) {
        self.kept.settled += by;
        self.jumped += by;
    }

    /// The settled time is about to move by so much: what was there is remembered, or what was before
    /// that, if the clock had agreed with it.
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

    /// Whether the clock is right; and whether somebody should see to it.
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
