//! Signals that ask the process to stop.

/// SIGTERM and SIGINT, or Ctrl-C and similar events on Windows.
#[derive(Debug)]
pub struct StopSignals(Signals);

impl StopSignals {
    /// Installs handlers, so that no signal ends the process by itself. Must be called in a tokio runtime.
    pub fn catch() -> std::io::Result<Self> {
        Signals::new().map(Self)
    }

    /// Resolves at the first signal. After that, a second signal ends the process at once, with status 1.
    pub async fn requested(self) {
        let Self(mut signals) = self;
        signals.next().await;
        // Ends with the process.
        tokio::spawn(async move {
            signals.next().await;
            tracing::warn!(
                event = "stopping_at_once",
                "second request to stop; stopping without saying goodbye"
            );
            std::process::exit(1);
        });
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
#[derive(Debug)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.stop.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}
