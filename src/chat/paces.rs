//! Paces: a message costs its sender, the sender's address and its network.
//!
//! Keys, names and connections are free, so having many of them must not multiply the pace: one address and
//! one network have paces as well. Exhausting those must not silence the others there. So each address has a
//! share of its network's pace, and each established user a share of the address's pace that nobody else can
//! use up: established users wait for nobody, newcomers only for their own address.

use super::archive::Account;
use super::net::Net;
use super::table::{NumberHasher, give_back};
use super::who::{Owner, SessionId, UserId};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    BURSTS_TOGETHER, LITTLE_PERCENT, MAX_ADDRESSES, MAX_JOIN_BUCKETS, PACES_PER_ADDRESS, PACES_PER_NETWORK,
    SHARE_BURST, SHARE_PER_SECOND,
};
use crate::name::NameKey;
use crate::pace::{Bucket, Buckets, Rate};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// The share that nobody can take from an established user.
const SHARE: Rate = Rate::every(1, SHARE_PER_SECOND, SHARE_BURST);

/// A sender who pays, across names and sessions if they have an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Payer<'a> {
    Key(&'a Fingerprint),
    Token(&'a str),
    /// A connected user without key and token.
    User(UserId),
    /// The same user after disconnecting.
    Place(Net, NameKey),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    address: Net,
    /// `None`: the server's own machine, a network by itself.
    network: Option<Net>,
}

/// Whose pace makes a sender wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Own,
    Address,
    Network,
}

/// The payers for a packet besides its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ChargedTo {
    #[default]
    AddressAndNetwork,
    /// The network is exhausted, except for the address's share.
    Address,
    /// The address is exhausted too, except for the sender's share.
    Share,
}

/// How much a session sends, and so whose pace it shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum PaceClass {
    /// Shares the pace with others who send much.
    #[default]
    Much,
    /// Shares a pace with others who have sent little lately, so floods of long messages do not delay it.
    Little,
    /// Waits for nobody: one of a connection's first packets, whose number the gate limits.
    First,
}

/// See the module. Idle senders take no memory.
#[derive(Debug)]
pub struct Paces {
    /// Each sender's pace, and share of the address's pace.
    people: Buckets<2>,
    /// Each address's pace, its share of the network's pace, and the pace of those who send little.
    addresses: Buckets<3>,
    /// The same for a network; its share belongs to established users.
    networks: Buckets<3>,
    /// Sessions that wait for others' pace. Each has paid for its next packet and waits in line, so nobody
    /// waits longer than others there.
    turns: HashMap<SessionId, Queued, NumberHasher>,
}

/// When a session's packet may go.
#[derive(Debug, Clone, Copy)]
struct Queued {
    /// As an uptime.
    at: Duration,
    level: Level,
    /// The cost that it has already paid.
    paid: u64,
}

impl<'a> Payer<'a> {
    /// An account pays across sessions; `None` without one.
    pub(super) fn of(owner: &'a Owner) -> Option<Self> {
        owner.account().map(|account| match &**account {
            Account::Key(key) => Self::Key(key),
            Account::Token(token) => Self::Token(token),
        })
    }
}

impl Origin {
    /// `is_local`: the server's own machine.
    pub(super) fn new(ip: IpAddr, is_local: bool) -> Self {
        let network = (!is_local).then(|| Net::network(ip));
        Self { address: Net::counted(ip), network }
    }
}

impl Level {
    /// The notice for a sender who has to wait.
    pub fn notice(self, rate: Rate) -> String {
        let (who, times) = match self {
            Self::Own => {
                return format!(
                    "you send faster than {} messages per second; further messages are delayed, not dropped",
                    rate.number()
                );
            }
            Self::Address => ("address", PACES_PER_ADDRESS),
            Self::Network => ("network", PACES_PER_NETWORK),
        };
        let number = rate.times(times, 1).number();
        format!(
            "more than {number} messages per second come from your {who}; yours are delayed, not \
                 dropped"
        )
    }
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            people: Buckets::new(MAX_JOIN_BUCKETS),
            addresses: Buckets::new(MAX_ADDRESSES),
            networks: Buckets::new(MAX_ADDRESSES),
            turns: HashMap::default(),
        }
    }
}

