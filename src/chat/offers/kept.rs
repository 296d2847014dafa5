//! Offers and transfers on their way from the server that led to the one that leads.

use super::super::file_shares::OfferPayers;
use super::super::who::{SessionId, Who};
use super::{Offers, Transfer, TransferId};
use indexmap::IndexSet;
use std::mem;

impl Offers {
    /// From now on, notes which offers change.
    pub(in crate::chat) fn note_changes(&mut self) {
        self.changed.get_or_insert_default();
    }

    pub(in crate::chat) fn take_changed(&mut self) -> IndexSet<u64> {
        self.changed.as_mut().map(mem::take).unwrap_or_default()
    }

    /// Forgets all offers, and keeps the settings.
    pub(in crate::chat) fn emptied(self) -> Self {
        Self::new(self.rules, self.source)
    }

    /// The next numbers of offers and transfers are higher than these.
    pub(in crate::chat) fn number_after(&mut self, (offer, transfer): (u64, u64)) {
        self.latest = (self.latest.0.max(offer), self.latest.1.max(transfer));
    }

    /// Goes on with another server's transfer, as one whose sides have met.
    pub(in crate::chat) fn adopt_transfer(
        &mut self,
        id: TransferId,
        (offer, names): (u64, [String; 2]),
        (session, receiver): (SessionId, Who),
        payers: OfferPayers,
    ) {
        self.insert_transfer(id, Transfer { offer, receiver, session, names, meeting: None, payers });
    }
}
