//! Settings that the administrator, or another server of the chat, may change while the server runs.

use super::Chat;
use super::owned::NewNames;
use super::user::Session;
use super::who::SessionId;
use crate::pace::Rate;

impl Chat {
    /// Whether users have a pace, so packets may have to wait.
    pub fn is_paced(&self) -> bool {
        self.rules.rate.is_some()
    }

    /// The pace of users; `None`: they have none.
    pub fn rate(&self) -> Option<Rate> {
        self.rules.rate
    }

    /// Says that only members may enter, or that everyone may.
    pub fn set_closed(&mut self, closed: bool) {
        if self.rules.closed != closed {
            self.rules.closed = closed;
            self.owned.limit_newcomers(self.rules.new_names, closed);
        }
    }

    /// Whether a session may not get a name: the chat is closed, and no member has its key. An only server's door keeps such
    /// sessions out of the rules; of several servers, one may not know yet that the chat is closed.
    pub fn is_kept_out(&self, id: SessionId) -> bool {
        let is_stranger = |session: &Session| {
            session.user.is_none() && !session.peer().key.is_some_and(|key| self.is_member(&key))
        };
        self.rules.closed && self.sessions.get(&id).is_some_and(is_stranger)
    }

    /// Replaces the message of the day, for those who join from now on.
    pub fn set_motd(&mut self, motd: String) {
        self.profile.motd = motd;
    }

    /// Replaces the pace of users, who must have one already.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rules.rate = self.rules.rate.and(Some(rate));
    }

    /// Begins or stops to log sessions, from the next begin or end on.
    pub fn set_log_visits(&mut self, log_visits: bool) {
        self.rules.log_visits = log_visits;
    }

    /// Allows or refuses names beyond ASCII, for those who join or rename from now on.
    pub fn set_ascii_names(&mut self, ascii_names: bool) {
        self.rules.ascii_names = ascii_names;
    }

    /// Replaces how many names may become owned per address from now on.
    pub fn set_new_names(&mut self, new_names: NewNames) {
        self.rules.new_names = new_names;
        self.owned.limit_newcomers(new_names, self.rules.closed);
    }
}
