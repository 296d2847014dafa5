//! The table of offered files, and of the transfers that were accepted.
//!
//! Tells nobody and knows no names: [`offering`](super::offering) and [`transfers`](super::transfers) have the
//! rules.

#[cfg(any(test, fuzzing))]
mod check;
mod claim;
mod kept;

pub use claim::TokenWay;

use super::file_shares::{FileLimit, OfferPayer, OfferPayers, Standing, check_shares};
use super::table::give_back;
use super::tally::{Groups, Places, Tally};
use super::who::{SessionId, Who};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    MAX_OFFERS, MAX_OFFERS_OF_NEWCOMERS, MAX_OFFERS_OF_OWN_MACHINE, MAX_OFFERS_PER_ADDRESS,
    MAX_OFFERS_PER_USER, MAX_TRANSFERS_PER_ADDRESS, MAX_TRANSFERS_PER_USER, TRANSFER_MEETING,
    TRANSFERS_PER_KEPT,
};
use crate::name::{NameKey, RoomName};
use crate::protocol::packet::FileInfo;
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A transfer's number, never reused while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransferId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TransferSide {
    Sender,
    Receiver,
}

/// The administrator's choices about files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRules {
    /// Transfers at a time.
    pub max_transfers: usize,
    /// The biggest size that may be offered, in bytes; `None`: any.
    pub max_bytes: Option<u64>,
}

/// Where the rules get the secrets that admit connections: the chat itself has no randomness.
pub struct TokenSource(Box<dyn FnMut() -> Option<u128> + Send>);

/// The people who may accept an offer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum OfferScope {
    Lobby,
    Room(NameKey),
    Person(Who),
}

/// An offer's place among those to the same receivers: the sender's standing, and how many offers to them the user or
/// address, and the network, had before.
type OfferRank = (Standing, usize, usize);

#[derive(Debug)]
pub(super) struct Offer {
    /// The session that offers; its end withdraws the offer.
    pub(super) session: SessionId,
    pub(super) owner: Who,
    pub(super) scope: OfferScope,
    /// The receiver as shown to people: a name, a room or `all`.
    pub(super) to: String,
    pub(super) file: Box<FileInfo>,
    pub(super) transfers: SmallVec<[TransferId; 1]>,
    rank: OfferRank,
    payers: OfferPayers,
}

#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) offer: u64,
    pub(super) receiver: Who,
    /// The receiver's session; its end ends the transfer.
    pub(super) session: SessionId,
    /// The names of the sender and the receiver.
    pub(super) names: [String; 2],
    /// `None` once both have connected.
    meeting: Option<Meeting>,
    payers: OfferPayers,
}

/// A transfer whose sides have yet to connect. The order is that of [`TransferSide`].
#[derive(Debug)]
struct Meeting {
    until: Duration,
    tokens: [u128; 2],
    holders: [TokenHolder; 2],
    claimed: [bool; 2],
    /// Presented at another server than that where the sides meet, which passes the connection on.
    passed: [bool; 2],
}

/// The only user of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenHolder {
    Key(Fingerprint),
    Address(IpAddr),
}

/// A new transfer.
pub(super) struct NewTransfer {
    pub(super) offer: u64,
    pub(super) receiver: Who,
    pub(super) session: SessionId,
    pub(super) names: [String; 2],
    pub(super) holders: [TokenHolder; 2],
    pub(super) payers: OfferPayers,
}

#[derive(Debug)]
pub(super) struct Offers {
    pub(super) rules: FileRules,
    source: TokenSource,
    /// The number of the latest offer, and of the latest transfer.
    latest: (u64, u64),
    open: BTreeMap<u64, Offer>,
    /// With their ranks, so that nobody's offers hide those of others.
    by_scope: Groups<OfferScope, (OfferRank, u64)>,
    by_session: Groups<SessionId, u64>,
    transfers: BTreeMap<TransferId, Transfer>,
    /// Transfers by the receiver's session.
    received_by: Groups<SessionId, TransferId>,
    /// Unused tokens.
    tokens: HashMap<u128, (TransferId, TransferSide)>,
    /// Transfers whose sides have yet to connect.
    due: BTreeSet<(Duration, TransferId)>,
    offered: Tally<OfferPayer>,
    /// By receivers.
    offered_to: Tally<(OfferScope, OfferPayer)>,
    moving: Tally<OfferPayer>,
    /// Offers that have changed since the last call of [`Self::take_changed`]; `None`: nobody else goes on with them.
    changed: Option<IndexSet<u64>>,
}

