//! A bounded table of addresses and networks, and of hosts that have misbehaved.

use super::penalty::{Offence, Penalties};
use crate::chat::Net;
use crate::limits::MAX_ADDRESSES;
use crate::pace::Bucket;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Minimum time between two sweeps.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct AddressTable {
    /// Addresses and networks.
    rows: HashMap<Net, AddressRow>,
    /// By full address: neighbours in the same network have done nothing.
    offenders: HashMap<IpAddr, Penalties>,
    /// When rows may be swept again.
    next_sweep: Duration,
    /// When offenders may be swept again.
    next_pardon: Duration,
}

/// Counters of an address or a network.
#[derive(Debug, Default)]
pub(super) struct AddressRow {
    pub(super) connections: usize,
    /// For a network: connections that are among the first few from their address.
    pub(super) light: usize,
    pub(super) handshaking: usize,
    pub(super) handshakes: Bucket,
    /// For an address: its rate of restricted connections.
    pub(super) restrictions: Bucket,
    /// For an address: its recent rate of handshakes.
    pub(super) lately: Bucket,
    /// Bytes of answers to browsers.
    pub(super) answers: Bucket,
    /// For an address: whether it has had few of them recently.
    pub(super) answers_lately: Bucket,
    pub(super) tries: Bucket,
    /// For an address: whether it has tried a passphrase recently.
    pub(super) tried: Bucket,
    /// For a network: evictions in favour of its known keys.
    pub(super) evictions: Bucket,
}

/// Which row counts a connection. One byte, because each connection holds two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountedUnder {
    /// None: it comes from the machine itself.
    Nothing,
    /// That of its address or network.
    Own,
    /// A shared one, because the table was full.
    Overflow,
}

impl CountedUnder {
    pub(super) fn row(self, own: Net, kind: fn(IpAddr) -> Net) -> Option<Net> {
        match self {
            Self::Nothing => None,
            Self::Own => Some(own),
            Self::Overflow => Some(overflow(kind)),
        }
    }
}

impl AddressTable {
    /// Finds the row for an address or network. If the table is full, drops idle rows; if it is still full, the
    /// row is a shared one.
    pub(super) fn place(&mut self, net: Net, now: Duration) -> CountedUnder {
        if self.rows.len() < MAX_ADDRESSES || self.rows.contains_key(&net) {
            return CountedUnder::Own;
        }
        // Walks through the whole table, so not for each connection of a flood.
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_PAUSE;
            self.rows.retain(|_, row| !row.is_idle(now));
        }
        if self.rows.len() < MAX_ADDRESSES { CountedUnder::Own } else { CountedUnder::Overflow }
    }

    pub(super) fn row(&mut self, net: Net) -> &mut AddressRow {
        self.rows.entry(net).or_default()
    }

    pub(super) fn find(&mut self, net: Net) -> Option<&mut AddressRow> {
        self.rows.get_mut(&net)
    }

    pub(super) fn is_penalized(&mut self, host: IpAddr, now: Duration) -> bool {
        self.offenders.get_mut(&host).is_some_and(|penalties| penalties.is_penalized(now))
    }

    /// Penalizes a host. If the table is full, drops penalties that are over; if it is still full, does
    /// nothing.
    pub(super) fn punish(&mut self, host: IpAddr, offence: Offence, now: Duration) {
        if self.offenders.len() >= MAX_ADDRESSES && !self.offenders.contains_key(&host) {
            if now < self.next_pardon {
                return;
            }
            self.next_pardon = now + SWEEP_PAUSE;
            self.offenders.retain(|_, penalties| penalties.counts(now));
        }
        if self.offenders.len() < MAX_ADDRESSES || self.offenders.contains_key(&host) {
            self.offenders.entry(host).or_default().add(offence, now);
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.rows.len(), self.offenders.len())
    }
}

impl AddressRow {
    fn is_idle(&self, now: Duration) -> bool {
        let paces = [self.handshakes, self.lately, self.answers, self.answers_lately];
        let others = [self.restrictions, self.tries, self.tried];
        self.connections == 0
            && self.handshaking == 0
            && paces.iter().chain(&others).all(|bucket| bucket.is_full(now))
    }
}

/// The shared row for addresses or for networks.
fn overflow(kind: fn(IpAddr) -> Net) -> Net {
    kind(Ipv6Addr::UNSPECIFIED.into())
}
