//! Settings that the administrator may change while the server runs.

use super::Chat;
use super::owned::NewNames;
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
