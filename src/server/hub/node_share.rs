//! A session's share of what is on its way from its server to the rules, which may run at another one.

use super::node_seat::NodeSeat;
use crate::chat::SessionId;
use crate::limits::SESSION_INPUTS;

impl NodeSeat {
    /// Whether the rules have not taken all inputs of a session.
    pub(super) fn is_under_way(&self, id: SessionId) -> bool {
        let taken = self.up.handed_out().saturating_sub(self.node.uplink_batches());
        self.sessions.get(id).is_some_and(|session| session.latest > taken)
    }

    /// Whether so many inputs of a session are under way that those of others would have to wait behind more of them.
    pub(super) fn has_share(&mut self, id: SessionId) -> bool {
        let is_under_way = self.is_under_way(id);
        let Some(session) = self.sessions.get_mut(id) else { return false };
        if !is_under_way {
            session.under_way = 0;
        }
        session.under_way >= SESSION_INPUTS
    }
}
