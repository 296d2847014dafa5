//! Who pays for what is sent: whoever sends it, and with them their address and their network.
//!
//! Keys, names and connections are free, so that many of them must not be many paces: what one address and
//! one network may send in all bounds them. Who empties that must not silence others there. Therefore each
//! address has a share of what its network may send, and whoever is known here a share of what their address
//! may, which nobody else can use up: the established wait for nobody, and newcomers for their own address.

use super::archive::Account;
use super::net::Net;
use super::table::{Numbers, give_back};
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

/// How much somebody sends, and so with whom they share what their address may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pays {
    /// With others who send much.
    #[default]
    Much,
    /// With others who have sent little lately: floods of long messages from there do not hold them up.
    Little,
    /// With nobody: it is one of the first packets of a connection, of which the gate lets so many in.
    First,
}

/// See the module. Who has sent nothing lately is in none of it.
#[derive(Debug)]
pub(super) struct Paces {
    /// Their own pace, and their share of what their address may send.
    people: Buckets<2>,
    /// What may be sent from it, its share of what its network may send, and what those may send from it who
    /// have sent little lately.
    addresses: Buckets<3>,
    /// The same of a network, where the share is that of people.
    networks: Buckets<3>,
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
    /// What was paid for it.
    paid: u64,
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
    /// `is_local`: it is the server's own machine.
    pub(super) fn new(ip: IpAddr, is_local: bool) -> Self {
        let network = (!is_local).then(|| Net::network(ip));
        Self { address: Net::counted(ip), network }
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
    pub(super) fn await_turn(&mut self, id: SessionId, level: Level, at: Duration, paid: u64) {
        self.turns.insert(id, Turn { at, level, paid });
    }

    /// What was paid for the session's packet. For the next it is nothing.
    pub(super) fn take_turn(&mut self, id: SessionId) -> u64 {
        let Some(turn) = self.turns.remove(&id) else { return 0 };
        give_back(&mut self.turns);
        turn.paid
    }

    /// What of their own pace is left to somebody.
    pub(super) fn own(&self, payer: &Payer<'_>) -> Bucket {
        self.people.get(payer)[0]
    }

    /// Whether what nobody can take from them is left.
    pub(super) fn has_share(&self, payer: &Payer<'_>, uptime: Duration) -> bool {
        self.people.get(payer)[1].wait(SHARE, uptime).is_zero()
    }

    /// Whether a packet may come from there, and who pays for it. `may_share`: whether the sender has a share
    /// of what the address may send, and anything left of it.
    ///
    /// # Errors
    /// How long to wait, and for whose pace.
    pub(super) fn way(
        &self,
        from: Origin,
        pays: Pays,
        may_share: impl FnOnce() -> bool,
        rate: Rate,
        uptime: Duration,
    ) -> Result<Way, (Level, Duration)> {
        let [many, share, few] = self.addresses.get(&from.address);
        let [net_many, shares, net_few] =
            from.network.map_or_else(Default::default, |net| self.networks.get(&net));
        let is_little = pays == Pays::Little;
        let wait = match is_little {
            true => few.wait(little(address(rate)), uptime),
            false => many.wait(address(rate), uptime),
        };
        let held = if !wait.is_zero() && pays != Pays::First {
            (Level::Address, wait)
        } else {
            let wait = match is_little {
                true => net_few.wait(little(network(rate)), uptime),
                false => net_many.wait(network(rate), uptime),
            };
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
    pub(super) fn charge(
        &mut self,
        from: Origin,
        (way, pays): (Way, Pays),
        cost: u64,
        rate: Rate,
        uptime: Duration,
    ) {
        let is_little = pays == Pays::Little;
        if way != Way::Share {
            let [many, share, few] = self.addresses.row(&from.address, uptime);
            // Little goes before much, and is part of what there is for both.
            many.spend(cost, address(rate), uptime);
            share.drain(cost, rate, uptime);
            if is_little {
                few.spend(cost, little(address(rate)), uptime);
            }
        }
        let Some(net) = from.network else { return };
        let [many, shares, few] = self.networks.row(&net, uptime);
        match way {
            Way::AddressAndNetwork => {
                many.spend(cost, network(rate), uptime);
                if is_little {
                    few.spend(cost, little(network(rate)), uptime);
                }
            }
            // What it has not, it does not come to owe: others wait no longer for it.
            Way::Address => many.drain(cost, network(rate), uptime),
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

/// What of it those may send who send little.
fn little(rate: Rate) -> Rate {
    rate.slower(LITTLE_PERCENT)
}

/// What all who have a share may send by it: names can be had, with patience.
fn shares(rate: Rate) -> Rate {
    rate.times(PACES_PER_ADDRESS, PACES_PER_ADDRESS)
}
