//! How far something long is, for whoever waits at a terminal.

use super::args::CommonArgs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Redrawn so often a second at most.
const DRAWN_PER_SECOND: u8 = 10;

/// How often it moves while nothing is told.
const STEADY: Duration = Duration::from_millis(250);

/// A bar on standard error; nothing where that is no terminal, or with `--quiet`. Removed when dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for what `verb` says.
    pub(super) fn new(common: &CommonArgs, verb: &'static str) -> Self {
        let target = match common.quiet {
            0 => ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_message(verb);
        // What tells nothing for long is seen to go on.
        bar.enable_steady_tick(STEADY);
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {wide_bar} {percent} %, {eta} left")
        {
            bar.set_style(style);
        }
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

/// Redrawn so often while nothing can be said of how far something is.
const TICK: Duration = Duration::from_millis(100);

/// A line on standard error that moves while somebody waits for something of which nobody knows how far it
/// is; nothing where that is no terminal, or with `--quiet`. Removed when dropped.
pub(super) struct Waiting(ProgressBar);

impl Waiting {
    /// One that says what is waited for.
    pub(super) fn new(common: &CommonArgs, what: &'static str) -> Self {
        let target = match common.quiet {
            0 => ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
