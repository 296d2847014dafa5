//! The terminal's mode while a prompt is open, between two lines too.
//!
//! The editor takes the terminal for each line and gives it back after it. Keys that are typed in
//! between would be echoed, and Ctrl-D would be lost, if the terminal then did its usual line
//! editing; so it is told not to for as long as the prompt is open.

#[cfg(unix)]
pub(super) use unix::Mode;

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    /// The mode before the prompt.
    pub(in crate::prompt) struct Mode(Option<Termios>);

    impl Mode {
        /// Has keys come one by one, unechoed. Signals are keys like others.
        pub(in crate::prompt) fn take() -> Self {
            let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
            let mut raw = before.clone();
            raw.local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
            raw.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
            raw.special_codes[SpecialCodeIndex::VMIN] = 1;
            raw.special_codes[SpecialCodeIndex::VTIME] = 0;
            if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Drain, &raw) {
                tracing::debug!("the terminal's mode cannot be changed: {error}");
            }
            Self(Some(before))
        }

        /// Restores the mode.
        pub(in crate::prompt) fn give_back(&self) {
            if let Some(before) = &self.0 {
                // A terminal that is gone needs no mode.
                let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
            }
        }
    }

    impl Drop for Mode {
        fn drop(&mut self) {
            self.give_back();
        }
    }
}

/// Forgets what was typed ahead, so that it does not answer a question that came later.
#[cfg(unix)]
pub fn forget_typed() {
    // Keys that cannot be forgotten are an answer, as they would be without this.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Whether something was typed ahead, which the terminal then showed. To be asked in the prompt's mode: in its
/// usual one, a terminal hides a line that is not ended.
#[cfg(unix)]
pub(super) fn is_typed_ahead() -> bool {
    rustix::io::ioctl_fionread(std::io::stdin()).is_ok_and(|bytes| bytes > 0)
}

/// Whether something was typed ahead: consoles other than Unix ones show it when it is read.
#[cfg(not(unix))]
pub(super) fn is_typed_ahead() -> bool {
    false
}

/// Forgets what was typed ahead: consoles other than Unix ones keep it.
#[cfg(not(unix))]
pub fn forget_typed() {}

/// Consoles keep keys for whoever reads next.
#[cfg(not(unix))]
pub(super) struct Mode;

#[cfg(not(unix))]
impl Mode {
    pub(super) fn take() -> Self {
        Self
    }

    pub(super) fn give_back(&self) {}
}
