//! Takes the terminal back when the process goes on after a stop, as after Ctrl-Z and `fg`.
//!
//! The editor sets the terminal's mode as soon as it has asked the system to stop the process, which may be
//! before the process stops: then the shell's mode stays after the stop.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::state::PromptState;
use super::terminal_mode::TerminalMode;

/// Starts a task that waits for the continuation; `None` outside of a runtime.
#[cfg(unix)]
pub(super) fn watch(shared: Arc<PromptState>, mode: Arc<TerminalMode>) -> Option<JoinHandle<()>> {
    use std::time::Duration;

    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};

    /// Milliseconds between looks whether the shell has set its own mode once more, after it has let the process
    /// go on.
    const LOOKS: [u64; 6] = [50, 150, 300, 500, 1000, 2000];

    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))
        .inspect_err(|error| tracing::debug!("cannot notice that the process continues: {error}"))
        .ok()?;
    Some(runtime.spawn(async move {
        let mut looks: &[u64] = &[];
        loop {
            let signal = match looks.split_first() {
                Some((pause, rest)) => {
                    looks = rest;
                    tokio::time::timeout(Duration::from_millis(*pause), continued.recv()).await.ok()
                }
                None => Some(continued.recv().await),
            };
            match signal {
                Some(None) => return,
                Some(Some(())) => looks = &LOOKS,
                None => {}
            }
            // The system would stop a background process that sets the mode.
            if (signal.is_some() || mode.is_lost()) && super::is_in_foreground() {
                mode.resume();
                shared.refresh();
            }
        }
    }))
}

/// Windows does not stop processes.
#[cfg(windows)]
pub(super) fn watch(_: Arc<PromptState>, _: Arc<TerminalMode>) -> Option<JoinHandle<()>> {
    None
}
