//! Shows the progress of a long task at a terminal.

use super::args::CommonArgs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

const DRAWN_PER_SECOND: u8 = 10;

/// How often the spinner moves while the position stays.
const STEADY: Duration = Duration::from_millis(250);

/// The same for a task without a known length.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar on standard error, if that is a terminal and without `--quiet`. Erased when dropped.
pub(super) struct ProgressDisplay(ProgressBar);

impl ProgressDisplay {
    /// Shows a bar behind `verb`.
    pub(super) fn new(common: &CommonArgs, verb: &'static str) -> Self {
        // The spinner shows that a bar that does not move for long is alive.
        Self::with(common, verb, "{msg} {spinner} {wide_bar} {percent} %, {eta} left", STEADY)
    }

    /// Shows a spinner, for a task of unknown length.
    pub(super) fn waiting(common: &CommonArgs, what: &'static str) -> Self {
        Self::with(common, what, "{spinner} {msg} ({elapsed})", TICK)
    }

    fn with(common: &CommonArgs, message: &'static str, template: &str, tick: Duration) -> Self {
        let target = match common.quiet {
            0 => ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_message(message);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(tick);
        Self(bar)
    }

    pub(super) fn set_message(&self, verb: &'static str) {
        self.0.set_message(verb);
    }

    pub(super) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Hides the bar while `print` runs.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
