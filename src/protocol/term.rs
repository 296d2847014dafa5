//! Durations, as people write and read them; and for how long an operator's command holds, the member
//! `duration`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Seconds of each unit, the longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Longest time that is no `forever`: what comes after it is beyond any calendar.
const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads a duration: `90s`, `1h 30m`, `2 weeks`; a day has 24 hours. `None`: it is none, or less than none,
/// or has months or years, which are not all of the same length.
pub fn duration(text: &str) -> Option<Duration> {
    // To people 12:00 is noon, and not 12 hours.
    let text = Some(text.to_lowercase()).filter(|text| !text.contains(':'))?;
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

/// How long something has taken, for a person: in minutes, or below one in seconds.
pub fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    let whole = if seconds < 60 { seconds } else { seconds / 60 * 60 };
    format!("{:#}", SignedDuration::from_secs(i64::try_from(whole).unwrap_or(i64::MAX)))
}

/// A time that something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// At least a second, at most a hundred years.
    For(Duration),
    /// Until it is taken back.
    Forever,
}

/// A text that is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration; use a number and a unit, such as 10m, 2h, 1d or 1w, or forever")]
pub struct NoTerm;

impl FromStr for Term {
    type Err = NoTerm;

    fn from_str(text: &str) -> Result<Self, NoTerm> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("forever") {
            return Ok(Self::Forever);
        }
        let time = duration(text).map(|time| Duration::from_secs(time.as_secs()));
        time.filter(|time| !time.is_zero() && *time <= MAX).map(Self::For).ok_or(NoTerm)
    }
}

impl fmt::Display for Term {
    /// In the longest unit that leaves no rest, so that it reads as it was written: `1d`, `90m`.
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
            assert_eq!(text.parse::<Term>(), Err(NoTerm), "{text}");
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
