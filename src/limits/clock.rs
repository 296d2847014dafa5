//! Bounds of how far a clock is believed.

use std::time::Duration;

/// Seconds of Unix time before which no server of this kind ran: 2026-01-01. A clock that says so was
/// never set.
pub const CLOCK_FLOOR: i64 = 1_767_225_600;

/// Where time begins for a server that has never seen a clock that was set, in seconds of Unix time:
/// 2000-01-01, so far before [`CLOCK_FLOOR`] that what is dated by it is told from all else.
pub const CLOCK_UNKNOWN: i64 = 946_684_800;

/// How much the settled time may be pulled ahead, at most: what a machine that is off overnight misses,
/// and what a wrong clock can do at once.
pub const CLOCK_CREDIT: Duration = Duration::from_secs(86_400);

/// How many times the time that a server runs it may be pulled ahead for it: so one that runs in office
/// hours, 42 of the week's 168, keeps up.
pub const CLOCK_EARNED: i64 = 3;

/// How far ahead a clock may be at a start before it counts as doubtful, as the machine may have been
/// off: a week's holiday. Of a clock that is further ahead the credit is earned by each second once.
pub const CLOCK_ABSENCE: Duration = Duration::from_secs(7 * 86_400);

/// How far a clock may be from the settled time and still counts as right.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(3600);

/// How far it may be off and is followed at once, as NTP sets clocks so.
pub const CLOCK_FOLLOWED: Duration = Duration::from_secs(300);

/// From how much on a clock that moves against uptime has been set, and not just been slow.
pub const CLOCK_STEP: Duration = Duration::from_secs(60);

/// How long a clock that was set must go on with uptime to be believed.
pub const CLOCK_BELIEVED: Duration = Duration::from_secs(3600);

/// How often the settled time is kept while a server runs.
pub const CLOCK_KEPT_EVERY: Duration = Duration::from_secs(600);

/// How often a server that nobody speaks to looks at its clock.
pub const CLOCK_LOOKED_AT: Duration = Duration::from_secs(30);
