//! The other servers of a chat, for a user whom one of them turns away.

use tokio::time::timeout;

use super::{AGAIN_TIMEOUT, Locator, NamedHost};
use crate::client::link::{Channel, LinkError, Reached, ServerLink};
use crate::discovery;
use crate::fingerprint::Fingerprint;

impl Locator {
    /// Reaches a server with this key where mDNS shows one, whatever host the user gave.
    pub(crate) async fn reach_shown(&self, key: Fingerprint) -> Result<Reached, LinkError> {
        if !self.discovery || !matches!(self.channel, Channel::Tls { .. }) {
            return Err(LinkError::Silent);
        }
        let (id, channel) = (key.id(), self.channel.to(Some(key)));
        let search = self.search_id(&id, Vec::new(), &channel);
        // The refusal says more than a search that takes all the time.
        timeout(AGAIN_TIMEOUT.min(self.timeout / 2), search).await.unwrap_or(Err(LinkError::Silent))
    }

    /// Reaches another server of the chat whose server at this host lets nobody in.
    pub(super) async fn reach_beside(&self, host: &NamedHost) -> Result<Reached, LinkError> {
        let found = discovery::lookup(&host.name, host.port, self.discovery).await;
        let addrs = found.map_err(|error| LinkError::Connect(error.into()))?;
        let addr = addrs.first().ok_or(LinkError::Silent)?;
        // It proves its key before it turns anyone away.
        let key = ServerLink::connect(*addr, &self.channel).await?.key();
        let key = key.ok_or(LinkError::Silent)?;
        let reached = match self.reach_named(key).await {
            Ok(reached) => reached,
            Err(_) => self.reach_shown(key).await?,
        };
        Ok(Reached { asked_for: true, ..reached })
    }
}