impl Offers {
    pub(super) fn new(rules: FileRules, source: TokenSource) -> Self {
        Self {
            rules,
            source,
            latest: (0, 0),
            open: BTreeMap::new(),
            by_scope: Groups::default(),
            by_session: Groups::default(),
            transfers: BTreeMap::new(),
            received_by: Groups::default(),
            tokens: HashMap::new(),
            due: BTreeSet::new(),
            offered: Tally::default(),
            offered_to: Tally::default(),
            moving: Tally::default(),
            changed: None,
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<&Offer> {
        self.open.get(&number)
    }

    pub(super) fn transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.transfers.get(&id)
    }

    /// The transfer of an offer to that person.
    pub(super) fn transfer_to(&self, number: u64, who: &Who) -> Option<TransferId> {
        let has = |id: &&TransferId| self.transfers.get(id).is_some_and(|transfer| transfer.receiver == *who);
        self.open.get(&number)?.transfers.iter().find(has).copied()
    }

    /// Open offers to these receivers: those of established users, and of these the first of each sender, then the
    /// second ones, and so on; then those of newcomers.
    pub(super) fn of(&self, scope: &OfferScope) -> impl Iterator<Item = u64> {
        self.by_scope.of(scope).map(|(_, number)| number)
    }

    pub(super) fn offered_by(&self, session: SessionId) -> Vec<u64> {
        self.by_session.of(&session).collect()
    }

    pub(super) fn received_by(&self, session: SessionId) -> Vec<TransferId> {
        self.received_by.of(&session).collect()
    }

    pub(super) fn may_offer(&self, payers: &OfferPayers, standing: Standing) -> Result<(), FileLimit> {
        let most = |payer: &OfferPayer| match payer {
            OfferPayer::Key(_) | OfferPayer::Keyless(_) => MAX_OFFERS_PER_USER,
            OfferPayer::Address(..) => MAX_OFFERS_PER_ADDRESS,
            OfferPayer::Network(..) => usize::MAX,
            OfferPayer::Own(_) => MAX_OFFERS_OF_OWN_MACHINE,
        };
        let taken = self.open.len();
        if standing == Standing::New && (MAX_OFFERS_OF_NEWCOMERS..MAX_OFFERS).contains(&taken) {
            return Err(FileLimit::Newcomers);
        }
        let all = match standing {
            Standing::Established => MAX_OFFERS,
            Standing::New => MAX_OFFERS_OF_NEWCOMERS,
        };
        check_shares(&self.offered, payers, most, Places { taken, all })
    }

    pub(super) fn may_move(&self, payers: &OfferPayers, standing: Standing) -> Result<(), FileLimit> {
        let most = |payer: &OfferPayer| match payer {
            OfferPayer::Key(_) | OfferPayer::Keyless(_) => MAX_TRANSFERS_PER_USER,
            OfferPayer::Address(..) => MAX_TRANSFERS_PER_ADDRESS,
            OfferPayer::Network(..) | OfferPayer::Own(_) => usize::MAX,
        };
        let (taken, all) = (self.transfers.len(), self.rules.max_transfers);
        let places = match standing {
            Standing::Established => all,
            Standing::New => all - all / TRANSFERS_PER_KEPT,
        };
        if standing == Standing::New && (places..all).contains(&taken) {
            return Err(FileLimit::Newcomers);
        }
        // The server's own machine has no bound of its own.
        let payers = payers.iter().filter(|payer| !matches!(payer, OfferPayer::Own(_))).copied().collect();
        check_shares(&self.moving, &payers, most, Places { taken, all: places })
    }

    /// Adds an offer, and returns its number.
    pub(super) fn add(
        &mut self,
        (session, owner): (SessionId, Who),
        (scope, to): (OfferScope, String),
        file: Box<FileInfo>,
        (payers, standing): (OfferPayers, Standing),
    ) -> u64 {
        let number = self.latest.0 + 1;
        self.insert(number, (session, owner), (scope, to), file, (payers, standing));
        number
    }

    /// Adds an offer with that number.
    pub(super) fn insert(
        &mut self,
        number: u64,
        (session, owner): (SessionId, Who),
        (scope, to): (OfferScope, String),
        file: Box<FileInfo>,
        (payers, standing): (OfferPayers, Standing),
    ) {
        self.latest.0 = self.latest.0.max(number);
        self.note(number);
        let rank = self.rank(&scope, &payers, standing);
        self.by_scope.add(scope.clone(), (rank, number));
        self.by_session.add(session, number);
        self.offered.add(payers.iter().copied());
        self.offered_to.add(to_receivers(&scope, &payers));
        let transfers = SmallVec::new();
        self.open.insert(number, Offer { session, owner, scope, to, file, transfers, rank, payers });
    }

    fn rank(&self, scope: &OfferScope, payers: &OfferPayers, standing: Standing) -> OfferRank {
        let had = |is_network| {
            let payers = payers.iter().filter(|payer| payer.is_network() == is_network);
            payers.map(|payer| self.offered_to.count(&(scope.clone(), *payer))).max().unwrap_or_default()
        };
        (standing, had(false), had(true))
    }

    /// Removes an offer. Its transfers must have ended.
    pub(super) fn remove(&mut self, number: u64) -> Option<Offer> {
        let offer = self.open.remove(&number)?;
        self.note(number);
        self.by_scope.remove(&offer.scope, (offer.rank, number));
        self.by_session.remove(&offer.session, number);
        self.offered.remove(offer.payers.iter().copied());
        self.offered_to.remove(to_receivers(&offer.scope, &offer.payers));
        Some(offer)
    }

    /// Begins a transfer. Returns the sender's and the receiver's token; `None`: there is no randomness.
    pub(super) fn begin(&mut self, new: NewTransfer, uptime: Duration) -> Option<[u128; 2]> {
        let NewTransfer { offer, receiver, session, names, holders, payers } = new;
        let tokens = [(self.source.0)()?, (self.source.0)()?];
        self.latest.1 += 1;
        let id = TransferId(self.latest.1);
        let until = uptime + TRANSFER_MEETING;
        self.tokens.insert(tokens[0], (id, TransferSide::Sender));
        self.tokens.insert(tokens[1], (id, TransferSide::Receiver));
        self.due.insert((until, id));
        let [claimed, passed] = [[false; 2]; 2];
        let meeting = Some(Meeting { until, tokens, holders, claimed, passed });
        self.insert_transfer(id, Transfer { offer, receiver, session, names, meeting, payers })?;
        Some(tokens)
    }

    /// `None`: there is no such offer.
    fn insert_transfer(&mut self, id: TransferId, transfer: Transfer) -> Option<()> {
        self.open.get_mut(&transfer.offer)?.transfers.push(id);
        self.note(transfer.offer);
        self.received_by.add(transfer.session, id);
        self.moving.add(transfer.payers.iter().copied());
        self.transfers.insert(id, transfer);
        Some(())
    }

    /// Removes a transfer.
    pub(super) fn end(&mut self, id: TransferId) -> Option<Transfer> {
        let transfer = self.transfers.remove(&id)?;
        self.note(transfer.offer);
        if let Some(meeting) = &transfer.meeting {
            self.due.remove(&(meeting.until, id));
            self.tokens.retain(|token, _| !meeting.tokens.contains(token));
            give_back(&mut self.tokens);
        }
        self.received_by.remove(&transfer.session, id);
        self.moving.remove(transfer.payers.iter().copied());
        if let Some(offer) = self.open.get_mut(&transfer.offer) {
            offer.transfers.retain(|other| *other != id);
        }
        Some(transfer)
    }

    fn note(&mut self, number: u64) {
        if let Some(changed) = &mut self.changed {
            changed.insert(number);
        }
    }

    /// When the next transfer ends unless both sides connect.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    pub(super) fn due_by(&self, uptime: Duration) -> Option<TransferId> {
        self.due.first().filter(|(due, _)| *due <= uptime).map(|(_, id)| *id)
    }
}

impl TransferSide {
    pub(super) fn index(self) -> usize {
        match self {
            Self::Sender => 0,
            Self::Receiver => 1,
        }
    }
}

impl Transfer {
    /// Whether both sides have connected.
    pub(super) fn has_met(&self) -> bool {
        self.meeting.is_none()
    }

    /// The sides that have not connected.
    pub(super) fn missing(&self) -> impl Iterator<Item = TransferSide> {
        let claimed = self.meeting.as_ref().map_or([true; 2], |meeting| meeting.claimed);
        [TransferSide::Sender, TransferSide::Receiver].into_iter().filter(move |side| !claimed[side.index()])
    }
}

impl OfferScope {
    pub(super) fn room(room: &RoomName) -> Self {
        if room.is_lobby() { Self::Lobby } else { Self::Room(room.key().clone()) }
    }
}

impl TokenSource {
    pub fn new(source: impl FnMut() -> Option<u128> + Send + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

/// The payers of offers to the same receivers.
fn to_receivers(scope: &OfferScope, payers: &OfferPayers) -> impl Iterator<Item = (OfferScope, OfferPayer)> {
    payers.iter().map(|payer| (scope.clone(), *payer))
}
