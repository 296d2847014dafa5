//! Offers to this user, and what becomes of them.

use std::sync::Arc;

use super::commands::cancelled;
use super::wording::{at, described, file_size, name_of};
use super::{
    EndedTransfer, FIRST_PAUSE, FilesRequest, LONGEST_PAUSE, MAX_OFFERS, OfferStage, ReceivedOffer,
    TransferWork, is_final,
};
use crate::client::conversation::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::client::preferences::NotifyLevel;
use crate::client::transfer::{Landing, Received, TransferError};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::{FileInfo, Sender};
use crate::protocol::request::Act;
use crate::protocol::{Code, Target};
use crate::text::{brief_line, safe_line};

impl ReceivedOffer {
    /// Whether this is the same content from the same key, which the user has accepted.
    fn goes_on_as(&self, key: Option<&Fingerprint>, to: &str, file: &FileInfo) -> bool {
        // The same content may be offered to a room, too, and the user may not want that one.
        let is_same_to = is_direct(to) && is_direct(&self.to) || to.to_lowercase() == self.to.to_lowercase();
        let is_accepted =
            !matches!(self.stage, OfferStage::Open | OfferStage::Preparing(_) | OfferStage::Done)
                && !matches!(self.stage, OfferStage::Running { is_ended: true, .. });
        is_accepted && is_same_to && key.is_some() && self.key.as_ref() == key && self.file.id == file.id
    }

    /// Whether the server tells of this one again, after a new connection.
    fn is_again(&self, number: u64, key: Option<&Fingerprint>, file: &FileInfo) -> bool {
        self.number == number && self.key.as_ref() == key && self.file == *file && !self.is_current
    }
}

impl Conversation {
    /// Notes an offer. The user sees it unless it was accepted in an earlier run.
    pub(super) fn offered_to_me(
        &mut self,
        (from, key): (&Sender, Option<&Fingerprint>),
        to: &str,
        number: u64,
        file: &FileInfo,
        now: CallTime,
    ) -> Vec<Effect> {
        if from.name != self.view.me && self.attention.ignored.hides(from, self.view.now) {
            return Vec::new();
        }
        let all = &mut self.transfers.received;
        if let Some(known) =
            all.iter_mut().find(|o| o.is_again(number, key, file) || o.goes_on_as(key, to, file))
        {
            (known.number, known.is_current, known.was_open) = (number, true, false);
            let mark = known.mark;
            return match &known.stage {
                OfferStage::Asked | OfferStage::Interrupted { .. } => self.ask_to_accept(mark),
                // Of one on its way, the end leads to the next attempt.
                OfferStage::Running { .. } => {
                    known.is_again = true;
                    Vec::new()
                }
                OfferStage::Open if !known.is_shown => self.recall(mark, now),
                OfferStage::Open | OfferStage::Preparing(_) | OfferStage::Done => vec![Effect::Relabel],
            };
        }
        if all.iter().any(|offer| offer.is_current && offer.number == number) || !self.has_room() {
            return Vec::new();
        }
        // The sender, who has returned to a server that has started again.
        let is_stale = |o: &ReceivedOffer| !o.is_current && matches!(o.stage, OfferStage::Open);
        let is_same = |o: &ReceivedOffer| o.key.as_ref() == key && o.file.id == file.id;
        self.transfers.received.retain(|offer| !(is_stale(offer) && is_same(offer)));
        let mark = self.transfers.mark();
        self.transfers.received.push(ReceivedOffer {
            mark,
            number,
            is_current: true,
            was_open: false,
            missing_since: None,
            from: from.clone(),
            key: key.copied(),
            to: to.to_owned(),
            file: file.clone(),
            is_shown: false,
            is_here: false,
            landing: None,
            folder: None,
            stage: OfferStage::Open,
            reached: None,
            pause: FIRST_PAUSE,
            is_told: false,
            is_again: false,
        });
        self.recall(mark, now)
    }

    /// Forgets an offer that is over, if there are too many.
    fn has_room(&mut self) -> bool {
        let all = &mut self.transfers.received;
        if all.len() >= MAX_OFFERS
            && let Some(at) = all.iter().position(|o| !o.is_current && o.stage.task().is_none())
        {
            all.remove(at);
        }
        all.len() < MAX_OFFERS
    }

