//! For how long a name was used, and so whether it still belongs to its key.

use crate::limits::{CLOCK_FLOOR, NAME_KEPT, NAME_KEPT_TRIED, NAME_TRIED};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameUse {
    /// Seconds of Unix time: the last use, or the start of the current one.
    pub last: i64,
    /// Total seconds of use before the current one.
    pub used: u32,
    pub in_use: bool,
}

impl NameUse {
    /// Total seconds of use as of `second`.
    pub(super) fn used(self, second: i64) -> u32 {
        let running = if self.in_use { second.saturating_sub(self.last).max(0) } else { 0 };
        self.used.saturating_add(u32::try_from(running).unwrap_or(u32::MAX))
    }

    pub(super) fn is_tried_only(self) -> bool {
        u64::from(self.used) < NAME_TRIED.as_secs()
    }

    /// Whether it does not belong to its key any more.
    pub fn is_over(self, second: i64) -> bool {
        let kept = if self.is_tried_only() { NAME_KEPT_TRIED } else { NAME_KEPT };
        // A row dated before the clock was ever set may be from yesterday.
        let is_dated = self.last >= CLOCK_FLOOR;
        !self.in_use
            && is_dated
            && second.saturating_sub(self.last) > i64::try_from(kept.as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether it makes its key count as established.
    pub fn is_established(self, second: i64) -> bool {
        u64::from(self.used(second)) >= NAME_TRIED.as_secs()
    }
}
