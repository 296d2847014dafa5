//! The terminal's mode while a prompt is open.
//!
//! The editor sets the mode for each line and restores it afterwards. Between two lines, the terminal would
//! echo keys and swallow Ctrl-D. So the prompt turns off the terminal's line editing for as long as it is open.

#[cfg(unix)]
pub(super) use unix::TerminalMode;

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    pub(in crate::prompt) struct TerminalMode(Option<Termios>);

    impl TerminalMode {
        /// Makes keys, including those for signals, arrive one by one and without echo.
        pub(in crate::prompt) fn set() -> Self {
            let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
            let mut raw = before.clone();
            raw.local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
            raw.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
            raw.special_codes[SpecialCodeIndex::VMIN] = 1;
            raw.special_codes[SpecialCodeIndex::VTIME] = 0;
            if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Drain, &raw) {
                tracing::debug!("cannot change the terminal's mode: {error}");
            }
            Self(Some(before))
        }

        /// Restores the mode.
        pub(in crate::prompt) fn restore(&self) {
            if let Some(before) = &self.0 {
                // A terminal that is gone has no mode to restore.
                let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
            }
        }
    }

    impl Drop for TerminalMode {
        fn drop(&mut self) {
            self.restore();
        }
    }
}

/// Discards keys typed ahead, so that they do not answer a later question.
#[cfg(unix)]
pub fn forget_typed() {
    // If that fails, the keys count as an answer.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Whether the user typed ahead, which the terminal has echoed. Call it in the prompt's mode: in the usual
/// mode, a terminal hides an unfinished line.
#[cfg(unix)]
pub(super) fn is_typed_ahead() -> bool {
    rustix::io::ioctl_fionread(std::io::stdin()).is_ok_and(|bytes| bytes > 0)
}

/// Whether the terminal has echoed keys typed ahead: other systems echo them when they are read.
#[cfg(not(unix))]
pub(super) fn is_typed_ahead() -> bool {
    false
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

    pub(super) fn restore(&self) {}
}
