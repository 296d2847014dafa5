//! The way to the next link: to another server of the same chat, or back to the same one.

use super::{Backoff, End, JoinError, JoinTerms, LostServer, MOVED, ReconnectTask, Registered, Update};
use crate::text::safe_line;

/// The goodbye of a server that ends in good order.
const SHUTTING_DOWN: &str = "the server is shutting down";

/// How a link ended, for the way on.
pub(super) struct Farewell {
    /// The reason, after "server b".
    fate: String,
    /// Whether to try the chat's other servers first.
    pub(super) goes_on: bool,
    /// Whether the client waits for the same server, if no other one of the chat takes it.
    waits: bool,
}

impl Farewell {
    /// `may_move` says whether any other server may take this one's place.
    pub(super) fn of(end: &End, lost: &LostServer, may_move: bool) -> Self {
        let fate = match end {
            End::ShuttingDown(why, _) if why == SHUTTING_DOWN => "is shutting down".into(),
            End::ShuttingDown(why, _) => format!("ends the connection ({why})"),
            End::TurnedAway(loss) => format!("turned you away ({})", safe_line(&loss.why)),
            End::Lost(_) | End::Final(_) => "is gone".to_owned(),
        };
        // A client that has moved finds its server as well as any other one.
        let is_here = !matches!(end, End::Lost(loss) if loss.why == MOVED);
        let waits = !(may_move && matches!(end, End::ShuttingDown(..)));
        Self { fate, goes_on: is_here && !lost.is_alone(), waits }
    }
}

impl ReconnectTask {
    /// Makes the next link; none if another server may take the lost one's place.
    ///
    /// # Errors
    /// If no further attempt would succeed.
    pub(super) async fn next_link(
        &mut self,
        lost: &LostServer,
        farewell: &Farewell,
        backoff: &mut Backoff,
    ) -> Result<Option<Registered>, JoinError> {
        let terms = JoinTerms::returning(self.mode);
        let before = lost.node().unwrap_or_default();
        let mut next = None;
        if farewell.goes_on {
            next = lost.go_on(&self.locator, &self.credentials, terms).await?;
        }
        if next.is_none() && !farewell.waits {
            return Ok(None);
        }
        if next.is_none() && farewell.goes_on {
            let line = format!(
                "server {before} {}, and no other server of this chat lets you in yet; reconnecting",
                farewell.fate
            );
            self.tell(Update::Note(line)).await;
        }
        if next.is_none() {
            next = lost.come_back(&self.locator, &self.credentials, terms, backoff).await?;
        }
        let now = next.as_ref().and_then(Registered::node).filter(|now| *now != before && !before.is_empty());
        self.moved = now.map(|now| format!("server {before} {}; going on at server {now}", farewell.fate));
        Ok(next)
    }
}
