//! Admission control: bounds the cost of strangers, before the server knows who they are. It limits
//! connections, handshakes and passphrase attempts, and penalizes addresses that misbehave.
//!
//! It counts per address, per network and in total (`limits::gate` says why). A connection that arrives when
//! there is no place for it, or from a penalized address, is not refused at once: it is restricted, and
//! admitted if it proves a key that the server knows. Callers tell the gate which keys are known.
//!
//! Pure but for its lock: callers pass in the time. Limits per address and network do not apply to the machine
//! itself.

mod address_table;
mod answers;
mod connection_shares;
mod heaviest;
mod penalty;
mod pending;
mod rate_limits;

use super::journal::ServerJournal;
use super::refusal_reason::RefusalReason;
use crate::chat::Net;
use crate::fingerprint::Fingerprint;
use crate::limits::{
    ADDRESSES_PER_NETWORK, CONNECTIONS_PER_KNOWN_KEY, EVICTIONS_PER_SECOND, EVICTIONS_PER_SECOND_OF_NETWORK,
    LIGHT_CONNECTIONS, PLACES_PER_KEPT,
};
use crate::pace::{Bucket, Rate};
use address_table::{AddressTable, CountedUnder};
use pending::PendingConnections;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) use connection_shares::ConnectionShares;
pub(super) use heaviest::{Heaviest, heaviest};
pub(super) use penalty::Offence;
pub(super) use pending::CutSignal;
pub(super) use rate_limits::HandshakePermit;

/// Evictions in total.
const EVICTION_RATE: Rate = Rate::every(1, EVICTIONS_PER_SECOND, EVICTIONS_PER_SECOND);

/// Evictions in favour of one network.
const EVICTION_RATE_OF_NETWORK: Rate =
    Rate::every(1, EVICTIONS_PER_SECOND_OF_NETWORK, EVICTIONS_PER_SECOND_OF_NETWORK);

/// Measures which addresses open more restricted connections than others.
const RESTRICTION_RATE: Rate = Rate::every(1, 1, 1);

#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    journal: Arc<ServerJournal>,
}

/// Places in use, and connections that have not been admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GatePlaces {
    pub(super) taken: usize,
    pub(super) max: usize,
    pub(super) pending: usize,
}

/// The administrator's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct GateLimits {
    /// Connections that one address may always have; `None`: as many as fit.
    pub(super) max_per_address: Option<usize>,
    pub(super) max_clients: usize,
}

#[derive(Debug, Default)]
struct GateState {
    limits: GateLimits,
    addresses: AddressTable,
    pending: PendingConnections,
    /// Places in use: by admitted connections, and by pending ones that have a place.
    taken: usize,
    /// Keys of the restricted connections that were admitted, by the connection's number.
    keys: HashMap<u32, Fingerprint>,
    handshakes: Bucket,
    /// Bytes of answers to browsers.
    answers: Bucket,
    tries: Bucket,
    evictions: Bucket,
}

/// Why a connection needs a known key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restriction {
    /// There is no memory left; not even a known key helps.
    Memory,
    /// Its address has misbehaved.
    Penalized,
    /// Only the places that are kept for known keys are left, or none.
    Full,
    /// Its address or network has its share.
    Share,
}

impl From<Restriction> for RefusalReason {
    fn from(restriction: Restriction) -> Self {
        match restriction {
            Restriction::Full => Self::Full,
            Restriction::Share => Self::Share,
            Restriction::Penalized => Self::Penalized,
            Restriction::Memory => Self::Memory,
        }
    }
}

/// The result for a known key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyAdmission {
    /// It is in.
    Admitted,
    /// The key already has as many connections as a known key may have without a free place.
    TooMany,
    /// Not even a kept place is left.
    Full,
}

/// A connection as the gate counts it; uncounted when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    host: IpAddr,
    address: CountedUnder,
    network: CountedUnder,
    stage: Stage,
    number: u32,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has no place, and needs a known key.
    Restricted(Restriction),
    /// It has proved a known key.
    Known,
    /// It has a place, and may be cut.
    Pending,
    Admitted,
}

/// One per connection.
const _: () = assert!(size_of::<Pass>() <= 32);

impl Gate {
    /// The journal learns of restricted connections that end without a known key.
    pub(super) fn new(limits: GateLimits, journal: Arc<ServerJournal>) -> Arc<Self> {
        let state = Mutex::new(GateState { limits, ..GateState::default() });
        Arc::new(Self { state, journal })
    }

    /// Replaces the limits for later connections; the present ones stay.
    pub(super) fn set_limits(&self, limits: GateLimits) {
        self.lock().limits = limits;
    }

