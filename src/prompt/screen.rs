//! Writes the log to standard error or, while a prompt is open on that terminal, above its line.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::Printer;

/// The place for the log, which knows whether a prompt is open. Clones share it.
#[derive(Clone, Default)]
pub struct Screen(Arc<Mutex<Option<Printer>>>);

impl Screen {
    /// Creates a screen without a prompt.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn attach(&self, printer: Option<Printer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = printer;
    }

    /// Returns a writer for one log entry, which appears when the writer is dropped.
    pub fn writer(&self) -> LogLine {
        let printer = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A redirected log (`2>file`) stays there.
        let printer = printer.filter(|_| io::stderr().is_terminal());
        LogLine { printer, text: Vec::new() }
    }
}

/// Writes one log entry when dropped.
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
                // If standard error fails, there is nowhere to report it.
                let _ = io::stderr().write_all(&self.text);
            }
        }
    }
}
