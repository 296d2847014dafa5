//! The line editor that the client and the server's console share: one line of input at the
//! bottom of the terminal, everything else printed above it.
//!
//! It knows nothing of chat, servers or commands. It is the only user of `rustyline`, which blocks,
//! so it keeps two threads of its own: one edits and alone writes to the screen, one tells the first
//! that there is something to write. Both end when the prompt is closed.
//!
//! - Lines printed while somebody types appear above what they have typed so far.
//! - The label (`[#lobby] `) can change at any time, and a question can take its place; what was
//!   typed so far comes back afterwards. A question that nobody waited for comes up on an empty line only,
//!   and takes no line for its answer that is none.
//! - Several pasted lines stay one input, sent by one Enter (bracketed paste); they never become
//!   several inputs by themselves.
//! - Ctrl-C clears what is typed; on an empty line it is [`Input::Interrupt`]. Ctrl-D on an empty
//!   line is [`Input::End`].

mod assist;
mod bell;
mod editor;
mod history;
mod label;
mod mode;
mod printer;
mod question;
mod rows;
mod screen;
mod secret;
mod state;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

pub use assist::Complete;
pub use label::Label;
pub use mode::forget_typed;
pub use printer::Printer;
pub use question::Question;
pub use screen::{LogLine, Screen};
pub use secret::ask_secret;

use state::Shared;

/// Inputs that wait for their reader; the editor waits when there are as many.
const INPUT_QUEUE: usize = 64;

/// What no log may have: the editor logs what it draws, and drawn above the line being edited that would
/// have no end.
pub const UNLOGGED: &str = "rustyline";

/// What the person at the terminal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Enter: the line, without its end; several lines when they were pasted together.
    Line(String),
    /// Enter on a question asked with [`Printer::ask`].
    Answer(String),
    /// Ctrl-C on a question.
    Declined,
    /// Ctrl-C on an empty line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// The terminal is gone: there will be no further input.
    Closed,
}

/// How to open a prompt.
#[derive(Clone)]
pub struct Options {
    /// What stands before the input.
    pub label: Label,
    /// Where lines are kept between runs; none keeps them for this run only.
    pub history: Option<PathBuf>,
    /// What Tab offers.
    pub completer: Arc<dyn Complete>,
    /// Says of an entered line whether it stays on the screen. One that does not is expected to be
    /// printed again by whoever handles it.
    pub keeps_echo: fn(&str) -> bool,
    /// Where the log is to appear above the prompt while it is open.
    pub screen: Screen,
}

/// Why there is no prompt.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a terminal, or one that cannot move its cursor (`TERM=dumb`): use plain lines.
    #[error("this terminal cannot edit lines")]
    Unavailable,
    /// The terminal could not be set up.
    #[error("cannot set up the terminal: {0}")]
    Terminal(#[source] io::Error),
}

/// An open prompt: the receiving end of what is typed.
///
/// Dropping it closes the prompt and gives the terminal back as it was.
pub struct Prompt {
    inputs: mpsc::Receiver<Input>,
    printer: Printer,
    editor: editor::Thread,
    options: Options,
    shared: Arc<Shared>,
}

impl Prompt {
    /// Opens the prompt on standard input and output.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_with(options, String::new())
    }

    /// Opens it with a line that is half typed.
    fn open_with(options: Options, typed: String) -> Result<Self, OpenError> {
        if !is_available() {
            return Err(OpenError::Unavailable);
        }
        let shared = Arc::new(Shared::new(options.label.clone()));
        let (sender, inputs) = mpsc::channel(INPUT_QUEUE);
        let (editor, external) = editor::Thread::start(Arc::clone(&shared), sender, &options, typed)?;
        bell::start(Arc::clone(&shared), external).map_err(OpenError::Terminal)?;
        let printer = Printer::new(Arc::clone(&shared));
        options.screen.attach(Some(printer.clone()));
        Ok(Self { inputs, printer, editor, options, shared })
    }

    /// The next thing the person does; [`Input::Closed`] for ever once the editor has ended.
    ///
    /// Safe to cancel: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Input {
        self.inputs.recv().await.unwrap_or(Input::Closed)
    }

    /// A handle that prints and relabels, to be cloned freely.
    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Gives the terminal to some work that asks the person something in its own way, and takes it back with
    /// the label and the line as they were. A question that stands is taken back.
    ///
    /// # Errors
    /// If the terminal cannot be had again.
    pub async fn lend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, OpenError> {
        let (label, typed) = self.shared.look();
        self.shut();
        let value = work.await;
        *self = Self::open_with(Options { label, ..self.options.clone() }, typed)?;
        Ok(value)
    }

    fn shut(&mut self) {
        if self.shared.is_stopping() {
            return;
        }
        // An editor that waits for room in the input queue must not hold the end up.
        self.inputs.close();
        self.options.screen.attach(None);
        self.shared.stop();
        self.editor.wait();
        // Empty, unless the editor could not be interrupted.
        let _ = printer::write(&self.shared.take_queue());
    }

    /// Prints what is still queued, ends the editing and gives the terminal back.
    ///
    /// Returns after at most about a second, even if somebody is in the middle of a history search.
    pub fn close(self) {}
}

impl Drop for Prompt {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Whether standard input and output are a terminal that can edit lines, and this process may use
/// it now.
pub fn is_available() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && !std::env::var("TERM").is_ok_and(|term| is_unsupported(&term))
        && is_in_foreground()
}

/// A job started with `&` that touches its terminal is stopped by the system.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
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
