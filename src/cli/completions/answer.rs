//! The words that may stand at the cursor. Knows no shell.

use std::ffi::OsString;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{self, CompletionCandidate};

use super::context::TabContext;
use super::values::{self, FILES, FOLDERS};
use crate::cli::args;
use crate::cli::word_order::{self, NO_SUBCOMMAND, NextWord};

/// The words or files that may stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TabAnswer {
    /// A file, which the shell completes itself.
    Files,
    /// A directory, which the shell completes itself.
    Folders,
    Words(Vec<TabWord>),
}

/// A word that may stand at the cursor, with what it means. Has no control characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TabWord {
    pub(super) value: String,
    pub(super) help: Option<String>,
}

/// Completes `current`, the word at the cursor, after `words`: the program and its arguments.
pub(super) fn answer(words: &[OsString], current: &str) -> TabAnswer {
    let is_assignment =
        |word: &&OsString| word.to_str().is_some_and(|word| word.contains('=') && !word.starts_with('-'));
    let words = &words[words.iter().take_while(is_assignment).count()..];
    let real = args::definition();
    let next = word_order::next_word(words, &real);
    let arranged = arranged(words, current, next, &real);
    let context = Arc::new(TabContext::new(arranged.clone()));
    // A lone dash stands for options, which the library lists by their letters.
    let typed = if current == "-" { "--" } else { current };
    let index = arranged.len();
    let words = arranged.into_iter().chain([typed.into()]).collect();
    let found = engine::complete(&mut completed(real, &context), words, index, None).unwrap_or_default();
    shown(found, current, next)
}

/// The words as the parser knows them, which need not be complete.
fn arranged(words: &[OsString], current: &str, next: NextWord, cli: &Command) -> Vec<OsString> {
    if next == NextWord::HelpTopic {
        return words.to_vec();
    }
    let mut arranged = word_order::arranged(words.to_vec(), cli);
    if next != NextWord::ChatHost {
        return arranged;
    }
    let is_text = |word: &OsString, is_meant: fn(&str) -> bool| word.to_str().is_some_and(is_meant);
    if arranged == words {
        // An option lacks its value.
        if let Some(at) = arranged.iter().position(|word| is_text(word, |word| NO_SUBCOMMAND.contains(&word)))
        {
            arranged.remove(at);
        }
    } else if !current.starts_with('-')
        && !arranged.iter().any(|word| is_text(word, |word| word.starts_with("--host=")))
    {
        arranged.push("--host".into());
    }
    arranged
}

/// The command line's definition with the values of its options, and with words that the parser never sees.
fn completed(cli: Command, context: &Arc<TabContext>) -> Command {
    let topics = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let cli = values::attach(cli, context);
    let topic = Arg::new("topic").add(values::topics(topics));
    let help = Command::new("help").about("Show the help of a command").arg(topic).disable_help_flag(true);
    let unusual = |name: &'static str| Command::new(name).about("Join the chat").hide(true);
    // A word with a dot or a colon is a host.
    let host = Arg::new("a host alone").add(values::host_alone(context));
    cli.arg(host).subcommand(help).subcommand(unusual("chat")).subcommand(unusual("join"))
}

/// Selects what to show: options only if asked for, or if there is nothing else.
fn shown(found: Vec<CompletionCandidate>, current: &str, next: NextWord) -> TabAnswer {
    let is_kind = |candidate: &CompletionCandidate, kind: &str| {
        candidate.get_id().is_some_and(|id| id.starts_with(kind))
    };
    let is_option = |candidate: &CompletionCandidate| is_kind(candidate, "arg::");
    for (id, answer) in [(FILES, TabAnswer::Files), (FOLDERS, TabAnswer::Folders)] {
        if found.iter().any(|candidate| is_kind(candidate, id)) {
            return answer;
        }
    }
    let has_values = found.iter().any(|candidate| !is_option(candidate));
    let is_letters = current.starts_with('-') && !current.starts_with("--") && current.len() > 1;
    let is_shown = |candidate: &CompletionCandidate| match next {
        NextWord::HelpTopic => !is_option(candidate),
        NextWord::ChatHost if is_kind(candidate, "command::") => false,
        _ => !is_option(candidate) || !(is_letters || (current.is_empty() && has_values)),
    };
    let mut words: Vec<TabWord> = found.iter().filter(|one| is_shown(one)).filter_map(word).collect();
    if is_letters && words.is_empty() && found.iter().any(is_option) {
        // Letters of options are complete as they are.
        words.push(TabWord { value: current.to_owned(), help: None });
    }
    TabAnswer::Words(words)
}

fn word(candidate: &CompletionCandidate) -> Option<TabWord> {
    let value = candidate.get_value().to_str()?.to_owned();
    let help = candidate.get_help().map(|help| sentence(&help.to_string()));
    (!value.contains(char::is_control)).then_some(TabWord { value, help })
}

/// The first sentence of a help text, which has to fit beside the word.
fn sentence(help: &str) -> String {
    let line = help.lines().next().unwrap_or_default();
    line.split(". ").next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
