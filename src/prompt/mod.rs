//! The line editor of the client and of the server's console: one line of input at the bottom of the
//! terminal, everything else above it.
//!
//! It knows nothing about chat, servers or commands. It is the only user of `rustyline`. As that blocks, the
//! prompt has two threads: one edits and is the only one to write to the screen; one wakes the first when
//! there is something to write. Both end when the prompt closes.
//!
//! - Lines printed while the user types appear above the half-typed line.
//! - The label (`[#lobby] `) can change at any time, and a question can take its place; the half-typed line
//!   comes back afterwards. An unexpected question appears only on an empty line, and accepts only its own
//!   answers.
//! - Several pasted lines stay one input, sent by one Enter (bracketed paste). A big paste is a short mark in
//!   the line.
//! - Alt-Enter and Ctrl-J start a new line; Ctrl-X Ctrl-E opens the line in the user's editor.
//! - Keys that the owner names ([`Shortcut`]) are inputs of their own and leave the line alone.
//! - Ctrl-C clears the line, which Up and Ctrl-Y bring back; on an empty line it is [`Input::Interrupt`].
//!   Ctrl-D on an empty line is [`Input::End`].

#[cfg(windows)]
mod console;
mod cycle;
mod drafts;
mod editor;
mod emoji;
mod external_editor;
mod fold;
mod helper;
mod history;
mod keys;
mod label;
mod paste;
mod printer;
mod qr_code;
mod question;
mod resume;
mod rewrite;
mod rows;
mod screen;
mod secret;
mod shortcut;
mod signal;
mod state;
mod terminal_mode;
mod waker;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use helper::{Complete, Completion};
pub use history::entered_lines;
pub use label::Label;
pub use printer::Printer;
pub use qr_code::{qr_code, qr_code_here};
pub use question::PromptQuestion;
pub use rewrite::Rewrite;
pub use screen::{LogLine, Screen};
pub use secret::ask_secret;
pub use shortcut::Shortcut;
pub use terminal_mode::{forget_typed, screen_size};

use drafts::Drafts;
use state::PromptState;

/// Inputs that may wait for their reader; when the queue is full, the editor waits.
const INPUT_QUEUE: usize = 64;

/// Longest text in the line, in bytes: several times what a server takes, so that the server refuses it and
/// nothing is cut.
pub const MAX_INPUT_BYTES: usize = 1024 * 1024;

/// The target that the log must omit: the editor logs what it draws, and drawing that log would never end.
pub const UNLOGGED: &str = "rustyline";

/// An action of the user at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Enter: the line, without its end; or several lines that were pasted together.
    Line(String),
    /// The same, if several lines were pasted at its start: the user has not typed how it begins.
    Pasted(String),
    /// Enter on a question asked with [`Printer::ask`].
    Answer(String),
    /// One of [`Options::shortcuts`]; the half-typed line stays.
    Key(Shortcut),
    /// Ctrl-C on a question.
    Declined,
    /// Ctrl-C on an empty line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// The terminal is gone; no input follows.
    Closed,
}

/// Options for opening a prompt.
#[derive(Clone)]
pub struct Options {
    /// The text before the input.
    pub label: Label,
    /// The file that keeps lines between runs; `None` keeps them for this run only.
    pub history: Option<PathBuf>,
    /// Completes words when the user presses Tab.
    pub completer: Arc<dyn Complete>,
    /// Whether an entered line stays on the screen; its handler prints the others itself.
    pub keeps_echo: fn(&str) -> bool,
    /// Keys to report instead of editing with them.
    pub shortcuts: &'static [Shortcut],
    /// Prints the log above the prompt while that is open.
    pub screen: Screen,
}

/// Why there is no prompt.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Standard input or output is not a terminal, or the terminal cannot move its cursor (`TERM=dumb`).
    #[error("this terminal cannot edit lines")]
    Unavailable,
    /// The terminal could not be set up.
    #[error("cannot set up the terminal: {0}")]
    Terminal(#[source] io::Error),
}

