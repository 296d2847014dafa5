//! Messages whose receipt takes a moment: they stand dim above the prompt until it comes.

use super::{CallTime, Conversation, Effect, quoted};
use crate::text::safe_line;

/// The most messages to show; a count replaces further ones.
const MAX_SHOWN: usize = 3;

/// The most characters of each, so that it takes one row of a usual window.
const MAX_CHARS: usize = 60;

impl Conversation {
    /// Finds messages that have waited for their receipt for a while, and returns a new label if these change.
    pub(super) fn show_slow(&mut self, now: CallTime) -> Vec<Effect> {
        let mut slow: Vec<String> =
            self.outbox.slow(now.instant).map(|message| short(&quoted(message))).collect();
        if slow.len() > MAX_SHOWN {
            let more = slow.len() - MAX_SHOWN;
            slow.truncate(MAX_SHOWN);
            slow.push(format!("… and {more} more"));
        }
        let is_new = slow != self.shown_label.slow;
        self.shown_label.slow = slow;
        if is_new { vec![Effect::Relabel] } else { Vec::new() }
    }

    /// The rows above the label; safe for the terminal.
    pub(crate) fn rows_above_label(&self) -> &[String] {
        &self.shown_label.slow
    }
}

fn short(text: &str) -> String {
    let mut lines = text.lines();
    let first = safe_line(lines.next().unwrap_or_default());
    let short: String = first.chars().take(MAX_CHARS).collect();
    let is_cut = short.len() < first.len() || lines.next().is_some();
    format!("… {short}{}", if is_cut { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_message_takes_one_short_row() {
        assert_eq!(short("hello"), "… hello");
        assert_eq!(short("two\nlines"), "… two…");
        assert_eq!(short("\u{1b}[2J"), "… \u{fffd}[2J");
        assert_eq!(short(&"x".repeat(100)).chars().count(), MAX_CHARS + 3);
    }
}
