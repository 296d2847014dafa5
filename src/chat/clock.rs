//! A machine's clock that may be wrong: operators are told, and what was dated by it is dated anew.

use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::protocol::Event;
use std::sync::Arc;

impl Chat {
    /// The machine's clock is doubtful, for that reason, or (`None`) no longer. Operators who are here are
    /// told, and those who come while it lasts.
    pub fn doubt_clock(&mut self, why: Option<Arc<str>>, out: &mut Deliveries) {
        let text =
            why.clone().or_else(|| self.doubt.take().map(|_| "the server's clock is right again".into()));
        self.doubt = why;
        let Some(text) = text else { return };
        self.tell_operators(&Event::Notice(text.to_string()), out);
    }

    /// Tells an operator who comes in.
    pub(super) fn tell_doubt(&self, id: SessionId, out: &mut Deliveries) {
        if let Some(why) = self.doubt.as_ref().filter(|_| self.is_operator(id)) {
            self.inform(id, Event::Notice(why.to_string()), out);
        }
    }

    /// Bans and mutes of earlier runs that were imposed at a time that is yet to come, or before the clock
    /// was ever set, last from now on as long as they were to: the clock was wrong then. To be called at
    /// the start.
    pub fn date_sanctions(&mut self, now: &Now, out: &mut Deliveries) {
        self.standing.date_sanctions(now.second(), out);
    }
}
