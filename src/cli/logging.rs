//! The log: which lines, in which format.
//!
//! `LANCHAT_LOG` may hold directives. Otherwise, `--verbose` and `--quiet` raise and lower the subcommand's
//! level.

use std::env;
use std::fmt::Debug;
use std::io::IsTerminal;

use jiff::{Timestamp, ZonedDateTime};
use tracing::field::Field;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::format::{DefaultFields, Format, Full, Json, JsonFields, Writer, debug_fn};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use super::args::{CommonArgs, LogFormat};
use super::exit::ExitError;
use super::values::LogLevel;

/// The field with the name of an event.
const EVENT: &str = "event";

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
    fn format_time(&self, line: &mut Writer<'_>) -> std::fmt::Result {
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
    start_as(common, level, LogFormat::Text, writer)
}

/// Like [`start`], in one of two formats.
pub(crate) fn start_as<W>(
    common: &CommonArgs,
    level: LogLevel,
    format: LogFormat,
    writer: W,
) -> Result<LogFilter, ExitError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level, common)?);
    let is_terminal = std::io::stderr().is_terminal();
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Json => registry.with(json(writer).with_filter(filter)).init(),
        LogFormat::Text if is_terminal => {
            let has_colour = env::var_os("NO_COLOR").is_none();
            let lines = text(writer).with_timer(TimeFormat::OfDay).with_ansi(has_colour);
            registry.with(lines.fmt_fields(debug_fn(for_people)).with_filter(filter)).init();
        }
        LogFormat::Text => registry.with(text(writer).with_filter(filter)).init(),
    }
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

/// Lines of text. Their fields follow the message.
fn text<S, W>(writer: W) -> fmt::Layer<S, DefaultFields, Format<Full, TimeFormat>, W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    fmt::layer().with_target(false).with_timer(TimeFormat::Full).with_ansi(false).with_writer(writer)
}

/// Lines of JSON: one object with the members `timestamp`, `level`, `message`, `event` and the event's own.
fn json<S, W>(writer: W) -> fmt::Layer<S, JsonFields, Format<Json, TimeFormat>, W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    lines.with_target(false).with_timer(TimeFormat::Full).with_writer(writer)
}

/// Writes a field for a person who watches, to whom the event's name says nothing.
fn for_people(line: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    match field.name() {
        "message" => write!(line, "{value:?}"),
        EVENT => Ok(()),
        name => write!(line, " {name}={value:?}"),
    }
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
