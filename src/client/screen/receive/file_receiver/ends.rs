//! The ends of transfers and offers.

use serde_json::json;

use super::last_wait::LastWait;
use super::{FileEnd, FileReceiver, SeenOffer};
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::client::transfer::{Received, TransferError};
use crate::protocol::Code;
use crate::text::safe_line;

impl FileReceiver {
    /// Takes the end of a transfer.
    pub(in super::super) fn ended(&mut self, end: FileEnd) -> Result<GoesOn, Error> {
        let place = end.landing.unfinished();
        self.display.end(&end.progress);
        self.busy.retain(|path| path != place);
        let cancel = self.cancels.remove(place);
        self.accepted.settle(&end.landing, &end.received);
        self.offers.values_mut().for_each(SeenOffer::place_may_be_free);
        let error = match end.received.clone() {
            Ok(received) => return self.received(end, received),
            Err(error) => error,
        };
        self.confirmations.take_over(place);
        if self.confirmations.is_told(place) {
            return self.not_confirmed(&end, &error);
        }
        let FileEnd { offer, name: who, landing, .. } = end;
        let shown = safe_line(&who);
        // After a new connection, another offer may have the number.
        let is_offered = self.offers.get(&offer).is_some_and(|seen| seen.is_at(landing.unfinished()));
        // The sender's last word says why, even if the server says before that the sender has ended it.
        let has_reason =
            matches!(error, TransferError::ByPeer { .. }) && error.code() != Code::Cancelled.as_str();
        if cancel.is_some_and(|cancel| cancel.is_cancelled()) && !has_reason {
            // Also one whose connection did not come about.
            self.accepted.forget(&landing);
            let (code, text) = (Code::Cancelled.as_str(), "the sender has cancelled it");
            let event = json!({ "type": "failed", "name": who, "code": code, "msg": text });
            self.display.tell(&format!("{shown}: {text}"), &event)?;
            return Ok(GoesOn::Yes);
        }
        if !error.may_resume() {
            self.offers.retain(|number, _| *number != offer || !is_offered);
            return self.failed(&shown, &error);
        }
        if let Some(seen) = self.offers.get_mut(&offer).filter(|_| is_offered) {
            // Nothing has come that is worth keeping if the offer is withdrawn.
            seen.is_new =
                landing.unfinished().metadata().is_ok_and(|found| found.is_file() && found.len() == 0);
        }
        // The same file may be offered under a new number by now.
        for seen in self.offers.values_mut() {
            if seen.is_at(landing.unfinished()) {
                seen.retry_later();
            }
        }
        let event = json!({ "type": "failed", "name": who, "code": error.code(), "msg": error.to_string() });
        let when = match is_offered {
            true => "when both are connected".to_owned(),
            false => format!("by itself when {shown} offers it again"),
        };
        self.display.tell(&format!("{shown}: {error}; it goes on {when}"), &event)?;
        Ok(GoesOn::Yes)
    }

    /// Takes the end of a transfer after which all is here: one that moved it, or one that only told its sender so.
    fn received(&mut self, end: FileEnd, received: Received) -> Result<GoesOn, Error> {
        let FileEnd { offer, name, content, is_direct, landing, .. } = end;
        let (is_already, place) = (landing.received().is_some(), landing.unfinished().to_owned());
        let is_known = self.confirmations.take_over(&place);
        // The sender was in doubt, and the user is not.
        let was_here =
            self.offers.get(&offer).is_some_and(|seen| seen.is_at(&place) && seen.received().is_some());
        let is_again = was_here || self.confirmations.find(&content).is_some();
        let landing = landing.finished(received.clone());
        self.confirmations.confirmed(&content);
        match self.offers.get_mut(&offer).filter(|seen| seen.is_at(&place)) {
            Some(seen) => {
                seen.finish(landing);
                if !seen.is_to_be_confirmed()
                    && let Some(seen) = self.offers.remove(&offer)
                {
                    self.done.insert(offer, seen);
                }
            }
            None if !is_known => self.confirmations.await_sender(content.clone(), landing),
            None => {}
        }
        let is_told = self.confirmations.is_told(&place);
        if !is_told || !is_again {
            self.tell_received(&name, &received, (is_already, is_told))?;
            self.confirmations.tell(&place);
        }
        match self.what.once {
            true if is_direct && !is_known => self.leave(content, offer, None),
            true => return Ok(GoesOn::No),
            false => return Ok(GoesOn::Yes),
        }
        if let Some(leaving) = self.leaving.as_mut().filter(|_| self.offers.contains_key(&offer)) {
            leaving.doubt(offer);
        }
        Ok(GoesOn::Yes)
    }

