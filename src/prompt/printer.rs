//! Prints lines above the one being edited.

use std::io::{self, Write as _};
use std::sync::Arc;

use super::state::Shared;
use super::{Label, Question};

/// Clears the screen and puts the cursor to its top.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// A handle to print above the line being edited. Cheap to clone, never blocks.
#[derive(Clone)]
pub struct Printer(Arc<Shared>);

impl Printer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Prints a line (or several, with line ends between them) above the input.
    ///
    /// The text must be safe for the terminal. If the terminal does not take lines for long, those
    /// past a bound are replaced by their count.
    pub fn print(&self, line: impl Into<String>) {
        let mut text = line.into();
        text.push('\n');
        self.order(text);
    }

    /// Clears the screen; the input stays.
    pub fn clear(&self) {
        self.order(CLEAR.to_owned());
    }

    /// Changes what stands before the input; what is typed so far stays.
    pub fn set_label(&self, label: Label) {
        self.0.set_label(label);
    }

    /// Asks a question in the label's place, instead of any other. The answer comes as
    /// [`super::Input::Answer`] or [`super::Input::Declined`]; then what was typed before comes back.
    pub fn ask(&self, question: Question) {
        self.0.ask(question);
    }

    /// Takes a question back that needs no answer any more. What was typed behind it and is no answer
    /// stays in the line.
    pub fn withdraw(&self) {
        self.0.withdraw();
    }

    fn order(&self, text: String) {
        if let Some(text) = self.0.queue(text) {
            // The editor is gone; its terminal may still be there.
            let _ = write(&text);
        }
    }
}

/// Writes to the screen. Only for whoever has it at the moment: the editing thread, until it ends.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
