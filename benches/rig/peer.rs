//! One client: its connection, where it stands, and the books on it.

use super::account::Account;
use super::link::Link;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Connecting,
    /// Has said hello.
    Joining,
    In,
    Closed,
}

/// One client.
pub struct Peer {
    pub(super) link: Option<Link>,
    pub state: State,
    pub(super) account: Account,
    /// Does not read at times, and may be closed for it.
    pub slow: bool,
    /// The last packet was about reading too slowly.
    pub told_slow: bool,
    /// The last packet was a goodbye.
    pub told_bye: bool,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            link: None,
            state: State::Closed,
            account: Account::default(),
            slow: false,
            told_slow: false,
            told_bye: false,
        }
    }
}

impl Peer {
    /// Whether what it gets is held against what was sent.
    pub(super) fn counts(&self) -> bool {
        self.state == State::In && !self.slow
    }
}
