//! Signals that ask the process to end: the client must release the terminal first.

use std::io;

/// Waits until a signal asks the process to end. While it exists, such signals do not end the process by
/// themselves.
#[cfg(unix)]
pub(crate) struct Termination([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Termination {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self([interrupt, terminate, signal(SignalKind::hangup())?]))
    }

    /// Safe to cancel.
    pub(crate) async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Waits until the process is asked to end.
#[cfg(not(unix))]
pub(crate) struct Termination;

#[cfg(not(unix))]
impl Termination {
    /// Ctrl-C comes as a key here.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