    /// Counts a connection from `ip`. The signal resolves if it must end before it is admitted. `is_short`: the
    /// server is short of memory.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr, is_short: bool, now: Duration) -> (Pass, CutSignal) {
        let host = ip.to_canonical();
        let mut state = self.lock();
        let (mut address, mut network) = (CountedUnder::Nothing, CountedUnder::Nothing);
        if !host.is_loopback() {
            address = state.addresses.place(Net::host(host), now);
            network = state.addresses.place(Net::network(host), now);
        }
        let gate = Arc::clone(self);
        let mut pass = Pass { gate, host, address, network, stage: Stage::Pending, number: 0 };
        let cut;
        let restriction = state.restriction(&pass, now);
        if let Some(restriction) = is_short.then_some(Restriction::Memory).or(restriction) {
            pass.stage = Stage::Restricted(restriction);
            let mut restrictions = Bucket::default();
            state.each(&pass, |n, row| {
                if n == 0 {
                    row.restrictions.spend(1, RESTRICTION_RATE, now);
                    restrictions = row.restrictions;
                }
            });
            (pass.number, cut) = state.pending.restrict(host, restrictions);
        } else {
            state.take(&pass);
            (pass.number, cut) = state.pending.place(host);
        }
        (pass, cut)
    }

    /// Connections with a place that are not admitted yet, by number, with their addresses.
    pub(super) fn pending(&self) -> Vec<(u32, IpAddr)> {
        self.lock().pending.placed().collect()
    }

    pub(super) fn cut(&self, number: u32) {
        self.lock().pending.cut(number);
    }

    /// The connections that one address and network may always have in favour of whom nobody is evicted; `None`: no
    /// limit. On a small server, an address or network may not have everything.
    pub(super) fn shares_when_full(&self) -> Option<ConnectionShares> {
        let limits = self.lock().limits;
        let ConnectionShares { address, network } = limits.shares()?;
        let address = address.min((limits.max_clients / 8).max(LIGHT_CONNECTIONS));
        Some(ConnectionShares { address, network: network.min(limits.max_clients / 2) })
    }

    pub(super) fn places(&self) -> GatePlaces {
        let state = self.lock();
        GatePlaces { taken: state.taken, max: state.limits.max_clients, pending: state.pending.count() }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateLimits {
    /// The connections that one address and network may always have; `None`: no limit.
    fn shares(self) -> Option<ConnectionShares> {
        let address = self.max_per_address?;
        Some(ConnectionShares { address, network: address.saturating_mul(ADDRESSES_PER_NETWORK as usize) })
    }
}

impl GateState {
    fn restriction(&mut self, pass: &Pass, now: Duration) -> Option<Restriction> {
        let GateLimits { max_clients, .. } = self.limits;
        let open = max_clients - max_clients / PLACES_PER_KEPT;
        let left = open.saturating_sub(self.taken);
        if self.addresses.is_penalized(pass.host, now) {
            return Some(Restriction::Penalized);
        }
        if left == 0 {
            return Some(Restriction::Full);
        }
        self.is_over(pass, left, self.limits.shares()?).then_some(Restriction::Share)
    }
}

impl Pass {
    pub(super) fn host(&self) -> IpAddr {
        self.host
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Why the connection needs a known key: a restriction since it arrived, or a later penalty of its host.
    /// `None`: it needs none.
    pub(super) fn restriction(&self, now: Duration) -> Option<Restriction> {
        match self.stage {
            Stage::Restricted(restriction) => Some(restriction),
            Stage::Pending if self.is_penalized(now) => Some(Restriction::Penalized),
            Stage::Known | Stage::Pending | Stage::Admitted => None,
        }
    }

    /// Whether the journal learns of it when it ends.
    pub(super) fn is_told_of_at_end(&self) -> bool {
        matches!(self.stage, Stage::Restricted(_) | Stage::Known)
    }

    /// Whether another connection may be evicted for this one. Counts as an eviction for its network and in
    /// total, so that one owner's many keys do not use up the evictions for all.
    pub(super) fn may_evict(&self, now: Duration) -> bool {
        let mut state = self.gate.lock();
        let mut is_fair = true;
        state.each(self, |n, row| {
            is_fair &= n == 0 || row.evictions.take(EVICTION_RATE_OF_NETWORK, now).is_ok();
        });
        is_fair && state.evictions.take(EVICTION_RATE, now).is_ok()
    }

    pub(super) fn is_penalized(&self, now: Duration) -> bool {
        self.gate.lock().addresses.is_penalized(self.host, now)
    }

    /// Admits the connection; `false`: it was cut.
    pub(super) fn admit(&mut self) -> bool {
        if self.stage == Stage::Pending && self.gate.lock().pending.admit(self.number) {
            self.stage = Stage::Admitted;
        }
        self.stage == Stage::Admitted
    }

    /// Admits a connection whose key is known, if there is a place; if not, the caller may try again. `None`:
    /// it was cut.
    pub(super) fn claim(&mut self, key: &Fingerprint) -> Option<KeyAdmission> {
        let gate = Arc::clone(&self.gate);
        let mut state = gate.lock();
        match self.stage {
            Stage::Restricted(_) if !state.pending.prove(self.number) => return None,
            Stage::Restricted(_) | Stage::Known => self.stage = Stage::Known,
            // It had a place before its host was penalized.
            Stage::Pending | Stage::Admitted => return Some(KeyAdmission::Admitted),
        }
        if state.keys.values().filter(|other| *other == key).count() >= CONNECTIONS_PER_KNOWN_KEY {
            return Some(KeyAdmission::TooMany);
        }
        if state.taken >= state.limits.max_clients {
            return Some(KeyAdmission::Full);
        }
        state.take(self);
        state.keys.insert(self.number, *key);
        self.stage = Stage::Admitted;
        Some(KeyAdmission::Admitted)
    }

    /// Penalizes the peer's address.
    pub(super) fn punish(&self, offence: Offence, now: Duration) {
        if self.address != CountedUnder::Nothing && self.stage != Stage::Restricted(Restriction::Penalized) {
            self.gate.lock().addresses.punish(self.host, offence, now);
        }
    }

    /// The rows that count it: its address and its network.
    fn nets(&self) -> [Option<Net>; 2] {
        [
            self.address.row(Net::host(self.host), Net::host),
            self.network.row(Net::network(self.host), Net::network),
        ]
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        match self.stage {
            Stage::Restricted(restriction) => {
                state.pending.prove(self.number);
                self.gate.journal.refused(restriction.into(), self.host);
            }
            Stage::Known => self.gate.journal.refused(Restriction::Full.into(), self.host),
            Stage::Pending => {
                state.pending.admit(self.number);
                state.leave(self);
            }
            Stage::Admitted => {
                state.keys.remove(&self.number);
                state.leave(self);
            }
        }
    }
}

#[cfg(test)]
mod tests;
