//! The numbers of offers as the user has read them. A server that starts again counts from 1, so that a number in an
//! earlier line may be that of another offer by now.

use std::collections::BTreeMap;

use super::listing::place;
use super::{MAX_OFFERS, MadeOffer, ReceivedOffer};

/// An offer, whatever its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferIdentity {
    is_own: bool,
    /// The sender's key, or the name of a sender without one; of an own offer, where it goes.
    with: String,
    content: String,
}

/// The meaning of each number in the lines that the user has read.
#[derive(Debug, Default)]
pub(super) struct ReadNumbers(BTreeMap<u64, OfferIdentity>);

impl ReadNumbers {
    /// A line shows the offer with that number. If an earlier line has the number for another offer, the user may
    /// still mean that one.
    pub(super) fn show(&mut self, number: u64, offer: OfferIdentity) {
        if self.0.len() >= MAX_OFFERS {
            self.0.pop_first();
        }
        self.0.entry(number).or_insert(offer);
    }

    /// The user learns, or has just been told, what the number stands for now. Returns whether the user may have
    /// meant another offer.
    pub(super) fn tell(&mut self, number: u64, offer: OfferIdentity) -> bool {
        self.0.insert(number, offer.clone()).is_some_and(|before| before != offer)
    }
}

impl ReceivedOffer {
    pub(super) fn identity(&self) -> OfferIdentity {
        let with = self.key.map_or_else(|| self.from.name.clone(), |key| key.to_string());
        OfferIdentity { is_own: false, with, content: self.file.id.clone() }
    }
}

impl MadeOffer {
    pub(super) fn identity(&self) -> OfferIdentity {
        OfferIdentity { is_own: true, with: place(&self.to), content: self.file.id.clone() }
    }
}
