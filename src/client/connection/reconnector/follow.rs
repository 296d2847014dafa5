//! The way to the server to which the present one gives way.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Backoff, JoinTerms, ReconnectTask, Registered, Update};
use crate::client::link::Reached;
use crate::client::shared_state::SharedState;
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::ServerInfo;

/// How long to look for that server.
const FOLLOW: Duration = Duration::from_secs(8);

impl ReconnectTask {
    /// Goes to the server to which this one gave way; none if that one cannot be joined.
    pub(super) async fn follow(&mut self, to: &ServerInfo) -> Option<Registered> {
        let end = Instant::now() + FOLLOW;
        let mut backoff = Backoff::default();
        while Instant::now() < end {
            sleep(backoff.next_pause()).await;
            let Ok(reached) = self.locator.reach_id(&to.id).await else { continue };
            // A trusted server named this one's key, so its name, which others may have too, says nothing.
            let reached = Reached { is_referred: Fingerprint::from_id(&to.id).is_some(), ..reached };
            let (addrs, lines) = (reached.addrs.clone(), SharedState::new(Vec::new()));
            let terms = JoinTerms::returning(self.mode);
            let joined = self.credentials.join(reached, terms, |line| lines.lock().push(line)).await;
            let lines = std::mem::take(&mut *lines.lock());
            for line in lines {
                self.tell(Update::Note(line)).await;
            }
            match joined {
                Ok(registered) => {
                    self.locator.remember(&addrs);
                    return Some(registered);
                }
                Err(error) => tracing::debug!("cannot join the other server: {error}"),
            }
        }
        None
    }
}
