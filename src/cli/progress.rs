//! How far something long is, for whoever waits at a terminal.

use super::args::CommonArgs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Redrawn so often a second at most.
const DRAWN_PER_SECOND: u8 = 10;

/// How often it moves while nothing is told.
const STEADY: Duration = Duration::from_millis(250);

/// The same where nobody knows how far it is.
const TICK: Duration = Duration::from_millis(100);

/// A bar on standard error; nothing where that is no terminal, or with `--quiet`. Removed when dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for what `verb` says.
    pub(super) fn new(common: &CommonArgs, verb: &'static str) -> Self {
        // A bar that does not move for long is seen to go on.
        Self::with(common, verb, "{msg} {spinner} {wide_bar} {percent} %, {eta} left", STEADY)
    }

    /// A line that moves while somebody waits for something of which nobody knows how far it is.
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

    /// What is done now.
    pub(super) fn say(&self, verb: &'static str) {
        self.0.set_message(verb);
    }

    /// So much of so much is done.
    pub(super) fn tell(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Prints, with the bar out of the way meanwhile.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
