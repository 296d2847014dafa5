//! The connection to one of the engine's servers. It connects again by itself, without end.

use super::config::{EngineConfig, EngineFault};
use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, ServerInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long connecting to one server may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often to ask a silent server whether it is there. After two questions without an answer, it is not.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Messages that wait for a slow task, for each subscription. Those beyond get lost, and the nodes do without them.
const ARRIVALS_WAITING: usize = 4096;

#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    /// Counts connections made and lost.
    changes: watch::Receiver<u64>,
    /// Why the last attempt to connect has failed.
    failure: Arc<Mutex<Option<String>>>,
}

impl Link {
    /// Starts to connect, and does not wait for it.
    pub(super) async fn open(config: &EngineConfig) -> Result<Self, EngineFault> {
        let urls: Result<Vec<ServerAddr>, EngineFault> = config.urls.iter().map(|url| address(url)).collect();
        let (urls, failure) = (urls?, Arc::new(Mutex::new(None)));
        let (count, changes) = watch::channel(0);
        let seen = Arc::clone(&failure);
        let options = options(config).event_callback(move |event| {
            note(&event, &seen);
            if matches!(event, Event::Connected | Event::Disconnected) {
                count.send_modify(|count| *count += 1);
            }
            std::future::ready(())
        });
        let client = options.connect(urls).await;
        let client = client.map_err(|error| EngineFault(format!("cannot use the engine: {error}")))?;
        Ok(Self { client, changes, failure })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Waits for the next connection, or for the loss of this one.
    pub(super) async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The client has ended, so nothing changes any longer.
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn connected(&mut self) {
        while !self.is_connected() {
            self.changed().await;
        }
    }

    /// The server at the other end.
    pub(super) fn server(&self) -> Option<ServerInfo> {
        self.client.try_server_info().filter(|_| self.is_connected())
    }

    /// Why there is no connection, as the end of a sentence.
    pub(super) fn failure(&self) -> String {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().unwrap_or_else(|| "no answer".to_owned())
    }
}

fn address(url: &str) -> Result<ServerAddr, EngineFault> {
    url.parse().map_err(|error| {
        EngineFault(format!("invalid address of the engine ({error}); use one such as nats://HOST:4222"))
    })
}

fn options(config: &EngineConfig) -> ConnectOptions {
    let options = ConnectOptions::new()
        .name(format!("lanchat {} node {}", config.chat, config.node))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .connection_timeout(CONNECT_PATIENCE)
        .ping_interval(PING_EVERY)
        .reconnect_delay_callback(pause)
        .subscription_capacity(ARRIVALS_WAITING)
        // The node knows what it has told all others.
        .no_echo();
    match &config.tls {
        Some(tls) => options
            .require_tls(true)
            .add_root_certificates(tls.authority.clone())
            .add_client_certificate(tls.certificate.clone(), tls.key.clone()),
        None => options,
    }
}

/// The pause before an attempt.
fn pause(attempts: usize) -> Duration {
    let doubled = u32::try_from(attempts).unwrap_or(u32::MAX).saturating_sub(1).min(10);
    (Duration::from_millis(10) * 2_u32.pow(doubled)).min(LONGEST_PAUSE)
}

fn note(event: &Event, failure: &Mutex<Option<String>>) {
    let text = match event {
        Event::Connected => None,
        Event::ClientError(error) => Some(error.to_string()),
        Event::ServerError(error) => Some(error.to_string()),
        _ => return,
    };
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(1), Duration::from_millis(10));
        assert_eq!(pause(3), Duration::from_millis(40));
        assert_eq!(pause(usize::MAX), LONGEST_PAUSE);
    }
}
