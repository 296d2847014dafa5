//! Talks to systemd: takes its socket, and says how the server does (sd_notify(3)). Elsewhere, does nothing.

use crate::server::Handle;
use std::io;
use std::net::TcpListener;

/// Returns the socket that the service manager has opened (sd_listen_fds(3)); `None`: the server opens its own.
#[cfg(unix)]
pub(super) fn socket() -> io::Result<Option<TcpListener>> {
    listenfd::ListenFd::from_env().take_tcp_listener(0)
}

#[cfg(not(unix))]
pub(super) fn socket() -> io::Result<Option<TcpListener>> {
    Ok(None)
}

/// A stage of the service's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceStage {
    /// The port is open, or the settings are read again.
    Ready,
    Reloading,
    Stopping,
}

#[cfg(target_os = "linux")]
pub(super) fn tell(stage: ServiceStage) {
    use sd_notify::NotifyState;
    let states = match stage {
        ServiceStage::Ready => vec![NotifyState::Ready],
        // Type=notify-reload needs the time as well.
        ServiceStage::Reloading => [Some(NotifyState::Reloading), NotifyState::monotonic_usec_now().ok()]
            .into_iter()
            .flatten()
            .collect(),
        ServiceStage::Stopping => vec![NotifyState::Stopping],
    };
    notify(&states);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn tell(_: ServiceStage) {}

/// Tells systemd's watchdog that the server works, for as long as it does. Runs forever.
#[cfg(target_os = "linux")]
pub(super) async fn feed_watchdog(server: Handle) {
    use tokio::time::{MissedTickBehavior, interval, timeout};
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    // As sd_watchdog_enabled(3) recommends.
    let mut due = interval(limit / 2);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match timeout(limit / 2, server.answers()).await {
            Ok(()) => notify(&[sd_notify::NotifyState::Watchdog]),
            Err(_) => tracing::error!(
                event = "server_stuck",
                "the server does not answer; the service manager will end it"
            ),
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn feed_watchdog(_: Handle) {
    std::future::pending().await
}

#[cfg(target_os = "linux")]
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(event = "service_manager_missing", %error, "cannot notify the service manager");
    }
}
