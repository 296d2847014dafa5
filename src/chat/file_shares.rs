//! How offers and transfers are shared out: who is charged for one, and whether they may have one more.
//!
//! Three circles pay: the user, the address, and the network around it, as a host with one address may have others
//! there. Each has a place only while its own circle and those around it have room. The circles of newcomers and of
//! established users are apart, and the last places are for established ones, because keys cost nothing to make.

use super::archive::Account;
use super::net::Net;
use super::tally::{NoPlace, Places, Tally};
use crate::fingerprint::Fingerprint;
use smallvec::SmallVec;
use std::net::IpAddr;

/// The people and places that are charged: the user, then the wider circles.
pub(super) type OfferPayers = SmallVec<[OfferPayer; 3]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum OfferPayer {
    Key(Fingerprint),
    /// All users without a key at this address: a token costs nothing.
    Keyless(Net),
    /// The users at this address: a key costs little.
    Address(Net, Standing),
    /// The users of a network: an address costs little there.
    Network(Net, Standing),
    /// The users on the server's own machine.
    Own(Standing),
}

/// Whether the server has known a user for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Standing {
    Established,
    New,
}

/// The limit that an offer or a transfer would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileLimit {
    User,
    Address,
    /// The rest is for users and addresses who have fewer than this many.
    Crowded(usize),
    /// The rest is for networks who have fewer than this many.
    Network(usize),
    /// The rest is for established users.
    Newcomers,
    All,
}

impl OfferPayer {
    /// The payers for a user at an address.
    pub(super) fn of(account: Option<&Account>, ip: IpAddr, local: bool, standing: Standing) -> OfferPayers {
        let net = Net::counted(ip);
        let user = match account {
            Some(Account::Key(key)) => Self::Key(*key),
            Some(Account::Token(_)) | None => Self::Keyless(net),
        };
        let address = if local { Self::Own(standing) } else { Self::Address(net, standing) };
        let network = (!local).then(|| Self::Network(Net::network(ip), standing));
        [user, address].into_iter().chain(network).collect()
    }

    fn is_user(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Keyless(_))
    }

    pub(super) fn is_network(&self) -> bool {
        matches!(self, Self::Network(..))
    }
}

/// Whether each payer may have one more: a place among all, and one within the next wider circle.
pub(super) fn check_shares(
    tally: &Tally<OfferPayer>,
    payers: &OfferPayers,
    most: impl Fn(&OfferPayer) -> usize,
    places: Places,
) -> Result<(), FileLimit> {
    let mut around: Option<Places> = None;
    let mut limits = SmallVec::<[FileLimit; 3]>::new();
    for payer in payers.iter().rev() {
        let most = most(payer);
        let within = around.map_or(Ok(()), |around| tally.check(payer, most, around));
        let checked = tally.check(payer, most, places).and(within);
        around = Some(Places { taken: tally.count(payer), all: places.share(most) });
        limits.extend(checked.err().map(|why| match why {
            NoPlace::Bound if payer.is_user() => FileLimit::User,
            NoPlace::Crowded(has) if payer.is_network() => FileLimit::Network(has),
            NoPlace::Bound => FileLimit::Address,
            NoPlace::Crowded(has) => FileLimit::Crowded(has),
        }));
    }
    let bound = limits.iter().find(|limit| matches!(limit, FileLimit::User | FileLimit::Address));
    match bound.or(limits.first()) {
        Some(FileLimit::Crowded(_) | FileLimit::Network(_)) | None if places.taken >= places.all => {
            Err(FileLimit::All)
        }
        Some(limit) => Err(*limit),
        None => Ok(()),
    }
}
