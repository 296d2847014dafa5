//! The log: which lines, in which format.
//!
//! `LANCHAT_LOG` may hold directives. Otherwise, `--verbose` and `--quiet` raise and lower the subcommand's
//! level.

use std::env;
use std::fmt;
use std::io::IsTerminal;

use jiff::{Timestamp, ZonedDateTime};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use super::args::CommonArgs;
use super::exit::ExitError;
use super::values::LogLevel;

const VARIABLE: &str = "LANCHAT_LOG";

/// Levels from `--quiet` to `--verbose`.
const LEVELS: [LevelFilter; 5] =
    [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];

/// Changes the level of a log that has started.
pub(crate) struct LogFilter(reload::Handle<Targets, Registry>);

impl LogFilter {
    /// Sets the level, unless `LANCHAT_LOG` has the last word.
    pub(crate) fn set(&self, level: LogLevel, common: &CommonArgs) {
        // The error is that of a log that is gone.
        let _ = filter(level, common).map(|filter| self.0.reload(filter));
    }
}

/// The format of the time before a line.
#[derive(Clone, Copy, Debug)]
enum TimeFormat {
    /// Local hours, minutes and seconds, for a person who watches.
    OfDay,
    /// RFC 3339 in UTC with milliseconds, for files and journals.
    Full,
}

impl FormatTime for TimeFormat {
    fn format_time(&self, line: &mut Writer<'_>) -> fmt::Result {
        match self {
            Self::OfDay => write!(line, "{}", ZonedDateTime::now().strftime("%H:%M:%S")),
            Self::Full => write!(line, "{:.3}", Timestamp::now()),
        }
    }
}

pub(crate) fn start<W>(common: &CommonArgs, level: LogLevel, writer: W) -> Result<LogFilter, ExitError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level, common)?);
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_timer(if is_terminal { TimeFormat::OfDay } else { TimeFormat::Full })
        .with_ansi(is_terminal && env::var_os("NO_COLOR").is_none())
        .with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(LogFilter(handle))
}

fn filter(level: LogLevel, common: &CommonArgs) -> Result<Targets, ExitError> {
    let filter = match env::var(VARIABLE) {
        Ok(chosen) if !chosen.is_empty() => directives(&chosen).map_err(|error| {
            ExitError::usage(format!(
                "{VARIABLE} is {chosen:?}: {error}; use directives such as lanchat=debug"
            ))
        })?,
        _ => levels(level, common.verbose, common.quiet),
    };
    Ok(filter.with_target(crate::prompt::UNLOGGED, LevelFilter::OFF))
}

/// Parses directives: levels, and targets with their levels.
fn directives(text: &str) -> Result<Targets, ParseError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(",").parse()
}

/// Chooses the levels: libraries log one level less than lanchat, and at most `debug`.
fn levels(level: LogLevel, verbose: u8, quiet: u8) -> Targets {
    let level = (level as usize + usize::from(verbose)).saturating_sub(usize::from(quiet));
    let own = LEVELS[level.min(LEVELS.len() - 1)];
    let others = LEVELS[level.saturating_sub(1).min(LEVELS.len() - 2)];
    Targets::new().with_default(others).with_target("lanchat", own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_move_and_stop_at_the_ends() {
        let same = |moved: Targets, text: &str| assert_eq!(moved, directives(text).unwrap());
        same(levels(LogLevel::Info, 0, 0), "warn,lanchat=info");
        same(levels(LogLevel::Info, 1, 0), "info,lanchat=debug");
        same(levels(LogLevel::Info, 9, 0), "debug,lanchat=trace");
        same(levels(LogLevel::Info, 0, 9), "error,lanchat=error");
        same(levels(LogLevel::Error, 1, 0), "error,lanchat=warn");
    }

    #[test]
    fn directives_are_levels_and_targets() {
        let chosen = directives("warn, lanchat=debug,").unwrap();
        let enables = |target, level| chosen.would_enable(target, &level);
        assert!(
            enables("lanchat::server", tracing::Level::DEBUG) && !enables("mdns_sd", tracing::Level::INFO)
        );
        assert!(directives("lanchat=loud").is_err() && directives("a=b=c").is_err());
    }
}
