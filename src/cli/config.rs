//! The config file: the same options as on the command line, in TOML.
//!
//! Keys are the long names of the options that have a variable; the options of `lanchat serve` are in the table
//! `[serve]`, and the preferences of the chat in `[chat]`. A key's value becomes the option's default. An unknown
//! key is an error: a misspelt limit must not look as if it held.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, FromArgMatches};
use etcetera::BaseStrategy;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::args::{self, ServeArgs};
use super::chat_table::{self, CHAT};
use super::exit::{ExitError, sentence};
use crate::client::{Preferences, find_preference, nearest_key};
use crate::encoding;
use crate::files;

/// The values in the config file, as on the command line, by the options' long names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    client: Values,
    serve: Values,
    pub(crate) chat: Preferences,
    /// The file, whether it exists or not; `None` for a user without a home.
    pub(crate) path: Option<PathBuf>,
}

type Values = BTreeMap<String, Vec<String>>;

/// Bytes of a config file. The annotated sample takes under a hundredth.
const MAX_FILE_BYTES: usize = 1024 * 1024;

/// The table with the options of `lanchat serve`.
const SERVE: &str = "serve";

impl Config {
    /// Makes the file's values the defaults of the command line.
    pub(crate) fn defaults(&self, cli: Command) -> Command {
        cli.mut_args(|arg| with_default(arg, &self.client)).mut_subcommands(|command| {
            let values = if command.get_name() == SERVE { &self.serve } else { &self.client };
            command.mut_args(|arg| with_default(arg, values))
        })
    }

    /// Returns the options of a server started without options and variables.
    pub(crate) fn serve(&self) -> Result<ServeArgs, ExitError> {
        let serve = serve_of(&self.defaults(args::definition())).mut_args(|arg| arg.env(None::<&str>));
        let matches = serve.no_binary_name(true).try_get_matches_from([""; 0])?;
        Ok(ServeArgs::from_arg_matches(&matches)?)
    }
}

fn with_default(arg: Arg, values: &Values) -> Arg {
    match key(&arg).and_then(|key| values.get(key)) {
        Some(values) => arg.default_values(values),
        None => arg,
    }
}

fn serve_of(cli: &Command) -> Command {
    cli.find_subcommand(SERVE).cloned().unwrap_or_default()
}

/// Returns an option's key, if a config file may contain it.
fn key(arg: &Arg) -> Option<&str> {
    let is_setting = arg.get_env().is_some() && !matches!(arg.get_action(), ArgAction::Count);
    arg.get_long().filter(|long| is_setting && *long != "config")
}

/// Returns the path of the user's config file, whether it exists or not; `None` for a user without a home.
fn default_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("lanchat").join("config.toml"))
}

/// Reads the config file `chosen`, which must exist, or else the user's own if it exists.
pub(crate) fn load(chosen: Option<&Path>) -> Result<Config, String> {
    let default = default_path();
    let Some(path) = chosen.or(default.as_deref()) else {
        return Ok(Config::default());
    };
    let at = |config| Config { path: Some(path.to_owned()), ..config };
    match read_file(path) {
        Ok(text) => parse(&text).map(at).map_err(|why| format!("config file {}{why}", path.display())),
        Err(error) if chosen.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(at(Config::default()))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::TimedOut) => {
            Err(format!("cannot read the config file {}: {error}", path.display()))
        }
        Err(error) => {
            let path = path.display();
            Err(format!("cannot read the config file {path}: {error}; use another file with --config"))
        }
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    let bytes = files::read_named(path, MAX_FILE_BYTES + 1)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it is over {MAX_FILE_BYTES} bytes long")));
    }
    Ok(encoding::decode(&bytes)?.0)
}

/// Parses a config file. An error starts with `:LINE: ` if it belongs to a line.
pub(crate) fn parse(text: &str) -> Result<Config, String> {
    let table = DeTable::parse(text).map_err(|error| located(text, error.span(), error.message()))?;
    let cli = args::definition();
    let mut config = Config::default();
    for (key, value) in table.get_ref() {
        match value.get_ref() {
            DeValue::Table(table) if key.get_ref() == SERVE => {
                let serve = serve_of(&cli);
                for (key, value) in table {
                    read(text, &serve, (key, value), &mut config.serve)?;
                }
            }
            DeValue::Table(table) if key.get_ref() == CHAT => {
                config.chat = chat_table::read(table).map_err(|(at, why)| located(text, at, &why))?;
            }
            _ => read(text, &cli, (key, value), &mut config.client)?,
        }
    }
    Ok(config)
}

