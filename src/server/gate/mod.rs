//! What one address may cost the server before it has said who it is: connections, handshakes,
//! tries at a passphrase, and a box for those that misbehave.
//!
//! Pure but for its lock: it is called with the time since the server started. An IPv6 host far away has
//! a whole /64 to itself, so that is what counts as an address there; on the local network all share
//! one, so that a host is its whole address. The machine itself is exempt.

mod penalty;

use crate::chat::Net;
use crate::limits::{
    HANDSHAKE_BURST_PER_ADDRESS, HANDSHAKES_IN_PROGRESS_PER_ADDRESS, HANDSHAKES_PER_ADDRESS,
    HANDSHAKES_PER_SECOND, MAX_ADDRESSES, TRIES_PER_ADDRESS, TRIES_PER_MINUTE,
};
use crate::pace::{Bucket, Rate};
use penalty::Penalties;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) use penalty::Offence;

/// Handshakes a second, of one address and of all.
const HANDSHAKES_EACH: Rate = Rate::every(1, HANDSHAKES_PER_ADDRESS, HANDSHAKE_BURST_PER_ADDRESS);
const HANDSHAKES_ALL: Rate = Rate::every(1, HANDSHAKES_PER_SECOND, HANDSHAKES_PER_SECOND);

/// Tries a minute, of one address and of all.
const TRIES_EACH: Rate = Rate::every(60, TRIES_PER_ADDRESS, TRIES_PER_ADDRESS);
const TRIES_ALL: Rate = Rate::every(60, TRIES_PER_MINUTE, TRIES_PER_MINUTE);

/// The least time between two sweeps of the books.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Gate {
    /// Connections of one address once the server is half full; `None`: as many as there is room for.
    max_per_address: Option<usize>,
    max_clients: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    addresses: HashMap<Net, Address>,
    /// Hosts that have misbehaved, by their whole address: a neighbour whose first 64 bits are the same
    /// has done nothing.
    offenders: HashMap<IpAddr, Penalties>,
    /// When they may be gone through again.
    next_sweep: Duration,
    /// The same of the offenders.
    next_pardon: Duration,
    handshakes: Bucket,
    tries: Bucket,
}

/// What is known of one address.
#[derive(Debug, Default)]
struct Address {
    connections: usize,
    handshaking: usize,
    handshakes: Bucket,
    tries: Bucket,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Its address has misbehaved.
    Boxed,
    /// Its address has its share of a server that fills up.
    Share,
}

/// A connection's presence in the gate's books, given back when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    host: IpAddr,
    entry: Under,
}

/// Under what a connection is in the books: told in a byte, as every connection holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    /// Nothing: it is the machine itself.
    None,
    /// What counts as its address.
    Own,
    /// What all share for whom there was no room.
    Overflow,
}

/// A handshake under way, given back when dropped.
#[derive(Debug)]
pub(super) struct Handshaking {
    gate: Arc<Gate>,
    net: Option<Net>,
}

impl Gate {
    pub(super) fn new(max_per_address: Option<usize>, max_clients: usize) -> Arc<Self> {
        Arc::new(Self { max_per_address, max_clients, state: Mutex::default() })
    }

    /// A connection from `ip` to a server that has `open` of them.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr, open: usize, now: Duration) -> Result<Pass, Closed> {
        let host = ip.to_canonical();
        let mut entry = Under::None;
        if let Some(own) = counted(host) {
            let mut state = self.lock();
            if state.offenders.get_mut(&host).is_some_and(|penalties| penalties.is_boxed(now)) {
                return Err(Closed::Boxed);
            }
            let net = state.place(own, now);
            entry = if net == own { Under::Own } else { Under::Overflow };
            let address = state.address(net);
            // One host alone cannot take the last places; until then many may share an address.
            let fills_up = open * 2 > self.max_clients;
            if fills_up && self.max_per_address.is_some_and(|most| address.connections >= most) {
                return Err(Closed::Share);
            }
            address.connections += 1;
        }
        Ok(Pass { gate: Arc::clone(self), host, entry })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Where the connection comes from.
    pub(super) fn host(&self) -> IpAddr {
        self.host
    }

    fn net(&self) -> Option<Net> {
        match self.entry {
            Under::None => None,
            Under::Own => counted(self.host),
            Under::Overflow => Some(overflow()),
        }
    }

