//! How addresses and networks share the places that are open to everyone.
//!
//! The fewer places are left, the fewer an address or a network may have. Those that have few are admitted even
//! if their neighbours have many.

use super::{GateState, Pass};
use crate::limits::{LIGHT_CONNECTIONS, NETWORK_FACTOR};

/// Connections that are admitted regardless of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct ConnectionShares {
    /// Per address, if its network has room.
    pub(in crate::server) address: usize,
    /// Light connections per network: the first few from each of its addresses.
    pub(in crate::server) network: usize,
}

impl ConnectionShares {
    /// How many connections of an address are light.
    fn light(self) -> usize {
        LIGHT_CONNECTIONS.min(self.address)
    }
}

impl GateState {
    /// Whether one more connection exceeds what its address and network may have while `left` places are left.
    pub(super) fn is_over(&mut self, pass: &Pass, left: usize, shares: ConnectionShares) -> bool {
        let Some((own, around, light)) = self.held(pass) else { return false };
        let is_light = own < shares.light() && light < shares.network;
        !is_light && (own >= shares.address.max(left / 2) || around >= NETWORK_FACTOR * left)
    }

    pub(super) fn take(&mut self, pass: &Pass) {
        self.taken += 1;
        let Some((own, ..)) = self.held(pass) else { return };
        // Whatever the limits are: they may change before it leaves.
        let is_light = own < LIGHT_CONNECTIONS;
        self.each(pass, |_, row| {
            row.connections += 1;
            row.light += usize::from(is_light);
        });
    }

    pub(super) fn leave(&mut self, pass: &Pass) {
        self.taken = self.taken.saturating_sub(1);
        let Some((own, ..)) = self.held(pass) else { return };
        let is_light = own <= LIGHT_CONNECTIONS;
        self.each(pass, |_, row| {
            row.connections = row.connections.saturating_sub(1);
            row.light = row.light.saturating_sub(usize::from(is_light));
        });
    }

    /// Connections from its address, from its network, and light ones from its network; `None`: it comes from
    /// the machine itself.
    fn held(&mut self, pass: &Pass) -> Option<(usize, usize, usize)> {
        let [address, network] = pass.nets();
        let own = self.addresses.row(address?).connections;
        let around = self.addresses.row(network?);
        Some((own, around.connections, around.light))
    }
}
