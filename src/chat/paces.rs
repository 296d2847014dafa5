//! Who pays for what is sent: whoever sends it, and with them their address and their network.
//!
//! Keys, names and connections are free, so that many of them must not be many paces: what one address and
//! one network may send in all bounds them. Who empties that must not silence others there. Therefore each
//! address has a share of what its network may send, and whoever is known here a share of what their address
//! may, which nobody else can use up: the established wait for nobody, and newcomers for their own address.

use super::archive::Account;
use super::net::Net;
use super::table::{Numbers, give_back};
use super::user::{Owner, Session, SessionId, UserId};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    BURSTS_TOGETHER, MAX_ADDRESSES, MAX_JOIN_BUCKETS, PACES_PER_ADDRESS, PACES_PER_NETWORK, SHARE_BURST,
    SHARE_PER_SECOND,
};
use crate::name::NameKey;
use crate::pace::{Bucket, Buckets, Rate};
use std::collections::HashMap;
use std::time::Duration;

/// What nobody can take from the established.
const SHARE: Rate = Rate::every(1, SHARE_PER_SECOND, SHARE_BURST);

/// Somebody who pays, over all their names and sessions as far as they are known by them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Payer<'a> {
    Key(&'a Fingerprint),
    Token(&'a str),
    /// Somebody with neither, while they are here.
    User(UserId),
    /// The same while they are not.
    Place(Net, NameKey),
}

/// Where packets come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    address: Net,
    /// `None`: the server's own machine, which is a network of its own.
    network: Option<Net>,
}

/// Whose pace holds somebody up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Own,
    Address,
    Network,
}

/// Who pays for a packet besides whoever sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Way {
    #[default]
    AddressAndNetwork,
    /// The network had nothing left, but for the address's share.
    Address,
    /// Nor had the address, but for the sender's.
    Share,
}

/// See the module. Who has sent nothing lately is in none of it.
#[derive(Debug)]
pub(super) struct Paces {
    /// Their own pace, and their share of what their address may send.
    people: Buckets<2>,
    /// What may be sent from it, and its share of what its network may send.
    addresses: Buckets<2>,
    /// What may be sent from it, and the shares there of people.
    networks: Buckets<2>,
    /// Sessions that wait for the pace of others: each has paid for its next packet and is in a line, so that
    /// nobody waits for longer than others there.
    turns: HashMap<SessionId, Turn, Numbers>,
}

/// When a session's packet may go.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// As an uptime.
    at: Duration,
    level: Level,
}

impl<'a> Payer<'a> {
    /// Who is known over their sessions.
    pub(super) fn of(owner: &'a Owner) -> Option<Self> {
        owner.account().map(|account| match &**account {
            Account::Key(key) => Self::Key(key),
            Account::Token(token) => Self::Token(token),
        })
    }
}

impl Origin {
    pub(super) fn of(session: &Session) -> Self {
        let network = (!session.local).then(|| Net::network(session.ip));
        Self { address: Net::counted(session.ip), network }
    }
}

impl Level {
    /// What whoever is held up is told.
    pub(super) fn notice(self, rate: Rate) -> String {
        let (who, times) = match self {
            Self::Own => {
                return format!(
                    "you send faster than {} messages a second; what is more waits its turn",
                    rate.number()
                );
            }
            Self::Address => ("address", PACES_PER_ADDRESS),
            Self::Network => ("network", PACES_PER_NETWORK),
        };
        let number = rate.times(times, 1).number();
        format!("more than {number} messages a second come from your {who}; yours wait their turn")
    }
}

impl Paces {
    pub(super) fn new() -> Self {
        Self {
            people: Buckets::new(MAX_JOIN_BUCKETS),
            addresses: Buckets::new(MAX_ADDRESSES),
            networks: Buckets::new(MAX_ADDRESSES),
            turns: HashMap::default(),
        }
    }

    /// How long it is until the session's turn, if it waits for one, and for whose pace.
    pub(super) fn until_turn(&self, id: SessionId, uptime: Duration) -> Option<(Level, Duration)> {
        self.turns.get(&id).map(|turn| (turn.level, turn.at.saturating_sub(uptime)))
    }

