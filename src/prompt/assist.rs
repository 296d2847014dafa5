//! What the editor calls back while somebody types: completion, and the moment at which lines can
//! be printed above the input or the input can move behind another label.

use std::borrow::Cow;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::printer::write;
use super::state::Shared;

/// What Tab offers.
///
/// Called on the editing thread, so it must not block for long.
pub trait Complete: Send + Sync {
    /// The byte at which the word before `pos` starts, and what it could become. The words must
    /// be safe for the terminal.
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<String>);
}

/// The payload that unwinds out of the editor: the line as it was, split at the cursor.
#[derive(Debug)]
pub(super) struct Interruption {
    pub(super) left: String,
    pub(super) right: String,
}

/// The editor's helper.
///
/// When the bell has rung, rustyline repaints the line and asks its highlighter for it. At that
/// moment nothing of the line is on the screen, the cursor is where it will begin, and no input is
/// buffered: [`Assistant::highlight`] writes the lines that wait.
///
/// rustyline measures its prompt once a line and offers no way to change it, or to leave a line,
/// from outside. So if another label is wanted, `highlight` unwinds out of the editor with the
/// line, and the editing thread starts again with the new label and the same line. `resume_unwind`
/// calls no panic hook, and the editor's own guards restore the terminal on the way. What the new
/// start does not keep: the undo history, and the place while walking the history.
///
/// A repaint that belongs to an edit must do neither, because rows of the old line are still on the
/// screen and typed bytes may wait: such repaints are counted in advance and skipped. One skipped
/// in error costs no more than another bell.
pub(super) struct Assistant {
    shared: Arc<Shared>,
    completer: Arc<dyn Complete>,
    /// Repaints to come that may belong to an edit.
    skips: AtomicU8,
}

impl Assistant {
    pub(super) fn new(shared: Arc<Shared>, completer: Arc<dyn Complete>) -> Self {
        Self { shared, completer, skips: AtomicU8::new(1) }
    }
}

impl Helper for Assistant {}

impl Validator for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        // One repaint for what all candidates share, and one after their list.
        self.skips.store(2, Ordering::Relaxed);
        Ok(self.completer.complete(line, pos))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.skips.fetch_max(1, Ordering::Relaxed);
        self.shared.note_line(line);
        None
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let skips = self.skips.load(Ordering::Relaxed);
        if skips > 0 {
            self.skips.store(skips - 1, Ordering::Relaxed);
            return Cow::Borrowed(line);
        }
        let text = self.shared.take_queue();
        if !text.is_empty() {
            // A terminal that takes no text is noticed by the editor itself.
            let _ = write(&text);
        }
        // Without unwinding the new label has to wait for the next line.
        if cfg!(panic = "unwind") && self.shared.is_stale() {
            let (left, right) = line.split_at(pos);
            let interruption = Interruption { left: left.to_owned(), right: right.to_owned() };
            panic::resume_unwind(Box::new(interruption));
        }
        Cow::Borrowed(line)
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.skips.fetch_max(1, Ordering::Relaxed);
        false
    }
}
