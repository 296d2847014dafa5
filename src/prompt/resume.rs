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

    /// How long a shell may take to restore its own mode after it has let the process go on.
    const SHELL: Duration = Duration::from_millis(200);

    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))
        .inspect_err(|error| tracing::debug!("cannot notice that the process continues: {error}"))
        .ok()?;
    Some(runtime.spawn(async move {
        while continued.recv().await.is_some() {
            let mut is_lost = true;
            for pause in [Duration::ZERO, SHELL] {
                tokio::time::sleep(pause).await;
                // The system would stop a background process that sets the mode.
                if is_lost && super::is_in_foreground() {
                    mode.resume();
                    shared.refresh();
                }
                is_lost = mode.is_lost();
            }
        }
    }))
}

/// Windows does not stop processes.
#[cfg(windows)]
pub(super) fn watch(_: Arc<PromptState>, _: Arc<TerminalMode>) -> Option<JoinHandle<()>> {
    None
}
