//! Where the log goes: to standard error, and while that is the prompt's terminal, above its line.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::Printer;

/// A writer that finds the prompt by itself. Clones write to the same place.
#[derive(Clone, Default)]
pub struct Screen(Arc<Mutex<Option<Printer>>>);

impl Screen {
    /// A screen without a prompt yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn attach(&self, printer: Option<Printer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = printer;
    }

    /// A writer for one piece of log: it is shown when the writer is dropped.
    pub fn writer(&self) -> LogLine {
        let printer = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A log that was sent elsewhere (`2>file`) stays there.
        let printer = printer.filter(|_| io::stderr().is_terminal());
        LogLine { printer, text: Vec::new() }
    }
}

/// One piece of log on its way to the screen.
pub struct LogLine {
    printer: Option<Printer>,
    text: Vec<u8>,
}

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        match &self.printer {
            Some(printer) => printer.print(String::from_utf8_lossy(&self.text).trim_end_matches('\n')),
            None => {
                // Nobody is left to be told that the log cannot be written.
                let _ = io::stderr().write_all(&self.text);
            }
        }
    }
}
