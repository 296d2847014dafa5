//! What is written down of each address and each network, and of hosts that have misbehaved. Bounded.

use super::penalty::{Offence, Penalties};
use crate::chat::Net;
use crate::limits::MAX_ADDRESSES;
use crate::pace::Bucket;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The least time between two sweeps.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Both addresses and networks.
    entries: HashMap<Net, Entry>,
    /// By their whole address: a neighbour in the same network has done nothing.
    offenders: HashMap<IpAddr, Penalties>,
    /// When entries may be gone through again.
    next_sweep: Duration,
    /// The same of the offenders.
    next_pardon: Duration,
}

/// An address or a network.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) connections: usize,
    /// Of a network: those that are among the first few of their address.
    pub(super) light: usize,
    pub(super) handshaking: usize,
    pub(super) handshakes: Bucket,
    /// What an address has begun of late, by a slower pace: connections without a place.
    pub(super) knocks: Bucket,
    /// The same of handshakes.
    pub(super) lately: Bucket,
    pub(super) tries: Bucket,
    /// Whether an address has tried lately.
    pub(super) tried: Bucket,
    /// Connections that give way to known keys of a network.
    pub(super) giving_way: Bucket,
}

/// Under what a connection is in the books: told in a byte, as every connection holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    /// Nothing: it is the machine itself.
    Nothing,
    /// Its own address or network.
    Own,
    /// What all share for whom there was no room.
    Overflow,
}

impl Under {
    /// Which entry that is.
    pub(super) fn entry(self, own: Net, kind: fn(IpAddr) -> Net) -> Option<Net> {
        match self {
            Self::Nothing => None,
            Self::Own => Some(own),
            Self::Overflow => Some(overflow(kind)),
        }
    }
}

impl Books {
    /// Under which entry an address or network is kept. When there are too many, those of which nothing
    /// is left to know go; what then still finds no room shares one entry.
    pub(super) fn place(&mut self, net: Net, now: Duration) -> Under {
        if self.entries.len() < MAX_ADDRESSES || self.entries.contains_key(&net) {
            return Under::Own;
        }
        // A walk through all of them: not for each of a flood's connections.
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_PAUSE;
            self.entries.retain(|_, entry| !entry.is_idle(now));
        }
        if self.entries.len() < MAX_ADDRESSES { Under::Own } else { Under::Overflow }
    }

    pub(super) fn entry(&mut self, net: Net) -> &mut Entry {
        self.entries.entry(net).or_default()
    }

    /// An entry, if there is one.
    pub(super) fn find(&mut self, net: Net) -> Option<&mut Entry> {
        self.entries.get_mut(&net)
    }

    /// Whether the host is kept out.
    pub(super) fn is_boxed(&mut self, host: IpAddr, now: Duration) -> bool {
        self.offenders.get_mut(&host).is_some_and(|penalties| penalties.is_boxed(now))
    }

    /// When there are too many, those whose time has run off go, and what then finds no room goes
    /// unpunished.
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
        (self.entries.len(), self.offenders.len())
    }
}

impl Entry {
    fn is_idle(&self, now: Duration) -> bool {
        self.connections == 0
            && self.handshaking == 0
            && [self.handshakes, self.knocks, self.lately, self.tries, self.tried]
                .iter()
                .all(|bucket| bucket.is_full(now))
    }
}

/// All those of a kind for whom the books have no room.
fn overflow(kind: fn(IpAddr) -> Net) -> Net {
    kind(Ipv6Addr::UNSPECIFIED.into())
}
