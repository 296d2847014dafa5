//! The config file: the same options as on the command line, in TOML.
//!
//! Keys are the options' long names; those of `lanchat serve` are in the table `[serve]`. A key
//! that does not exist is an error, never ignored: a misspelt limit must not look as if it held.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use toml::{Table, Value};

use super::bounds::{Age, Cap, Pace, Volume};
use super::invitation::Destination;
use super::values::{Color, HostPort, Size, Span};
use crate::fingerprint::Fingerprint;

/// What the config file says; everything is optional.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// `--host` of the client.
    pub host: Option<Destination>,
    /// `--no-discovery` of the client.
    pub no_discovery: Option<bool>,
    /// `--name` of the client.
    pub name: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--fingerprint`.
    pub fingerprint: Option<Vec<Fingerprint>>,
    /// `--plaintext`.
    pub plaintext: Option<bool>,
    /// `--passphrase-file` of the client.
    pub passphrase_file: Option<PathBuf>,
    /// `--timeout`.
    pub timeout: Option<Span>,
    /// `--color`.
    pub color: Option<Color>,
    /// The options of `lanchat serve`.
    #[serde(default)]
    pub serve: ServeConfig,
}

/// The table `[serve]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServeConfig {
    /// `--host` of `serve`.
    pub host: Option<HostPort>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--name` of `serve`.
    pub name: Option<String>,
    /// `--max-clients`.
    pub max_clients: Option<std::num::NonZeroU32>,
    /// `--max-per-ip`.
    pub max_per_ip: Option<Cap>,
    /// `--rate-limit`.
    pub rate_limit: Option<Pace>,
    /// `--closed`.
    pub closed: Option<bool>,
    /// `--passphrase-file` of `serve`.
    pub passphrase_file: Option<PathBuf>,
    /// `--allow-plaintext`.
    pub allow_plaintext: Option<bool>,
    /// `--ascii-names`.
    pub ascii_names: Option<bool>,
    /// `--backlog`.
    pub backlog: Option<Size>,
    /// `--memory`.
    pub memory: Option<Size>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--no-history`.
    pub no_history: Option<bool>,
    /// `--retain`.
    pub retain: Option<Age>,
    /// `--retain-size`.
    pub retain_size: Option<Volume>,
    /// `--motd`.
    pub motd: Option<PathBuf>,
    /// `--interface`.
    pub interface: Option<Vec<String>>,
    /// `--advertise`.
    pub advertise: Option<Vec<IpAddr>>,
    /// `--no-discovery` of `serve`.
    pub no_discovery: Option<bool>,
}

/// The keys outside tables.
pub(super) const KEYS: [&str; 10] = [
    "host",
    "no-discovery",
    "name",
    "server",
    "fingerprint",
    "plaintext",
    "passphrase-file",
    "timeout",
    "color",
    "serve",
];

/// The keys of the table `[serve]`.
pub(super) const SERVE_KEYS: [&str; 20] = [
    "host",
    "port",
    "name",
    "max-clients",
    "max-per-ip",
    "rate-limit",
    "closed",
    "passphrase-file",
    "allow-plaintext",
    "ascii-names",
    "backlog",
    "memory",
    "data-dir",
    "no-history",
    "retain",
    "retain-size",
    "motd",
    "interface",
    "advertise",
    "no-discovery",
];

/// How like two keys must be for the one to be offered for the other; 1 is the same.
const LIKENESS: f64 = 0.7;

/// The user's config file: where it is, whether or not it exists.
///
/// None on a system that does not say where the user's home is.
pub fn default_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("lanchat").join("config.toml"))
}

/// Reads the config file `chosen`, or else the user's own if there is one.
///
/// The error is one line that names the file. A file that was asked for must exist.
pub fn load(chosen: Option<&Path>) -> Result<Config, String> {
    let default = default_path();
    let Some(path) = chosen.or(default.as_deref()) else {
        return Ok(Config::default());
    };
    match fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|why| format!("config file {}{why}", path.display())),
        Err(error) if chosen.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(format!("cannot read the config file {}: {error}", path.display())),
    }
}

/// Parses the text of a config file. An error starts with `:LINE: ` if it belongs to a line.
pub fn parse(text: &str) -> Result<Config, String> {
    let table: Table = toml::from_str(text).map_err(|error| located(text, &error))?;
    check_keys(&table, "", &KEYS)?;
    if let Some(Value::Table(serve)) = table.get("serve") {
        check_keys(serve, " in [serve]", &SERVE_KEYS)?;
    }
    toml::from_str(text).map_err(|error| located(text, &error))
}

fn check_keys(table: &Table, place: &str, known: &[&str]) -> Result<(), String> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    let hint = match nearest(key, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("there are {}", known.join(", ")),
    };
    Err(format!(": unknown key \"{}\"{place}; {hint}", key.escape_debug()))
}

fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let score = |name: &str| strsim::jaro(key, name);
    let best = known.iter().max_by(|a, b| score(a).total_cmp(&score(b))).copied()?;
    (score(best) >= LIKENESS).then_some(best)
}

fn located(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', "; ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!(":{}: {message}", before.matches('\n').count() + 1),
        None => format!(": {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;
    use clap::ArgAction;

    /// The options that a config file can hold, from the command line's definition.
    fn options(command: &clap::Command) -> Vec<&str> {
        command
            .get_arguments()
            .filter(|arg| !matches!(arg.get_action(), ArgAction::Count))
            .filter(|arg| arg.get_env().is_some())
            .filter_map(clap::Arg::get_long)
            .filter(|long| *long != "config")
            .collect()
    }

    fn sorted(mut list: Vec<&str>) -> Vec<&str> {
        list.sort_unstable();
        list
    }

    #[test]
    fn keys_are_the_long_names_of_the_options() {
        let cli = args::definition();
        let mut expected = options(&cli);
        expected.push("serve");
        assert_eq!(sorted(KEYS.to_vec()), sorted(expected));
        let serve = cli.find_subcommand("serve").unwrap();
        assert_eq!(sorted(SERVE_KEYS.to_vec()), sorted(options(serve)));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_the_nearest_name() {
        let message = |text: &str| parse(text).unwrap_err();
        assert_eq!(message("hots = 'office'"), ": unknown key \"hots\"; did you mean \"host\"?");
        assert_eq!(
            message("[serve]\nmax-client = 5"),
            ": unknown key \"max-client\" in [serve]; did you mean \"max-clients\"?"
        );
        assert!(message("zzz = 1").contains("there are host, no-discovery, "));
    }

    #[test]
    fn errors_name_the_line() {
        let message = |text: &str| parse(text).unwrap_err();
        assert_eq!(message("name = 'a'\ntimeout = '5'"), ":2: expected a duration such as 500ms, 5s or 2min");
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
