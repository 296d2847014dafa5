//! The editor's callbacks while the user types: completion, and the moment at which lines can be printed above
//! the input or the label can change.

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
use super::state::PromptState;

/// Completes words. The editing thread calls it, so it must not block for long.
pub trait Complete: Send + Sync {
    /// Returns the byte at which the word before `pos` starts, and its completions, which must be safe for the
    /// terminal.
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<String>);
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
/// the screen, the cursor is at its start, and no input is buffered: so [`EditorHelper::highlight`] writes the
/// queued lines.
///
/// rustyline measures its prompt once per line, and cannot change it or leave a line from outside. So, to
/// change the label, `highlight` unwinds out of the editor with the line, and the editing thread restarts with
/// the new label and the same line. `resume_unwind` calls no panic hook, and the editor's guards restore the
/// terminal on the way. The restart loses the undo history and the position in the line history.
///
/// A repaint that belongs to an edit must do neither, because rows of the old line are still on the screen and
/// typed bytes may wait. So the helper counts these repaints in advance and skips them. Skipping one too many
/// only costs another wake-up.
pub(super) struct EditorHelper {
    shared: Arc<PromptState>,
    completer: Arc<dyn Complete>,
    /// Coming repaints that may belong to an edit.
    skips: AtomicU8,
}

impl EditorHelper {
    pub(super) fn new(shared: Arc<PromptState>, completer: Arc<dyn Complete>) -> Self {
        Self { shared, completer, skips: AtomicU8::new(1) }
    }
}

impl Helper for EditorHelper {}

impl Validator for EditorHelper {}

impl Completer for EditorHelper {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        // One repaint for the candidates' common start, and one after their list.
        self.skips.store(2, Ordering::Relaxed);
        Ok(self.completer.complete(line, pos))
    }
}

impl Hinter for EditorHelper {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.skips.fetch_max(1, Ordering::Relaxed);
        self.shared.note_line(line);
        None
    }
}

impl Highlighter for EditorHelper {
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

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.skips.fetch_max(1, Ordering::Relaxed);
        false
    }
}
