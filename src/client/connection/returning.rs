//! The way back to a server after a loss, for the prompt as for programs.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::address_watch::addresses_change;
use super::admission::JoinError;
use super::backoff::Backoff;
use super::credentials::{Credentials, JoinTerms};
use super::register::Registered;
use crate::client::find::Locator;
use crate::client::link::LinkError;
use crate::fingerprint::Fingerprint;
use crate::text::safe_line;

/// The server to come back to.
pub(crate) struct LostServer {
    pub(crate) id: String,
    pub(crate) key: Option<Fingerprint>,
    /// How long to try; `None`: until it is there.
    pub(crate) patience: Option<Duration>,
}

impl LostServer {
    /// The server of this link.
    pub(crate) fn of(registered: &Registered, patience: Option<Duration>) -> Self {
        Self { id: registered.welcome.server.id.clone(), key: registered.link.key(), patience }
    }

    /// Makes a new link to the server, which may have another address by now; none if that takes longer than
    /// the patience.
    ///
    /// # Errors
    /// If no further attempt would succeed.
    pub(crate) async fn come_back(
        &self,
        locator: &Locator,
        credentials: &Credentials,
        terms: JoinTerms,
        backoff: &mut Backoff,
    ) -> Result<Option<Registered>, JoinError> {
        let start = Instant::now();
        loop {
            tokio::select! {
                () = sleep(backoff.next_pause()) => {}
                () = addresses_change() => {}
            }
            let attempt = tokio::select! {
                attempt = self.attempt(locator, credentials, terms) => attempt,
                // It began on another network.
                () = addresses_change() => continue,
            };
            let error = match attempt {
                Ok(registered) => return Ok(Some(registered)),
                Err(error) => error,
            };
            if matches!(error, JoinError::Link(LinkError::Refused { .. } | LinkError::Handshake(_))) {
                backoff.slow_down();
            }
            tracing::debug!("no new connection yet: {}", safe_line(&error.to_string()));
            if error.is_final() {
                return Err(error);
            }
            if self.patience.is_some_and(|patience| start.elapsed() >= patience) {
                return Ok(None);
            }
        }
    }

    async fn attempt(
        &self,
        locator: &Locator,
        credentials: &Credentials,
        terms: JoinTerms,
    ) -> Result<Registered, JoinError> {
        let reached = locator.reach_id(&self.id).await.map_err(|error| match error {
            // Where the host was named, nobody else can be the server.
            LinkError::WrongKey { presented, addr } if locator.has_host() => {
                JoinError::Here(credentials.trust.lock().changed(presented, addr, self.key))
            }
            error => JoinError::Link(error),
        })?;
        credentials.admit(reached.link, "", false, terms).await
    }
}
