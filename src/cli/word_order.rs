//! Puts the words of a command line into the order that the parser knows, so that it takes what people type
//! first: options before the subcommand, an address alone, and `help send`.
//!
//! Knows the options only from the command line's definition, and reports nothing: it leaves words that it does
//! not understand as they are, for the parser's own error.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command};

/// Names for running the program without a subcommand, as other chat programs have them.
pub(super) const NO_SUBCOMMAND: [&str; 2] = ["chat", "join"];

/// Options that print something and end the program.
const ENDING: [&str; 4] = ["-h", "--help", "-V", "--version"];

/// Subcommands in which an option of the client's has another meaning: where to listen, whom to invite.
const OTHER_MEANING: [&str; 2] = ["serve", "invite"];

/// The meaning of the word after those so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextWord {
    /// After `help`: a subcommand.
    HelpTopic,
    /// After `chat` or `join`: an option or a host.
    ChatHost,
    /// As the definition has it.
    Usual,
}

/// An option before the subcommand, with its value.
struct Leading<'a> {
    arg: &'a Arg,
    value: Option<OsString>,
}

impl Leading<'_> {
    /// Writes the option in its long form: a short one may mean something else after the subcommand.
    fn word(&self) -> OsString {
        let mut word = OsString::from("--");
        word.push(self.arg.get_long().unwrap_or_default());
        if let Some(value) = &self.value {
            word.push("=");
            word.push(value);
        }
        word
    }

    /// Whether the subcommand has the option, with the same meaning.
    fn is_of(&self, subcommand: &Command) -> bool {
        let long = self.arg.get_long();
        !OTHER_MEANING.contains(&subcommand.get_name())
            && subcommand.get_arguments().any(|arg| arg.get_long() == long)
    }
}

/// Arranges a command line; the first word is the program.
pub(super) fn arranged(words: Vec<OsString>, cli: &Command) -> Vec<OsString> {
    let Some((program, rest)) = words.split_first() else { return words };
    let mut all = vec![program.clone()];
    match arranged_rest(rest, cli) {
        Some(rest) => all.extend(rest),
        None => return words,
    }
    all
}

/// Returns the meaning of the word after these, of which the first is the program.
pub(super) fn next_word(words: &[OsString], cli: &Command) -> NextWord {
    let mut rest = words.get(1..).unwrap_or_default();
    let mut before = Vec::new();
    while let Some((word, others)) = rest.split_first() {
        match word.to_str() {
            Some(text) if text.starts_with('-') && text.len() > 1 => {
                match options(text, others, cli, &mut before) {
                    Some(others) => rest = others,
                    None => break,
                }
            }
            Some("help") => return NextWord::HelpTopic,
            Some(text) if NO_SUBCOMMAND.contains(&text) => return NextWord::ChatHost,
            _ => break,
        }
    }
    NextWord::Usual
}

/// `None`: leave the words as they are.
fn arranged_rest(words: &[OsString], cli: &Command) -> Option<Vec<OsString>> {
    let (mut before, mut rest) = (Vec::new(), words);
    let mut is_chat = false;
    while let Some((word, others)) = rest.split_first() {
        let text = word.to_str()?;
        rest = others;
        if ENDING.contains(&text) {
            let words = before.iter().map(Leading::word).chain([word.clone()]);
            return is_chat.then(|| words.collect());
        }
        if text.starts_with('-') && text.len() > 1 {
            rest = options(text, rest, cli, &mut before)?;
        } else if text == "help" && !is_chat {
            return Some(rest.iter().take(1).cloned().chain([OsString::from("--help")]).collect());
        } else if let Some(subcommand) = cli.find_subcommand(word).filter(|_| !is_chat) {
            return Some(with_subcommand(&before, word, subcommand, rest));
        } else if NO_SUBCOMMAND.contains(&text) && !is_chat {
            is_chat = true;
        } else if is_host(text) || is_chat {
            before.push(Leading { arg: argument(cli, "host")?, value: Some(word.clone()) });
        } else {
            return None;
        }
    }
    Some(before.iter().map(Leading::word).collect())
}

