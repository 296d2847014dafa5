//! The text before the input.

use std::time::Instant;

use super::spot::Spot;
use super::{Conversation, Effect, LinkState};
use crate::protocol::Target;
use crate::protocol::target::LOBBY;
use crate::text::{safe_line, width};

/// The label on the screen.
#[derive(Debug, Default)]
pub(super) struct ShownLabel {
    /// The number of waiting messages in it.
    waiting: usize,
    /// Messages whose receipt takes a moment, as they stand above it.
    pub(super) slow: Vec<String>,
}

impl Conversation {
    /// The text before the input, with what is unread elsewhere in at most half the window's width; safe for
    /// the terminal.
    pub(crate) fn label(&self) -> String {
        let target = match &self.target {
            Target::All => LOBBY.to_owned(),
            Target::User(name) => format!("@{}", safe_line(name)),
            other => safe_line(&other.to_string()),
        };
        let state = match self.state {
            LinkState::Down { search: true, .. } => ", no server",
            LinkState::Down { .. } => ", reconnecting",
            LinkState::Fresh | LinkState::Up { .. } if self.attention.is_away => ", away",
            LinkState::Fresh | LinkState::Up { .. } => "",
        };
        let waiting = match self.outbox.stuck() {
            0 => String::new(),
            stuck => format!(", {stuck} waiting"),
        };
        let columns = self.view.screen().map_or(0, |screen| screen.columns);
        let taken = width(&target) + state.len() + waiting.len() + 3;
        // Progress may take more of the window, as it is what the user waits for.
        let files = self.files_label((columns * 2 / 3).saturating_sub(taken));
        let room = (columns / 2).saturating_sub(taken + width(&files));
        let unread = match columns {
            0 => String::new(),
            _ => self.attention.unread.summary(Spot::of(&self.target).as_ref(), room),
        };
        format!("[{target}{state}{waiting}{files}{unread}] ")
    }

    /// Adds a new label if the number of waiting messages has changed, or, from time to time, that of unread
    /// ones.
    pub(super) fn labelled(&mut self, mut effects: Vec<Effect>) -> Vec<Effect> {
        let stuck = self.outbox.stuck();
        let is_none_slow = !self.shown_label.slow.is_empty() && self.outbox.len() == stuck;
        if is_none_slow {
            self.shown_label.slow.clear();
        }
        let mut is_new = std::mem::replace(&mut self.shown_label.waiting, stuck) != stuck || is_none_slow;
        let now = Instant::now();
        is_new |= self.attention.unread.is_label_due(now);
        let is_there = effects.iter().any(|effect| matches!(effect, Effect::Relabel));
        if is_new && !is_there {
            effects.push(Effect::Relabel);
        }
        if is_new || is_there {
            self.attention.unread.note_label(now);
        }
        effects
    }

    /// The style of the label.
    pub(crate) fn label_style(&self) -> anstyle::Style {
        self.view.label_style(self.is_down())
    }
}
