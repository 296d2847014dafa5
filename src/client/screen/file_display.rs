//! The output of `lanchat send --file` and `lanchat receive`: lines and bars for people, JSON lines for programs.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::output::output_ended;
use crate::client::conversation::{clock_time, file_size};
use crate::client::error::Error;
use crate::client::options::ClientOptions;
use crate::client::terminal;
use crate::client::transfer::{FilePhase, FileProgress, TransferRate};
use crate::text::{escape_json, safe_line};

/// How often bars move.
pub(super) const TICK: Duration = Duration::from_millis(200);

/// How often programs hear of the progress.
const REPORT: Duration = Duration::from_secs(1);

const DRAWN_PER_SECOND: u8 = 10;

/// A bar of known length, and one of unknown length.
const BAR: &str = "{prefix} {msg} {wide_bar} {percent} %";
const SPINNER: &str = "{prefix} {spinner} {msg}";

/// Whether a program that passes files on goes on.
pub(super) enum GoesOn {
    Yes,
    No,
}

pub(super) struct FileDisplay {
    is_json: bool,
    is_quiet: bool,
    bars: MultiProgress,
    shown: Vec<ShownTransfer>,
}

/// A transfer that runs.
struct ShownTransfer {
    name: String,
    progress: Arc<FileProgress>,
    rate: TransferRate,
    bar: ProgressBar,
    reported: Instant,
}

impl FileDisplay {
    pub(super) fn new(options: &ClientOptions, is_json: bool) -> Self {
        let target = match options.quiet || is_json {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND),
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { is_json, is_quiet: options.quiet, bars, shown: Vec::new() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Tells people a line, and programs an event.
    pub(super) fn tell(&self, line: &str, event: &Value) -> Result<(), Error> {
        if self.is_json {
            return self.report(event);
        }
        self.note(line);
        Ok(())
    }

    /// Tells that the connection is lost, and will be made again.
    pub(super) fn lost(&self, why: &str) -> Result<(), Error> {
        let why = safe_line(why);
        self.tell(&format!("{why}; waiting for the server"), &json!({ "type": "cut", "msg": why }))
    }

    /// Tells a line that is not a part of the output.
    pub(super) fn note(&self, line: &str) {
        if !self.is_quiet {
            self.bars.suspend(|| terminal::tell(line));
        }
    }

    /// A key has ended the program: what follows stands below the terminal's `^C`, or below a question. Bars end
    /// their own line.
    pub(super) fn stopped(&self) {
        if !self.is_quiet && self.shown.is_empty() && io::stderr().is_terminal() {
            anstream::eprintln!();
        }
    }

    /// Prints a line of output for people, and an event for programs.
    pub(super) fn print(&self, line: &str, event: &Value) -> Result<(), Error> {
        if self.is_json {
            return self.report(event);
        }
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).or_else(|error| output_ended(&error))
        })
    }

    fn report(&self, event: &Value) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", escape_json(&event.to_string())).and_then(|()| out.flush());
        written.or_else(|error| output_ended(&error))
    }

    /// Shows a transfer with that user from now on.
    pub(super) fn begin(&mut self, name: &str, progress: Arc<FileProgress>) {
        let bar = ProgressBar::hidden().with_prefix(safe_line(name));
        let (name, rate, reported) = (name.to_owned(), TransferRate::default(), Instant::now());
        let mut shown = ShownTransfer { name, progress, rate, bar, reported };
        shown.draw();
        shown.bar = self.bars.add(shown.bar);
        shown.bar.enable_steady_tick(TICK);
        self.shown.push(shown);
    }

    /// Takes that transfer away.
    pub(super) fn end(&mut self, progress: &Arc<FileProgress>) {
        self.shown.retain(|shown| {
            let is_other = !Arc::ptr_eq(&shown.progress, progress);
            if !is_other {
                shown.bar.finish_and_clear();
                self.bars.remove(&shown.bar);
            }
            is_other
        });
    }

    /// Shows how far all of them are.
    pub(super) fn tick(&mut self) -> Result<(), Error> {
        let (now, mut events) = (Instant::now(), Vec::new());
        for shown in &mut self.shown {
            shown.rate.follow(now, &shown.progress.now());
            shown.draw();
            if self.is_json && now.duration_since(shown.reported) >= REPORT {
                shown.reported = now;
                events.push(shown.event());
            }
        }
        events.iter().try_for_each(|event| self.report(event))
    }
}

impl ShownTransfer {
    fn draw(&self) {
        let now = self.progress.now();
        let template = if now.total.is_some() && now.phase == FilePhase::Moving { BAR } else { SPINNER };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(now.total.unwrap_or(0));
        self.bar.set_position(now.done);
        self.bar.set_message(match now.phase {
            FilePhase::Waiting => "waiting for the other side".to_owned(),
            FilePhase::Hashing => format!("checking what is there already: {}", file_size(now.done)),
            FilePhase::Moving => {
                let rate = self.rate.per_second().map(|rate| format!(", {}/s", file_size(rate)));
                let left = self.rate.left(&now).map(|left| format!(", {} left", clock_time(left)));
                format!("{}{}{}", file_size(now.done), rate.unwrap_or_default(), left.unwrap_or_default())
            }
            FilePhase::Finishing => "writing to the disk".to_owned(),
        });
    }

    fn event(&self) -> Value {
        let now = self.progress.now();
        let phase = match now.phase {
            FilePhase::Waiting => "waiting",
            FilePhase::Hashing => "checking",
            FilePhase::Moving => "moving",
            FilePhase::Finishing => "finishing",
        };
        let left = self.rate.left(&now).map(|left| left.as_secs());
        json!({
            "type": "progress", "name": self.name, "phase": phase, "done": now.done, "total": now.total,
            "rate": self.rate.per_second(), "left": left, "file": now.file,
        })
    }
}
