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
pub fn screen_size() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(std::io::stdout())?;
    (rows.0 > 0 && columns.0 > 0).then_some((rows.0.into(), columns.0.into()))
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

/// How many bytes the terminal has echoed already: Windows echoes keys when they are read.
#[cfg(windows)]
pub(super) fn typed_ahead() -> u64 {
    0
}

/// Whether more keys wait, as in the middle of a paste: other terminals mark a paste, that of Windows does not.
#[cfg(unix)]
pub(super) fn is_in_burst() -> bool {
    false
}

#[cfg(windows)]
pub(super) fn is_in_burst() -> bool {
    super::console::waiting_keys() > 0
}

/// Discards keys typed ahead, so that they do not answer a later question.
#[cfg(windows)]
pub fn forget_typed() {
    super::console::forget_keys();
}

/// The console's modes, as they were before the prompt. They are restored once, as on Unix.
#[cfg(windows)]
pub(super) struct TerminalMode {
    before: super::console::ConsoleModes,
    is_restored: std::sync::atomic::AtomicBool,
}

/// The editor restores the modes that it finds after each line, so these hold between two lines as well.
#[cfg(windows)]
impl TerminalMode {
    /// Makes keys arrive one by one and without echo, and escapes work.
    pub(super) fn set() -> Self {
        let before = super::console::ConsoleModes::now();
        before.for_prompt().set();
        Self { before, is_restored: false.into() }
    }

    /// Sets the modes for a program that has the console for a while: the previous ones, but Ctrl-C does not
    /// end this process.
    pub(super) fn lend(&self) {
        self.before.without_interrupts().set();
    }

    /// Sets the prompt's modes again.
    pub(super) fn take_back(&self) {
        self.before.for_prompt().set();
    }

    /// Restores the modes, the first time it is called.
    pub(super) fn restore(&self) {
        if !self.is_restored.swap(true, std::sync::atomic::Ordering::SeqCst) {
            self.before.set();
        }
    }
}

#[cfg(windows)]
impl Drop for TerminalMode {
    fn drop(&mut self) {
        self.restore();
    }
}
