//! The offers that `lanchat receive` knows, and the transfers that run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio::task::JoinSet;

use super::ReceiveOptions;
use super::consent::is_allowed;
use super::seen_offer::SeenOffer;
use crate::client::connection::{Up, Update};
use crate::client::error::Error;
use crate::client::link::Channel;
use crate::client::screen::file_display::{FileDisplay, GoesOn};
use crate::client::shared_state::SharedState;
use crate::client::terminal;
use crate::client::transfer::{
    Accepted, Cancel, Door, FileProgress, Landing, OfferOrigin, Pipe, Received, TransferError, receive,
};
use crate::client::trust::TrustPolicy;
use crate::name::Name;
use crate::protocol::request::Act;
use crate::protocol::{Code, Event, Request};
use crate::text::{brief_line, safe_line};

/// The end of a transfer.
pub(super) struct FileEnd {
    pub(super) offer: u64,
    pub(super) landing: Landing,
    pub(super) progress: Arc<FileProgress>,
    pub(super) received: Result<Received, TransferError>,
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
    pub(super) questions: JoinSet<(u64, bool)>,
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
        let (running, questions, busy) = (JoinSet::new(), JoinSet::new(), Vec::new());
        let (offers, cancels) = (BTreeMap::new(), BTreeMap::new());
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
        }
    }

    pub(super) fn take(&mut self, update: Update) -> Result<GoesOn, Error> {
        match update {
            Update::Up(up) => {
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
            }
            Update::Down(loss) => {
                // The numbers of offers belong to a connection.
                (self.up, self.offers) = (None, Default::default());
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
                if self.what.from.as_ref().is_none_or(is_wanted) {
                    self.offers.insert(offer, SeenOffer::new(from, key, to, *file));
                    return self.consider(offer);
                }
            }
            Event::Error { code, msg, .. } => {
                if let Some(offer) = id.and_then(|id| id.strip_prefix("accept-")?.parse().ok()) {
                    return self.refused(offer, code, &msg);
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
        OfferOrigin::new(server, &seen.from.name, seen.key.as_ref())
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
        let known = self.accepted.find(&self.origin(seen), &seen.file).filter(|_| seen.key.is_some());
        if known.is_some() || self.what.yes_to_all {
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
            let question = format!("{line}; take it? [y/N] ");
            self.questions.spawn(async move { (offer, terminal::says_yes(&question).await) });
            return Ok(GoesOn::Yes);
        }
        let why = format!("{line}; refused: neither --yes-from nor --yes-to-all allows it");
        let mut event = event;
        event["refused"] = true.into();
        self.display.tell(&why, &event)?;
        if is_direct {
            self.send(Act::Decline { offer }, None);
        }
        self.offers.remove(&offer);
        Ok(GoesOn::Yes)
    }

    pub(super) fn answered(&mut self, offer: u64, is_yes: bool) -> Result<GoesOn, Error> {
        if !self.offers.contains_key(&offer) {
            self.display.note("this is no longer offered");
        } else if is_yes {
            return self.accept(offer);
        } else {
            self.send(Act::Decline { offer }, None);
            self.offers.remove(&offer);
        }
        Ok(GoesOn::Yes)
    }

    /// Accepts an offer, unless an earlier transfer still writes the same file.
    fn accept(&mut self, offer: u64) -> Result<GoesOn, Error> {
        let Some(seen) = self.offers.get(&offer) else { return Ok(GoesOn::Yes) };
        let origin = self.origin(seen);
        let is_new = self.accepted.find(&origin, &seen.file).is_none();
        let landing = match self.accepted.accept(&origin, &seen.file, &self.folder, self.what.max) {
            Ok(landing) => landing,
            Err(error) => {
                let who = safe_line(&seen.from.name);
                if seen.is_direct() {
                    self.send(Act::Decline { offer }, None);
                }
                self.offers.remove(&offer);
                return self.failed(&who, &error);
            }
        };
        let is_busy = self.busy.iter().any(|path| path == landing.unfinished());
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
        if let Some(SeenOffer { landing: Some(landing), is_new: true, .. }) = self.offers.remove(&offer)
            && !self.busy.iter().any(|path| path == landing.unfinished())
        {
            self.accepted.forget(&landing);
        }
    }

    fn begin(&mut self, offer: u64, token: String) {
        let (Some(seen), Some(up)) = (self.offers.get_mut(&offer), &self.up) else { return };
        let Some(landing) = seen.landing.clone() else { return };
        // From here on there may be something to resume.
        seen.is_new = false;
        let door = Door::new(up.peer, self.channel.to(up.key));
        let progress = Arc::new(FileProgress::new(seen.file.size));
        self.display.begin(&seen.from.name, progress.clone());
        self.busy.push(landing.unfinished().to_owned());
        let cancel = Cancel::new();
        self.cancels.insert(landing.unfinished().to_owned(), cancel.clone());
        self.running.spawn(async move {
            let received = match Pipe::open(&door, &token).await {
                Ok(pipe) => receive(pipe, &landing, progress.clone(), cancel).await,
                Err(error) => Err(error),
            };
            FileEnd { offer, landing, progress, received }
        });
    }

    /// Takes the end of a transfer.
    pub(super) fn ended(
        &mut self,
        offer: u64,
        landing: &Landing,
        received: Result<Received, TransferError>,
    ) -> Result<GoesOn, Error> {
        self.busy.retain(|path| path != landing.unfinished());
        let cancel = self.cancels.remove(landing.unfinished());
        self.accepted.settle(landing, &received);
        self.offers.values_mut().for_each(SeenOffer::place_may_be_free);
        let who = self.offers.get(&offer).map(|seen| seen.from.name.clone()).unwrap_or_default();
        let shown = if who.is_empty() { "the sender".to_owned() } else { safe_line(&who) };
        let error = match received {
            Ok(received) => {
                self.offers.remove(&offer);
                let path = safe_line(&received.path.to_string_lossy());
                let event = json!({
                    "type": "received", "name": who, "path": received.path, "bytes": received.bytes,
                });
                self.display.print(&path, &event)?;
                return Ok(if self.what.once { GoesOn::No } else { GoesOn::Yes });
            }
            Err(error) => error,
        };
        if cancel.is_some_and(|cancel| cancel.is_cancelled()) {
            // Also one whose connection did not come about.
            self.accepted.forget(landing);
            let (code, text) = (Code::Cancelled.as_str(), "the sender has cancelled it");
            let event = json!({ "type": "failed", "name": who, "code": code, "msg": text });
            self.display.tell(&format!("{shown}: {text}"), &event)?;
            return Ok(GoesOn::Yes);
        }
        if !error.may_resume() {
            self.offers.remove(&offer);
            return self.failed(&shown, &error);
        }
        if let Some(seen) = self.offers.get_mut(&offer) {
            // Nothing has come that is worth keeping if the offer is withdrawn.
            seen.is_new =
                landing.unfinished().metadata().is_ok_and(|found| found.is_file() && found.len() == 0);
        }
        // The same file may be offered under a new number by now.
        for seen in self.offers.values_mut() {
            if seen.landing.as_ref().is_some_and(|other| other.unfinished() == landing.unfinished()) {
                seen.retry_later();
            }
        }
        let event = json!({ "type": "failed", "name": who, "code": error.code(), "msg": error.to_string() });
        self.display.tell(&format!("{shown}: {error}; it goes on when both are connected"), &event)?;
        Ok(GoesOn::Yes)
    }

    fn failed(&self, who: &str, error: &TransferError) -> Result<GoesOn, Error> {
        let text = format!("{who}: {error}");
        if self.what.once {
            return Err(match error {
                TransferError::Refused { code, .. } => Error::Refused(text, *code),
                TransferError::ByPeer { .. } => Error::Refused(text, None),
                TransferError::Cut(_) => Error::Disconnected(text),
                TransferError::Here { .. } => Error::Local(text),
            });
        }
        let event = json!({ "type": "failed", "name": who, "code": error.code(), "msg": error.to_string() });
        self.display.tell(&text, &event)?;
        Ok(GoesOn::Yes)
    }

    /// Takes the end of an offer. Running transfers end by themselves.
    fn offer_ended(&mut self, offer: u64, code: Option<Code>) -> Result<GoesOn, Error> {
        let is_over = matches!(code, Some(Code::Withdrawn | Code::Cancelled | Code::Declined));
        if is_over {
            let ended =
                self.offers.get(&offer).filter(|seen| !seen.is_new).and_then(|seen| seen.landing.clone());
            // A transfer that the sender cancels leaves nothing, whichever of its two connections tells first.
            if let (Some(Code::Cancelled), Some(landing)) = (code, &ended)
                && let Some(cancel) = self.cancels.get(landing.unfinished())
            {
                cancel.cancel();
            }
            if let (Some(Code::Cancelled), Some(landing)) = (code, ended)
                && !self.busy.iter().any(|path| path == landing.unfinished())
            {
                self.accepted.forget(&landing);
            }
            self.drop_offer(offer);
        } else if let Some(seen) = self.offers.get_mut(&offer)
            && matches!(code, Some(Code::Cut | Code::Taken))
        {
            // Another session of this user may have it, and lose it again.
            seen.is_new &= code != Some(Code::Taken);
            seen.retry_later();
        }
        Ok(GoesOn::Yes)
    }

    pub(super) fn tick(&mut self) -> Result<GoesOn, Error> {
        self.display.tick()?;
        let now = Instant::now();
        let due: Vec<u64> =
            self.offers.iter().filter(|(_, seen)| seen.is_due(now)).map(|(offer, _)| *offer).collect();
        for offer in due {
            self.accept(offer)?;
        }
        Ok(GoesOn::Yes)
    }

    pub(super) fn interrupted(&self) -> Result<(), Error> {
        match self.what.once {
            true => Err(Error::Local("interrupted; what has come stays for the next time".into())),
            false => Ok(()),
        }
    }
}
