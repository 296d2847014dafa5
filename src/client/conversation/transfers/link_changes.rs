//! Offers and transfers when the connection is lost, or leads to another server.

use super::listing::place;
use super::wording::name_of;
use super::{OfferStage, TransferWork};
use crate::client::conversation::{Conversation, Effect};

impl Conversation {
    /// The connection is lost. The server tells of offers to this user again; the user's own are gone with it.
    pub(in crate::client::conversation) fn files_lost(&mut self) {
        self.transfers.received.retain(|offer| offer.is_current || !matches!(offer.stage, OfferStage::Open));
        for offer in &mut self.transfers.received {
            offer.is_current = false;
            if matches!(offer.stage, OfferStage::Asked) {
                (offer.stage, offer.is_told) = (OfferStage::Interrupted { percent: None, retry: None }, true);
            }
        }
        self.transfers.made.iter_mut().for_each(|offer| offer.number = None);
    }

    /// Ends everything: the users of another server are others.
    pub(in crate::client::conversation) fn abandon_files(&mut self) -> Vec<Effect> {
        let made = std::mem::take(&mut self.transfers.made);
        let received = std::mem::take(&mut self.transfers.received);
        let running = made.iter().flat_map(|offer| offer.receivers.values().map(|to| &to.stage));
        let running = running.chain(received.iter().map(|offer| &offer.stage)).filter_map(OfferStage::task);
        let mut effects: Vec<_> = running.map(|task| Self::order(task, TransferWork::Cancel)).collect();
        for offer in made.iter().filter(|offer| offer.is_told) {
            let (file, to) = (name_of(&offer.file), place(&offer.to));
            effects
                .extend(self.note(&format!("you no longer offer {file} to {to}, who is on another server")));
        }
        effects
    }
}