/// An open prompt, which receives the user's input.
///
/// Dropping it closes the prompt and restores the terminal.
pub struct Prompt {
    inputs: mpsc::Receiver<Input>,
    printer: Printer,
    editor: editor::EditorThread,
    options: Options,
    shared: Arc<PromptState>,
    drafts: Arc<Drafts>,
    /// Takes the terminal back after a stop of the process.
    resumes: Option<JoinHandle<()>>,
}

impl Prompt {
    /// Opens the prompt on standard input and output.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_with(options, Arc::default(), String::new())
    }

    /// Opens the prompt with a draft that Up brings into the line. It is not in the line yet: the user may
    /// begin to type without a look.
    pub fn open_with_draft(options: Options, draft: &str) -> Result<Self, OpenError> {
        let drafts = Arc::new(Drafts::default());
        if !draft.is_empty() {
            let mut state = drafts.lock();
            let shown = state.folds.fold_line(draft);
            state.clear(&shown);
        }
        Self::open_with(options, drafts, String::new())
    }

    fn open_with(options: Options, drafts: Arc<Drafts>, typed: String) -> Result<Self, OpenError> {
        if !is_available() {
            return Err(OpenError::Unavailable);
        }
        let shared = Arc::new(PromptState::new(options.label.clone()));
        let (sender, inputs) = mpsc::channel(INPUT_QUEUE);
        let (editor, external) =
            editor::EditorThread::start(Arc::clone(&shared), Arc::clone(&drafts), sender, &options, typed)?;
        waker::start(Arc::clone(&shared), external).map_err(OpenError::Terminal)?;
        let printer = Printer::new(Arc::clone(&shared), Arc::clone(&drafts));
        options.screen.attach(Some(printer.clone()));
        let resumes = resume::watch(Arc::clone(&shared), editor.mode());
        Ok(Self { inputs, printer, editor, options, shared, drafts, resumes })
    }

    /// Waits for the next input; returns [`Input::Closed`] forever once the editor has ended. Cancel safe.
    pub async fn next(&mut self) -> Input {
        self.inputs.recv().await.unwrap_or(Input::Closed)
    }

    /// Returns a handle that prints and changes the label.
    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Lends the terminal to `work`, which asks the user something in its own way, then restores the label
    /// and the half-typed line. Withdraws a question that is on the screen.
    ///
    /// # Errors
    /// If the prompt cannot be opened again.
    pub async fn lend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, OpenError> {
        let (label, typed) = (self.shared.label(), self.shared.draft());
        self.shut();
        let value = work.await;
        *self = Self::open_with(Options { label, ..self.options.clone() }, Arc::clone(&self.drafts), typed)?;
        Ok(value)
    }

    /// Returns the text of the half-typed line.
    pub fn draft(&self) -> String {
        self.drafts.text(&self.shared.draft())
    }

    fn shut(&mut self) {
        if self.shared.is_stopping() {
            return;
        }
        self.resumes.take().iter().for_each(JoinHandle::abort);
        // An editor that waits for room in the input queue must not delay the end.
        self.inputs.close();
        self.options.screen.attach(None);
        self.shared.stop();
        self.editor.wait();
        // Empty, unless the editor could not be interrupted.
        let _ = printer::write(&self.shared.take_queue());
    }

    /// Prints the queued lines, ends the editing and restores the terminal.
    ///
    /// Takes about a second at most, even during a history search.
    pub fn close(self) {}
}

impl Drop for Prompt {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Whether standard input and output are a terminal that can edit lines and that this process may use now.
pub fn is_available() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && !std::env::var("TERM").is_ok_and(|term| is_unsupported(&term))
        && is_in_foreground()
}

/// Whether this is the foreground job: the system stops a background job that touches its terminal.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(windows)]
fn is_in_foreground() -> bool {
    true
}

fn is_unsupported(term: &str) -> bool {
    ["", "dumb", "cons25", "emacs"].iter().any(|name| term.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_without_cursor_movement_are_refused() {
        assert!(is_unsupported("dumb"));
        assert!(is_unsupported("Emacs"));
        assert!(!is_unsupported("xterm-256color"));
    }
}