    /// Lets the screen look whether this was accepted in an earlier run; without a key, nothing proves that.
    fn recall(&mut self, mark: u64, now: CallTime) -> Vec<Effect> {
        let Some(at) = self.transfers.received.iter().position(|offer| offer.mark == mark) else {
            return Vec::new();
        };
        let offer = &self.transfers.received[at];
        let (key, content) = (offer.key, (offer.key, offer.file.id.clone()));
        let is_to_be_asked = self.transfers.cancelled.take(&content);
        match key {
            Some(_) if !is_to_be_asked => {
                let offer = &self.transfers.received[at];
                let (origin, file) = (
                    self.origin(&offer.from.name, offer.key.as_ref(), &offer.to),
                    Box::new(offer.file.clone()),
                );
                vec![Self::order(mark, TransferWork::Recall { origin, file })]
            }
            Some(_) | None => self.show_offer(mark, now),
        }
    }

    /// The screen has looked whether this was accepted in an earlier run.
    pub(super) fn recalled(
        &mut self,
        mark: u64,
        landing: Option<Arc<Landing>>,
        now: CallTime,
    ) -> Vec<Effect> {
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        match landing {
            // The sender of an offer to a room does not wait for this user.
            Some(landing) if landing.received().is_some() && !is_direct(&offer.to) => {
                offer.is_here = true;
                self.show_offer(mark, now)
            }
            Some(landing) => {
                (offer.landing, offer.is_told) = (Some(landing), true);
                self.ask_to_accept(mark)
            }
            None => self.show_offer(mark, now),
        }
    }

    fn show_offer(&mut self, mark: u64, now: CallTime) -> Vec<Effect> {
        let is_open_and_gone =
            |o: &ReceivedOffer| o.is_shown && !o.is_current && matches!(o.stage, OfferStage::Open);
        if self.transfers.received.iter().any(is_open_and_gone) {
            // A server that has started again does not know it any more, and the user may still mean it.
            self.transfers.gone = Some(now.instant);
        }
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        let (from, to, file, number, key) =
            (offer.from.clone(), offer.to.clone(), offer.file.clone(), offer.number, offer.key);
        offer.is_shown = true;
        let identity = offer.identity();
        self.transfers.numbers.show(number, identity);
        let is_verified = key.is_some_and(|key| self.trust.lock().users().find(&key).is_some());
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        let what = described(&file);
        let you = if is_direct(&to) { "you " } else { "" };
        let known = if offer.is_here { ", which you have already" } else { "" };
        let sender = offer.sender(is_verified);
        let text = format!("{sender} offers {you}{what}{known}: /accept {number} or /reject {number}");
        let mut effects = shown(self.view.offer(&to, &text));
        effects.extend(self.notify(NotifyLevel::Direct, [&from.name, &to, &format!("offers {what}")], now));
        effects.push(Effect::Relabel);
        effects
    }

    /// The screen has found a place for an offer, or has not.
    pub(super) fn prepared(&mut self, task: u64, result: Result<Arc<Landing>, String>) -> Vec<Effect> {
        let is_it =
            |offer: &&mut ReceivedOffer| matches!(offer.stage, OfferStage::Preparing(by) if by == task);
        let Some(offer) = self.transfers.received.iter_mut().find(is_it) else { return Vec::new() };
        offer.stage = OfferStage::Open;
        let (mark, number, folder) = (offer.mark, offer.number, offer.folder.take());
        match result {
            Ok(landing) => {
                let path = landing.folder().join(landing.file_name().as_str());
                let place = safe_line(&path.display().to_string());
                let text = format!("{} from {} goes to {place}", name_of(&offer.file), offer.from.name);
                let is_here = landing.received().is_some();
                offer.landing = Some(landing);
                let mut effects = self.ask_to_accept(mark);
                // Otherwise, these say why not.
                if effects.is_empty() && !is_here {
                    effects = self.note(&text);
                }
                effects.push(Effect::Relabel);
                effects
            }
            Err(why) => {
                self.refused += 1;
                let mut effects = self.failure(&format!("not accepted: {why}"));
                let line = folder.map(|folder| format!("/accept {number} {folder}"));
                effects.extend(line.map(Effect::GiveBack));
                effects.push(Effect::Relabel);
                effects
            }
        }
    }

