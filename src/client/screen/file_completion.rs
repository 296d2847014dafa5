//! Tab for the commands about files: paths as the user's shell would complete them, and the numbers of offers.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use crate::client::conversation::OfferNumbers;
use crate::client::typed_paths::PathStyle;
use crate::prompt::Completion;

/// Paths to offer; to narrow down more, the user types another letter.
const MAX_PATHS: usize = 200;

/// Entries of a folder to look at: a bigger one must not keep the line waiting.
const MAX_ENTRIES: usize = 10_000;

/// Completes an argument that is a path or a number; `None`: it is something else.
pub(super) fn complete(command: &str, before: &str, offers: &OfferNumbers) -> Option<Completion> {
    if !matches!(command, "send" | "accept" | "reject" | "cancel") {
        return None;
    }
    let arguments = before.find(char::is_whitespace).map_or(before.len(), |at| at + 1);
    let words = PathStyle::HERE.words(&before[arguments..]);
    let is_new = words.last().is_none_or(|word| !word.is_open);
    let position = words.len() - usize::from(!is_new);
    let last = words.into_iter().next_back().filter(|_| !is_new);
    let start = last.as_ref().map_or(before.len(), |word| arguments + word.start);
    let typed = last.map(|word| word.text).unwrap_or_default();
    let numbers = match command {
        "accept" | "reject" => &offers.open,
        "cancel" => &offers.to_cancel,
        _ => &Vec::new(),
    };
    let words = match (command, position) {
        ("accept" | "reject" | "cancel", 0) => numbers_with(numbers, &typed),
        ("send", 0) | ("cancel", _) => return None,
        ("accept", 1) => paths(&typed, &before[start..], true),
        ("send", _) => paths(&typed, &before[start..], false),
        _ => Vec::new(),
    };
    // Numbers come one after the other; of paths, Tab completes the common start, as shells do.
    Some(Completion { start, words, in_turn: position == 0 })
}

fn numbers_with(numbers: &[u64], start: &str) -> Vec<String> {
    let texts = numbers.iter().map(u64::to_string).filter(|number| number.starts_with(start));
    texts.map(|number| number + " ").collect()
}

/// The paths that start as typed.
fn paths(typed: &str, written: &str, only_folders: bool) -> Vec<String> {
    let style = PathStyle::HERE;
    let (folder, start) = match typed.rfind(|c| style.separates(c)) {
        Some(at) => typed.split_at(at + 1),
        None if typed == "~" => return vec![format!("~{MAIN_SEPARATOR}")],
        None => ("", typed),
    };
    let at = style.path(folder, etcetera::home_dir().ok());
    let at = if folder.is_empty() { PathBuf::from(".") } else { at };
    let found = entries(&at, start, only_folders);
    let texts: Vec<(String, bool)> =
        found.into_iter().map(|(name, is_folder)| (format!("{folder}{name}"), is_folder)).collect();
    let is_quoted = written.starts_with(['\'', '"']);
    // All in the same form, so that they have a common start.
    let quoted = is_quoted || texts.iter().any(|(text, _)| style.needs_quotes(text));
    let write = |(text, is_folder): (String, bool)| match is_folder {
        true => style.written(&format!("{text}{MAIN_SEPARATOR}"), true, quoted),
        false => style.written(&text, false, quoted) + " ",
    };
    texts.into_iter().map(write).collect()
}

/// The files and folders with that start, sorted. Hidden ones only if the start has their dot.
fn entries(folder: &Path, start: &str, only_folders: bool) -> Vec<(String, bool)> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let found = entries.take(MAX_ENTRIES).filter_map(|entry| {
        let entry = entry.ok()?;
        // A name that cannot be typed cannot be completed.
        let name = entry.file_name().into_string().ok().filter(|name| !name.chars().any(char::is_control))?;
        let is_meant = name.starts_with(start) && (start.starts_with('.') || !name.starts_with('.'));
        if !is_meant {
            return None;
        }
        let is_folder = entry.path().is_dir();
        (is_folder || !only_folders).then_some((name, is_folder))
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found.truncate(MAX_PATHS);
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn offers() -> OfferNumbers {
        OfferNumbers { open: vec![7, 12], to_cancel: vec![3] }
    }

    /// The completed lines.
    fn complete(line: &str) -> Vec<String> {
        let command = line[1..].split(' ').next().unwrap_or_default();
        let Some(Completion { start, words, .. }) = super::complete(command, line, &offers()) else {
            return vec!["-".into()];
        };
        words.iter().map(|word| format!("{}{word}", &line[..start])).collect()
    }

    #[test]
    fn paths_come_in_the_form_that_the_line_can_read() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plan.pdf", "plan two.pdf", "it's", ".hidden"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("docs")).unwrap();
        std::fs::write(dir.path().join("docs/a"), "").unwrap();
        let at = dir.path().display();
        let line = |rest: &str| complete(&format!("/send bob {}", rest.replace("AT", &at.to_string())));
        let expect = |rest: &str| format!("/send bob {}", rest.replace("AT", &at.to_string()));
        assert_eq!(line("AT/plan."), [expect("AT/plan.pdf ")]);
        assert_eq!(line("AT/plan"), [expect("'AT/plan two.pdf' "), expect("'AT/plan.pdf' ")]);
        assert_eq!(line("'AT/plan t"), [expect("'AT/plan two.pdf' ")]);
        assert_eq!(line("AT/plan\\ t"), [expect("'AT/plan two.pdf' ")]);
        assert_eq!(line("AT/it"), [expect("'AT/it'\\''s' ")]);
        assert_eq!(line("AT/d"), [expect("AT/docs/")]);
        assert_eq!(line("AT/docs/"), [expect("AT/docs/a ")]);
        assert_eq!(line("AT/.h"), [expect("AT/.hidden ")]);
        assert_eq!(line("x AT/d"), [expect("x AT/docs/")], "a second path");
        assert_eq!(line("AT/nothing"), [""; 0]);
        assert_eq!(complete(&format!("/accept 7 {at}/")), [format!("/accept 7 {at}/docs/")], "only folders");
        assert_eq!(complete("/send bo"), ["-"], "a name");
    }

    #[test]
    fn numbers_are_those_that_the_command_takes() {
        assert_eq!(complete("/accept "), ["/accept 7 ", "/accept 12 "]);
        assert_eq!(complete("/reject 1"), ["/reject 12 "]);
        assert_eq!(complete("/cancel "), ["/cancel 3 "]);
        assert_eq!(complete("/cancel 3 b"), ["-"], "a name");
        assert_eq!(complete("/send bob ~"), ["/send bob ~/"]);
    }
}
