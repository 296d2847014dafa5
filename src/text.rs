//! Makes remote text safe for a terminal; its submodules compare text in searches.
//!
//! Knows no packets or screens: apply it at the last step before a terminal. It replaces whatever could
//! control a terminal by U+FFFD rather than deleting it, so readers see that something was there.

mod fold;
mod sought;
mod words;

pub use fold::fold;
pub use sought::{Phrase, Sought};
pub use words::whole_words;

/// Most combining marks to keep after a character; more would paint over neighbouring lines.
const MAX_MARKS_IN_A_ROW: usize = 4;

/// Stands for a character that must not reach the terminal.
const REPLACEMENT: char = '\u{FFFD}';

/// Makes `text` one line that cannot move the cursor, change colours, or reorder or hide its surroundings.
/// Line feeds become spaces.
pub fn safe_line(text: &str) -> String {
    clean(text, |c| if c == '\n' { Some(' ') } else { None })
}

/// The lines of `text`, each safe as in [`safe_line`]; at least one.
pub fn safe_lines(text: &str) -> Vec<String> {
    text.trim_end_matches(['\n', '\r'])
        .split('\n')
        .map(|line| safe_line(line.trim_end_matches('\r')))
        .collect()
}

fn clean(text: &str, special: impl Fn(char) -> Option<char>) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        let c = special(c).unwrap_or(if c == '\t' { ' ' } else { c });
        marks = if is_combining(c) { marks + 1 } else { 0 };
        match c {
            _ if marks > MAX_MARKS_IN_A_ROW => {}
            c if is_unsafe(c) => safe.push(REPLACEMENT),
            c => safe.push(c),
        }
    }
    safe
}

/// Control characters of all kinds, and characters that reorder or hide text: the list of Unicode TR36 2.3
/// and UTS 39, without the zero-width joiner and variation selectors, which emoji need.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'
            | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// Marks that take no column of their own, including zero-width joiners and variation selectors.
fn is_combining(c: char) -> bool {
    !c.is_control() && unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_escape_sequences_instead_of_running_them() {
        assert_eq!(safe_line("\x1b[2Jgone"), "\u{FFFD}[2Jgone");
        assert_eq!(safe_line("\x1b]52;c;cGF5bG9hZA==\x07"), "\u{FFFD}]52;c;cGF5bG9hZA==\u{FFFD}");
        assert_eq!(safe_line("\u{9b}31mred"), "\u{FFFD}31mred");
    }

    #[test]
    fn carriage_return_and_backspace_cannot_overwrite_the_line() {
        assert_eq!(safe_line("bob: hi\rali: ok\x08\x7f"), "bob: hi\u{FFFD}ali: ok\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn bidi_overrides_and_invisible_characters_are_shown() {
        assert_eq!(
            safe_line("a\u{202E}b\u{200B}c\u{2066}d\u{E0041}"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}"
        );
    }

    #[test]
    fn a_stack_of_combining_marks_is_cut() {
        assert_eq!(safe_line(&format!("a{}b", "\u{0301}".repeat(50))), format!("a{}b", "\u{0301}".repeat(4)));
    }

    #[test]
    fn ordinary_text_of_all_scripts_stays() {
        for text in ["plain", "José", "山田太郎", "أحمد", "👩‍👩‍👧 ❤️", "ไทย"] {
            assert_eq!(safe_line(text), text);
        }
    }

    #[test]
    fn lines_are_separated_by_line_feeds_only() {
        assert_eq!(safe_lines("one\r\ntwo\u{2028}x\n"), ["one", "two\u{FFFD}x"]);
        assert_eq!(safe_lines(""), [""]);
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left_and_a_second_pass_changes_nothing(text in any::<String>()) {
            let safe = safe_line(&text);
            prop_assert!(!safe.chars().any(is_unsafe));
            prop_assert_eq!(safe_line(&safe), safe);
        }
    }
}
