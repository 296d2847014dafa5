//! What strangers may cost the server before they have said who they are: places, handshakes, tries at a
//! passphrase, and a box for those that misbehave.
//!
//! It counts by address, by the network around it, and all together (`limits::gate` says why). A
//! connection for which there is no place, or whose address has misbehaved, is not turned away at once:
//! it knocks, and comes in if it proves a key that the server knows. Whose key that is the gate is
//! told.
//!
//! Pure but for its lock: it is called with the time since the server started. The machine itself is exempt
//! from what holds for one address or network.

mod arrivals;
mod books;
mod heaviest;
mod penalty;
mod places;
mod tally;
mod turns;

use crate::chat::Net;
use crate::fingerprint::Fingerprint;
use crate::limits::{
    ADDRESSES_PER_NETWORK, CONNECTIONS_PER_KNOWN_KEY, GIVING_WAY_PER_SECOND,
    GIVING_WAY_PER_SECOND_OF_NETWORK, LIGHT_CONNECTIONS, PLACES_PER_KEPT,
};
use crate::pace::{Bucket, Rate};
use arrivals::Arrivals;
use books::{Books, Under};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tally::Tally;

pub(super) use arrivals::Cut;
pub(super) use heaviest::{Heaviest, heaviest};
pub(super) use penalty::Offence;
pub(super) use places::Shares;
pub(super) use turns::Handshaking;

/// How often a connection may give way to another.
const GIVING_WAY: Rate = Rate::every(1, GIVING_WAY_PER_SECOND, GIVING_WAY_PER_SECOND);

/// The same of one network.
const GIVING_WAY_NET: Rate =
    Rate::every(1, GIVING_WAY_PER_SECOND_OF_NETWORK, GIVING_WAY_PER_SECOND_OF_NETWORK);

/// By what pace it is told who knocks more than others.
const KNOCKS: Rate = Rate::every(1, 1, 1);

/// See the module.
#[derive(Debug)]
pub(super) struct Gate {
    /// Connections of one address that are taken in any case; `None`: as many as there is room for.
    max_per_address: Option<usize>,
    max_clients: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    books: Books,
    arrivals: Arrivals,
    /// Places that are taken.
    taken: usize,
    tally: Tally,
    /// By number, which keys let in connections that had to knock.
    keys: HashMap<u32, Fingerprint>,
    handshakes: Bucket,
    tries: Bucket,
    giving_way: Bucket,
}

/// Why a connection must show that its key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// There is no memory for anybody: this no key helps against.
    Memory,
    /// Its address has misbehaved.
    Boxed,
    /// Only places that are kept are left, or none.
    Full,
    /// Its address or network has its share.
    Share,
}

/// What becomes of a known key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is in.
    In,
    /// It is in as often as its key alone lets it.
    Enough,
    /// No place is left at all.
    Full,
}

/// A connection's presence in the gate's books, given back when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    host: IpAddr,
    address: Under,
    network: Under,
    stage: Stage,
    number: u32,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has no place and must show a known key.
    Knocking(Doubt),
    /// It has shown one.
    Known,
    /// It has a place and may be cut.
    Arriving,
    /// It has a place.
    In,
}

/// Held for each connection.
const _: () = assert!(size_of::<Pass>() <= 32);

impl Gate {
    pub(super) fn new(max_per_address: Option<usize>, max_clients: usize) -> Arc<Self> {
        Arc::new(Self { max_per_address, max_clients, state: Mutex::default() })
    }

