//! How the places that are for everybody are shared by addresses and networks.
//!
//! Whoever has much leaves some to others: what an address or a network may have falls with the places
//! that are left. Whoever has little is not out because a neighbour has much.

use super::{Pass, State};
use crate::limits::{LIGHT_CONNECTIONS, NETWORK_FACTOR};

/// What is taken in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Shares {
    /// Connections of an address, if its network has room.
    pub(in crate::server) address: usize,
    /// Light connections of a network: the first few of each of its addresses.
    pub(in crate::server) network: usize,
}

impl Shares {
    /// How many of an address are light.
    fn light(self) -> usize {
        LIGHT_CONNECTIONS.min(self.address)
    }
}

impl State {
    /// Whether one more connection is more than its address and network may have while so many places
    /// are left.
    pub(super) fn is_over(&mut self, pass: &Pass, left: usize, shares: Shares) -> bool {
        let Some((own, around, light)) = self.held(pass) else { return false };
        let is_light = own < shares.light() && light < shares.network;
        !is_light && (own >= shares.address.max(left / 2) || around >= NETWORK_FACTOR * left)
    }

    /// The connection takes a place.
    pub(super) fn take(&mut self, pass: &Pass) {
        self.taken += 1;
        let Some((own, ..)) = self.held(pass) else { return };
        let is_light = pass.gate.shares().is_some_and(|shares| own < shares.light());
        self.each(pass, |_, entry| {
            entry.connections += 1;
            entry.light += usize::from(is_light);
        });
    }

    /// The connection gives its place back.
    pub(super) fn leave(&mut self, pass: &Pass) {
        self.taken = self.taken.saturating_sub(1);
        let Some((own, ..)) = self.held(pass) else { return };
        let is_light = pass.gate.shares().is_some_and(|shares| own <= shares.light());
        self.each(pass, |_, entry| {
            entry.connections = entry.connections.saturating_sub(1);
            entry.light = entry.light.saturating_sub(usize::from(is_light));
        });
    }

    /// Connections of its address, of its network, and light ones of that; `None`: it is the machine
    /// itself.
    fn held(&mut self, pass: &Pass) -> Option<(usize, usize, usize)> {
        let [address, network] = pass.nets();
        let own = self.books.entry(address?).connections;
        let around = self.books.entry(network?);
        Some((own, around.connections, around.light))
    }
}
