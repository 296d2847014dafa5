//! Reads a pasted text (bracketed paste) key by key. The editor's own reader would end at the first byte that
//! is not UTF-8, and would keep control characters and the rests of escape sequences.

use std::time::{Duration, Instant};

use rustyline::{KeyCode, KeyEvent, Modifiers};

use super::MAX_INPUT_BYTES;

/// After how much silence Ctrl-C ends a paste whose end never came.
const SILENCE: Duration = Duration::from_millis(300);

/// The end, as terminals send it. A paste can hide it from the editor behind an unfinished sequence.
const HIDDEN_END: &str = "[201~";

/// A paste that is coming in.
#[derive(Debug)]
pub(super) struct Paste {
    text: String,
    is_too_long: bool,
    /// Whether the last key was a carriage return, of which a line feed may be the other half.
    after_return: bool,
    after_escape: AfterEscape,
    latest: Instant,
}

/// Characters that may still belong to an escape sequence, of which the editor reads only the start.
#[derive(Debug, PartialEq, Eq)]
enum AfterEscape {
    Nothing,
    /// Parameters so far.
    Parameters(String),
    /// An `m`, which is a word's start only if letters follow.
    LoneEnd,
}

/// How it goes on after a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PasteStep {
    More,
    End(String),
    TooLong,
}

impl Paste {
    pub(super) fn start() -> Self {
        Self {
            text: String::new(),
            is_too_long: false,
            after_return: false,
            after_escape: AfterEscape::Nothing,
            latest: Instant::now(),
        }
    }

    pub(super) fn take(&mut self, key: KeyEvent) -> PasteStep {
        let now = Instant::now();
        let was_silent = now.duration_since(std::mem::replace(&mut self.latest, now)) > SILENCE;
        let was_return = std::mem::take(&mut self.after_return);
        let KeyEvent(code, modifiers) = key;
        match code {
            KeyCode::BracketedPasteEnd => return self.end(),
            KeyCode::Char('C') if modifiers == Modifiers::CTRL && was_silent => return self.end(),
            KeyCode::Enter => {
                self.after_return = true;
                self.put('\n');
            }
            KeyCode::Char('J') if modifiers == Modifiers::CTRL && was_return => {}
            KeyCode::Char('J') if modifiers == Modifiers::CTRL => self.put('\n'),
            KeyCode::Char('M') if modifiers == Modifiers::CTRL => {
                self.after_return = true;
                self.put('\n');
            }
            KeyCode::Tab => self.put('\t'),
            KeyCode::Char('I') if modifiers == Modifiers::CTRL => self.put('\t'),
            KeyCode::Char(char) if !modifiers.contains(Modifiers::CTRL) => self.char(char),
            // C1's CSI arrives as Esc.
            KeyCode::UnknownEscSeq | KeyCode::Esc => {
                self.after_escape = AfterEscape::Parameters(String::new());
            }
            // Other control characters and keys are not text.
            _ => {}
        }
        if self.text.ends_with(HIDDEN_END) && self.after_escape == AfterEscape::Nothing {
            self.text.truncate(self.text.len() - HIDDEN_END.len());
            return self.end();
        }
        PasteStep::More
    }

    fn end(&mut self) -> PasteStep {
        if let AfterEscape::Parameters(parameters) =
            std::mem::replace(&mut self.after_escape, AfterEscape::Nothing)
        {
            self.text += &parameters;
        }
        match self.is_too_long {
            true => PasteStep::TooLong,
            false => PasteStep::End(std::mem::take(&mut self.text)),
        }
    }

    /// Takes a character that may belong to an escape sequence.
    fn char(&mut self, char: char) {
        match std::mem::replace(&mut self.after_escape, AfterEscape::Nothing) {
            AfterEscape::Parameters(mut parameters) => match char {
                '0'..='9' | ';' | ':' | '?' => {
                    parameters.push(char);
                    self.after_escape = AfterEscape::Parameters(parameters);
                }
                'm' if parameters.is_empty() => self.after_escape = AfterEscape::LoneEnd,
                'm' | 'K' if !parameters.is_empty() => {}
                _ => {
                    parameters.chars().for_each(|char| self.put(char));
                    self.put(char);
                }
            },
            AfterEscape::LoneEnd => {
                if char.is_alphanumeric() {
                    self.put('m');
                }
                self.put(char);
            }
            AfterEscape::Nothing => self.put(char),
        }
    }

    fn put(&mut self, char: char) {
        if let AfterEscape::Parameters(parameters) =
            std::mem::replace(&mut self.after_escape, AfterEscape::Nothing)
        {
            self.text += &parameters;
        }
        match self.text.len() < MAX_INPUT_BYTES {
            true => self.text.push(char),
            false => self.is_too_long = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Modifiers = Modifiers::NONE;
    const END: KeyEvent = KeyEvent(KeyCode::BracketedPasteEnd, NONE);
    const ESCAPE: KeyEvent = KeyEvent(KeyCode::UnknownEscSeq, NONE);

    /// Pastes characters; `^` stands for what the editor reads of an escape sequence.
    fn paste(text: &str) -> PasteStep {
        let mut paste = Paste::start();
        for char in text.chars() {
            let key = if char == '^' { ESCAPE } else { KeyEvent::new(char, NONE) };
            match paste.take(key) {
                PasteStep::More => {}
                end => return end,
            }
        }
        paste.take(END)
    }

    fn text(pasted: &str) -> PasteStep {
        PasteStep::End(pasted.into())
    }

    #[test]
    fn line_ends_become_line_feeds_and_tabs_stay() {
        assert_eq!(paste("one\r\ntwo\rthree\n\nfour"), text("one\ntwo\nthree\n\nfour"));
        assert_eq!(paste("\tif x:\r\n\t\ty"), text("\tif x:\n\t\ty"));
    }

    #[test]
    fn control_characters_and_whole_escape_sequences_are_left_out() {
        assert_eq!(paste("a\u{7}b\u{8}c\u{7f}d\u{1}e\u{3}f"), text("abcdef"));
        // The rests of ESC[0m, ESC[0;31m and ESC[38;5;12m; the editor reads ESC[31m whole.
        assert_eq!(paste("evil ^red ^m"), text("evil red "));
        assert_eq!(paste("^;31mred^m\n^12mblue^m: x"), text("red\nblue: x"));
        assert_eq!(paste("^make ^12 apples ^3"), text("make 12 apples 3"));
    }

    #[test]
    fn the_end_is_found_behind_an_unfinished_sequence() {
        assert_eq!(paste("abc^[201~"), text("abc"));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_as_a_whole() {
        assert_eq!(paste(&"x".repeat(MAX_INPUT_BYTES)), text(&"x".repeat(MAX_INPUT_BYTES)));
        assert_eq!(paste(&"x".repeat(MAX_INPUT_BYTES + 1)), PasteStep::TooLong);
    }
}
