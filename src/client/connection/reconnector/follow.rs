//! The way to the server to which the present one gives way.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Backoff, Keeper, Registered, Update, Visitor};
use crate::protocol::packet::ServerInfo;

/// How long the server is looked for to which the present one gives way.
const FOLLOW: Duration = Duration::from_secs(8);

impl Keeper {
    /// Goes to the server to which this one gave way; none if that is not to be had.
    pub(super) async fn follow(&mut self, to: &ServerInfo) -> Option<Registered> {
        let end = Instant::now() + FOLLOW;
        let mut backoff = Backoff::default();
        while Instant::now() < end {
            sleep(backoff.next_pause()).await;
            let Ok(reached) = self.locator.reach_id(&to.id).await else { continue };
            let mut lines = Vec::new();
            let mut visitor = Visitor { can_be_asked: false, ..self.visitor.clone() };
            visitor.identity.chosen = false;
            visitor.trust = visitor.trust.sent_to(&to.id);
            let (addrs, told) = (reached.addrs.clone(), Mutex::new(&mut lines));
            let joined = visitor.join(reached, self.mode, |line| {
                told.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            });
            let joined = joined.await;
            for line in lines {
                self.tell(Update::Note(line)).await;
            }
            match joined {
                Ok(registered) => {
                    self.visitor.trust = visitor.trust;
                    self.locator.remember(&addrs);
                    return Some(registered);
                }
                Err(error) => tracing::debug!("the other server cannot be joined: {error}"),
            }
        }
        None
    }
}
