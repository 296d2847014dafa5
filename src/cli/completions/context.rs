//! The settings that the words so far, the environment and the config file make, read only for values that need
//! them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::ArgMatches;

use crate::cli::args;
use crate::cli::config::{self, Config};
use crate::files;

/// The words so far; the first one is the program.
#[derive(Debug)]
pub(super) struct TabContext {
    words: Vec<OsString>,
    settings: OnceLock<TabSettings>,
}

/// The settings that matter to Tab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TabSettings {
    /// Whether Tab may ask the network.
    pub(super) discovery: bool,
    /// The data directory of the server on this machine, unless it is the usual one.
    pub(super) data_dir: Option<PathBuf>,
}

impl TabContext {
    pub(super) fn new(words: Vec<OsString>) -> TabContext {
        TabContext { words, settings: OnceLock::new() }
    }

    pub(super) fn settings(&self) -> &TabSettings {
        self.settings.get_or_init(|| read(&self.words).unwrap_or_default())
    }
}

/// `None` if the config file is invalid or not read: it may be the one that forbids discovery.
fn read(words: &[OsString]) -> Option<TabSettings> {
    let first = matches(words, &Config::default())?;
    let chosen = value::<PathBuf>(&first, "config");
    // A pipe would keep the shell waiting, and has its content only once.
    chosen.as_deref().map_or(Ok(()), files::refuse_odd).ok()?;
    let config = config::load(chosen.as_deref()).ok()?;
    let matches = matches(words, &config)?;
    let configured = || config.serve().ok().and_then(|serve| serve.data_dir);
    Some(TabSettings {
        discovery: !is_set(&matches, "no_discovery"),
        data_dir: value(&matches, "data_dir").or_else(configured),
    })
}

/// Parses an unfinished command line: skips what it does not understand.
fn matches(words: &[OsString], config: &Config) -> Option<ArgMatches> {
    let cli = args::without_empty_variables(config.defaults(args::definition()));
    let tolerant = cli.mut_subcommands(|command| command.ignore_errors(true)).ignore_errors(true);
    tolerant.try_get_matches_from(words).ok()
}

/// The matches of the subcommand, if there is one, then those of the program.
fn levels(matches: &ArgMatches) -> impl Iterator<Item = &ArgMatches> {
    matches.subcommand().map(|(_, own)| own).into_iter().chain([matches])
}

fn value<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    levels(matches).find_map(|level| level.try_get_one::<T>(id).ok().flatten().cloned())
}

fn is_set(matches: &ArgMatches, id: &str) -> bool {
    levels(matches).any(|level| matches!(level.try_get_one::<bool>(id), Ok(Some(true))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(line: &str) -> TabSettings {
        let words = line.split(' ').map(OsString::from).collect();
        TabContext::new(words).settings().clone()
    }

    #[test]
    fn discovery_can_be_forbidden_on_the_line_and_in_the_config_file() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        let with = |text: &str, line: &str| {
            std::fs::write(&config, text).unwrap();
            settings(&format!("lanchat --config {} {line}", config.display())).discovery
        };
        assert!(with("", "send --nonsense --server"));
        assert!(!with("", "--no-discovery --server"));
        assert!(!with("", "send --no-discovery --server"));
        for line in ["--server", "send --server", "trust", "fingerprint --host"] {
            assert!(!with("no-discovery = true\nhost = '10.0.0.5'", line), "{line}");
            assert!(!with("no-discovry = true", line), "{line}");
        }
    }

    #[test]
    fn the_data_directory_is_that_of_the_line_or_else_of_the_config_file() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        std::fs::write(&config, "[serve]\ndata-dir = '/srv/chat'").unwrap();
        let with = |line: &str| settings(&format!("lanchat --config {} {line}", config.display())).data_dir;
        assert_eq!(with("export --room"), Some("/srv/chat".into()));
        assert_eq!(with("export --data-dir /tmp/x --room"), Some("/tmp/x".into()));
    }
}
