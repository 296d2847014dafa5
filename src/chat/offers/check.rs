//! All tables of offers agree between calls.

use super::super::who::{SessionId, UserId, Who};
use super::{OfferScope, Offers};
use crate::limits::MAX_OFFERS;

impl Offers {
    /// Asserts that all tables agree, and that only these sessions offer and receive, and only these guests.
    pub(in crate::chat) fn check(
        &self,
        is_open: impl Fn(SessionId) -> bool,
        is_here: impl Fn(UserId) -> bool,
    ) {
        for (number, offer) in &self.open {
            if let OfferScope::Person(Who::User(user)) = offer.scope {
                assert!(is_here(user), "an offer ends with a receiver who cannot come back");
            }
            assert!(is_open(offer.session), "an offer ends with its session");
            assert!(self.of(&offer.scope).any(|other| other == *number));
            assert!(self.by_session.of(&offer.session).any(|other| other == *number));
            assert!(offer.transfers.iter().all(|id| self.transfers[id].offer == *number));
        }
        for (id, transfer) in &self.transfers {
            assert!(is_open(transfer.session), "a transfer ends with the receiver's session");
            assert_eq!(self.open[&transfer.offer].transfers.iter().filter(|other| *other == id).count(), 1);
            let same = self.open[&transfer.offer].transfers.iter().map(|other| &self.transfers[other]);
            let same = same.filter(|other| other.receiver == transfer.receiver);
            assert_eq!(same.count(), 1, "nobody receives an offer twice at a time");
            assert_eq!(transfer.meeting.is_some(), self.due.iter().any(|(_, due)| due == id));
        }
        let waiting = self.transfers.values().map(|transfer| transfer.missing().count());
        assert_eq!(self.tokens.len(), waiting.sum::<usize>());
        let sum = |groups: usize, all: usize| assert_eq!(groups, all);
        sum(self.by_scope.len(), self.open.len());
        sum(self.by_session.len(), self.open.len());
        sum(self.received_by.len(), self.transfers.len());
        sum(self.offered.sum(), self.open.values().map(|offer| offer.payers.len()).sum());
        sum(self.offered_to.sum(), self.offered.sum());
        sum(self.moving.sum(), self.transfers.values().map(|transfer| transfer.payers.len()).sum());
        assert!(self.open.len() <= MAX_OFFERS && self.transfers.len() <= self.rules.max_transfers);
    }

    /// Whether nothing is left of all that was.
    pub(in crate::chat) fn has_nothing(&self) -> bool {
        self.open.is_empty()
            && self.offered.sum() + self.offered_to.sum() + self.moving.sum() == 0
            && self.tokens.is_empty()
    }
}
