//! The time of a call: the chat itself reads no clock.

use super::owned::At;
use crate::clock::Reading;
use crate::protocol::packet::stamp;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, ZonedDateTime};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Now {
    /// The server's clock with its time zone, to show people.
    pub clock: ZonedDateTime,
    /// For irreversible decisions, as the clock may be wrong: when names expire.
    pub settled: Timestamp,
    /// The same without jumps: for bans and mutes.
    pub steady: Timestamp,
    /// Since the server started; never goes back.
    pub uptime: Duration,
}

impl Now {
    /// The time of a clock that is right.
    pub fn new(clock: ZonedDateTime, uptime: Duration) -> Self {
        let at = clock.timestamp();
        Self { clock, settled: at, steady: at, uptime }
    }

    /// The time of a reading, in a time zone.
    pub fn of(reading: &Reading, zone: TimeZone) -> Self {
        let Reading { wall, settled, steady, uptime, .. } = *reading;
        Self { clock: wall.to_zoned_datetime(zone), settled, steady, uptime }
    }

    /// How to show a time of [`steady`](Self::steady) to people.
    pub(super) fn shown(&self, steady: Timestamp) -> Timestamp {
        let apart = self.clock.timestamp().duration_since(self.steady);
        let shown = steady.checked_add(apart).unwrap_or(steady);
        shown.round(Unit::Second).unwrap_or(shown)
    }

    /// UTC with milliseconds, in RFC 3339.
    pub fn stamp(&self) -> String {
        stamp(self.clock.timestamp())
    }

    /// The full second, for records.
    pub(super) fn second(&self) -> Timestamp {
        self.steady.round(Unit::Second).unwrap_or(self.steady)
    }

    /// The second of Unix time by which names expire.
    pub fn unix_second(&self) -> i64 {
        self.at().second
    }

    pub(super) fn at(&self) -> At {
        At { second: self.settled.as_second(), uptime: self.uptime }
    }
}

/// For tests, and for a chat whose caller has no clock yet.
impl Default for Now {
    fn default() -> Self {
        Self::new(ZonedDateTime::new(Timestamp::UNIX_EPOCH, TimeZone::UTC), Duration::ZERO)
    }
}
