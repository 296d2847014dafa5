//! A session as its server knows it, one of several: what comes before the rules, which may run elsewhere.

use crate::chat::{PaceNotice, Peer, SessionPace, SessionRecord, UserRecord};
use crate::protocol::request::Mode;

#[derive(Debug)]
pub(super) struct NodeSession {
    pub(super) peer: Peer,
    /// Once it is registered. Boxed, as it is big.
    pub(super) user: Option<Box<UserRecord>>,
    /// Whether it receives other people's messages.
    pub(super) listens: bool,
    pub(super) pace: SessionPace,
    pub(super) notice: PaceNotice,
    /// Whether the server that leads knows it.
    pub(super) is_announced: bool,
    /// The batch with its latest input, and how many of its inputs have gone up since all were taken.
    pub(super) latest: u64,
    pub(super) under_way: usize,
}

impl NodeSession {
    pub(super) fn new(peer: Peer) -> Self {
        let (pace, notice) = (SessionPace::default(), PaceNotice::default());
        Self { peer, user: None, listens: false, pace, notice, is_announced: false, latest: 0, under_way: 0 }
    }

    /// Empty before its first packet.
    pub(super) fn name(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.name)
    }

    pub(super) fn is_registered(&self) -> bool {
        self.user.is_some()
    }

    /// Learns what the rules know of it. Returns whether it is registered by that, and was not before.
    pub(super) fn learn(&mut self, record: &SessionRecord) -> bool {
        let before = self.is_registered();
        self.listens = record.mode != Mode::Send;
        if let Some(user) = &record.user {
            // The rest is not for here.
            let (account, name) = (user.account.clone(), user.name.clone());
            let (number, since) = (user.number, user.since);
            let user = UserRecord { number, name, account, since, away: None, rooms: Vec::new() };
            self.user = Some(Box::new(user));
        }
        self.is_registered() && !before
    }
}
