//! The commands about files.

use std::time::Duration;

use super::listing::place;
use super::wording::{at, described, name_of};
use super::{EndedTransfer, FilesRequest, MAX_OFFERS, MadeOffer, OfferStage, TransferWork};
use crate::client::conversation::{CallTime, Conversation, Effect, LinkState, PendingRequest};
use crate::protocol::command::FilesCommand;
use crate::protocol::packet::FileInfo;
use crate::protocol::request::Act;
use crate::protocol::{DeclineReason, Target};

/// How long after the end of an offer the user may still mean that one.
const DOUBT: Duration = Duration::from_secs(5);

impl Conversation {
    /// Handles a command about files.
    pub(in crate::client::conversation) fn files(
        &mut self,
        command: FilesCommand,
        now: CallTime,
    ) -> Vec<Effect> {
        let mut effects = match command {
            FilesCommand::Send { to, paths } => self.send_files(to, paths),
            FilesCommand::Accept { offer, folder } => self.accept(offer, folder, now),
            FilesCommand::Reject(offer) => self.reject(offer, now),
            FilesCommand::List => self.list_transfers(),
            FilesCommand::Cancel { offer, name } => self.cancel(offer, name),
        };
        effects.extend(self.progress(now));
        self.note_offers();
        effects
    }

    fn refuse_files(&mut self, why: &str) -> Vec<Effect> {
        self.refused += 1;
        self.failure(why)
    }

    /// Refuses an answer to an offer. The user then knows which offers there are.
    fn refuse_answer(&mut self, why: &str) -> Vec<Effect> {
        self.transfers.gone = None;
        self.refuse_files(why)
    }

    fn send_files(&mut self, to: Target, paths: String) -> Vec<Effect> {
        let typed = format!("/send {} {paths}", place(&to));
        let why = match to {
            Target::Server => Some("the server takes no files; to offer one to a user: /send NAME PATH"),
            Target::Address(_) => Some("you cannot offer a file to an address; give a user's name or a room"),
            _ if self.transfers.made.len() >= MAX_OFFERS => {
                Some("you offer too much already; /transfers lists your offers, and /cancel N ends one")
            }
            _ if !matches!(self.state, LinkState::Up { .. }) => {
                Some("not offered: you are not connected at the moment; press Enter again once you are")
            }
            _ => None,
        };
        if let Some(why) = why {
            let mut effects = self.refuse_files(why);
            effects.push(Effect::GiveBack(typed));
            return effects;
        }
        let mark = self.transfers.mark();
        let (receivers, file) = (Default::default(), FileInfo::default());
        self.transfers.made.push(MadeOffer {
            mark,
            number: None,
            to,
            typed,
            parcel: None,
            file,
            receivers,
            declined: 0,
            is_told: false,
            untold: Vec::new(),
        });
        vec![Self::order(mark, TransferWork::Collect(paths))]
    }

    /// The mark of the open offer that the user means.
    fn open_offer(&self, number: Option<u64>, command: &str, now: CallTime) -> Result<u64, String> {
        let received = self.transfers.received.iter().filter(|offer| offer.is_current);
        let open: Vec<_> = received.clone().filter(|offer| offer.is_open()).collect();
        let listed = || {
            let each =
                open.iter().map(|offer| format!("/{command} {} for {}", offer.number, offer.summary()));
            each.collect::<Vec<_>>().join(", ")
        };
        let gone = self.transfers.gone.map(|gone| now.instant.saturating_duration_since(gone));
        let is_doubtful = gone.is_some_and(|time| time < DOUBT);
        match (number, open.as_slice()) {
            (None, []) => Err("nobody offers you a file at the moment".into()),
            // The user may not have seen yet that the other one has gone.
            (None, [_]) if is_doubtful => Err(format!(
                "an offer has gone just now; there is {}: if you mean this one, enter it",
                listed()
            )),
            (None, [one]) => Ok(one.mark),
            (None, _) => Err(format!("which one? {}", listed())),
            (Some(number), _) => match received.clone().find(|offer| offer.number == number) {
                Some(offer) if offer.is_open() => Ok(offer.mark),
                Some(offer) if matches!(offer.stage, OfferStage::Done) => {
                    Err(format!("you have {} already; /transfers says where", name_of(&offer.file)))
                }
                Some(_) => Err(format!("you have accepted {number} already; to end it: /cancel {number}")),
                None if self.transfers.made.iter().any(|offer| offer.number == Some(number)) => {
                    Err(format!("{number} is your own offer; to take it back: /cancel {number}"))
                }
                None if open.is_empty() => {
                    Err(format!("there is no offer {number}; nobody offers you a file at the moment"))
                }
                None => Err(format!("there is no offer {number}; there is {}", listed())),
            },
        }
    }

