//! Times as the user reads them: in the zone that the machine has at the moment, and in the user's format.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::{DIM, RULE, Stamp, ViewState};
use crate::client::local_time::{DATE_AND_TIME, local, localized};
use crate::protocol::command::Day;

/// The format of a time where the user's own is invalid.
const TIME: &str = "%H:%M";

impl ViewState {
    /// The day of a time, such as `2026-11-27`.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone()).date().to_string()
    }

    /// The start of a day and that of the next one, in the user's zone, and its date.
    pub(crate) fn day(&self, day: Day) -> Option<(Timestamp, Timestamp, Date)> {
        let date = day.date(self.zone().to_datetime(self.now).date())?;
        let start = |date: Date| self.zone().to_timestamp(DateTime::from(date)).ok();
        Some((start(date)?, start(date.tomorrow().ok()?)?, date))
    }

    fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or_else(TimeZone::system)
    }

    pub(super) fn moment(&self, at: Timestamp, format: &str) -> Option<String> {
        strtime::format(format, &at.to_zoned_datetime(self.zone())).ok()
    }

    /// A time for people: with its date unless that is today's.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        local(at, &self.zone(), self.now)
    }

    /// The time of the server's time stamp or of now, with the date where the stamp wants it; empty if the user
    /// wants none.
    pub(super) fn clock(&self, ts: &str) -> String {
        if let Some(number) = self.number {
            let columns = crate::text::width(&Self { number: None, ..self.clone() }.clock("")).max(3);
            return format!("{number:>columns$}");
        }
        let at = ts.parse().unwrap_or(self.now);
        if self.stamp == Stamp::DateTime {
            return self.moment(at, "%F %T").unwrap_or_default();
        }
        let format = self.preferences.time.as_str();
        if format.is_empty() {
            return String::new();
        }
        let time = self.moment(at, format).or_else(|| self.moment(at, TIME)).unwrap_or_default();
        let time = crate::text::safe_line(&time);
        match self.stamp {
            Stamp::TimeOrDate if !self.is_today(at) => {
                format!("{} {time}", self.moment(at, "%F").unwrap_or_default())
            }
            _ => time,
        }
    }

    fn is_today(&self, at: Timestamp) -> bool {
        self.moment(at, "%F") == self.moment(self.now, "%F")
    }

    /// The line before the first line of another day. A line without a time stamp is of now; after old messages,
    /// only a message starts the present day.
    pub(super) fn new_day(&self, ts: &str) -> Option<String> {
        if !self.is_screen() {
            return None;
        }
        let (stamped, zone) = (ts.parse().ok(), self.zone());
        let today = zone.to_datetime(self.now).date();
        let day = stamped.map_or(today, |at: Timestamp| zone.to_datetime(at).date());
        let mut memory = self.memory.lock();
        if stamped.is_none() && memory.in_past {
            return None;
        }
        let before = memory.day.replace(day).unwrap_or(today);
        memory.in_past = day != today;
        drop(memory);
        if before == day {
            return None;
        }
        let format = if day.year() == today.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
        let day = strtime::format(format, day).ok()?;
        Some(self.paint(DIM, &format!("{RULE} {day} {RULE}")))
    }

    /// A time from the server, as date and time of this user; as written if it is none.
    pub(super) fn local(&self, at: &str) -> String {
        at.parse().ok().and_then(|at| self.moment(at, DATE_AND_TIME)).unwrap_or_else(|| at.to_owned())
    }

    /// The server's time in the zone of this user.
    pub(super) fn server_time(&self, time: &str, ts: &str) -> String {
        let at = ts.parse().or_else(|_| time.parse());
        at.ok().and_then(|at| self.moment(at, "%F %T")).unwrap_or_else(|| time.to_owned())
    }

    /// A text of the server with its times in the zone of this user.
    pub(super) fn localized(&self, text: &str) -> String {
        localized(text, &self.zone(), self.now)
    }
}
