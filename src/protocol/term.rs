//! Durations as people write them, and the member `duration` of operators' commands.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Seconds per unit, the longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// The longest term besides `forever`: anything longer leaves the calendar.
const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads a duration: `90s`, `1h 30m`, `2 weeks`; a day has 24 hours. `None` for anything else, a negative
/// one, or months and years, whose length varies.
pub fn duration(text: &str) -> Option<Duration> {
    // To people, 12:00 is noon, not 12 hours.
    let text = Some(text.to_lowercase()).filter(|text| !text.contains(':'))?;
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

/// Formats a duration for people, in whole minutes, or in seconds below one minute.
pub fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    let whole = if seconds < 60 { seconds } else { seconds / 60 * 60 };
    format!("{:#}", SignedDuration::from_secs(i64::try_from(whole).unwrap_or(i64::MAX)))
}

/// How long something stays in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// At least a second, at most a hundred years.
    For(Duration),
    /// Until someone lifts it.
    Forever,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration; use a number and a unit, such as 10m, 2h, 1d or 1w, or forever")]
pub struct InvalidTerm;

impl FromStr for Term {
    type Err = InvalidTerm;

    fn from_str(text: &str) -> Result<Self, InvalidTerm> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("forever") {
            return Ok(Self::Forever);
        }
        let time = duration(text).map(|time| Duration::from_secs(time.as_secs()));
        time.filter(|time| !time.is_zero() && *time <= MAX).map(Self::For).ok_or(InvalidTerm)
    }
}

impl fmt::Display for Term {
    /// Uses the longest unit that divides it, so it reads as written: `1d`, `90m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::For(time) = self else { return f.write_str("forever") };
        let seconds = time.as_secs();
        let fits = UNITS.into_iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
        let (name, unit) = fits.unwrap_or(('s', 1));
        write!(f, "{}{name}", seconds / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("2H", 7200),
            ("1d", 86_400),
            (" 3w ", 1_814_400),
            ("1h30m", 5400),
            ("2 days", 172_800),
            ("1.5h", 5400),
        ] {
            assert_eq!(text.parse(), Ok(Term::For(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!("Forever".parse(), Ok(Term::Forever));
        for text in [
            "",
            "m",
            "0m",
            "0.5s",
            "10",
            "-1h",
            "12:00",
            "1y",
            "1é",
            "101w7",
            "6000w",
            "99999999999999999999d",
        ] {
            assert_eq!(text.parse::<Term>(), Err(InvalidTerm), "{text}");
        }
    }

    #[test]
    fn what_has_passed_reads_well() {
        let text = |seconds| about(Duration::from_secs(seconds));
        assert_eq!([text(0), text(59), text(61), text(7_300)], ["0s", "59s", "1m", "2h 1m"]);
    }

    #[test]
    fn a_duration_is_written_in_its_longest_unit() {
        for text in ["10m", "90m", "2h", "1d", "2w", "59s", "forever"] {
            assert_eq!(text.parse::<Term>().map(|term| term.to_string()), Ok(text.to_owned()));
        }
    }
}