    /// Refuses a number that the user may have read in the line of another offer, before the server started again.
    /// Says what it is now, so that the same line works the next time.
    fn is_another(&mut self, number: Option<u64>, command: &str, rest: &str) -> Option<Vec<Effect>> {
        let number = number?;
        let received =
            self.transfers.received.iter().find(|offer| offer.is_current && offer.number == number);
        let (identity, what) = match received {
            Some(offer) => (offer.identity(), offer.summary()),
            None => {
                let offer = self.transfers.made.iter().find(|offer| offer.number == Some(number))?;
                (
                    offer.identity(),
                    format!("your offer of {} to {}", described(&offer.file), place(&offer.to)),
                )
            }
        };
        if !self.transfers.numbers.tell(number, identity) {
            return None;
        }
        let line = format!("/{command} {number}");
        let mut effects = self.refuse_files(&format!(
            "{number} was another offer before; now it is {what}: if you mean this one, {line} again"
        ));
        effects.push(Effect::GiveBack(format!("{line}{rest}")));
        Some(effects)
    }

    fn accept(&mut self, number: Option<u64>, folder: Option<String>, now: CallTime) -> Vec<Effect> {
        let mark = match self.open_offer(number, "accept", now) {
            Ok(mark) => mark,
            Err(why) => return self.refuse_answer(&why),
        };
        let rest = folder.as_ref().map_or(String::new(), |folder| format!(" {folder}"));
        if let Some(doubt) = self.is_another(number, "accept", &rest) {
            return doubt;
        }
        self.prepare(mark, folder)
    }

    /// Has the screen look for a place for the offered files.
    pub(super) fn prepare(&mut self, mark: u64, folder: Option<String>) -> Vec<Effect> {
        let task = self.transfers.mark();
        let downloads = self.view.preferences.downloads.clone();
        let Some(offer) = self.transfers.received(mark) else { return Vec::new() };
        offer.stage = OfferStage::Preparing(task);
        offer.folder.clone_from(&folder);
        let (name, key, to) = (offer.from.name.clone(), offer.key, offer.to.clone());
        let file = Box::new(offer.file.clone());
        let origin = self.origin(&name, key.as_ref(), &to);
        vec![Self::order(task, TransferWork::Prepare { origin, file, folder, downloads }), Effect::Relabel]
    }

    fn reject(&mut self, number: Option<u64>, now: CallTime) -> Vec<Effect> {
        let mark = match self.open_offer(number, "reject", now) {
            Ok(mark) => mark,
            Err(why) => return self.refuse_answer(&why),
        };
        if let Some(doubt) = self.is_another(number, "reject", "") {
            return doubt;
        }
        let Some(at) = self.transfers.received.iter().position(|offer| offer.mark == mark) else {
            return Vec::new();
        };
        let offer = self.transfers.received.remove(at);
        let decline = Act::Decline { offer: offer.number, reason: Some(DeclineReason::NotWanted) };
        let mut effects = self.ask(&decline.into(), PendingRequest::Files(FilesRequest::Quiet));
        if effects.is_empty() {
            let text = format!("you decline {} from {}", name_of(&offer.file), offer.from.name);
            effects = self.note(&text);
        }
        effects.extend(Self::forget(&offer));
        effects.push(Effect::Relabel);
        effects
    }

