//! Reacts to a wrong machine clock: warns operators, and corrects the dates of sanctions.

use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::protocol::Event;
use std::sync::Arc;

impl Chat {
    /// Notes why the machine's clock is doubtful, or (`None`) that it is right again. Operators learn of it
    /// now or when they join.
    pub fn doubt_clock(&mut self, why: Option<Arc<str>>, out: &mut Deliveries) {
        let text =
            why.clone().or_else(|| self.doubt.take().map(|_| "the server's clock is right again".into()));
        self.doubt = why;
        let Some(text) = text else { return };
        self.tell_operators(&Event::Notice(text.to_string()), out);
    }

    /// Warns an operator who joins.
    pub(super) fn tell_doubt(&self, id: SessionId, out: &mut Deliveries) {
        if let Some(why) = self.doubt.as_ref().filter(|_| self.is_operator(id)) {
            self.inform(id, Event::Notice(why.to_string()), out);
        }
    }

    /// Restarts sanctions of earlier runs that are dated in the future, or before the clock was ever set: the
    /// clock was wrong then. Call this at the start.
    pub fn date_sanctions(&mut self, now: &Now, out: &mut Deliveries) {
        self.access.date_sanctions(now.second(), out);
    }
}
