//! What is logged, and where: lines on standard error.
//!
//! `LANCHAT_LOG` holds directives for those who look into something; otherwise `--verbose` and
//! `--quiet` move the level up and down from where the subcommand starts.

use std::env;
use std::fmt;
use std::io::IsTerminal;

use jiff::{Timestamp, Zoned};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::args::CommonArgs;
use super::exit::Failure;

/// The variable with the directives.
const VARIABLE: &str = "LANCHAT_LOG";

/// Levels from `--quiet` to `--verbose`.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The level that a subcommand logs at unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Only what failed: the subcommand talks to the user in other ways.
    Error = 0,
    /// Also what happens: the log is what there is to see of a server.
    Info = 2,
}

/// The time before a line.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// Local hours, minutes and seconds, for somebody who watches.
    OfDay,
    /// RFC 3339 in UTC with milliseconds, for files and journals.
    Full,
}

impl FormatTime for Clock {
    fn format_time(&self, line: &mut Writer<'_>) -> fmt::Result {
        match self {
            Self::OfDay => write!(line, "{}", Zoned::now().strftime("%H:%M:%S")),
            Self::Full => write!(line, "{:.3}", Timestamp::now()),
        }
    }
}

/// Starts logging to `writer` from `level` on. To be called once.
///
/// # Errors
/// When `LANCHAT_LOG` is no list of directives.
pub fn start<W>(common: &CommonArgs, level: Level, writer: W) -> Result<(), Failure>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = match env::var(VARIABLE) {
        Ok(chosen) if !chosen.is_empty() => EnvFilter::try_new(&chosen)
            .map_err(|error| Failure::usage(format!("{VARIABLE} is {chosen:?}: {error}")))?,
        _ => EnvFilter::new(directives(level, common.verbose, common.quiet)),
    };
    let filter = filter.add_directive(crate::prompt::LOG_DIRECTIVE.parse()?);
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_timer(if is_terminal { Clock::OfDay } else { Clock::Full })
        .with_ansi(is_terminal && env::var_os("NO_COLOR").is_none())
        .with_writer(writer)
        .init();
    Ok(())
}

/// Libraries are a level quieter than lanchat, and never louder than `debug`.
fn directives(level: Level, verbose: u8, quiet: u8) -> String {
    let level = (level as usize + usize::from(verbose)).saturating_sub(usize::from(quiet));
    let own = LEVELS[level.min(LEVELS.len() - 1)];
    let others = LEVELS[level.saturating_sub(1).min(LEVELS.len() - 2)];
    format!("{others},lanchat={own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_move_and_stop_at_the_ends() {
        assert_eq!(directives(Level::Info, 0, 0), "warn,lanchat=info");
        assert_eq!(directives(Level::Info, 1, 0), "info,lanchat=debug");
        assert_eq!(directives(Level::Info, 9, 0), "debug,lanchat=trace");
        assert_eq!(directives(Level::Info, 0, 9), "error,lanchat=error");
        assert_eq!(directives(Level::Error, 1, 0), "error,lanchat=warn");
    }

    #[test]
    fn directives_are_understood() {
        for verbose in 0..5 {
            assert!(EnvFilter::try_new(directives(Level::Info, verbose, 0)).is_ok());
        }
    }
}
