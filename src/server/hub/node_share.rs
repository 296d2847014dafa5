//! A session's share of the input on its way from its server to the rules, which may run at another one.

use super::node_seat::NodeSeat;
use super::uplink_shares::UplinkPayer;
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

    /// Looks whether more input of a session may wait; if so, returns those who share it.
    ///
    /// # Errors
    /// How long it must wait: so much of it, its user, its address or its network is under way that others would have to wait
    /// behind more.
    pub(super) fn share(&mut self, id: SessionId, now: &Now) -> Result<Option<UplinkPayer>, Duration> {
        self.shares.taken(self.taken(), now.uptime);
        let is_under_way = self.is_under_way(id);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(None) };
        if !is_under_way {
            session.under_way = 0;
        }
        let (key, is_over) = (session.peer.key, session.under_way >= SESSION_INPUTS);
        let payer = self.shares.payer(&session.peer, session.user.as_deref());
        let is_established = || key.is_some_and(|key| self.keys.is_established(&key, now.unix_second()));
        match !is_over && self.shares.has_room(payer, is_established) {
            true => Ok(Some(payer)),
            false => Err(self.shares.pause(now.uptime)),
        }
    }

    /// Input of a session waits, in the latest batch.
    pub(super) fn charge_share(&mut self, id: SessionId, payer: Option<UplinkPayer>, bytes: usize) {
        let latest = self.up.latest();
        if let Some(session) = self.sessions.get_mut(id) {
            session.latest = latest;
            session.under_way += 1;
        }
        if let Some(payer) = payer {
            self.shares.charge(payer, latest, bytes);
        }
    }
}
