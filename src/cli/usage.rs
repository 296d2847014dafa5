//! Parses the command line, and prints its errors as one line.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::process;

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::args::{self, Cli, ConnectArgs, ServeArgs, Subcommand};
use super::config::{self, Config};
use super::exit::{ExitError, sentence};
use super::word_order;

/// Parses the process's arguments and its config file. Ends the process after `--help` and `--version`.
pub(super) fn parse() -> Result<(Cli, Config), ExitError> {
    let words = word_order::arranged(std::env::args_os().collect(), &args::definition());
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
    let mut cli = Cli::from_arg_matches(&matches).map_err(told)?;
    if let Some((connect, matches)) = connection(&mut cli, &matches) {
        settle(connect, matches)?;
    }
    Ok((cli, config))
}

/// The options that choose a server, of a command that has them.
fn connection<'a>(cli: &'a mut Cli, all: &'a ArgMatches) -> Option<(&'a mut ConnectArgs, &'a ArgMatches)> {
    let matches = all.subcommand().map_or(all, |(_, matches)| matches);
    let connect = match &mut cli.command {
        None => &mut cli.join.connect,
        Some(Subcommand::Send(args)) => &mut args.join.connect,
        Some(Subcommand::Receive(args)) => &mut args.join.connect,
        Some(Subcommand::Tail(args)) => &mut args.join.connect,
        Some(Subcommand::Status(args)) => &mut args.join.connect,
        Some(Subcommand::Doctor(args)) => &mut args.connect,
        Some(_) => return None,
    };
    Some((connect, matches))
}

/// Decides between `--host` and `--server`, which each choose a server: a flag overrides a variable, and that
/// the config file.
fn settle(connect: &mut ConnectArgs, matches: &ArgMatches) -> Result<(), ExitError> {
    if connect.host.is_none() || connect.server.is_none() {
        return Ok(());
    }
    let rank = |id| match matches.value_source(id) {
        Some(ValueSource::CommandLine) => 2,
        Some(ValueSource::EnvVariable) => 1,
        _ => 0,
    };
    match rank("host").cmp(&rank("server")) {
        Ordering::Equal => {
            return Err(ExitError::usage("--host and --server each choose a server; remove one of them"));
        }
        Ordering::Greater => connect.server = None,
        Ordering::Less => connect.host = None,
    }
    Ok(())
}

fn matches(words: &[OsString], config: &Config) -> Result<ArgMatches, clap::Error> {
    let matches =
        args::without_empty_variables(config.defaults(args::definition())).try_get_matches_from(words)?;
    check_order(&matches)?;
    Ok(matches)
}

/// Rejects an option for joining before a subcommand that does not join: it would be ignored.
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
            let has_it = cli
                .find_subcommand(subcommand)
                .is_some_and(|command| command.get_arguments().any(|arg| arg.get_long() == Some(long)));
            let remedy = if has_it { "put it after the subcommand" } else { "remove it" };
            let message = format!("--{long} has no effect before '{subcommand}'; {remedy}");
            Err(cli.error(ErrorKind::ArgumentConflict, message))
        }
    }
}

/// Formats an error with its tips and the command that shows the help.
fn one_line(error: &clap::Error, words: &[OsString]) -> String {
    let mut text = sentence(error);
    let subcommand = subcommand(words);
    if let Some((option, variable)) = variable(error, words, subcommand.as_deref()) {
        text = text.replace(&format!("for '{option}'"), &format!("in the variable {variable}"));
    }
    let mut parts = vec![text.as_str()];
    if subcommand.is_none() && error.kind() == ErrorKind::InvalidSubcommand && !parts[0].contains("similar") {
        parts.push("to join a server by its host name: lanchat --host HOST");
    }
    format!("{}; see '{} --help'", parts.join("; "), topic(words))
}

/// Guesses the subcommand from words that do not parse.
fn subcommand(words: &[OsString]) -> Option<String> {
    let cli = args::definition();
    let mut rest = words.iter().skip(1);
    let command = rest.find_map(|word| cli.find_subcommand(word))?;
    Some(command.get_name().to_owned())
}

/// The same with the subcommand of that subcommand, as in `cluster join`.
fn topic(words: &[OsString]) -> String {
    let cli = args::definition();
    let (mut topic, mut command) = ("lanchat".to_owned(), &cli);
    for word in words.iter().skip(1) {
        if let Some(inner) = command.find_subcommand(word) {
            topic += &format!(" {}", inner.get_name());
            command = inner;
        }
    }
    topic
}

