//! Words for Tab in the form that each shell's script expects: a line that says what may stand there (`words`,
//! `files` or `folders`), then one word per line. Pure but for the answer itself.

use std::ffi::{OsStr, OsString};

use super::answer::{TabAnswer, TabWord, answer};
use super::bash_line::{BashLine, literal};

/// Answers bash: `line` is its command line up to the cursor, `typed` the end of the last word, which bash
/// replaces.
pub(super) fn bash(line: &OsStr, typed: &OsStr) -> String {
    let (line, typed) = (BashLine::parse(&line.to_string_lossy()), typed.to_string_lossy());
    if line.is_redirected {
        return written(&TabAnswer::Files, |_| None);
    }
    let words: Vec<OsString> = line.words.iter().map(OsString::from).collect();
    written(&answer(&words, &line.current), |word| line.replacement(&word.value, &typed))
}

/// Answers zsh, whose words have their quotes. zsh quotes what it inserts.
pub(super) fn zsh(words: &[OsString]) -> String {
    let words: Vec<String> = words.iter().map(|word| literal(&word.to_string_lossy())).collect();
    let Some((current, before)) = words.split_last() else { return String::new() };
    let before: Vec<OsString> = before.iter().map(OsString::from).collect();
    written(&answer(&before, current), |word| {
        let value = word.value.replace('\\', r"\\").replace(':', r"\:");
        Some(match &word.help {
            Some(help) => format!("{value}:{}", help.replace('\\', r"\\")),
            None => value,
        })
    })
}

/// Answers fish, whose last word has its quotes. fish quotes what it inserts.
pub(super) fn fish(words: &[OsString]) -> String {
    let Some((current, before)) = words.split_last() else { return String::new() };
    written(&answer(before, &literal(&current.to_string_lossy())), |word| {
        Some(match &word.help {
            Some(help) => format!("{}\t{help}", word.value),
            None => word.value.clone(),
        })
    })
}

fn written(answer: &TabAnswer, line: impl Fn(&TabWord) -> Option<String>) -> String {
    let words = match answer {
        TabAnswer::Files => return "files\n".into(),
        TabAnswer::Folders => return "folders\n".into(),
        TabAnswer::Words(words) => words,
    };
    let mut text = String::from("words\n");
    for line in words.iter().filter_map(line) {
        text += &line;
        text.push('\n');
    }
    text
}
