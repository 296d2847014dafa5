//! Signals that ask the process to stop, or to read its settings again.

/// SIGTERM and SIGINT, or Ctrl-C and similar events on Windows; at a terminal, SIGHUP too.
#[derive(Debug)]
pub struct StopSignals(Signals);

impl StopSignals {
    /// Installs handlers, so that no signal ends the process by itself. Must be called in a tokio runtime.
    /// `has_terminal`: SIGHUP says that the terminal is gone (termios(3)).
    pub fn catch(has_terminal: bool) -> std::io::Result<Self> {
        Signals::new(has_terminal).map(Self)
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

/// SIGHUP, by which an administrator asks a service to read its settings again. Never on Windows.
#[derive(Debug)]
pub struct ReloadSignal(#[cfg(unix)] tokio::signal::unix::Signal);

impl ReloadSignal {
    /// Installs a handler. Must be called in a tokio runtime.
    pub fn catch() -> std::io::Result<Self> {
        #[cfg(unix)]
        return tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map(Self);
        #[cfg(windows)]
        return Ok(Self());
    }

    pub async fn requested(&mut self) {
        #[cfg(unix)]
        if self.0.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new(has_terminal: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: has_terminal.then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = hangup => {}
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
    fn new(_has_terminal: bool) -> std::io::Result<Self> {
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
