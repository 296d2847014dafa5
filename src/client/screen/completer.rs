//! Tab completion at the prompt: commands at the start of a line, names and rooms everywhere else.

use crate::client::conversation::Roster;
use crate::client::shared_state::SharedState;
use crate::prompt::Complete;
use crate::protocol::command::{self, Place};

/// Names to offer; to narrow down more, the user types another letter.
const MAX_OFFERS: usize = 200;

/// Completes commands from the table, and names from the conversation's roster.
pub(crate) struct Completer(pub(crate) SharedState<Roster>);

impl Complete for Completer {
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<String>) {
        let before = &line[..pos];
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = &before[start..];
        let words = match word.strip_prefix('/') {
            Some(name) if start == 0 => commands(name, "/"),
            _ if before.starts_with("/help ") => commands(word, ""),
            // A whole crowd does not help a user who has typed nothing.
            _ if word.is_empty() && !before.starts_with('/') => Vec::new(),
            _ if word.starts_with('@') => self.names("@", &word[1..], " "),
            _ if word.starts_with('#') => self.names("", word, " "),
            _ if word.starts_with("in:#") => self.names("in:", &word[3..], " "),
            _ if word.starts_with("from:") => self.names("from:", &word[5..], " "),
            _ => self.names("", word, if start == 0 { ": " } else { " " }),
        };
        (start, words)
    }
}

impl Completer {
    fn names(&self, at: &str, start: &str, end: &str) -> Vec<String> {
        let roster = self.0.lock();
        roster.starting_with(start).take(MAX_OFFERS).map(|name| format!("{at}{name}{end}")).collect()
    }
}

fn commands(start: &str, slash: &str) -> Vec<String> {
    command::available(Place::Prompt, true)
        .filter(|command| command.name.starts_with(&start.to_lowercase()))
        .map(|command| format!("{slash}{} ", command.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> (usize, Vec<String>) {
        let mut roster = Roster::default();
        for name in ["Bob", "bert", "alice"] {
            roster.add(name);
        }
        roster.add_room("#games");
        Completer(SharedState::new(roster)).complete(line, line.len())
    }

    #[test]
    fn a_slash_completes_commands_and_letters_complete_names() {
        assert_eq!(complete("/us"), (0, vec!["/users ".into()]));
        assert_eq!(complete("/msg b"), (5, vec!["bert ".into(), "Bob ".into()]));
        assert_eq!(complete("/msg "), (5, vec!["alice ".into(), "bert ".into(), "Bob ".into()]));
        assert_eq!(complete("al"), (0, vec!["alice: ".into()]));
        assert_eq!(complete("hello BO"), (6, vec!["Bob ".into()]));
        assert_eq!(complete("ask @be"), (4, vec!["@bert ".into()]));
        assert_eq!(complete("/query @al"), (7, vec!["@alice ".into()]));
        assert_eq!(complete("/help na").1, Vec::<String>::new());
        assert_eq!(complete("/help ni"), (6, vec!["nick ".into()]));
        assert_eq!(complete("/join #g"), (6, vec!["#games ".into()]));
        assert_eq!(complete("/search tea in:#ga"), (12, vec!["in:#games ".into()]));
        assert_eq!(complete("/search tea from:b"), (12, vec!["from:bert ".into(), "from:Bob ".into()]));
        assert_eq!(complete(""), (0, vec![]));
        assert_eq!(complete("hello "), (6, vec![]));
    }

    #[test]
    fn a_cursor_between_words_and_wide_characters_is_no_trouble() {
        let (start, words) = Completer(SharedState::default()).complete("山 b 田", "山 b".len());
        assert_eq!((start, words), ("山 ".len(), vec![]));
    }
}
