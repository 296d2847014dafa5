//! The editor's callbacks while the user types: completion, and the moment at which lines can be printed
//! above the input or the label can change.

use std::borrow::Cow;
use std::panic;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::cycle::Cycle;
use super::drafts::Drafts;
use super::printer::write;
use super::rewrite::Rewrite;
use super::state::PromptState;

/// Completes words. The editing thread calls it, so it must not block for long.
pub trait Complete: Send + Sync {
    /// Completes the word before `pos`.
    fn complete(&self, line: &str, pos: usize) -> Completion;

    /// Returns what the start of a line means, to put it there.
    fn rewrite(&self, _start: &str) -> Option<Rewrite> {
        None
    }
}

/// The completions of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The byte at which the word starts.
    pub start: usize,
    /// Texts that may take its place, in order; safe for the terminal.
    pub words: Vec<String>,
    /// Whether Tab puts one after the other into the line; otherwise, it lists them.
    pub in_turn: bool,
}

/// The payload that unwinds out of the editor: the line, split at the cursor.
#[derive(Debug)]
pub(super) struct Interruption {
    pub(super) left: String,
    pub(super) right: String,
}

/// Prints queued lines and changes the label, through the editor's callbacks.
///
/// After a wake-up, rustyline repaints the line and calls its highlighter. At that moment, the line is not on
/// the screen, the cursor is at its start, and no input is buffered: so [`EditorHelper::highlight`] writes
/// the queued lines.
///
/// rustyline measures its prompt once per line, and cannot change it or leave a line from outside. So, to
/// change the label, `highlight` unwinds out of the editor with the line, and the editing thread restarts
/// with the new label and the same line. `resume_unwind` calls no panic hook, and the editor's guards restore
/// the terminal on the way. The restart loses the undo history and the position in the line history. So a label
/// that takes the same room, such as one with progress in it, is only painted over the other one.
///
/// A repaint that belongs to an edit must do neither, because rows of the old line are still on the screen
/// and typed bytes may wait. So the helper counts these repaints in advance and skips them. Skipping one too
/// many only costs another wake-up.
pub(super) struct EditorHelper {
    shared: Arc<PromptState>,
    drafts: Arc<Drafts>,
    completer: Arc<dyn Complete>,
    /// The candidates that Tab puts into the line in turn.
    cycle: Mutex<Option<Cycle>>,
    /// Coming repaints that may belong to an edit.
    skips: AtomicU8,
}

impl EditorHelper {
    pub(super) fn new(shared: Arc<PromptState>, drafts: Arc<Drafts>, completer: Arc<dyn Complete>) -> Self {
        Self { shared, drafts, completer, cycle: Mutex::new(None), skips: AtomicU8::new(1) }
    }

    /// The candidates for the word before `pos`. With one only, the editor waits for no further key, during
    /// which it would print nothing.
    fn candidates(&self, line: &str, pos: usize) -> (usize, Vec<String>) {
        let (is_backward, typed, frozen) = {
            let mut drafts = self.drafts.lock();
            let frozen = drafts.frozen_start(&line[..pos]);
            (std::mem::take(&mut drafts.is_backward), drafts.typed.take(), frozen)
        };
        if let Some(mut text) = frozen {
            text.extend(typed);
            return (0, vec![text]);
        }
        // Ends the repetition of a key behind Alt and a digit.
        if let Some(typed) = typed {
            return (pos, vec![typed.to_string()]);
        }
        if let Some(rewrite) = self.completer.rewrite(line[..pos].trim_end()) {
            return (0, vec![rewrite.line]);
        }
        let mut cycle = self.cycle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cycle) = cycle.as_mut().filter(|cycle| cycle.is_shown(line, pos)) {
            return cycle.step(is_backward);
        }
        *cycle = None;
        let Completion { start, words, in_turn } = self.completer.complete(line, pos);
        match in_turn && words.len() > 1 {
            true => cycle.insert(Cycle::new(line, start, pos, words)).step(is_backward),
            false => (start, words),
        }
    }
}

impl Helper for EditorHelper {}

impl Validator for EditorHelper {}

impl Completer for EditorHelper {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        // One repaint for the candidates' common start, and one after their list.
        self.skips.store(2, Ordering::Relaxed);
        Ok(self.candidates(line, pos))
    }
}

impl Hinter for EditorHelper {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        self.skips.fetch_max(1, Ordering::Relaxed);
        self.shared.note_line(line, pos);
        None
    }
}

impl Highlighter for EditorHelper {
    /// The label of the moment, if it takes the same room as the one that the editor has measured.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.shared.painted(prompt).map_or(Cow::Borrowed(prompt), Cow::Owned)
    }

    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let skips = self.skips.load(Ordering::Relaxed);
        if skips > 0 {
            self.skips.store(skips - 1, Ordering::Relaxed);
            return Cow::Borrowed(line);
        }
        let text = self.shared.take_queue();
        if !text.is_empty() {
            // The editor itself notices a terminal that is gone.
            let _ = write(&text);
        }
        // Without unwinding, the new label has to wait for the next line.
        if cfg!(panic = "unwind") && self.shared.is_stale() {
            let (left, right) = line.split_at(pos);
            let interruption = Interruption { left: left.to_owned(), right: right.to_owned() };
            panic::resume_unwind(Box::new(interruption));
        }
        Cow::Borrowed(line)
    }

    fn highlight_char(&self, line: &str, pos: usize, _: CmdKind) -> bool {
        self.shared.note_line(line, pos);
        self.skips.fetch_max(1, Ordering::Relaxed);
        false
    }
}
