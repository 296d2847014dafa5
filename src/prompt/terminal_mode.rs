//! The terminal's mode while a prompt is open.
//!
//! The editor sets the mode for each line and restores it afterwards. Between two lines, the terminal would
//! echo keys and swallow Ctrl-D. So the prompt turns off the terminal's line editing for as long as it is
//! open.

#[cfg(unix)]
pub(super) use unix::TerminalMode;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    pub(in crate::prompt) struct TerminalMode {
        /// The previous mode; none without a terminal.
        before: Option<Termios>,
        /// Whether the terminal is the prompt's, and not lent or given back.
        is_ours: AtomicBool,
        /// Whether the previous mode is restored. The next prompt may be open when this one is dropped, so it
        /// is restored once.
        is_restored: AtomicBool,
    }

    impl TerminalMode {
        /// Makes keys, including those for signals, arrive one by one and without echo.
        pub(in crate::prompt) fn set() -> Self {
            let before = tcgetattr(io::stdin()).ok();
            before.iter().for_each(enter);
            Self { before, is_ours: AtomicBool::new(true), is_restored: AtomicBool::new(false) }
        }

        /// Sets the mode for a program that has the terminal for a while: the previous one, but Ctrl-C does
        /// not end this process.
        pub(in crate::prompt) fn lend(&self) {
            self.is_ours.store(false, Ordering::SeqCst);
            if let Some(mut mode) = self.before.clone() {
                mode.local_modes.remove(LocalModes::ISIG);
                // The program sets its own mode anyway.
                let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &mode);
            }
        }

        /// Sets the prompt's mode again.
        pub(in crate::prompt) fn take_back(&self) {
            self.is_ours.store(true, Ordering::SeqCst);
            self.resume();
        }

        /// Sets the prompt's mode again, if the terminal is neither lent nor given back.
        pub(in crate::prompt) fn resume(&self) {
            if self.is_ours.load(Ordering::SeqCst) {
                self.before.iter().for_each(enter);
            }
        }

        /// Whether another program has changed the mode while the terminal was the prompt's.
        pub(in crate::prompt) fn is_lost(&self) -> bool {
            let edits_lines = |mode: Termios| mode.local_modes.contains(LocalModes::ICANON);
            self.is_ours.load(Ordering::SeqCst) && tcgetattr(io::stdin()).is_ok_and(edits_lines)
        }

        /// Restores the mode, the first time it is called.
        pub(in crate::prompt) fn restore(&self) {
            self.is_ours.store(false, Ordering::SeqCst);
            if let Some(before) = &self.before
                && !self.is_restored.swap(true, Ordering::SeqCst)
            {
                // A terminal that is gone has no mode to restore.
                let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
            }
        }
    }

    fn enter(before: &Termios) {
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Drain, &raw) {
            tracing::debug!("cannot change the terminal's mode: {error}");
        }
    }

    impl Drop for TerminalMode {
        fn drop(&mut self) {
            self.restore();
        }
    }
}

/// The rows and columns of the window; `None`: the terminal does not say.
#[cfg(unix)]
pub fn screen_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let size = (usize::from(size.ws_row), usize::from(size.ws_col));
    (size.0 > 0 && size.1 > 0).then_some(size)
}

/// The rows and columns of the window, which other systems do not tell here.
#[cfg(not(unix))]
pub fn screen_size() -> Option<(usize, usize)> {
    None
}

/// Discards keys typed ahead, so that they do not answer a later question.
#[cfg(unix)]
pub fn forget_typed() {
    // If that fails, the keys count as an answer.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Discards keys until none has come for a moment, as in the middle of a paste.
pub(super) fn forget_burst() {
    /// Longer than the pauses within a paste over a slow link.
    const QUIET: std::time::Duration = std::time::Duration::from_millis(60);
    /// How many pauses to wait at most: the user may be leaning on a key.
    const PAUSES: usize = 50;
    for _ in 0..PAUSES {
        forget_typed();
        std::thread::sleep(QUIET);
        if typed_ahead() == 0 {
            return;
        }
    }
}

/// How many bytes the user has typed ahead, which the terminal has echoed. Call it in the prompt's mode: in
/// the usual mode, a terminal hides an unfinished line.
#[cfg(unix)]
pub(super) fn typed_ahead() -> u64 {
    rustix::io::ioctl_fionread(std::io::stdin()).unwrap_or(0)
}

/// How many bytes the terminal has echoed already: other systems echo keys when they are read.
#[cfg(not(unix))]
pub(super) fn typed_ahead() -> u64 {
    0
}

/// Discards keys typed ahead, which other systems do not allow.
#[cfg(not(unix))]
pub fn forget_typed() {}

/// Other systems keep keys for the next reader.
#[cfg(not(unix))]
pub(super) struct TerminalMode;

#[cfg(not(unix))]
impl TerminalMode {
    pub(super) fn set() -> Self {
        Self
    }

    pub(super) fn lend(&self) {}

    pub(super) fn take_back(&self) {}

    pub(super) fn restore(&self) {}
}
