//! A session's share of the input on its way from its server to the rules, which may run at another one.

use super::node_seat::NodeSeat;
use crate::chat::{Now, SessionId};
use crate::limits::SESSION_INPUTS;
use std::time::Duration;

impl NodeSeat {
    /// How many batches the rules have taken.
    fn taken(&self) -> u64 {
        self.up.handed_out().saturating_sub(self.node.uplink_batches())
    }

    /// Whether the rules have not taken all inputs of a session.
    pub(super) fn is_under_way(&self, id: SessionId) -> bool {
        let taken = self.taken();
        self.sessions.get(id).is_some_and(|session| session.latest > taken)
    }

    /// How long a session must wait because so much input of it, its user, its address or its network is under way that
    /// others would have to wait behind more; `None`: it need not wait.
    pub(super) fn wait_for_share(&mut self, id: SessionId, now: &Now) -> Option<Duration> {
        self.shares.taken(self.taken(), now.uptime);
        let is_under_way = self.is_under_way(id);
        let session = self.sessions.get_mut(id)?;
        if !is_under_way {
            session.under_way = 0;
        }
        let (key, is_over) = (session.peer.key, session.under_way >= SESSION_INPUTS);
        let payer = self.shares.payer(&session.peer, session.user.as_deref());
        let is_established = || key.is_some_and(|key| self.keys.is_established(&key, now.unix_second()));
        let waits = is_over || !self.shares.has_room(payer, is_established);
        waits.then(|| self.shares.pause(now.uptime))
    }

    /// Input of a session waits, in the latest batch.
    pub(super) fn charge_share(&mut self, id: SessionId, bytes: usize) {
        let latest = self.up.latest();
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.latest = latest;
        session.under_way += 1;
        let payer = self.shares.payer(&session.peer, session.user.as_deref());
        self.shares.charge(payer, latest, bytes);
    }
}
