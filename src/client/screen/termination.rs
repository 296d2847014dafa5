//! The signals that ask the process to end: the terminal must be given back before it does.

use std::io;

/// Waits for the process to be asked to end. From its making on, such a signal does not end the
/// process by itself.
#[cfg(unix)]
pub(crate) struct Termination([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Termination {
    /// Takes the signals over.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self([interrupt, terminate, signal(SignalKind::hangup())?]))
    }

    /// Resolves when the process is asked to end. Safe to cancel.
    pub(crate) async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Waits for the process to be asked to end.
#[cfg(not(unix))]
pub(crate) struct Termination;

#[cfg(not(unix))]
impl Termination {
    /// Nothing to take over: Ctrl-C comes as a key.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Resolves when the process is asked to end.
    pub(crate) async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
