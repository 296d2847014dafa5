//! The offers that `lanchat receive` knows, and the transfers that run.

mod confirmations;
mod ends;
mod last_wait;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio::task::JoinSet;

use super::ReceiveOptions;
use super::consent::{is_allowed, refusal};
use super::questions::{FileQuestion, Questions};
use super::seen_offer::SeenOffer;
use crate::client::connection::{Up, Update};
use crate::client::error::Error;
use crate::client::link::Channel;
use crate::client::screen::file_display::{FileDisplay, GoesOn};
use crate::client::shared_state::SharedState;
use crate::client::terminal;
use crate::client::transfer::{
    Accepted, Cancel, Door, FileProgress, Landing, OfferOrigin, Pipe, Received, TransferError, no_folder,
    receive,
};
use crate::client::trust::TrustPolicy;
use crate::name::Name;
use crate::protocol::record::StopCode;
use crate::protocol::request::Act;
use crate::protocol::{Code, DeclineReason, Event, Request};
use crate::text::{brief_line, safe_line};
use confirmations::{Confirmations, OfferedContent};
use last_wait::{LastWait, is_decline};

/// The end of a transfer.
pub(super) struct FileEnd {
    /// The number that the offer had on the connection of that time.
    offer: u64,
    /// The sender, whose offer may be gone by then.
    name: String,
    content: OfferedContent,
    is_direct: bool,
    landing: Landing,
    progress: Arc<FileProgress>,
    received: Result<Received, TransferError>,
}

pub(super) struct FileReceiver {
    what: ReceiveOptions,
    folder: PathBuf,
    pub(super) display: FileDisplay,
    channel: Channel,
    trust: SharedState<TrustPolicy>,
    accepted: Accepted,
    up: Option<Up>,
    /// The open offers on this connection, by number.
    offers: BTreeMap<u64, SeenOffer>,
    pub(super) running: JoinSet<FileEnd>,
    /// The unfinished files of these.
    busy: Vec<PathBuf>,
    /// The handles that end the transfers, by their unfinished files.
    cancels: BTreeMap<PathBuf, Cancel>,
    pub(super) questions: Questions,
    /// Offers that are received, while the server has them.
    done: BTreeMap<u64, SeenOffer>,
    confirmations: Confirmations,
    leaving: Option<LastWait>,
}