impl Paces {
    /// How long a waiting session has to wait, and for whose pace.
    pub(super) fn until_turn(&self, id: SessionId, uptime: Duration) -> Option<(Level, Duration)> {
        self.turns.get(&id).map(|turn| (turn.level, turn.at.saturating_sub(uptime)))
    }

    /// Queues a session whose next packet is paid for.
    pub(super) fn await_turn(&mut self, id: SessionId, level: Level, at: Duration, paid: u64) {
        self.turns.insert(id, Queued { at, level, paid });
    }

    /// Takes a session off the queue. Returns the cost that its packet has paid.
    pub fn take_turn(&mut self, id: SessionId) -> u64 {
        let Some(turn) = self.turns.remove(&id) else { return 0 };
        give_back(&mut self.turns);
        turn.paid
    }

    pub(super) fn own(&self, payer: &Payer<'_>) -> Bucket {
        self.people.get(payer)[0]
    }

    /// Whether the sender has any of their share left.
    pub(super) fn has_share(&self, payer: &Payer<'_>, uptime: Duration) -> bool {
        self.people.get(payer)[1].wait(SHARE, uptime).is_zero()
    }

    /// Whether a packet may go, and who pays for it. `may_share`: whether the sender has any share of the
    /// address's pace left.
    ///
    /// # Errors
    /// How long to wait, and for whose pace.
    pub(super) fn admit(
        &self,
        from: Origin,
        class: PaceClass,
        may_share: impl FnOnce() -> bool,
        rate: Rate,
        uptime: Duration,
    ) -> Result<ChargedTo, (Level, Duration)> {
        let [many, share, few] = self.addresses.get(&from.address);
        let [net_many, shares, net_few] =
            from.network.map_or_else(Default::default, |net| self.networks.get(&net));
        let is_little = class == PaceClass::Little;
        let wait = match is_little {
            true => few.wait(little(address(rate)), uptime),
            false => many.wait(address(rate), uptime),
        };
        let held = if !wait.is_zero() && class != PaceClass::First {
            (Level::Address, wait)
        } else {
            let wait = match is_little {
                true => net_few.wait(little(network(rate)), uptime),
                false => net_many.wait(network(rate), uptime),
            };
            if wait.is_zero() {
                return Ok(ChargedTo::AddressAndNetwork);
            }
            if share.wait(rate, uptime).is_zero() {
                return Ok(ChargedTo::Address);
            }
            (Level::Network, wait)
        };
        let is_shared = shares.wait(self::shares(rate), uptime).is_zero() && may_share();
        if is_shared { Ok(ChargedTo::Share) } else { Err(held) }
    }

    /// Charges the sender. Before registration, only their share pays.
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

    /// Charges the sender's address and network.
    pub(super) fn charge_others(
        &mut self,
        from: Origin,
        (charged, class): (ChargedTo, PaceClass),
        cost: u64,
        rate: Rate,
        uptime: Duration,
    ) {
        let is_little = class == PaceClass::Little;
        if charged != ChargedTo::Share {
            let [many, share, few] = self.addresses.row(&from.address, uptime);
            // The small class comes first and is part of the whole.
            many.spend(cost, address(rate), uptime);
            share.drain(cost, rate, uptime);
            if is_little {
                few.spend(cost, little(address(rate)), uptime);
            }
        }
        let Some(net) = from.network else { return };
        let [many, shares, few] = self.networks.row(&net, uptime);
        match charged {
            ChargedTo::AddressAndNetwork => {
                many.spend(cost, network(rate), uptime);
                if is_little {
                    few.spend(cost, little(network(rate)), uptime);
                }
            }
            // An empty share must not become a debt for others there.
            ChargedTo::Address => many.drain(cost, network(rate), uptime),
            ChargedTo::Share => shares.spend(cost, self::shares(rate), uptime),
        }
    }

    /// Limits what is left of the sender's pace to that bucket.
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

/// The part for those who send little.
fn little(rate: Rate) -> Rate {
    rate.slower(LITTLE_PERCENT)
}

/// The pace of all shares together: patient attackers can own names, too.
fn shares(rate: Rate) -> Rate {
    rate.times(PACES_PER_ADDRESS, PACES_PER_ADDRESS)
}