    /// The session's next packet is paid for, and goes then.
    pub(super) fn await_turn(&mut self, id: SessionId, level: Level, at: Duration) {
        self.turns.insert(id, Turn { at, level });
    }

    /// Whether the session's packet was paid for. The next is not.
    pub(super) fn take_turn(&mut self, id: SessionId) -> bool {
        let turn = self.turns.remove(&id);
        if turn.is_some() {
            give_back(&mut self.turns);
        }
        turn.is_some()
    }

    /// What of their own pace is left to somebody.
    pub(super) fn own(&self, payer: &Payer<'_>) -> Bucket {
        self.people.get(payer)[0]
    }

    /// Whether what nobody can take from them is left.
    pub(super) fn has_share(&self, payer: &Payer<'_>, uptime: Duration) -> bool {
        self.people.get(payer)[1].wait(SHARE, uptime).is_zero()
    }

    /// Whether a packet may come from there, and who pays for it. `is_first`: it is one of the first of a
    /// connection, of which the gate lets so many in. `may_share`: whether the sender has a share of what the
    /// address may send, and anything left of it.
    ///
    /// # Errors
    /// How long to wait, and for whose pace.
    pub(super) fn way(
        &self,
        from: Origin,
        is_first: bool,
        may_share: impl FnOnce() -> bool,
        rate: Rate,
        uptime: Duration,
    ) -> Result<Way, (Level, Duration)> {
        let [whole, share] = self.addresses.get(&from.address);
        let [network, shares] = from.network.map_or_else(Default::default, |net| self.networks.get(&net));
        let wait = whole.wait(address(rate), uptime);
        let held = if !wait.is_zero() && !is_first {
            (Level::Address, wait)
        } else {
            let wait = network.wait(self::network(rate), uptime);
            if wait.is_zero() {
                return Ok(Way::AddressAndNetwork);
            }
            if share.wait(rate, uptime).is_zero() {
                return Ok(Way::Address);
            }
            (Level::Network, wait)
        };
        let is_shared = shares.wait(self::shares(rate), uptime).is_zero() && may_share();
        if is_shared { Ok(Way::Share) } else { Err(held) }
    }

    /// Has a packet paid for by whoever sends it. On the way in only their share pays.
    pub(super) fn charge_own(
        &mut self,
        payer: &Payer<'_>,
        is_in: bool,
        cost: u64,
        rate: Rate,
        uptime: Duration,
    ) {
        let [own, share] = self.people.row(payer, uptime);
        share.drain(cost, SHARE, uptime);
        if is_in {
            own.spend(cost, rate, uptime);
        }
    }

    /// Has it paid for by the others on its way.
    pub(super) fn charge(&mut self, from: Origin, way: Way, cost: u64, rate: Rate, uptime: Duration) {
        if way != Way::Share {
            let [whole, share] = self.addresses.row(&from.address, uptime);
            whole.spend(cost, address(rate), uptime);
            share.drain(cost, rate, uptime);
        }
        let Some(net) = from.network else { return };
        let [whole, shares] = self.networks.row(&net, uptime);
        match way {
            Way::AddressAndNetwork => whole.spend(cost, network(rate), uptime),
            // What it has not, it does not come to owe: others wait no longer for it.
            Way::Address => whole.drain(cost, network(rate), uptime),
            Way::Share => shares.spend(cost, self::shares(rate), uptime),
        }
    }

    /// Nobody has more left of their own pace than that bucket.
    pub(super) fn carry(&mut self, payer: &Payer<'_>, bucket: Bucket, uptime: Duration) {
        if !bucket.is_full(uptime) {
            let [own, _] = self.people.row(payer, uptime);
            *own = bucket.max(*own);
        }
    }
}

fn address(rate: Rate) -> Rate {
    rate.times(PACES_PER_ADDRESS, BURSTS_TOGETHER)
}

fn network(rate: Rate) -> Rate {
    rate.times(PACES_PER_NETWORK, BURSTS_TOGETHER)
}

/// What all who have a share may send by it: names can be had, with patience.
fn shares(rate: Rate) -> Rate {
    rate.times(PACES_PER_ADDRESS, PACES_PER_ADDRESS)
}