    /// Tells the server that this user accepts.
    fn ask_to_accept(&mut self, mark: u64) -> Vec<Effect> {
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        let number = offer.number;
        let effects = self
            .ask(&Act::Accept { offer: number }.into(), PendingRequest::Files(FilesRequest::Accept(mark)));
        if effects.is_empty()
            && let Some(offer) = self.transfers.received(mark)
        {
            offer.stage = OfferStage::Asked;
        }
        effects
    }

    /// The server refuses the acceptance.
    pub(super) fn not_accepted(
        &mut self,
        mark: u64,
        code: Option<Code>,
        msg: &str,
        now: CallTime,
    ) -> Vec<Effect> {
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        offer.is_current &= code != Some(Code::NoSuchOffer);
        // An interrupted transfer is tried again without a word.
        if offer.is_told {
            offer.interrupt(None, now);
            return Vec::new();
        }
        offer.stage = OfferStage::Open;
        let what = offer.summary();
        self.refused += 1;
        self.failure(&format!("{what} is not accepted: {}", brief_line(msg)))
    }

    /// The server lets the file flow to this user.
    pub(super) fn may_receive(&mut self, number: u64, token: &str) -> Vec<Effect> {
        let Some(meeting) = self.meeting(token) else { return Vec::new() };
        let task = self.transfers.mark();
        let Some(offer) = self.transfers.received_number(number) else { return Vec::new() };
        let Some(landing) = offer.landing.clone() else { return Vec::new() };
        let progress = Arc::default();
        offer.is_again = false;
        offer.stage = OfferStage::Running { task, progress: Arc::clone(&progress), is_ended: false };
        vec![Self::order(task, TransferWork::Receive { meeting, landing, progress })]
    }

    /// A transfer to this user has ended, on this side.
    pub(super) fn received_file(
        &mut self,
        task: u64,
        result: Result<Received, TransferError>,
        now: CallTime,
    ) -> Vec<Effect> {
        let offer = self.transfers.received.iter_mut().find(|offer| offer.stage.task() == Some(task));
        let Some(offer) = offer else { return Vec::new() };
        let (file, with, number) = (name_of(&offer.file), offer.from.name.clone(), offer.number);
        let percent = offer.stage.percent();
        let is_ended = matches!(offer.stage, OfferStage::Running { is_ended: true, .. });
        let mut again = None;
        let (how, mut effects) = match result {
            Ok(received) => {
                let place = safe_line(&received.path.display().to_string());
                let size = format!(" ({})", file_size(received.bytes));
                let was_here = offer.landing.as_ref().is_some_and(|landing| landing.received().is_some());
                offer.stage = OfferStage::Done;
                again = offer.is_again.then_some(offer.mark);
                let text = match was_here {
                    true => format!("you have {file}{size} from {with} already: {place}"),
                    false => format!("received {file}{size} from {with}: {place}"),
                };
                (format!("received: {place}"), self.note(&text))
            }
            Err(error) if is_final(&error, is_ended) => {
                let why = error.to_string();
                offer.stage = OfferStage::Open;
                // On a full disk, the beginning stays for the next attempt, also if the sender leaves until then.
                offer.landing.take_if(|landing| landing.keeps(&error));
                let is_by_peer = matches!(error, TransferError::ByPeer { .. });
                let again = if offer.is_current && !is_by_peer {
                    format!("; to try again: /accept {number}")
                } else {
                    String::new()
                };
                (format!("failed: {why}"), self.failure(&format!("{file} from {with} failed: {why}{again}")))
            }
            Err(_) if is_ended => {
                self.transfers.received.retain(|offer| offer.stage.task() != Some(task));
                let at = at(percent);
                (format!("{with} cancelled it{at}"), self.note(&format!("{with} has cancelled {file}{at}")))
            }
            Err(_) => {
                let is_told = std::mem::replace(&mut offer.is_told, true);
                offer.interrupt(percent, now);
                let text = format!(
                    "{file} from {with} was interrupted{}; it goes on by itself when {with} offers it again",
                    at(percent)
                );
                return if is_told { Vec::new() } else { self.note(&text) };
            }
        };
        self.transfers.end(EndedTransfer { number: Some(number), is_own: false, file, with, how });
        // The sender may have missed the end, and learns of it so.
        effects.extend(again.map(|mark| self.recall(mark, now)).unwrap_or_default());
        effects
    }

