//! Limits on trusting the machine's clock.

use std::time::Duration;

/// Seconds of Unix time before which this program did not exist: 2026-01-01. A clock that shows less was
/// never set.
pub const CLOCK_FLOOR: i64 = 1_767_225_600;

/// The start of time for a server that has never seen a set clock, in seconds of Unix time: 2000-01-01, far
/// enough from [`CLOCK_FLOOR`] to recognise such dates.
pub const CLOCK_UNKNOWN: i64 = 946_684_800;

/// The most that the clock may pull the settled time ahead: what a machine misses that is off overnight, and
/// what a wrong clock can do at once.
pub const CLOCK_CREDIT: Duration = Duration::from_secs(86_400);

/// How many seconds of that credit a running server earns per second, so one that runs in office hours, 42 of
/// a week's 168, keeps up.
pub const CLOCK_EARNED: i64 = 3;

/// How far ahead a clock may be at a start before it counts as doubtful: the machine may have been off for a
/// week's holiday. Further ahead, a server earns only a second of credit per second.
pub const CLOCK_ABSENCE: Duration = Duration::from_secs(7 * 86_400);

/// How far a clock may be from the settled time and still count as right.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(3600);

/// How far it may be off to be followed at once, as NTP adjusts clocks like that.
pub const CLOCK_FOLLOWED: Duration = Duration::from_secs(300);

/// How far a clock must move against uptime to count as set, rather than slow.
pub const CLOCK_STEP: Duration = Duration::from_secs(60);

/// How long a clock that was set must advance with uptime to be trusted.
pub const CLOCK_BELIEVED: Duration = Duration::from_secs(3600);

/// How often a running server stores the settled time.
pub const CLOCK_KEPT_EVERY: Duration = Duration::from_secs(600);

/// How often an idle server looks at its clock.
pub const CLOCK_LOOKED_AT: Duration = Duration::from_secs(30);

/// How long another server's clock counts once it was heard: several times as long as until it is heard again.
pub const CLOCK_WITNESS: Duration = Duration::from_secs(10);
