//! A moment in the past, as people write it: an age or a date.

use super::Term;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Ago(Duration),
    At(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration such as 2h or 7d, or a time such as 2026-11-21 or 2026-11-21T12:00")]
pub struct InvalidMoment;

impl Moment {
    /// The moment seen from `now`; the start of time if it lies before.
    pub fn timestamp(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => SignedDuration::try_from(span)
                .ok()
                .and_then(|span| now.checked_sub(span).ok())
                .unwrap_or(Timestamp::MIN),
        }
    }
}

impl Moment {
    /// Reads a moment. A time without an offset is in `zone`; a date means its start.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn read(text: &str, zone: &TimeZone) -> Result<Self, InvalidMoment> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
        if let Ok(civil) = civil {
            return zone.to_timestamp(civil).map(Self::At).map_err(|_| InvalidMoment);
        }
        match text.parse() {
            Ok(Term::For(span)) => Ok(Self::Ago(span)),
            Ok(Term::Forever) | Err(_) => Err(InvalidMoment),
        }
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    /// A time without an offset is in this machine's time zone.
    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        Self::read(text, &TimeZone::system())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_are_told_apart() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Moment>().map(|moment| moment.timestamp(now).to_string());
        assert_eq!(at("2h"), Ok("2026-11-21T10:00:00Z".into()));
        assert_eq!(at("7d"), Ok("2026-11-14T12:00:00Z".into()));
        assert_eq!(at("2026-11-20T08:00:00+01:00"), Ok("2026-11-20T07:00:00Z".into()));
        for local in ["2026-11-20", "2026-11-20 08:00", "2026-11-20T08:00:00"] {
            assert!(at(local).is_ok_and(|at| at.starts_with("2026-11-")), "{local}");
        }
        for wrong in ["", "yesterday", "-2h", "0s", "2026-13-01"] {
            assert_eq!(at(wrong), Err(InvalidMoment), "{wrong}");
        }
    }
}
