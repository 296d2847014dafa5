//! Makes remote text safe for a terminal, measures and breaks it; its submodules compare text in searches.
//!
//! Knows no packets or screens: apply it at the last step before a terminal. It replaces whatever could
//! control a terminal by U+FFFD rather than deleting it, so readers see that something was there. Invisible
//! characters that ordinary texts contain stay or vanish, whichever shows the text as its author meant it.

mod bidi;
mod clean;
mod command;
mod fold;
mod json;
mod lines;
mod sought;
mod words;

pub use clean::is_suspicious;
pub use command::command_words;
pub use fold::fold;
pub use json::escape_json;
pub use lines::{break_lines, width};
pub use sought::{Phrase, Sought};
pub use words::whole_words;

use crate::limits::MAX_QUOTE_CHARS;

/// A system's words for an error, without its number.
pub fn without_number(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(words, _)| words.to_owned())
}

/// Makes `text` one line that cannot move the cursor, change colours, or reorder or hide its surroundings.
/// Line feeds become spaces.
pub fn safe_line(text: &str) -> String {
    clean::clean(text)
}

/// The beginning of `text` as a [`safe_line`]: a remote text that stands within a line of this program.
pub fn brief_line(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE_CHARS) {
        Some((end, _)) => format!("{}…", safe_line(&text[..end])),
        None => safe_line(text),
    }
}

/// The lines of `text`, each safe as in [`safe_line`]; at least one.
pub fn safe_lines(text: &str) -> Vec<String> {
    text.trim_end_matches(['\n', '\r'])
        .split('\n')
        .map(|line| safe_line(line.trim_end_matches('\r')))
        .collect()
}

#[cfg(test)]
mod tests {
    mod page;

    use super::*;

    #[test]
    fn lines_are_separated_by_line_feeds_only() {
        assert_eq!(safe_lines("one\r\ntwo\u{2028}x\n"), ["one", "two\u{FFFD}x"]);
        assert_eq!(safe_lines(""), [""]);
        assert_eq!(safe_line("one\ntwo"), "one two");
    }
}