/// Reads one key, which must be an option of `command` and have a valid value.
fn read(
    text: &str,
    command: &Command,
    (name, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>),
    values: &mut Values,
) -> Result<(), String> {
    let options = || command.get_arguments().filter_map(|arg| Some((key(arg)?, arg)));
    let Some((key, arg)) = options().find(|(key, _)| key == name.get_ref()) else {
        let known: Vec<&str> = options().map(|(key, _)| key).collect();
        return Err(located(text, Some(name.span()), &unknown(name.get_ref(), command, &known)));
    };
    let typed = typed(arg, value.get_ref());
    let typed = typed.and_then(|typed| check(key, arg, &typed).map(|()| typed));
    values.insert(key.to_owned(), typed.map_err(|why| located(text, Some(value.span()), &why))?);
    Ok(())
}

/// Converts a key's value to words of the command line.
fn typed(arg: &Arg, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, DeValue::Boolean(is_set)) => Ok(vec![is_set.to_string()]),
        (ArgAction::SetTrue, _) => Err("expected true or false".to_owned()),
        (ArgAction::Append, DeValue::Array(items)) => items.iter().map(|item| word(item.get_ref())).collect(),
        (ArgAction::Append, _) => Err("expected a list of texts, such as [\"one\", \"two\"]".to_owned()),
        _ => Ok(vec![word(value)?]),
    }
}

fn word(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err("the number is too large".to_owned()),
        },
        _ => Err("expected a text or a whole number".to_owned()),
    }
}

/// Has the option check its values here, where the line is known.
fn check(key: &str, arg: &Arg, typed: &[String]) -> Result<(), String> {
    if let ArgAction::SetTrue = arg.get_action() {
        return Ok(());
    }
    let alone = Command::new(SERVE).no_binary_name(true).arg(arg.clone().env(None::<&str>));
    let words = typed.iter().map(|word| format!("--{key}={word}"));
    alone.try_get_matches_from(words).map(|_| ()).map_err(|error| sentence(&error))
}

fn unknown(key: &str, command: &Command, known: &[&str]) -> String {
    let place = if command.get_name() == SERVE { " in [serve]" } else { "" };
    let hint = match nearest_key(key, known.iter().copied()) {
        _ if place.is_empty() && find_preference(key).is_ok() => "it belongs in the table [chat]".to_owned(),
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known keys: {}", known.join(", ")),
    };
    format!("unknown key \"{}\"{place}; {hint}", key.escape_debug())
}