/// Moves options behind a subcommand that has them. The parser reports the others.
fn with_subcommand(
    before: &[Leading<'_>],
    name: &OsStr,
    subcommand: &Command,
    rest: &[OsString],
) -> Vec<OsString> {
    let (moved, kept): (Vec<_>, Vec<_>) = before.iter().partition(|option| option.is_of(subcommand));
    let words = kept.into_iter().map(Leading::word).chain([name.to_owned()]);
    words.chain(moved.into_iter().map(Leading::word)).chain(rest.iter().cloned()).collect()
}

/// Reads a word of options, and returns the words after it and its value. `None`: the parser must see it.
fn options<'a, 'w>(
    text: &str,
    mut rest: &'w [OsString],
    cli: &'a Command,
    before: &mut Vec<Leading<'a>>,
) -> Option<&'w [OsString]> {
    let mut next = || {
        let (value, others) = rest.split_first()?;
        rest = others;
        Some(value.clone())
    };
    if let Some(long) = text.strip_prefix("--") {
        let (long, value) = long.split_once('=').map_or((long, None), |(long, value)| (long, Some(value)));
        let arg = argument(cli, long)?;
        let value = match value {
            Some(value) => Some(OsString::from(value)),
            None if takes_value(arg)? => Some(next()?),
            None => None,
        };
        before.push(Leading { arg, value });
        return Some(rest);
    }
    let mut letters = text[1..].chars();
    while let Some(letter) = letters.next() {
        let arg = cli.get_arguments().find(|arg| arg.get_short() == Some(letter))?;
        let value = match takes_value(arg)? {
            true if letters.as_str().is_empty() => Some(next()?),
            true => {
                let attached = letters.as_str();
                letters = "".chars();
                Some(OsString::from(attached.strip_prefix('=').unwrap_or(attached)))
            }
            false => None,
        };
        before.push(Leading { arg, value });
    }
    Some(rest)
}

fn argument<'a>(cli: &'a Command, long: &str) -> Option<&'a Arg> {
    cli.get_arguments().find(|arg| arg.get_long() == Some(long))
}

/// `None` for `--help` and `--version`, which the parser adds itself.
fn takes_value(arg: &Arg) -> Option<bool> {
    match arg.get_action() {
        ArgAction::Set | ArgAction::Append => Some(true),
        ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count => Some(false),
        _ => None,
    }
}

/// Whether a word can only be meant as an address, and not as a subcommand. The parser reports a wrong one.
fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    #[track_caller]
    fn becomes(typed: &str, expected: &str) {
        let words = typed.split(' ').map(OsString::from).collect();
        let words = arranged(words, &args::definition());
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words.join(" "), expected, "{typed}");
    }

    #[test]
    fn options_of_the_client_may_stand_before_the_subcommand() {
        becomes("lanchat --host office send hi", "lanchat send --host=office hi");
        becomes("lanchat -H office -n bob send -n al hi", "lanchat send --host=office --name=bob -n al hi");
        becomes(
            "lanchat -vHoffice --no-discovery tail",
            "lanchat --verbose tail --host=office --no-discovery",
        );
        becomes("lanchat -n bob tail -n 20", "lanchat tail --name=bob -n 20");
        becomes("lanchat --timeout=9s discover", "lanchat discover --timeout=9s");
    }

    #[test]
    fn an_option_that_means_nothing_there_stays_for_the_parsers_error() {
        becomes("lanchat --host 127.0.0.1 serve", "lanchat --host=127.0.0.1 serve");
        becomes("lanchat --name bob discover", "lanchat --name=bob discover");
        becomes("lanchat --hots office send", "lanchat --hots office send");
    }

    #[test]
    fn an_address_alone_is_the_host() {
        becomes("lanchat 10.0.0.5", "lanchat --host=10.0.0.5");
        becomes("lanchat -n bob [fe80::1%eth0]:7667", "lanchat --name=bob --host=[fe80::1%eth0]:7667");
        becomes("lanchat chat.example:7700 send hi", "lanchat send --host=chat.example:7700 hi");
        becomes("lanchat localhost", "lanchat --host=localhost");
        becomes("lanchat sevre", "lanchat sevre");
        becomes("lanchat 10.0.0.5:99999", "lanchat --host=10.0.0.5:99999");
    }

    #[test]
    fn chat_and_join_mean_no_subcommand() {
        becomes("lanchat chat", "lanchat");
        becomes("lanchat join -n bob office", "lanchat --name=bob --host=office");
        becomes("lanchat --host office chat", "lanchat --host=office");
        becomes("lanchat chat --help", "lanchat --help");
    }

    #[test]
    fn the_next_word_may_be_a_topic_or_a_host() {
        let next = |typed: &str| {
            let words: Vec<_> = typed.split(' ').map(OsString::from).collect();
            next_word(&words, &args::definition())
        };
        assert_eq!(next("lanchat help"), NextWord::HelpTopic);
        assert_eq!(next("lanchat -v -n help join --timeout=1s"), NextWord::ChatHost);
        for usual in ["lanchat", "lanchat send help", "lanchat -n chat", "lanchat --nope chat"] {
            assert_eq!(next(usual), NextWord::Usual, "{usual}");
        }
    }

    #[test]
    fn help_takes_a_subcommand() {
        becomes("lanchat help", "lanchat --help");
        becomes("lanchat help send", "lanchat send --help");
        becomes("lanchat send help", "lanchat send help");
        becomes("lanchat -v --help", "lanchat -v --help");
        becomes("lanchat -- send", "lanchat -- send");
    }
}