/// The option that an error is about, and its variable, if the invalid value comes from there.
fn variable(error: &clap::Error, words: &[OsString], subcommand: Option<&str>) -> Option<(String, String)> {
    let option = error.get(ContextKind::InvalidArg)?.to_string();
    let value = error.get(ContextKind::InvalidValue)?.to_string();
    let mut cli = args::definition();
    // Without this, an argument has no text.
    cli.build();
    let command = subcommand.and_then(|name| cli.find_subcommand(name)).unwrap_or(&cli);
    let arg = command.get_arguments().chain(cli.get_arguments()).find(|arg| arg.to_string() == option)?;
    let variable = arg.get_env()?.to_str()?;
    let is_typed = words.iter().skip(1).filter_map(|word| word.to_str()).any(|word| {
        let long = word.strip_prefix("--").map(|long| long.split('=').next().unwrap_or_default());
        long.is_some_and(|long| arg.get_long() == Some(long))
            || arg
                .get_short()
                .is_some_and(|short| long.is_none() && word.starts_with('-') && word.contains(short))
    });
    let holds = std::env::var(variable).is_ok_and(|held| held.contains(&value));
    (holds && !is_typed).then(|| (option, variable.to_owned()))
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
    fn the_last_of_repeated_options_wins() {
        let cli = parsed(
            &["lanchat", "-n", "al", "-n", "bob", "--color", "never", "--color", "auto"].map(OsString::from),
        );
        assert_eq!(cli.unwrap().join.name.as_deref(), Some("bob"));
        let cli = parsed(
            &["lanchat", "send", "--to", "al", "--json", "--to", "bob", "--json", "hi", "you"]
                .map(OsString::from),
        );
        let Some(Subcommand::Send(send)) = cli.unwrap().command else { panic!() };
        assert_eq!((send.to.as_deref(), send.text.join(" ").as_str()), (Some("bob"), "hi you"));
    }

    #[test]
    fn a_word_that_is_no_subcommand_may_be_a_host() {
        let wrong = message("lanchat office");
        assert!(wrong.contains("to join a server by its host name: lanchat --host HOST"), "{wrong}");
        assert!(!message("lanchat serv").contains("--host"));
    }

    #[test]
    fn tail_counts_by_n_and_has_names_in_the_long_form() {
        let cli =
            parsed(&["lanchat", "tail", "-f", "-n", "20", "--name", "bob"].map(OsString::from)).unwrap();
        let Some(Subcommand::Tail(tail)) = cli.command else { panic!() };
        assert_eq!((tail.last, tail.join.name.as_deref(), tail.follow), (Some(20), Some("bob"), true));
        assert!(
            message("lanchat tail -n bob")
                .contains("for '--last <N>': expected a number from 1 to 200; your name needs --name")
        );
    }

    #[test]
    fn missing_arguments_are_listed_after_a_colon() {
        let wrong = message("lanchat trust --replace");
        assert!(wrong.contains("were not provided: <NAME>; <FINGERPRINT>; see"), "{wrong}");
    }

    #[test]
    fn a_usage_error_names_the_help_of_its_subcommand() {
        let wrong = message("lanchat serve --port x");
        assert!(wrong.ends_with("; see 'lanchat serve --help'"), "{wrong}");
        let wrong = message("lanchat send --tp bob hi");
        assert!(wrong.ends_with("; see 'lanchat send --help'"), "{wrong}");
        let wrong = message("lanchat cluster");
        assert!(
            wrong.contains("requires a subcommand") && wrong.ends_with("; see 'lanchat cluster --help'"),
            "{wrong}"
        );
        let wrong = message("lanchat cluster join --otu x");
        assert!(wrong.ends_with("; see 'lanchat cluster join --help'"), "{wrong}");
    }

    #[test]
    fn an_option_before_a_subcommand_that_does_not_join_is_an_error() {
        let wrong = message("lanchat --host office serve");
        assert!(wrong.starts_with("--host has no effect before 'serve'; put it after"), "{wrong}");
        let wrong = message("lanchat --name bob discover");
        assert!(wrong.starts_with("--name has no effect before 'discover'; remove it"), "{wrong}");
        assert!(parsed(&["lanchat", "-v", "send", "hi"].map(OsString::from)).is_ok());
    }
}