fn located(text: &str, at: Option<Range<usize>>, message: &str) -> String {
    let message = message.replace('\n', "; ");
    match at.and_then(|at| text.get(..at.start)) {
        Some(before) => format!(":{}: {message}", before.matches('\n').count() + 1),
        None => format!(": {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, JoinArgs};
    use crate::client::SETTINGS;
    use crate::limits::DEFAULT_PORT;
    use std::collections::BTreeSet;

    const SAMPLE: &str = include_str!("../../dist/config.toml");

    fn serve(config: &str) -> ServeArgs {
        parse(config).unwrap().serve().unwrap()
    }

    fn join(config: &str) -> JoinArgs {
        let cli = parse(config).unwrap().defaults(args::definition());
        let cli = cli.mut_args(|arg| arg.env(None::<&str>));
        Cli::from_arg_matches(&cli.get_matches_from(["lanchat"])).unwrap().join
    }

    #[test]
    fn the_annotated_sample_says_what_the_defaults_are() {
        assert_eq!(join(SAMPLE), join(""));
        assert_eq!(serve(SAMPLE), ServeArgs { port: Some(DEFAULT_PORT), ..serve("") });
    }

    #[test]
    fn the_annotated_sample_has_every_key() {
        let whole = SAMPLE.replace("\n# ", "\n");
        let lines = whole.lines().filter(|line| line.starts_with('[') || line.contains(" = "));
        let lines = lines.collect::<Vec<_>>().join("\n");
        let sample = parse(&lines).unwrap();
        let cli = args::definition();
        for (command, values) in [(&cli, &sample.client), (&serve_of(&cli), &sample.serve)] {
            let keys: BTreeSet<&str> = command.get_arguments().filter_map(key).collect();
            let name = command.get_name();
            for key in &keys {
                assert!(values.contains_key(*key), "dist/config.toml lacks the key {key} of {name}");
            }
            assert_eq!(values.len(), keys.len());
        }
        let chat: toml::Table = lines.parse().unwrap();
        let chat: BTreeSet<_> = chat["chat"].as_table().unwrap().keys().cloned().collect();
        assert_eq!(chat, SETTINGS.iter().map(|preference| preference.name.to_owned()).collect());
    }

    #[test]
    fn the_chats_preferences_are_read_strictly() {
        let chat = parse("[chat]\nbell = false\njoin = ['dev']\ntime = '%H'").unwrap().chat;
        let expected = Preferences {
            bell: crate::client::NotifyLevel::Off,
            join: vec!["#dev".into()],
            time: "%H".into(),
            ..Preferences::default()
        };
        assert_eq!(chat, expected);
        let message = |text: &str| parse(&format!("[chat]\n{text}")).unwrap_err();
        assert_eq!(message("bel = 'off'"), ":2: unknown key \"bel\" in [chat]; did you mean \"bell\"?");
        assert!(message("zzz = 1").contains("known keys: bell, notify, "), "{}", message("zzz = 1"));
        for wrong in ["bell = 'loud'", "wrap = 'yes'", "join = '#dev'", "join = ['a b']", "time = 5"] {
            assert!(message(wrong).starts_with(":2: ") && message(wrong).contains("expected"), "{wrong}");
        }
        let misplaced = parse("bell = 'off'").unwrap_err();
        assert!(misplaced.contains("it belongs in the table [chat]"), "{misplaced}");
    }

    #[test]
    fn values_are_what_the_options_take() {
        let args =
            serve("[serve]\nrate-limit = 5\nmax-per-ip = 'off'\nclosed = true\ninterface = ['a', 'b']");
        assert_eq!((args.rate_limit.to_string(), args.max_per_ip.to_string()), ("5:20".into(), "off".into()));
        assert_eq!((args.closed, args.interface), (true, vec!["a".to_owned(), "b".to_owned()]));
        let message = |text: &str| parse(&format!("[serve]\n{text}")).unwrap_err();
        for (text, words) in [
            ("closed = 'yes'", ":2: expected true or false"),
            ("interface = 'a'", ":2: expected a list"),
            ("name = 1.5", ":2: expected a text"),
            ("max-per-ip = 0", "above zero, or off"),
            ("backlog = '1KiB'", "one message must fit"),
            ("retain-size = 5", "use at least 1MiB"),
        ] {
            assert!(message(text).contains(words), "{text}: {}", message(text));
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_the_nearest_name() {
        let message = |text: &str| parse(text).unwrap_err();
        assert_eq!(message("hots = 'office'"), ":1: unknown key \"hots\"; did you mean \"host\"?");
        assert_eq!(
            message("[serve]\nmax-client = 5"),
            ":2: unknown key \"max-client\" in [serve]; did you mean \"max-clients\"?"
        );
        assert!(
            message("zzz = 1").contains("known keys: color, host, no-discovery, "),
            "{}",
            message("zzz = 1")
        );
        assert!(message("config = 'x'").contains("unknown key"));
    }

    #[test]
    fn errors_name_the_line() {
        let message = |text: &str| parse(text).unwrap_err();
        assert_eq!(
            message("name = 'a'\ntimeout = '5'"),
            ":2: invalid value '5' for '--timeout <DURATION>': expected a duration such as 500ms, 5s or 2min"
        );
        assert!(message("name = 'a'\nhost = [").starts_with(":2: "));
        assert!(message("[serve]\nport = 70000").starts_with(":2: "));
        assert!(!message("\n\n[serve]\nport = true").contains('\n'));
    }

    #[test]
    fn a_missing_file_matters_only_when_it_was_asked_for() {
        let missing = Path::new("no-such-directory/config.toml");
        let message = load(Some(missing)).unwrap_err();
        assert!(message.starts_with("cannot read the config file no-such-directory"));
    }
}
