//! The instant of a call: the chat reads no clock.

use super::owned::At;
use crate::clock::Reading;
use crate::protocol::packet::stamp;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, ZonedDateTime};
use std::time::Duration;

/// The instant of a call: the chat reads no clock.
#[derive(Debug, Clone)]
pub struct Now {
    /// The server's clock, with its time zone: what people are told.
    pub clock: ZonedDateTime,
    /// What can't be undone goes by this, as the clock may be wrong: names that lapse.
    pub settled: Timestamp,
    /// The same, and it never jumps: bans and mutes.
    pub steady: Timestamp,
    /// Since the server started; never goes back.
    pub uptime: Duration,
}

impl Now {
    /// An instant of a clock that is right.
    pub fn new(clock: ZonedDateTime, uptime: Duration) -> Self {
        let at = clock.timestamp();
        Self { clock, settled: at, steady: at, uptime }
    }

    /// What a clock says, in a time zone.
    pub fn of(reading: &Reading, zone: TimeZone) -> Self {
        let Reading { wall, settled, steady, uptime, .. } = *reading;
        Self { clock: wall.to_zoned_datetime(zone), settled, steady, uptime }
    }

    /// What people are told of an instant of [`steady`](Self::steady).
    pub(super) fn shown(&self, steady: Timestamp) -> Timestamp {
        let apart = self.clock.timestamp().duration_since(self.steady);
        let shown = steady.checked_add(apart).unwrap_or(steady);
        shown.round(Unit::Second).unwrap_or(shown)
    }

    /// UTC with milliseconds, as RFC 3339 writes it.
    pub fn stamp(&self) -> String {
        stamp(self.clock.timestamp())
    }

    /// The full second, for what is kept.
    pub(super) fn second(&self) -> Timestamp {
        self.steady.round(Unit::Second).unwrap_or(self.steady)
    }

    pub(super) fn at(&self) -> At {
        At { second: self.settled.as_second(), uptime: self.uptime }
    }
}

/// A clock for tests and for a chat whose caller has none yet.
impl Default for Now {
    fn default() -> Self {
        Self::new(ZonedDateTime::new(Timestamp::UNIX_EPOCH, TimeZone::UTC), Duration::ZERO)
    }
}