impl FileReceiver {
    pub(super) fn new(
        what: ReceiveOptions,
        folder: PathBuf,
        display: FileDisplay,
        channel: Channel,
        trust: SharedState<TrustPolicy>,
        accepted: Accepted,
    ) -> Self {
        let (running, questions, busy) = (JoinSet::new(), Questions::default(), Vec::new());
        let (offers, done, cancels) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            what,
            folder,
            display,
            channel,
            trust,
            accepted,
            up: None,
            offers,
            running,
            busy,
            cancels,
            questions,
            done,
            confirmations: Confirmations::default(),
            leaving: None,
        }
    }

    pub(super) fn take(&mut self, update: Update) -> Result<GoesOn, Error> {
        match update {
            Update::Up(up) => {
                up.moved.iter().for_each(|line| self.display.note(line));
                let name = safe_line(&up.welcome.name);
                if let Some(taken) = &up.taken {
                    self.display.note(&format!("the name {taken} is taken, so you are {name}"));
                }
                let folder = safe_line(&self.folder.to_string_lossy());
                self.display.tell(
                    &format!("waiting for files for {name}, which go to {folder}"),
                    &json!({ "type": "waiting", "name": up.welcome.name, "to": self.folder }),
                )?;
                self.up = Some(*up);
                if let Some(leaving) = &mut self.leaving {
                    leaving.wait_for_offer();
                }
            }
            Update::Down(loss) => {
                self.expect_again();
                // The numbers of offers belong to a connection.
                (self.up, self.offers) = (None, Default::default());
                if let Some(leaving) = &mut self.leaving {
                    leaving.wait_for_return();
                }
                self.display.lost(&loss.why)?;
            }
            Update::Note(line) => self.display.note(&line),
            Update::Event(event, id) => return self.event(event, id.as_deref()),
        }
        Ok(GoesOn::Yes)
    }

    fn event(&mut self, event: Event, id: Option<&str>) -> Result<GoesOn, Error> {
        match event {
            Event::Offer { from, to, key, offer, file } => {
                let is_wanted =
                    |name: &Name| Name::new(&from.name).is_ok_and(|from| from.key() == name.key());
                let is_from = self.what.from.as_ref().is_none_or(is_wanted);
                let seen = SeenOffer::new(from, key, to, *file);
                let content = self.content(&seen);
                // At the end, only the last offer matters, made again.
                if is_from && self.leaving.as_ref().is_none_or(|leaving| leaving.is_about(&content)) {
                    self.leaving.take_if(|leaving| leaving.has_failed());
                    self.offers.insert(offer, seen);
                    return self.consider(offer);
                }
            }
            Event::Error { code, msg, .. } => {
                if let Some(offer) = id.and_then(|id| id.strip_prefix("accept-")?.parse().ok()) {
                    return self.refused(offer, code, &msg);
                }
                if let Some(leaving) = self.leaving.take_if(|_| id.is_some_and(is_decline)) {
                    return leaving.end();
                }
            }
            Event::Accepted { offer, token, send: false, .. } => self.begin(offer, token),
            Event::Ended { offer, code, .. } => return self.offer_ended(offer, code),
            _ => {}
        }
        Ok(GoesOn::Yes)
    }

    fn origin(&self, seen: &SeenOffer) -> OfferOrigin {
        let server = self.up.as_ref().map_or("", |up| up.welcome.server.id.as_str());
        OfferOrigin::new(server, &seen.from.name, seen.key.as_ref()).to(&seen.to)
    }

    fn content(&self, seen: &SeenOffer) -> OfferedContent {
        OfferedContent { origin: self.origin(seen), file: seen.file.clone() }
    }

    /// The connection is lost: who does not know yet that all is here offers it again over the next one.
    fn expect_again(&mut self) {
        let all = std::mem::take(&mut self.done).into_values();
        for seen in all.chain(std::mem::take(&mut self.offers).into_values()) {
            if let Some(landing) = seen.received() {
                self.confirmations.await_sender(self.content(&seen), landing.clone());
            }
        }
    }

    fn send(&self, request: impl Into<Request>, id: Option<&str>) {
        if let Some(up) = &self.up {
            // A full queue means that the link is stuck; a new one brings the offers again.
            let _ = up.outgoing.try_send(request.into().to_frame(id));
        }
    }

    /// Decides on an offer that came.
    fn consider(&mut self, offer: u64) -> Result<GoesOn, Error> {
        let Some(seen) = self.offers.get(&offer) else { return Ok(GoesOn::Yes) };
        let content = self.content(seen);
        let is_here = self.confirmations.find(&content).is_some();
        let recalled = self.accepted.recall(&content.origin, &content.file);
        let is_accepted = recalled.is_some_and(|landing| landing.suits(&self.folder));
        let is_known = seen.key.is_some() && (is_here || is_accepted);
        if is_known || self.what.yes_to_all {
            return self.accept(offer);
        }
        let Some(seen) = self.offers.get_mut(&offer) else { return Ok(GoesOn::Yes) };
        let verified = seen.key.and_then(|key| self.trust.lock().users().find(&key).cloned());
        seen.is_verified = verified.is_some();
        let (line, event) = (seen.described(), seen.event(offer));
        let is_direct = seen.is_direct();
        if is_allowed(&self.what.yes_from, seen.key.as_ref(), verified.as_ref(), &seen.from.name) {
            self.display.tell(&line, &event)?;
            return self.accept(offer);
        }
        if terminal::can_ask() && !self.display.is_json() {
            let question = FileQuestion::about(seen);
            self.questions.ask(question, format!("{line}; take it? [y/N] "));
            return Ok(GoesOn::Yes);
        }
        let why = format!("{line}; {}", refusal(&self.what.yes_from, &seen.from.name));
        let mut event = event;
        event["refused"] = true.into();
        self.display.tell(&why, &event)?;
        if is_direct {
            self.decline(offer, DeclineReason::NotAllowed);
        }
        self.offers.remove(&offer);
        Ok(GoesOn::Yes)
    }

    /// Takes the answer for the offers that it is about: they may have other numbers by now, and their numbers may be
    /// those of others.
    pub(super) fn answered(&mut self, question: &FileQuestion, is_yes: bool) -> Result<GoesOn, Error> {
        let is_it = |seen: &SeenOffer| seen.landing.is_none() && FileQuestion::about(seen) == *question;
        let numbers: Vec<u64> =
            self.offers.iter().filter(|(_, seen)| is_it(seen)).map(|(number, _)| *number).collect();
        if numbers.is_empty() {
            self.display.note(&format!("{} is no longer offered", question.described()));
        }
        let mut next = GoesOn::Yes;
        for offer in numbers {
            if is_yes {
                next = self.accept(offer)?;
            } else {
                self.decline(offer, DeclineReason::NotWanted);
                self.offers.remove(&offer);
            }
        }
        let offers = &self.offers;
        self.questions.go_on(|question| offers.values().any(|seen| FileQuestion::about(seen) == *question));
        Ok(next)
    }

    /// Accepts an offer, unless an earlier transfer still writes the same file.
    fn accept(&mut self, offer: u64) -> Result<GoesOn, Error> {
        let Some(seen) = self.offers.get(&offer) else { return Ok(GoesOn::Yes) };
        let content = self.content(seen);
        // Of what is received, nothing is to come again, even if the user has moved it since.
        let here = seen.received().cloned().or_else(|| self.confirmations.find(&content));
        let is_new = here.is_none() && !self.has_place(&content);
        let landing = match here.map_or_else(|| self.land(&content), Ok) {
            Ok(landing) => landing,
            Err(error) => {
                let Some(seen) = self.offers.remove(&offer) else { return Ok(GoesOn::Yes) };
                let is_direct = seen.is_direct();
                if is_direct {
                    self.decline(offer, error.decline_reason());
                }
                return match self.failed(&safe_line(&seen.from.name), &error) {
                    Err(error) if is_direct => {
                        self.leave(content, offer, Some(error));
                        Ok(GoesOn::Yes)
                    }
                    failed => failed,
                };
            }
        };
        // The same content may have been offered and accepted twice.
        let place = landing.unfinished();
        let is_held = self.offers.iter().any(|(number, seen)| *number != offer && seen.holds(place));
        let is_busy = is_held || self.is_busy(place);
        if let Some(seen) = self.offers.get_mut(&offer) {
            seen.is_new |= is_new;
            seen.landing = Some(landing);
            // The end of the other one leads to the next attempt.
            seen.waits_for_place(is_busy);
        }
        if !is_busy {
            self.send(Act::Accept { offer }, Some(&format!("accept-{offer}")));
        }
        Ok(GoesOn::Yes)
    }

    /// Finds a place for an offer. A folder that the user named must be there: it may be a disk that is not connected
    /// at the moment.
    fn land(&mut self, content: &OfferedContent) -> Result<Landing, TransferError> {
        if self.what.to.is_some() && !self.folder.is_dir() {
            return Err(TransferError::Here { code: StopCode::Io, msg: no_folder(&self.folder) });
        }
        self.accepted.accept(&content.origin, &content.file, &self.folder, self.what.max)
    }

    /// Whether this was accepted before, and goes on or is found in its place. A copy of what is complete elsewhere is
    /// another question.
    fn has_place(&self, content: &OfferedContent) -> bool {
        let found = self.accepted.find(&content.origin, &content.file);
        found.is_some_and(|landing| landing.suits(&self.folder))
    }

    /// Whether a transfer writes to that place.
    fn is_busy(&self, place: &Path) -> bool {
        self.busy.iter().any(|path| path == place)
    }

    /// The server does not let the transfer begin.
    fn refused(&mut self, offer: u64, code: Option<Code>, msg: &str) -> Result<GoesOn, Error> {
        let busy = matches!(code, Some(Code::TooManyTransfers | Code::RateLimited | Code::Taken));
        match self.offers.get_mut(&offer) {
            Some(seen) if busy => seen.retry_later(),
            Some(_) => {
                self.drop_offer(offer);
                self.display.note(&brief_line(msg));
            }
            None => {}
        }
        Ok(GoesOn::Yes)
    }

    /// Forgets an offer, and the empty file that was made for it.
    fn drop_offer(&mut self, offer: u64) {
        let Some(seen) = self.offers.remove(&offer) else { return };
        if let SeenOffer { landing: Some(landing), is_new: true, .. } = seen {
            self.forget(&landing);
        }
        self.offers.values_mut().for_each(SeenOffer::place_may_be_free);
    }

    /// Forgets a place, unless another offer or a transfer uses it.
    fn forget(&mut self, landing: &Landing) {
        let place = landing.unfinished();
        let others = self.offers.values_mut().filter(|seen| seen.is_at(place));
        let count = others.map(|seen| seen.is_new = true).count();
        if count == 0 && !self.is_busy(place) {
            self.accepted.forget(landing);
        }
    }

    fn begin(&mut self, offer: u64, token: String) {
        let Some(content) = self.offers.get(&offer).map(|seen| self.content(seen)) else { return };
        let (Some(seen), Some(up)) = (self.offers.get_mut(&offer), &self.up) else { return };
        let Some(landing) = seen.landing.clone() else { return };
        if let Some(leaving) = self.leaving.as_mut().filter(|leaving| leaving.is_about(&content)) {
            leaving.confirms(offer);
        }
        // From here on there may be something to resume.
        seen.is_new = false;
        let door = Door::new(up.peer, self.channel.to(up.key));
        let progress = Arc::new(FileProgress::new(seen.file.size));
        let (name, is_direct) = (seen.from.name.clone(), seen.is_direct());
        self.display.begin(&name, progress.clone());
        self.busy.push(landing.unfinished().to_owned());
        let cancel = Cancel::new();
        self.cancels.insert(landing.unfinished().to_owned(), cancel.clone());
        self.running.spawn(async move {
            let received = match Pipe::open(&door, &token).await {
                Ok(pipe) => receive(pipe, &landing, progress.clone(), cancel).await,
                Err(error) => Err(error),
            };
            FileEnd { offer, name, content, is_direct, landing, progress, received }
        });
    }

    pub(super) fn tick(&mut self) -> Result<GoesOn, Error> {
        self.display.tick()?;
        let is_busy = !self.running.is_empty();
        if let Some(leaving) = self.leaving.take_if(|leaving| leaving.is_due() && !is_busy) {
            return leaving.end();
        }
        let now = Instant::now();
        let due: Vec<u64> =
            self.offers.iter().filter(|(_, seen)| seen.is_due(now)).map(|(offer, _)| *offer).collect();
        for offer in due {
            self.accept(offer)?;
        }
        Ok(GoesOn::Yes)
    }

    pub(super) fn interrupted(&mut self) -> Result<(), Error> {
        self.display.stopped();
        if let Some(leaving) = self.leaving.take() {
            return leaving.end().map(drop);
        }
        match self.what.once || !self.running.is_empty() {
            true => Err(Error::Local("interrupted; what has come stays for the next time".into())),
            false => Ok(()),
        }
    }
}
