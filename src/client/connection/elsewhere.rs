//! For a newcomer whom a server turns away: another server of the same chat.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::credentials::{Credentials, JoinTerms};
use super::join_error::JoinError;
use super::register::Registered;
use crate::client::find::{Locator, reach};
use crate::client::link::{LinkError, Reached};
use crate::fingerprint::Fingerprint;

/// How long the servers that are known may take to answer before others are looked for.
const REACH_WAIT: Duration = Duration::from_secs(3);

/// For a user whom no server lets in.
const NO_OTHER: &str = "; no other server of this chat that answers lets you in";

/// Where the other servers of a chat may be.
pub(super) struct Elsewhere<'a> {
    locator: &'a Locator,
    /// The chat's.
    key: Fingerprint,
    /// Which turned the user away.
    without: SocketAddr,
    /// Found by a search, and not tried yet.
    others: Vec<SocketAddr>,
    stage: Stage,
}

/// The places that were tried.
#[derive(PartialEq)]
enum Stage {
    Nothing,
    /// Those that are known.
    Known,
    All,
}

impl<'a> Elsewhere<'a> {
    /// `found`: by a search. `without`: the address that turned the user away.
    pub(super) fn new(
        locator: &'a Locator,
        key: Fingerprint,
        found: Vec<SocketAddr>,
        without: SocketAddr,
    ) -> Self {
        Self { locator, key, without, others: found, stage: Stage::Nothing }
    }

    /// The next server that answers: of those that were found or named by the chat's servers, then of those that mDNS shows.
    async fn next(&mut self) -> Result<Reached, LinkError> {
        if self.stage == Stage::Nothing {
            self.stage = Stage::Known;
            self.others.extend_from_slice(self.locator.trust().named(&self.key));
            self.others.retain(|addr| *addr != self.without);
            self.others.sort_unstable();
            self.others.dedup();
            self.others = self.locator.may_try(std::mem::take(&mut self.others));
        }
        if !self.others.is_empty() {
            let channel = self.locator.channel().to(Some(self.key));
            let reached = timeout(REACH_WAIT, reach(&self.others, &channel)).await;
            if let Ok(Ok(reached)) = reached {
                let peer = reached.link.peer();
                self.others.retain(|addr| *addr != peer);
                return Ok(reached);
            }
            self.others.clear();
        }
        match std::mem::replace(&mut self.stage, Stage::All) {
            Stage::All => Err(LinkError::Silent),
            Stage::Nothing | Stage::Known => self.locator.reach_shown(self.key).await,
        }
    }
}

impl Credentials {
    /// Joins another server of the chat after `error`.
    ///
    /// # Errors
    /// `error` if no other server lets the client in, or one that further attempts would end with, too.
    pub(super) async fn join_elsewhere(
        &self,
        mut elsewhere: Elsewhere<'_>,
        terms: JoinTerms,
        error: JoinError,
    ) -> Result<Registered, JoinError> {
        while let Ok(Reached { link, server, closed, .. }) = elsewhere.next().await {
            let peer = link.peer();
            match self.admit(link, &server.name, closed, terms).await {
                Ok(registered) => {
                    elsewhere.locator.remember(&[peer]);
                    return Ok(registered);
                }
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    tracing::debug!("the server at {peer} does not let this client in: {error}");
                }
            }
        }
        Err(match error {
            JoinError::Link(LinkError::Refused { code, msg, free }) => {
                JoinError::Link(LinkError::Refused { code, msg: msg + NO_OTHER, free })
            }
            other => other,
        })
    }
}
