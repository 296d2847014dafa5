//! A day, as people write it.

use jiff::civil::Date;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    Today,
    Yesterday,
    On(Date),
}

impl Day {
    /// Reads `2026-11-24`, `today` or `yesterday`.
    pub(super) fn read(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "today" => Some(Self::Today),
            "yesterday" => Some(Self::Yesterday),
            date => date.parse().ok().map(Self::On),
        }
    }

    /// The date, seen from today; `None`: no calendar has it.
    #[must_use]
    pub fn date(self, today: Date) -> Option<Date> {
        match self {
            Self::Today => Some(today),
            Self::Yesterday => today.yesterday().ok(),
            Self::On(date) => Some(date),
        }
    }
}
