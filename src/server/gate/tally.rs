//! How many were turned away since the start, and why: for whoever looks at the console.

use super::Doubt;
use std::fmt;

/// See the module. Displays as a sentence with the remedies, of those things that have happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    full: u64,
    share: u64,
    boxed: u64,
    memory: u64,
}

impl Tally {
    /// A connection has ended that showed no known key.
    pub(super) fn count(&mut self, doubt: Doubt) {
        let counted = match doubt {
            Doubt::Full => &mut self.full,
            Doubt::Share => &mut self.share,
            Doubt::Boxed => &mut self.boxed,
            Doubt::Memory => &mut self.memory,
        };
        *counted += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.full, "for want of a place (--max-clients)"),
            (self.share, "over the share of their address or network (--max-per-ip)"),
            (self.boxed, "kept out for what their address did (for some minutes)"),
            (self.memory, "for want of memory (--memory)"),
        ];
        let told: Vec<String> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
        match told.as_slice() {
            [] => f.write_str("nobody was turned away"),
            told => write!(f, "turned away since the start: {}", told.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_happened_is_told_with_its_remedy() {
        let mut tally = Tally::default();
        assert_eq!(tally.to_string(), "nobody was turned away");
        (0..3).for_each(|_| tally.count(Doubt::Share));
        tally.count(Doubt::Full);
        assert_eq!(
            tally.to_string(),
            "turned away since the start: 1 for want of a place (--max-clients), 3 over the share of their \
             address or network (--max-per-ip)"
        );
    }
}
