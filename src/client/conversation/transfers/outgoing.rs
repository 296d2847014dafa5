//! Offers of this user's own, and what becomes of them.

use std::sync::Arc;

use super::commands::cancelled;
use super::listing::place;
use super::wording::{at, described, listed, name_of};
use super::{CollectedFiles, FilesRequest, MadeOffer, OfferReceiver, OfferStage, TransferWork, is_cancelled};
use crate::client::conversation::{Conversation, Effect, PendingRequest};
use crate::client::transfer::{Sent, TransferError};
use crate::protocol::request::Act;
use crate::protocol::{Code, DeclineReason};
use crate::text::{brief_line, safe_line};

impl Conversation {
    /// The screen has looked at the files to offer.
    pub(super) fn collected(&mut self, mark: u64, result: Result<CollectedFiles, String>) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        match result {
            Ok(CollectedFiles { parcel, file, notes }) => {
                (offer.file, offer.parcel) = (file, Some(parcel));
                let mut effects: Vec<_> = notes.iter().flat_map(|text| self.note(text)).collect();
                effects.extend(self.offer(mark));
                effects
            }
            Err(why) => self.give_up(mark, "not offered", &why),
        }
    }

    /// Says why an offer cannot be made, and gives its line back. The list names the file and the receiver already.
    fn give_up(&mut self, mark: u64, what: &str, why: &str) -> Vec<Effect> {
        self.refused += 1;
        let mut effects = self.failure(&format!("{what}: {why}"));
        effects.extend(
            self.drop_made(mark, &format!("not offered: {why}")).map(|offer| Effect::GiveBack(offer.typed)),
        );
        effects
    }

    /// Offers the files to the server, perhaps once more.
    fn offer(&mut self, mark: u64) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        let (to, file) = (offer.to.clone(), Box::new(offer.file.clone()));
        let request = Act::Offer { to, file }.into();
        self.ask(&request, PendingRequest::Files(FilesRequest::Offer(mark)))
    }

    /// The server has the offer.
    pub(super) fn offered_mine(&mut self, mark: u64, number: u64, waits: Option<&str>) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else {
            // The user has taken it back in the meantime.
            self.ask_quietly(Act::Cancel { offer: number, name: None });
            return Vec::new();
        };
        offer.number = Some(number);
        if std::mem::replace(&mut offer.is_told, true) {
            return Vec::new();
        }
        let (what, to, identity) = (described(&offer.file), place(&offer.to), offer.identity());
        self.transfers.numbers.show(number, identity);
        let waits = waits.map_or(String::new(), |name| match name == self.view.me {
            true => {
                ", which is you; you have no other session here, and one that comes gets the offer".to_owned()
            }
            false => {
                format!(
                    "; {} is offline, and gets the offer if they come while you are here",
                    safe_line(name)
                )
            }
        });
        self.note(&format!("you offer {what} to {to}{waits} (to take it back: /cancel {number})"))
    }

    pub(super) fn not_offered(&mut self, mark: u64, code: Option<Code>, msg: &str) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        let what = format!("{} is not offered to {}", name_of(&offer.file), place(&offer.to));
        let why = match code {
            Some(Code::UnknownType) => {
                "this server has an older version, which passes no files on".to_owned()
            }
            _ => brief_line(msg),
        };
        self.give_up(mark, &what, &why)
    }

    /// Makes the open offers again over a new connection.
    pub(in crate::client::conversation) fn offer_files_again(&mut self) -> Vec<Effect> {
        let open = self.transfers.made.iter().filter(|offer| offer.parcel.is_some());
        let open: Vec<u64> = open.map(|offer| offer.mark).collect();
        open.into_iter().flat_map(|mark| self.offer(mark)).collect()
    }

    /// A user accepts, and the file may flow.
    pub(super) fn accepted_mine(&mut self, number: u64, name: &str, token: &str) -> Vec<Effect> {
        let Some(meeting) = self.meeting(token) else { return Vec::new() };
        let task = self.transfers.mark();
        let Some(offer) = self.transfers.made_number(number) else { return Vec::new() };
        let Some(parcel) = offer.parcel.clone() else { return Vec::new() };
        let progress = Arc::default();
        let stage = OfferStage::Running { task, progress: Arc::clone(&progress), is_ended: false };
        let is_first = offer.receivers.is_empty();
        let is_told = offer.receivers.get(name).is_some_and(|before| before.is_told);
        let before = offer.receivers.insert(name.to_owned(), OfferReceiver { stage, is_told });
        let (file, name) = (name_of(&offer.file), safe_line(name));
        let text = match &before {
            Some(_) => None,
            None if !offer.is_to_many() => Some(format!("{name} accepts {file}")),
            None if is_first => Some(format!("{name} accepts {file}; /transfers counts all who do")),
            None => None,
        };
        // A receiver that accepts again has given up the connection of before.
        let dead = before.and_then(|before| before.stage.task());
        let mut effects: Vec<_> =
            dead.map(|task| Self::order(task, TransferWork::Abandon)).into_iter().collect();
        effects.push(Self::order(task, TransferWork::Send { meeting, parcel, progress }));
        effects.extend(text.map(|text| self.note(&text)).unwrap_or_default());
        effects
    }

    /// A transfer from this user has ended, on this side.
    pub(super) fn sent_file(&mut self, task: u64, result: Result<Sent, TransferError>) -> Vec<Effect> {
        let is_it = |offer: &MadeOffer| offer.receivers.values().any(|to| to.stage.task() == Some(task));
        let Some(offer) = self.transfers.made.iter_mut().find(|offer| is_it(offer)) else {
            return Vec::new();
        };
        let running = offer.receivers.iter_mut().find(|(_, to)| to.stage.task() == Some(task));
        let Some((receiver, OfferReceiver { stage, is_told })) = running else { return Vec::new() };
        let (mark, file, name, percent) =
            (offer.mark, name_of(&offer.file), receiver.clone(), stage.percent());
        let is_ended = matches!(stage, OfferStage::Running { is_ended: true, .. });
        match result {
            Ok(_) => {
                *stage = OfferStage::Done;
                offer.untold.push(name);
                self.tell_sent(mark)
            }
            Err(error) if !error.may_resume() && !is_ended && !is_cancelled(&error) => {
                let why = error.to_string();
                offer.receivers.remove(&name);
                let mut effects = self.failure(&format!("{file} to {} failed: {why}", safe_line(&name)));
                // The receiver can mend such a problem, and accept again.
                if matches!(error, TransferError::Here { .. }) {
                    effects.extend(self.over_if_direct(mark, &format!("failed: {why}")));
                }
                effects
            }
            Err(_) if is_ended => {
                let name = receiver.clone();
                self.cancelled_by(mark, &name, percent)
            }
            Err(_) => {
                *stage = OfferStage::Interrupted { percent, retry: None };
                if std::mem::replace(is_told, true) {
                    return Vec::new();
                }
                let name = safe_line(&name);
                self.note(&format!(
                    "{file} to {name} was interrupted{}; it goes on when {name} is back",
                    at(percent)
                ))
            }
        }
    }

    /// Says who has all files, once nobody else is receiving them.
    fn tell_sent(&mut self, mark: u64) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        if offer.is_to_many() && offer.receivers.values().any(|to| to.stage.task().is_some()) {
            return Vec::new();
        }
        let (what, names) = (described(&offer.file), std::mem::take(&mut offer.untold));
        let have = if names.len() == 1 { "has" } else { "have" };
        let mut effects = self.note(&format!("{} {have} {what}", listed(&names)));
        effects.extend(self.over_if_direct(mark, "sent"));
        effects
    }

    /// An offer to one user is over with its transfer.
    fn over_if_direct(&mut self, mark: u64, how: &str) -> Vec<Effect> {
        let number = match self.transfers.made(mark) {
            Some(offer) if !offer.is_to_many() => offer.number,
            _ => return Vec::new(),
        };
        if let Some(number) = number {
            self.ask_quietly(Act::Cancel { offer: number, name: None });
        }
        self.drop_made(mark, how);
        vec![Effect::Relabel]
    }

    fn cancelled_by(&mut self, mark: u64, name: &str, percent: Option<u64>) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        offer.receivers.remove(name);
        let (file, name, at) = (name_of(&offer.file), safe_line(name), at(percent));
        let mut effects = self.note(&format!("{name} has cancelled {file}{at}"));
        effects.extend(self.over_if_direct(mark, &format!("{name} cancelled it{at}")));
        effects
    }

    /// The server says that an offer of this user's, or a transfer of it, has ended.
    pub(super) fn ended_mine(
        &mut self,
        number: u64,
        name: Option<&str>,
        (code, reason): (Option<Code>, Option<DeclineReason>),
        msg: &str,
    ) -> Vec<Effect> {
        let msg = &brief_line(msg);
        let Some(offer) = self.transfers.made_number(number) else { return Vec::new() };
        let (mark, file) = (offer.mark, name_of(&offer.file));
        let Some(name) = name else {
            let running: Vec<_> =
                offer.receivers.values().filter_map(|to| to.stage.task()).map(cancelled).collect();
            self.drop_made(mark, msg);
            let mut effects = self.failure(&format!("you no longer offer {file}: {msg}"));
            effects.extend(running);
            return effects;
        };
        let is_to_many = offer.is_to_many();
        match (code, offer.receivers.get_mut(name).map(|to| &mut to.stage)) {
            (Some(Code::Cut), _) => Vec::new(),
            (Some(Code::Declined), _) if is_to_many => {
                offer.declined += 1;
                Vec::new()
            }
            (Some(Code::Declined), _) => {
                let why = DeclineReason::suffix(reason);
                self.drop_made(mark, &format!("declined{why}"));
                self.note(&format!("{} declines {file}{why}", safe_line(name)))
            }
            (Some(Code::Received), Some(OfferStage::Done) | None) => Vec::new(),
            // The connection broke after the last byte.
            (Some(Code::Received), Some(stage)) => {
                let dead = stage.task();
                *stage = OfferStage::Done;
                offer.untold.push(name.to_owned());
                let mut effects = self.tell_sent(mark);
                effects.extend(dead.map(|task| Self::order(task, TransferWork::Abandon)));
                effects
            }
            (_, Some(OfferStage::Running { task, is_ended, .. })) => {
                *is_ended = true;
                vec![cancelled(*task)]
            }
            (Some(Code::Cancelled), _) => self.cancelled_by(mark, name, None),
            _ => {
                let mut effects = self.failure(&format!("{file} to {} has ended: {msg}", safe_line(name)));
                effects.extend(self.over_if_direct(mark, msg));
                effects
            }
        }
    }
}