    fn cancel(&mut self, number: Option<u64>, name: Option<String>) -> Vec<Effect> {
        let is_under_way = |stage: &OfferStage| !matches!(stage, OfferStage::Open | OfferStage::Done);
        let made = self.transfers.made.iter().map(|offer| (offer.number, offer.mark, &offer.file, true));
        let received = self.transfers.received.iter().filter(|offer| is_under_way(&offer.stage));
        let received = received.map(|offer| (Some(offer.number), offer.mark, &offer.file, false));
        let all: Vec<_> = made.chain(received).collect();
        let listed = || {
            let named = all.iter().filter_map(|(number, _, file, _)| Some((number.as_ref()?, file)));
            named
                .map(|(number, file)| format!("/cancel {number} for {}", described(file)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let found = match number {
            Some(number) => all.iter().find(|(known, ..)| *known == Some(number)),
            None => all.first().filter(|_| all.len() == 1),
        };
        let (mark, is_own) = match found {
            Some((_, mark, _, is_own)) => (*mark, *is_own),
            None => {
                let why = match (number, all.is_empty()) {
                    (_, true) => "there is nothing to cancel; to decline an offer: /reject N".to_owned(),
                    (None, false) => format!("which one? {}", listed()),
                    (Some(number), false) => format!("there is no transfer {number}; there is {}", listed()),
                };
                return self.refuse_files(&why);
            }
        };
        let rest = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
        if let Some(doubt) = self.is_another(number, "cancel", &rest) {
            return doubt;
        }
        match (is_own, name) {
            (true, None) => self.take_back_offer(mark),
            (true, Some(name)) => self.cancel_receiver(mark, &name),
            (false, _) => self.cancel_received(mark),
        }
    }

    /// Ends an offer of the user's own.
    fn take_back_offer(&mut self, mark: u64) -> Vec<Effect> {
        let Some(offer) = self.drop_made(mark, "you took it back") else { return Vec::new() };
        let mut effects: Vec<_> =
            offer.receivers.values().filter_map(|to| to.stage.task()).map(cancelled).collect();
        if offer.parcel.is_none() {
            effects.push(cancelled(offer.mark));
        }
        if let Some(number) = offer.number {
            self.ask_quietly(Act::Cancel { offer: number, name: None });
        }
        effects.extend(self.note(&format!(
            "you no longer offer {} to {}",
            name_of(&offer.file),
            place(&offer.to)
        )));
        effects.push(Effect::Relabel);
        effects
    }

    fn cancel_receiver(&mut self, mark: u64, name: &str) -> Vec<Effect> {
        let Some(offer) = self.transfers.made(mark) else { return Vec::new() };
        let receiver =
            offer.receivers.keys().find(|known| known.to_lowercase() == name.to_lowercase()).cloned();
        let stage = receiver.as_ref().and_then(|name| offer.receivers.remove(name)).map(|to| to.stage);
        let (number, file) = (offer.number, name_of(&offer.file));
        let (Some(receiver), Some(stage)) = (receiver, stage) else {
            return self.refuse_files(&format!("{name} does not receive {file}"));
        };
        if let Some(number) = number {
            self.ask_quietly(Act::Cancel { offer: number, name: Some(receiver.clone()) });
        }
        let mut effects: Vec<_> = stage.task().map(cancelled).into_iter().collect();
        effects.extend(self.note(&format!("you no longer send {file} to {receiver}")));
        effects
    }

    fn cancel_received(&mut self, mark: u64) -> Vec<Effect> {
        let Some(place) = self.transfers.received.iter().position(|offer| offer.mark == mark) else {
            return Vec::new();
        };
        let offer = self.transfers.received.remove(place);
        if offer.is_current {
            self.ask_quietly(Act::Cancel { offer: offer.number, name: None });
        }
        let how = format!("you cancelled it{}", at(offer.stage.percent()));
        let (file, with) = (name_of(&offer.file), offer.from.name.clone());
        let mut effects: Vec<_> = offer.stage.task().map(cancelled).into_iter().collect();
        effects.extend(Self::forget(&offer));
        effects.extend(self.note(&format!("you no longer receive {file} from {with}")));
        self.transfers.end(EndedTransfer { number: Some(offer.number), is_own: false, file, with, how });
        effects.push(Effect::Relabel);
        effects
    }

    /// Removes an offer of the user's own, and remembers how it ended.
    pub(super) fn drop_made(&mut self, mark: u64, how: &str) -> Option<MadeOffer> {
        let at = self.transfers.made.iter().position(|offer| offer.mark == mark)?;
        let offer = self.transfers.made.remove(at);
        let ended = EndedTransfer {
            number: offer.number,
            is_own: true,
            file: name_of(&offer.file),
            with: place(&offer.to),
            how: how.to_owned(),
        };
        if offer.parcel.is_some() {
            self.transfers.end(ended);
        }
        Some(offer)
    }
}

/// Has the screen end that work.
pub(super) fn cancelled(task: u64) -> Effect {
    Conversation::order(task, TransferWork::Cancel)
}
