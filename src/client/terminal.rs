//! Notes and questions to the user while no prompt is open.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::prompt;
use crate::text::break_lines;

/// Prints a note for the user, broken at words if it goes to a terminal.
pub(crate) fn tell(note: &str) {
    for line in rows(note, columns()) {
        anstream::eprintln!("{line}");
    }
}

/// The columns of the screen, if notes go there.
fn columns() -> Option<usize> {
    let size = if io::stderr().is_terminal() { prompt::screen_size() } else { None };
    size.map(|(_, columns)| columns)
}

/// A question, broken at words as a note is. The answer stands behind it.
fn broken(question: &str, columns: Option<usize>) -> String {
    let text = question.trim_end();
    // The answer needs a column, too.
    let columns = columns.map(|columns| columns.saturating_sub(2).max(1));
    let lines: Vec<&str> = text.lines().flat_map(|line| rows(line, columns)).collect();
    lines.join("\n") + &question[text.len()..]
}

/// The rows of a note on a screen of so many columns. An indented note is to be copied, so it stays whole.
fn rows(note: &str, columns: Option<usize>) -> Vec<&str> {
    match columns {
        Some(columns) if !note.starts_with(' ') => {
            break_lines(note, columns, columns).into_iter().map(|row| &note[row]).collect()
        }
        _ => vec![note],
    }
}

/// Whether a user at a terminal can answer.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question to which only a clear yes is a yes.
pub(crate) async fn says_yes(question: &str) -> bool {
    is_yes(&answer(question).await.unwrap_or_default())
}

/// The same, for a caller that may wait for a person.
pub(crate) fn says_yes_here(question: &str) -> bool {
    is_yes(&ask(question).unwrap_or_default())
}

/// Asks a question, and reads a line; `None`: the user ended the input (Ctrl-D). Reads on a thread of its own,
/// because that waits for a person.
pub(crate) async fn answer(question: &str) -> Option<String> {
    let question = question.to_owned();
    tokio::task::spawn_blocking(move || ask(&question)).await.ok().flatten()
}

fn ask(question: &str) -> Option<String> {
    // Keys pressed while waiting are not an answer.
    prompt::forget_typed();
    anstream::eprint!("{}", broken(question, columns()));
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer).ok().filter(|length| *length > 0)?;
    // Bytes that are not UTF-8 are an answer too, if a wrong one.
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether an answer is a clear yes.
pub(crate) fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_breaks_at_words_unless_it_is_to_be_copied() {
        assert_eq!(rows("compare these numbers", Some(13)), ["compare these", "numbers"]);
        assert_eq!(rows("compare these numbers", None), ["compare these numbers"]);
        assert_eq!(broken("take it? [y/N] ", Some(13)), "take it?\n[y/N] ");
        assert_eq!(broken("two\nlines? ", Some(80)), "two\nlines? ");
        assert_eq!(rows("  lanchat trust office", Some(13)), ["  lanchat trust office"]);
    }
}
