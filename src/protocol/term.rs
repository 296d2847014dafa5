//! For how long an operator's command holds: the member `duration`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Seconds of each unit, the longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Longest time that is no `forever`: what comes after it is beyond any calendar.
const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

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
#[error("that is no duration; give a number and a unit, such as 10m, 2h, 1d or 1w, or forever")]
pub struct NoTerm;

impl FromStr for Term {
    type Err = NoTerm;

    fn from_str(text: &str) -> Result<Self, NoTerm> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("forever") {
            return Ok(Self::Forever);
        }
        let unit = text.chars().next_back().ok_or(NoTerm)?;
        let (_, seconds) =
            UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&unit)).ok_or(NoTerm)?;
        let number = &text[..text.len() - unit.len_utf8()];
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoTerm);
        }
        let number: u64 = number.parse().map_err(|_| NoTerm)?;
        let time = Duration::from_secs(number.checked_mul(seconds).ok_or(NoTerm)?);
        if time.is_zero() || time > MAX { Err(NoTerm) } else { Ok(Self::For(time)) }
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
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2H", 7200), ("1d", 86_400), (" 3w ", 1_814_400)]
        {
            assert_eq!(text.parse(), Ok(Term::For(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!("Forever".parse(), Ok(Term::Forever));
        for text in
            ["", "m", "0m", "10", "1.5h", "-1h", "+1h", "1é", "101w7", "6000w", "99999999999999999999d"]
        {
            assert_eq!(text.parse::<Term>(), Err(NoTerm), "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_longest_unit() {
        for text in ["10m", "90m", "2h", "1d", "2w", "59s", "forever"] {
            assert_eq!(text.parse::<Term>().map(|term| term.to_string()), Ok(text.to_owned()));
        }
    }
}