    /// How long this connection's handshake must wait for its turn; whoever waits costs a task and
    /// nothing else. `None`: longer than `patience`.
    pub(super) fn handshake_turn(&self, patience: Duration, now: Duration) -> Option<Duration> {
        let mut state = self.gate.lock();
        let each =
            self.net().map_or(Duration::ZERO, |net| state.address(net).handshakes.wait(HANDSHAKES_EACH, now));
        let wait = each.max(state.handshakes.wait(HANDSHAKES_ALL, now));
        if wait > patience {
            return None;
        }
        if let Some(net) = self.net() {
            state.address(net).handshakes.spend(1, HANDSHAKES_EACH, now);
        }
        state.handshakes.spend(1, HANDSHAKES_ALL, now);
        Some(wait)
    }

    /// Begins a handshake; `None` while the address has as many under way as it may.
    pub(super) fn begin_handshake(&self) -> Option<Handshaking> {
        if let Some(net) = self.net() {
            let mut state = self.gate.lock();
            let address = state.address(net);
            if address.handshaking >= HANDSHAKES_IN_PROGRESS_PER_ADDRESS {
                return None;
            }
            address.handshaking += 1;
        }
        Some(Handshaking { gate: Arc::clone(&self.gate), net: self.net() })
    }

    /// Takes one try at a secret; an error says how long until there is one.
    pub(super) fn take_try(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.gate.lock();
        let each = self.net().map_or(Duration::ZERO, |net| state.address(net).tries.wait(TRIES_EACH, now));
        let wait = each.max(state.tries.wait(TRIES_ALL, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some(net) = self.net() {
            state.address(net).tries.spend(1, TRIES_EACH, now);
        }
        state.tries.spend(1, TRIES_ALL, now);
        Ok(())
    }

    /// Whether its host has been boxed since it came in.
    pub(super) fn is_boxed(&self, now: Duration) -> bool {
        let mut state = self.gate.lock();
        state.offenders.get_mut(&self.host).is_some_and(|penalties| penalties.is_boxed(now))
    }

    /// Notes that the peer misbehaved.
    pub(super) fn punish(&self, offence: Offence, now: Duration) {
        if self.entry != Under::None {
            self.gate.lock().punish(self.host, offence, now);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(net) = self.net()
            && let Some(address) = self.gate.lock().addresses.get_mut(&net)
        {
            address.connections = address.connections.saturating_sub(1);
        }
    }
}

impl Drop for Handshaking {
    fn drop(&mut self) {
        if let Some(net) = self.net
            && let Some(address) = self.gate.lock().addresses.get_mut(&net)
        {
            address.handshaking = address.handshaking.saturating_sub(1);
        }
    }
}

impl State {
    /// Under which entry an address is kept. When there are too many, those of which nothing is left to know go;
    /// what then still finds no room shares one entry.
    fn place(&mut self, net: Net, now: Duration) -> Net {
        if self.addresses.len() < MAX_ADDRESSES || self.addresses.contains_key(&net) {
            return net;
        }
        // A walk through all of them: not for each of a flood's connections.
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_PAUSE;
            self.addresses.retain(|_, address| !address.is_idle(now));
        }
        if self.addresses.len() < MAX_ADDRESSES { net } else { overflow() }
    }

    /// Bounded: when there are too many, those whose time has run off go, and what then finds no room
    /// goes unpunished.
    fn punish(&mut self, host: IpAddr, offence: Offence, now: Duration) {
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

    fn address(&mut self, net: Net) -> &mut Address {
        self.addresses.entry(net).or_default()
    }
}

impl Address {
    fn is_idle(&self, now: Duration) -> bool {
        self.connections == 0
            && self.handshaking == 0
            && self.handshakes.is_full(now)
            && self.tries.is_full(now)
    }
}

/// What counts as the peer's address; `None` for the machine itself.
fn counted(ip: IpAddr) -> Option<Net> {
    (!ip.to_canonical().is_loopback()).then(|| Net::counted(ip))
}

/// All those for whom the books have no room.
fn overflow() -> Net {
    Net::host(Ipv6Addr::UNSPECIFIED.into())
}

#[cfg(test)]
mod tests;