    fn tell_received(
        &self,
        name: &str,
        received: &Received,
        (is_already, is_told): (bool, bool),
    ) -> Result<(), Error> {
        let path = safe_line(&received.path.to_string_lossy());
        let mut event =
            json!({ "type": "received", "name": name, "path": received.path, "bytes": received.bytes });
        if is_already {
            event["already"] = true.into();
        }
        match is_told {
            // Programs count the lines of standard output.
            true => {
                self.display.tell(&format!("you have this from {} already: {path}", safe_line(name)), &event)
            }
            false => self.display.print(&path, &event),
        }
    }

    /// The sender of what is here may still not know that.
    fn not_confirmed(&mut self, end: &FileEnd, error: &TransferError) -> Result<GoesOn, Error> {
        let place = end.landing.unfinished();
        if error.may_resume() {
            self.offers.values_mut().filter(|seen| seen.is_at(place)).for_each(SeenOffer::retry_later);
            return Ok(GoesOn::Yes);
        }
        // The sender has something else by now, or does not want to know.
        self.offers.retain(|_, seen| !seen.is_at(place));
        self.confirmations.confirmed(&end.content);
        self.leaving.take().map_or(Ok(GoesOn::Yes), LastWait::end)
    }

    pub(super) fn failed(&self, who: &str, error: &TransferError) -> Result<GoesOn, Error> {
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
    pub(super) fn offer_ended(&mut self, offer: u64, code: Option<Code>) -> Result<GoesOn, Error> {
        let is_over = matches!(code, Some(Code::Withdrawn | Code::Cancelled | Code::Declined));
        let done = self.done.remove(&offer);
        if let (Some(Code::Cut), Some(mut seen)) = (code, done) {
            // The sender does not know that all is here.
            seen.retry_later();
            self.offers.insert(offer, seen);
            if let Some(leaving) = &mut self.leaving {
                leaving.doubt(offer);
            }
            return Ok(GoesOn::Yes);
        }
        if let Some(leaving) = self.leaving.as_mut().filter(|leaving| leaving.is_after(offer) && is_over) {
            if leaving.is_doubtful() {
                // Both connections of the sender's have broken, so the sender comes back.
                leaving.wait_for_return();
                self.expect_again_of(offer);
                return Ok(GoesOn::Yes);
            }
            return self.leaving.take().map_or(Ok(GoesOn::No), LastWait::end);
        }
        if is_over {
            self.end_of_running(offer);
            if let (Some(Code::Cancelled), Some(seen)) = (code, self.offers.get_mut(&offer)) {
                // A transfer that the sender cancels leaves nothing, whichever of its two connections tells first.
                let place = seen.landing.as_ref().map(|landing| landing.unfinished());
                if let Some(cancel) = place.and_then(|place| self.cancels.get(place)) {
                    cancel.cancel();
                }
                // Nobody will send the rest.
                seen.is_new = true;
            }
            self.expect_again_of(offer);
            self.drop_offer(offer);
        } else if let Some(seen) = self.offers.get_mut(&offer)
            && matches!(code, Some(Code::Cut | Code::Taken))
        {
            // Another session of this user may have it, and lose it again.
            seen.is_new &= code != Some(Code::Taken);
            seen.retry_later();
            if let Some(leaving) = self.leaving.as_mut().filter(|_| code == Some(Code::Cut)) {
                leaving.doubt(offer);
            }
        }
        Ok(GoesOn::Yes)
    }

    /// The sender takes an offer back, whose transfer runs and was not cut: the sender knows how it ends.
    fn end_of_running(&mut self, offer: u64) {
        let Some(seen) = self.offers.get(&offer).filter(|seen| !seen.is_to_be_confirmed()) else { return };
        if let Some(place) = seen.landing.as_ref().map(|landing| landing.unfinished())
            && self.is_busy(place)
        {
            let place = place.to_owned();
            self.confirmations.note_over(&place);
        }
    }

    /// The sender of what is received has gone without knowing, and offers it again.
    fn expect_again_of(&mut self, offer: u64) {
        let Some(seen) = self.offers.get(&offer) else { return };
        if let Some(landing) = seen.received().filter(|_| seen.is_to_be_confirmed()).cloned() {
            let content = self.content(seen);
            self.offers.remove(&offer);
            self.confirmations.await_sender(content, landing);
        }
    }
}
