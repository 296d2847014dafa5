//! The way back to a server after a loss, for the prompt as for programs.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::address_watch::addresses_change;
use super::backoff::Backoff;
use super::credentials::{Credentials, JoinTerms};
use super::join_error::JoinError;
use super::next_server::join_next;
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
    /// Its name within its chat.
    node: Option<String>,
    /// Where the chat's other servers should be.
    others: Vec<SocketAddr>,
}

impl LostServer {
    /// The server of this link.
    pub(crate) fn of(registered: &Registered, patience: Option<Duration>) -> Self {
        let node = registered.node();
        let others = registered.named().filter(|(one, _)| Some(*one) != node).map(|(_, addr)| addr);
        Self {
            id: registered.welcome.server.id.clone(),
            key: registered.link.key(),
            patience,
            others: others.collect(),
            node: node.map(str::to_owned),
        }
    }

    /// Whether its chat has no other server that a client can find.
    pub(crate) fn is_alone(&self) -> bool {
        self.others.is_empty()
    }

    /// The server's name within its chat.
    pub(crate) fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// Makes a link to another server of the chat; none if no other one lets the client in now.
    ///
    /// # Errors
    /// If no further attempt would succeed.
    pub(crate) async fn go_on(
        &self,
        locator: &Locator,
        credentials: &Credentials,
        terms: JoinTerms,
    ) -> Result<Option<Registered>, JoinError> {
        let (false, Some(key)) = (self.is_alone(), self.key) else { return Ok(None) };
        let next = join_next(self.others.clone(), key, (locator, credentials), terms).await?;
        if let Some(registered) = &next {
            credentials.note_servers(registered);
        }
        Ok(next)
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
        let reached = match (locator.reach_id(&self.id).await, self.key.filter(|_| !self.is_alone())) {
            (Err(error), Some(key)) => locator.reach_named(key).await.map_err(|_| error),
            (reached, _) => reached,
        };
        let reached = reached.map_err(|error| match error {
            // Where the host was named, nobody else can be the server.
            LinkError::WrongKey { presented, addr } if locator.has_host() => {
                JoinError::Here(credentials.trust.lock().changed(presented, addr, self.key))
            }
            error => JoinError::Link(error),
        })?;
        let registered = credentials.admit(reached.link, "", false, terms).await?;
        credentials.note_servers(&registered);
        Ok(registered)
    }
}
