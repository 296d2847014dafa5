//! The state of half-typed lines that keys, editing thread and printers share: folded pastes, lines that
//! were cleared or come back, and what a key wants done once the editor has returned.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustyline::{KeyCode, KeyEvent};

use super::fold::FoldedPastes;
use super::paste::Paste;
use super::rewrite::Rewrite;

/// Lines that may wait to come back; the oldest go first. More than a person enters while none can.
const MAX_WAITING: usize = 16;

/// How long a user needs to read what has come into the line.
const READING: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<DraftState>);

#[derive(Debug, Default)]
pub(super) struct DraftState {
    pub(super) folds: FoldedPastes,
    /// A paste that is coming in.
    pub(super) paste: Option<Paste>,
    /// The start of the line, if it was pasted there in several lines.
    pub(super) pasted_start: Option<String>,
    /// Lines for the line history: those that Ctrl-C cleared, and the last run's draft.
    pub(super) cleared: VecDeque<String>,
    /// Lines that come back.
    returned: VecDeque<String>,
    /// The last entered line as it was shown, and its text.
    entered: Option<(String, String)>,
    /// Whether the line should be edited in another program.
    pub(super) wants_editor: bool,
    /// Whether the editor is searching the line history.
    pub(super) is_searching: bool,
    /// The start of a line whose meaning was frozen when the user typed the space behind it.
    pub(super) start: Option<FrozenStart>,
    /// Whether the next completion puts that meaning into the line.
    pub(super) wants_meaning: bool,
    /// The character whose key caused the next completion.
    pub(super) typed: Option<char>,
    /// Whether the next completion is the previous candidate.
    pub(super) is_backward: bool,
    /// Whether the line began in the middle of a paste that the terminal does not mark.
    pub(super) begins_in_burst: bool,
    /// Bytes typed ahead that are still to come: a line feed among them is Enter, which the terminal changed.
    typed_ahead: u64,
}

/// The start of a line, such as `/r `, and its meaning at the moment at which the user typed it.
#[derive(Debug)]
pub(super) struct FrozenStart {
    pub(super) typed: String,
    pub(super) meaning: Rewrite,
    /// Since when the meaning has been in the line.
    pub(super) shown: Instant,
}

impl Drafts {
    /// The data stay consistent even if a thread panicked.
    pub(super) fn lock(&self) -> MutexGuard<'_, DraftState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line to come back.
    pub(super) fn give_back(&self, text: String) {
        let mut drafts = self.lock();
        let shown = match drafts.entered.take() {
            Some((shown, entered)) if entered == text => shown,
            entered => {
                drafts.entered = entered;
                drafts.folds.fold_line(&text)
            }
        };
        push(&mut drafts.returned, shown);
    }

    /// The text of a line, or the line itself if a mark in it is damaged.
    pub(super) fn text(&self, line: &str) -> String {
        self.lock().folds.expand(line).unwrap_or_else(|_| line.to_owned())
    }
}

impl DraftState {
    /// Notes how much was typed before the prompt opened.
    pub(super) fn begin(&mut self, typed_ahead: u64) {
        self.typed_ahead = typed_ahead;
    }

    /// Notes a key, and returns whether it was typed ahead.
    pub(super) fn note_key(&mut self, key: KeyEvent) -> bool {
        let bytes = match key.0 {
            KeyCode::Char(char) => char.len_utf8() as u64,
            _ => 1,
        };
        let was_ahead = self.typed_ahead > 0;
        self.typed_ahead = self.typed_ahead.saturating_sub(bytes);
        was_ahead
    }

    /// Notes an entered line, and returns whether its start was pasted in several lines.
    pub(super) fn enter(&mut self, shown: &str, text: &str) -> bool {
        self.entered = Some((shown.to_owned(), text.to_owned()));
        self.pasted_start.take().is_some_and(|start| shown.starts_with(&start))
    }

    /// The meaning of a line's start, if it was frozen.
    pub(super) fn frozen_start(&mut self, start: &str) -> Option<String> {
        let is_wanted = std::mem::take(&mut self.wants_meaning);
        let frozen = self.start.as_mut().filter(|frozen| is_wanted || frozen.typed == start)?;
        frozen.shown = Instant::now();
        Some(frozen.meaning.line.clone())
    }

    /// The text of an entered line, with its start as it was typed if the user cannot have read its doubtful
    /// meaning yet.
    pub(super) fn unread_start(&mut self, text: String) -> String {
        match self.start.take() {
            Some(FrozenStart { typed, meaning, shown })
                if meaning.is_doubtful && shown.elapsed() < READING =>
            {
                text.strip_prefix(&meaning.line).map(|rest| typed + rest).unwrap_or(text)
            }
            _ => text,
        }
    }

    /// Notes a line that Ctrl-C cleared.
    pub(super) fn clear(&mut self, line: &str) {
        self.pasted_start = None;
        push(&mut self.cleared, line.to_owned());
    }

    /// The next line that comes back.
    pub(super) fn take_returned(&mut self) -> Option<String> {
        self.returned.pop_front()
    }
}

fn push(lines: &mut VecDeque<String>, line: String) {
    if lines.len() >= MAX_WAITING {
        lines.pop_front();
    }
    lines.push_back(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_line_comes_back_as_it_was_shown() {
        let drafts = Drafts::default();
        let text = "x\n".repeat(20);
        let shown = drafts.lock().folds.fold(&text);
        let line = format!("see {shown}");
        drafts.lock().enter(&line, &format!("see {text}"));
        drafts.give_back(format!("see {text}"));
        assert_eq!(drafts.lock().take_returned(), Some(line));
        drafts.give_back(format!("/msg bob {text}"));
        assert_eq!(drafts.lock().take_returned(), Some(format!("/msg bob {shown}")));
        assert_eq!(drafts.lock().take_returned(), None);
    }

    #[test]
    fn only_several_lines_pasted_at_the_start_are_a_pasted_line() {
        let mut drafts = DraftState { pasted_start: Some("/a\n/b".into()), ..DraftState::default() };
        assert!(drafts.enter("/a\n/b and more", "/a\n/b and more"));
        assert!(!drafts.enter("/a\n/b", "/a\n/b"), "that paste was sent");
        drafts.pasted_start = Some("/a\n/b".into());
        assert!(!drafts.enter("/msg bob x", "/msg bob x"));
    }
}
