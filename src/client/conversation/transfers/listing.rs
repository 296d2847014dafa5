//! `/transfers`: all offers and transfers with their state.

use super::wording::{at, described, file_size};
use super::{EndedTransfer, MadeOffer, OfferStage, ReceivedOffer};
use crate::client::conversation::{Conversation, Effect, shown};
use crate::protocol::Target;
use crate::protocol::target::LOBBY;
use crate::text::safe_line;

impl Conversation {
    /// Lists what has ended, in the order in which it ended, and then what is open or on its way, in the order in
    /// which it came: the newest stands next to the prompt.
    pub(super) fn list_transfers(&mut self) -> Vec<Effect> {
        let ended = self.transfers.ended.iter().map(ended_row);
        let received = self.transfers.received.iter().filter(|offer| offer.is_listed());
        let received = received.map(|offer| (offer.mark, received_row(offer)));
        let made = self.transfers.made.iter().map(|offer| (offer.mark, made_row(offer)));
        let mut open: Vec<_> = received.chain(made).collect();
        open.sort_by_key(|(mark, _)| *mark);
        let rows: Vec<_> = ended.chain(open.into_iter().map(|(_, row)| row)).collect();
        self.numbers_are_read();
        if rows.is_empty() {
            return self.note("there are no transfers; to offer a file: /send NAME PATH");
        }
        let mut effects = self.note("transfers:");
        effects.extend(shown(self.view.table(&rows)));
        effects
    }

    /// The user reads what each number stands for now.
    fn numbers_are_read(&mut self) {
        let received = self.transfers.received.iter().filter(|offer| offer.is_current && offer.is_shown);
        let received = received.map(|offer| (offer.number, offer.identity()));
        let made = self.transfers.made.iter().filter_map(|offer| Some((offer.number?, offer.identity())));
        for (number, identity) in received.chain(made) {
            self.transfers.numbers.tell(number, identity);
        }
    }
}

impl ReceivedOffer {
    /// The file, its sender and, if it is for a room, the room.
    pub(super) fn summary(&self) -> String {
        let room = match Target::parse(&self.to) {
            to @ (Target::All | Target::Room(_)) => format!(" in {}", place(&to)),
            _ => String::new(),
        };
        format!("{} from {}{room}", described(&self.file), safe_line(&self.from.name))
    }

    fn is_listed(&self) -> bool {
        let is_over = matches!(self.stage, OfferStage::Done);
        !is_over && (self.is_current || !matches!(self.stage, OfferStage::Open))
    }
}

fn number(number: Option<u64>) -> String {
    number.map_or("-".to_owned(), |number| number.to_string())
}

fn ended_row(ended: &EndedTransfer) -> (String, String) {
    let arrow = if ended.is_own { "to" } else { "from" };
    let EndedTransfer { file, with, how, .. } = ended;
    (format!("{} {file}", number(ended.number)), format!("{arrow} {with}: {how}"))
}

fn received_row(offer: &ReceivedOffer) -> (String, String) {
    let how = match &offer.stage {
        OfferStage::Open => format!("/accept {0} or /reject {0}", offer.number),
        OfferStage::Preparing(_) | OfferStage::Asked => "accepted; waiting for the sender".to_owned(),
        OfferStage::Running { progress, .. } => match offer.stage.percent() {
            Some(percent) => format!("receiving, {percent} %"),
            None if !offer.stage.flows() => "accepted; about to begin".to_owned(),
            None => format!("receiving, {} so far", file_size(progress.now().done)),
        },
        OfferStage::Interrupted { percent, .. } => format!("interrupted{}", at(*percent)),
        OfferStage::Done => "received".to_owned(),
    };
    let from = safe_line(&offer.from.name);
    (format!("{} {}", offer.number, described(&offer.file)), format!("from {from}: {how}"))
}

fn made_row(offer: &MadeOffer) -> (String, String) {
    let stages = || offer.receivers.values().map(|to| &to.stage);
    let count = |is: fn(&OfferStage) -> bool| stages().filter(|stage| is(stage)).count();
    let running = count(|stage| matches!(stage, OfferStage::Running { .. }));
    let mut parts = Vec::new();
    let mut part = |count: usize, text: &str| {
        if count > 0 {
            parts.push(if offer.is_to_many() { format!("{count} {text}") } else { text.to_owned() });
        }
    };
    part(running, "receiving");
    part(count(|stage| matches!(stage, OfferStage::Interrupted { .. })), "interrupted");
    part(count(|stage| matches!(stage, OfferStage::Done)), "received it");
    part(offer.declined, "declined");
    let percents: Vec<u64> = stages().filter_map(OfferStage::percent).collect();
    let mut how = match parts.is_empty() {
        true if offer.parcel.is_none() => "looking at the files".to_owned(),
        true if offer.number.is_none() => "not offered while there is no connection".to_owned(),
        true => "nobody has accepted yet".to_owned(),
        false => parts.join(", "),
    };
    if !offer.is_to_many() {
        how += &percents.first().map_or(String::new(), |percent| format!(", {percent} %"));
        if parts.is_empty() && offer.number.is_some() {
            how = "waits for an answer".to_owned();
        }
    }
    (
        format!("{} {}", number(offer.number), described(&offer.file)),
        format!("to {}: {how}", place(&offer.to)),
    )
}

/// A user or a room, as users write it.
pub(super) fn place(to: &Target) -> String {
    match to {
        Target::All => LOBBY.to_owned(),
        to => safe_line(&to.to_string()),
    }
}

impl MadeOffer {
    /// Whether several users may accept it.
    pub(super) fn is_to_many(&self) -> bool {
        matches!(self.to, Target::All | Target::Room(_))
    }
}
