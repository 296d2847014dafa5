//! Counts refused connections by reason, for the console.

use super::Restriction;
use std::fmt;

/// Displays as a sentence that lists the reasons with their options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RefusalCounts {
    full: u64,
    share: u64,
    penalized: u64,
    memory: u64,
}

impl RefusalCounts {
    /// Counts a restricted connection that ended without a known key.
    pub(super) fn count(&mut self, restriction: Restriction) {
        let counted = match restriction {
            Restriction::Full => &mut self.full,
            Restriction::Share => &mut self.share,
            Restriction::Penalized => &mut self.penalized,
            Restriction::Memory => &mut self.memory,
        };
        *counted += 1;
    }
}

impl fmt::Display for RefusalCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.full, "because the server was full (--max-clients)"),
            (self.share, "over the share of their address or network (--max-per-ip)"),
            (self.penalized, "from addresses that misbehaved (for some minutes)"),
            (self.memory, "because memory was short (--memory)"),
        ];
        let told: Vec<String> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
        match told.as_slice() {
            [] => f.write_str("no connections refused"),
            told => write!(f, "connections refused since the start: {}", told.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_listed_with_their_options() {
        let mut refusals = RefusalCounts::default();
        assert_eq!(refusals.to_string(), "no connections refused");
        (0..3).for_each(|_| refusals.count(Restriction::Share));
        refusals.count(Restriction::Full);
        assert_eq!(
            refusals.to_string(),
            "connections refused since the start: 1 because the server was full (--max-clients), 3 over the \
             share of their address or network (--max-per-ip)"
        );
    }
}
