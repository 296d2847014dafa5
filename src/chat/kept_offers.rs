//! Offers outlive the server that leads: another one of the same chat goes on with them.
//!
//! As with the [sessions](super::standing), the rules push the new state of each offer that a call has changed.

use super::archive::Entry;
use super::delivery::Delivery;
use super::offer_record::{OfferRecord, ScopeRecord, TransferRecord};
use super::offers::{Offer, OfferScope, Offers, TransferId};
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::name::RoomName;
use crate::protocol::Code;
use std::sync::Arc;

impl Chat {
    /// Pushes the state of the offers that have changed.
    pub(super) fn keep_offers(&mut self, out: &mut Deliveries) {
        let Some(offers) = &mut self.offers else { return };
        for number in offers.take_changed() {
            let record = offers.get(number).map(|offer| Box::new(OfferRecord::of(number, offer, offers)));
            out.push(Delivery::Keep(Entry::Offer(number, record)));
        }
    }

    /// Goes on with the offers of another server's rules, after all sessions. Transfers go on if both sides have
    /// connected; the others end. New offers and transfers get higher numbers than these.
    pub fn adopt_offers(
        &mut self,
        records: Vec<OfferRecord>,
        latest: (u64, u64),
        now: &Now,
        out: &mut Deliveries,
    ) {
        if let Some(offers) = &mut self.offers {
            offers.number_after(latest);
        }
        for record in records {
            let number = record.number;
            if self.adopt_offer(record, now, out).is_none() {
                out.push(Delivery::Keep(Entry::Offer(number, None)));
            }
        }
    }

    /// `None`: there is no such offer any more.
    fn adopt_offer(&mut self, record: OfferRecord, now: &Now, out: &mut Deliveries) -> Option<()> {
        let OfferRecord { number, session, scope, to, file, transfers } = record;
        let owner = self.asking(session)?.who;
        let scope = match scope {
            ScopeRecord::Lobby => OfferScope::Lobby,
            ScopeRecord::Room => OfferScope::room(&RoomName::new(&to).ok()?),
            ScopeRecord::Account(account) => OfferScope::Person(Who::Account(Arc::new(account))),
            ScopeRecord::User(number) => OfferScope::Person(Who::User(UserId(number))),
        };
        let standing = self.standing(session, now);
        let payers = self.offer_payers(session, standing);
        self.offers.as_mut()?.insert(number, (session, owner), (scope, to), file, (payers, standing));
        for transfer in transfers {
            self.adopt_transfer(number, session, transfer, now, out);
        }
        Some(())
    }

    fn adopt_transfer(
        &mut self,
        number: u64,
        offerer: SessionId,
        record: TransferRecord,
        now: &Now,
        out: &mut Deliveries,
    ) {
        let TransferRecord { id, session, names, has_met } = record;
        let id = TransferId(id);
        let Some(receiver) = self.asking(session).map(|asking| asking.who) else { return };
        let payers = self.payers_of_both(offerer, session, now);
        if let Some(offers) = &mut self.offers {
            offers.adopt_transfer(id, (number, names), (session, receiver), payers);
        }
        if !has_met {
            let msg = "the server that leads the chat has ended; accept the offer again";
            self.end_told(id, Code::Cut, msg, out);
        }
    }
}

impl OfferRecord {
    fn of(number: u64, offer: &Offer, offers: &Offers) -> Self {
        let scope = match &offer.scope {
            OfferScope::Lobby => ScopeRecord::Lobby,
            OfferScope::Room(_) => ScopeRecord::Room,
            OfferScope::Person(Who::Account(account)) => ScopeRecord::Account((**account).clone()),
            OfferScope::Person(Who::User(user)) => ScopeRecord::User(user.0),
        };
        let transfers = offer.transfers.iter().filter_map(|id| {
            let transfer = offers.transfer(*id)?;
            let (names, has_met) = (transfer.names.clone(), transfer.has_met());
            Some(TransferRecord { id: id.0, session: transfer.session, names, has_met })
        });
        let (transfers, to, file) = (transfers.collect(), offer.to.clone(), offer.file.clone());
        Self { number, session: offer.session, scope, to, file, transfers }
    }
}