    /// The server says that an offer to this user, or its transfer, has ended.
    pub(super) fn ended_for_me(
        &mut self,
        number: u64,
        code: Option<Code>,
        msg: &str,
        now: CallTime,
    ) -> Vec<Effect> {
        let Some(offer) = self.transfers.received_number(number) else { return Vec::new() };
        let (mark, file, with) = (offer.mark, name_of(&offer.file), offer.from.name.clone());
        match (code, &mut offer.stage) {
            // The transfer says so itself, perhaps that it is complete: its sender then has to learn that.
            (Some(Code::Cut), OfferStage::Running { .. }) => {
                offer.is_again = true;
                return Vec::new();
            }
            (Some(Code::Cut), OfferStage::Done) => return self.recall(mark, now),
            (Some(Code::Cut), OfferStage::Asked) => {
                offer.interrupt(None, now);
                return Vec::new();
            }
            (Some(Code::Cut), _) => return Vec::new(),
            (
                Some(Code::Withdrawn) | None,
                OfferStage::Running { .. } | OfferStage::Asked | OfferStage::Interrupted { .. },
            ) => {
                offer.is_current = false;
                return Vec::new();
            }
            (_, OfferStage::Running { task, is_ended, .. }) => {
                *is_ended = true;
                let effects = vec![cancelled(*task)];
                let content = (offer.key, offer.file.id.clone());
                self.transfers.cancelled.add(content);
                return effects;
            }
            _ => {}
        }
        let was_open = matches!(offer.stage, OfferStage::Open | OfferStage::Preparing(_));
        // The user may still mean it, unless they have answered it, here or elsewhere.
        let (was_shown, may_be_meant) = (offer.is_shown, offer.is_shown && offer.is_open());
        let forget = Self::forget(offer);
        let is_done = matches!(offer.stage, OfferStage::Done);
        self.transfers.received.retain(|offer| offer.mark != mark);
        if may_be_meant && !matches!(code, Some(Code::Taken | Code::Declined)) {
            self.transfers.gone = Some(now.instant);
        }
        let mut effects = match code {
            _ if is_done || !was_shown && was_open => return Vec::new(),
            Some(Code::Taken) => self.note(&format!("you accepted {file} from {with} in another session")),
            Some(Code::Declined) => self.note(&format!("you declined {file} from {with} in another session")),
            Some(Code::Withdrawn | Code::Cancelled) | None if was_open => {
                self.note(&format!("{with} no longer offers {file}"))
            }
            Some(Code::Cancelled) => self.note(&format!("{with} has cancelled {file}")),
            _ => self.failure(&format!("{file} from {with} has ended: {}", brief_line(msg))),
        };
        effects.extend(forget);
        effects.push(Effect::Relabel);
        effects
    }

    /// Has the screen remove the beginning of an offer that will not go on. A transfer on its way does so itself.
    pub(super) fn forget(offer: &ReceivedOffer) -> Option<Effect> {
        let is_over = matches!(offer.stage, OfferStage::Done | OfferStage::Running { .. });
        let landing = offer.landing.clone().filter(|_| !is_over)?;
        Some(Self::order(offer.mark, TransferWork::Forget(landing)))
    }

    /// Accepts interrupted offers again, if it is time.
    pub(super) fn retry(&mut self, now: CallTime) -> Vec<Effect> {
        let is_due = |offer: &&ReceivedOffer| {
            let due = match offer.stage {
                OfferStage::Interrupted { retry, .. } => retry,
                _ => None,
            };
            offer.is_current && due.is_some_and(|due| due <= now.instant)
        };
        let due: Vec<u64> = self.transfers.received.iter().filter(is_due).map(|offer| offer.mark).collect();
        // Without a connection, the server tells of the offer again.
        let is_up = self.meeting("").is_some();
        due.into_iter().filter(|_| is_up).flat_map(|mark| self.ask_to_accept(mark)).collect()
    }
}

impl ReceivedOffer {
    /// Waits for the next attempt.
    fn interrupt(&mut self, percent: Option<u64>, now: CallTime) {
        let percent = percent.or(self.stage.percent()).or(self.reached);
        if percent > self.reached {
            (self.reached, self.pause) = (percent, FIRST_PAUSE);
        }
        let retry = Some(now.instant + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.stage = OfferStage::Interrupted { percent, retry };
    }
}

/// Whether the offer is to this user alone.
pub(super) fn is_direct(to: &str) -> bool {
    !matches!(Target::parse(to), Target::All | Target::Room(_))
}
