//! Offers and transfers when the connection is lost, or leads to another server.

use super::listing::place;
use super::wording::name_of;
use super::{OfferStage, ReceivedOffer, TIME_TO_RETURN, TransferWork};
use crate::client::conversation::{CallTime, Conversation, Effect};
use crate::text::safe_line;

impl Conversation {
    /// The connection is lost. The server tells of offers to this user again; the user's own are gone with it.
    pub(in crate::client::conversation) fn files_lost(&mut self) {
        self.transfers.received.retain(|offer| {
            offer.is_current || offer.is_missing() || !matches!(offer.stage, OfferStage::Open)
        });
        for offer in &mut self.transfers.received {
            offer.was_open = offer.is_open() || offer.is_missing();
            (offer.is_current, offer.missing_since) = (false, None);
            if matches!(offer.stage, OfferStage::Asked) {
                (offer.stage, offer.is_told) = (OfferStage::Interrupted { percent: None, retry: None }, true);
            }
        }
        self.transfers.made.iter_mut().for_each(|offer| offer.number = None);
    }

    /// Says which open offers have not come again over a new connection, such as to a server that now passes no
    /// files on: the user would wait for them.
    pub(super) fn tell_missing(&mut self, now: CallTime) -> Vec<Effect> {
        if self.meeting("").is_none() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        self.transfers.received.retain_mut(|offer| {
            let is_over = offer.is_missing()
                && now.instant >= *offer.missing_since.get_or_insert(now.instant) + TIME_TO_RETURN;
            if is_over {
                let (file, with) = (name_of(&offer.file), safe_line(&offer.from.name));
                lines.push(format!(
                    "{with} has not offered {file} again since the connection was lost; if you want it, ask {with} \
                     to /send it again"
                ));
            }
            !is_over
        });
        lines.iter().flat_map(|line| self.note(line)).collect()
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

impl ReceivedOffer {
    /// Whether the user can answer it.
    pub(super) fn is_open(&self) -> bool {
        self.is_current && self.is_shown && matches!(self.stage, OfferStage::Open)
    }

    /// Whether the user could answer it when the connection was lost, and it has not come again.
    pub(super) fn is_missing(&self) -> bool {
        !self.is_current && self.was_open && matches!(self.stage, OfferStage::Open)
    }
}