    /// A connection from `ip`, and how it is told to end before it has come in.
    /// `is_short`: there is no memory for it.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr, is_short: bool, now: Duration) -> (Pass, Cut) {
        let host = ip.to_canonical();
        let mut state = self.lock();
        let (mut address, mut network) = (Under::Nothing, Under::Nothing);
        if !host.is_loopback() {
            address = state.books.place(Net::host(host), now);
            network = state.books.place(Net::network(host), now);
        }
        let gate = Arc::clone(self);
        let mut pass = Pass { gate, host, address, network, stage: Stage::Arriving, number: 0 };
        let cut;
        let doubt = self.doubt(&mut state, &pass, now);
        if let Some(doubt) = is_short.then_some(Doubt::Memory).or(doubt) {
            pass.stage = Stage::Knocking(doubt);
            let mut knocks = Bucket::default();
            state.each(&pass, |n, entry| {
                if n == 0 {
                    entry.knocks.spend(1, KNOCKS, now);
                    knocks = entry.knocks;
                }
            });
            (pass.number, cut) = state.arrivals.knock(host, knocks);
        } else {
            state.take(&pass);
            (pass.number, cut) = state.arrivals.place(host);
        }
        (pass, cut)
    }

    /// Connections that have a place and have not come in yet, and where they come from.
    pub(super) fn arriving(&self) -> Vec<(u32, IpAddr)> {
        self.lock().arrivals.placed().collect()
    }

    /// Ends one of those.
    pub(super) fn cut(&self, number: u32) {
        self.lock().arrivals.cut(number);
    }

    /// What an address and a network have in any case; `None`: as much as they like.
    pub(super) fn shares(&self) -> Option<Shares> {
        let address = self.max_per_address?;
        Some(Shares { address, network: address.saturating_mul(ADDRESSES_PER_NETWORK as usize) })
    }

    /// The same as far as it counts for whoever is to give way: on a small server an address or a network has
    /// not all there is.
    pub(super) fn shares_when_full(&self) -> Option<Shares> {
        let Shares { address, network } = self.shares()?;
        let address = address.min((self.max_clients / 8).max(LIGHT_CONNECTIONS));
        Some(Shares { address, network: network.min(self.max_clients / 2) })
    }

    /// Places that are taken and who was turned away, for people.
    pub(super) fn status(&self) -> String {
        let state = self.lock();
        format!("{} of {} places are taken; {}", state.taken, self.max_clients, state.tally)
    }

    fn doubt(&self, state: &mut State, pass: &Pass, now: Duration) -> Option<Doubt> {
        let open = self.max_clients - self.max_clients / PLACES_PER_KEPT;
        let left = open.saturating_sub(state.taken);
        if state.books.is_boxed(pass.host, now) {
            return Some(Doubt::Boxed);
        }
        if left == 0 {
            return Some(Doubt::Full);
        }
        state.is_over(pass, left, self.shares()?).then_some(Doubt::Share)
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

    /// Whose pass it is.
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Why it must show a known key, if so: since it came, or for what others of that host did
    /// meanwhile.
    pub(super) fn doubt(&self, now: Duration) -> Option<Doubt> {
        match self.stage {
            Stage::Knocking(doubt) => Some(doubt),
            Stage::Arriving if self.is_boxed(now) => Some(Doubt::Boxed),
            Stage::Known | Stage::Arriving | Stage::In => None,
        }
    }

    /// Whether another connection may give way to this one now; counts as one that does, of its network and of
    /// all, so that nobody's many keys use up what there is for owners.
    pub(super) fn may_give_way(&self, now: Duration) -> bool {
        let mut state = self.gate.lock();
        let mut is_fair = true;
        state.each(self, |n, entry| {
            is_fair &= n == 0 || entry.giving_way.take(GIVING_WAY_NET, now).is_ok();
        });
        is_fair && state.giving_way.take(GIVING_WAY, now).is_ok()
    }

    /// Whether its host is in the box.
    pub(super) fn is_boxed(&self, now: Duration) -> bool {
        self.gate.lock().books.is_boxed(self.host, now)
    }

    /// Nothing speaks against the connection: it comes in. `false`: it is being cut.
    pub(super) fn come_in(&mut self) -> bool {
        if self.stage == Stage::Arriving && self.gate.lock().arrivals.come_in(self.number) {
            self.stage = Stage::In;
        }
        self.stage == Stage::In
    }

    /// Its key is known: it comes in if there is a place. `None`: it is being cut. May be asked again when it
    /// is full.
    pub(super) fn claim(&mut self, key: &Fingerprint) -> Option<Claim> {
        let gate = Arc::clone(&self.gate);
        let mut state = gate.lock();
        match self.stage {
            Stage::Knocking(_) if !state.arrivals.prove(self.number) => return None,
            Stage::Knocking(_) | Stage::Known => self.stage = Stage::Known,
            // It had a place before its host was boxed.
            Stage::Arriving | Stage::In => return Some(Claim::In),
        }
        if state.keys.values().filter(|other| *other == key).count() >= CONNECTIONS_PER_KNOWN_KEY {
            return Some(Claim::Enough);
        }
        if state.taken >= gate.max_clients {
            return Some(Claim::Full);
        }
        state.take(self);
        state.keys.insert(self.number, *key);
        self.stage = Stage::In;
        Some(Claim::In)
    }

    /// Notes that the peer misbehaved.
    pub(super) fn punish(&self, offence: Offence, now: Duration) {
        if self.address != Under::Nothing && self.stage != Stage::Knocking(Doubt::Boxed) {
            self.gate.lock().books.punish(self.host, offence, now);
        }
    }

    /// Under which entries it is, of its address and of its network.
    fn nets(&self) -> [Option<Net>; 2] {
        [
            self.address.entry(Net::host(self.host), Net::host),
            self.network.entry(Net::network(self.host), Net::network),
        ]
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        match self.stage {
            Stage::Knocking(doubt) => {
                state.arrivals.prove(self.number);
                state.tally.count(doubt);
            }
            Stage::Known => state.tally.count(Doubt::Full),
            Stage::Arriving => {
                state.arrivals.come_in(self.number);
                state.leave(self);
            }
            Stage::In => {
                state.keys.remove(&self.number);
                state.leave(self);
            }
        }
    }
}

#[cfg(test)]
mod tests;
