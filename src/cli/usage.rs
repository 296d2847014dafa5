//! Parses the command line, and prints its errors as one line.

use std::ffi::OsString;
use std::process;

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::args::{self, Cli, ServeArgs, Subcommand};
use super::config::{self, Config};
use super::exit::{ExitError, sentence};

/// Parses the process's arguments and its config file. Ends the process after `--help` and `--version`.
pub(super) fn parse() -> Result<(Cli, Config), ExitError> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let told = |error: clap::Error| {
        if error.use_stderr() {
            return ExitError::usage(one_line(&error, &words));
        }
        // A closed pipe does not matter: its reader has what it wanted.
        let _ = error.print();
        process::exit(0)
    };
    // The first pass finds the config file; the second uses its values as defaults.
    let cli = Cli::from_arg_matches(&matches(&words, &Config::default()).map_err(told)?).map_err(told)?;
    if let Some(Subcommand::Completions(_) | Subcommand::Man(_)) = cli.command {
        // These must work despite a broken config file.
        return Ok((cli, Config::default()));
    }
    let config = config::load(cli.common.config.as_deref()).map_err(ExitError::usage)?;
    let matches = matches(&words, &config).map_err(told)?;
    if let Some(("serve", matches)) = matches.subcommand() {
        ServeArgs::check(matches)?;
    }
    Ok((Cli::from_arg_matches(&matches).map_err(told)?, config))
}

fn matches(words: &[OsString], config: &Config) -> Result<ArgMatches, clap::Error> {
    let matches =
        args::without_empty_variables(config.defaults(args::definition())).try_get_matches_from(words)?;
    check_order(&matches)?;
    Ok(matches)
}

/// Rejects an option for joining before a subcommand, which would be ignored: `lanchat -H office send`.
fn check_order(matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(subcommand) = matches.subcommand_name() else {
        return Ok(());
    };
    let mut cli = args::definition();
    let misplaced = cli.get_arguments().find(|arg| {
        let id = arg.get_id().as_str();
        let typed = matches.value_source(id) == Some(ValueSource::CommandLine);
        typed && !arg.is_global_set()
    });
    match misplaced.and_then(|arg| arg.get_long()) {
        None => Ok(()),
        Some(long) => {
            let message =
                format!("--{long} has no effect before '{subcommand}'; put it after the subcommand");
            Err(cli.error(ErrorKind::ArgumentConflict, message))
        }
    }
}

/// Formats an error with its tips and the command that shows the help.
fn one_line(error: &clap::Error, words: &[OsString]) -> String {
    let text = sentence(error);
    let mut parts = vec![text.as_str()];
    let subcommand = subcommand(words);
    if subcommand.as_deref() == Some("send") && is_bare_word(error) {
        parts.push("put the message in quotes");
    }
    let topic = subcommand.map_or("lanchat".to_owned(), |name| format!("lanchat {name}"));
    format!("{}; see '{topic} --help'", parts.join("; "))
}

/// Guesses the subcommand from words that do not parse.
fn subcommand(words: &[OsString]) -> Option<String> {
    let cli = args::definition();
    words.iter().skip(1).find_map(|word| Some(cli.find_subcommand(word)?.get_name().to_owned()))
}

/// Whether the surplus argument is not an option.
fn is_bare_word(error: &clap::Error) -> bool {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    error.kind() == ErrorKind::UnknownArgument && argument.is_some_and(|word| !word.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[OsString]) -> Result<Cli, clap::Error> {
        matches(words, &Config::default()).and_then(|matches| Cli::from_arg_matches(&matches))
    }

    fn message(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        one_line(&parsed(&words).unwrap_err(), &words)
    }

    #[test]
    fn usage_errors_are_one_line_with_a_tip() {
        let wrong = message("lanchat --hots office");
        assert_eq!(
            wrong,
            "unexpected argument '--hots' found; a similar argument exists: '--host'; see 'lanchat --help'"
        );
        for line in [
            "lanchat completions",
            "lanchat completions csh",
            "lanchat --color blue",
            "lanchat --host a:b",
            "lanchat serv",
            "lanchat serve --max-clients 0",
            "lanchat man moon",
        ] {
            let wrong = message(line);
            assert!(!wrong.contains('\n'), "{wrong}");
            assert!(wrong.len() > 30, "{wrong}");
        }
    }

    #[test]
    fn missing_arguments_are_listed_after_a_colon() {
        let wrong = message("lanchat trust");
        assert!(wrong.contains("were not provided: <NAME>; <FINGERPRINT>; see"), "{wrong}");
    }

    #[test]
    fn a_usage_error_names_the_help_of_its_subcommand() {
        let wrong = message("lanchat serve --port x");
        assert!(wrong.ends_with("; see 'lanchat serve --help'"), "{wrong}");
        let wrong = message("lanchat send two words");
        assert!(wrong.ends_with("; put the message in quotes; see 'lanchat send --help'"), "{wrong}");
        assert!(!message("lanchat send --tp bob hi").contains("quotes"));
    }

    #[test]
    fn an_option_before_a_subcommand_is_an_error() {
        let wrong = message("lanchat --host office send hi");
        assert!(wrong.starts_with("--host has no effect before 'send'"), "{wrong}");
        assert!(parsed(&["lanchat", "-v", "send", "hi"].map(OsString::from)).is_ok());
    }
}
