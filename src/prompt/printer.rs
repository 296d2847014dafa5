//! Prints lines above the one that the user edits.

use std::io::{self, Write as _};
use std::sync::Arc;

use super::drafts::Drafts;
use super::signal::{self, NotificationForms};
use super::state::PromptState;
use super::{Label, PromptQuestion};

/// Clears the screen and moves the cursor to its top.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Prints above the edited line. Cheap to clone, never blocks.
#[derive(Clone)]
pub struct Printer(Arc<PromptState>, Arc<Drafts>);

impl Printer {
    pub(super) fn new(shared: Arc<PromptState>, drafts: Arc<Drafts>) -> Self {
        Self(shared, drafts)
    }

    /// Prints one or more lines above the input. The text must be safe for the terminal. If the terminal
    /// accepts no lines for long, the queue fills up, and a count replaces further lines.
    pub fn print(&self, line: impl Into<String>) {
        let mut text = line.into();
        text.push('\n');
        self.enqueue(text);
    }

    /// Clears the screen, but not the input.
    pub fn clear(&self) {
        self.enqueue(CLEAR.to_owned());
    }

    /// Rings the terminal's bell.
    pub fn ring(&self) {
        self.enqueue(signal::BELL.to_owned());
    }

    /// Shows a notification of the desktop, if the terminal can.
    pub fn notify(&self, title: &str, text: &str) {
        self.enqueue(NotificationForms::of_terminal().notification(title, text));
    }

    /// Copies a text to the terminal's clipboard, if the terminal lets programs do that.
    pub fn copy(&self, text: &str) {
        if has_title() {
            self.enqueue(signal::copy(text));
        }
    }

    /// Sets the window's title. The first time, `is_first`, the terminal keeps the previous one.
    pub fn set_title(&self, title: &str, is_first: bool) {
        if has_title() {
            let keep = if is_first { signal::KEEP_TITLE } else { "" };
            self.enqueue(format!("{keep}{}", signal::title(title)));
        }
    }

    /// Brings the title back that the window had before the first [`Self::set_title`].
    pub fn restore_title(&self) {
        if has_title() {
            self.enqueue(signal::RESTORE_TITLE.to_owned());
        }
    }

    /// Changes the label; the half-typed line stays.
    pub fn set_label(&self, label: Label) {
        self.0.set_label(label);
    }

    /// Asks a question in the label's place; it replaces any other. The answer arrives as
    /// [`super::Input::Answer`] or [`super::Input::Declined`]; then the half-typed line comes back.
    pub fn ask(&self, question: PromptQuestion) {
        self.0.ask(question);
    }

    /// Withdraws a question that no longer needs an answer. Text typed behind it becomes the line, unless it
    /// looks like an answer.
    pub fn withdraw(&self) {
        self.0.withdraw();
    }

    /// Gives a refused line back: to the line if that is empty, otherwise to the history, where Up finds it.
    pub fn give_back(&self, line: String) {
        self.1.give_back(line);
        self.0.refresh();
    }

    /// Lets the user edit the half-typed line in another program, as Ctrl-X Ctrl-E does.
    pub fn compose(&self) {
        self.1.lock().wants_editor = true;
        self.0.refresh();
    }

    fn enqueue(&self, text: String) {
        if let Some(text) = self.0.queue(text) {
            // The editor has ended, but its terminal may still be there.
            let _ = write(&text);
        }
    }
}

fn has_title() -> bool {
    // Windows sets no TERM, and its older console has no title to give back.
    let is_windows_terminal = cfg!(windows) && std::env::var_os("WT_SESSION").is_some();
    std::env::var("TERM").map_or(is_windows_terminal, |term| signal::has_title(&term))
}

/// Writes to the screen. Only the editing thread may call it until that ends.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
