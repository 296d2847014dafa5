//! The ends of transfers and offers.

use serde_json::json;

use super::{FileEnd, FileReceiver, SeenOffer};
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::client::transfer::TransferError;
use crate::protocol::Code;
use crate::text::safe_line;

impl FileReceiver {
    /// Takes the end of a transfer.
    pub(in super::super) fn ended(&mut self, end: FileEnd) -> Result<GoesOn, Error> {
        let FileEnd { offer, name: who, landing, progress, received } = end;
        self.display.end(&progress);
        self.busy.retain(|path| path != landing.unfinished());
        let cancel = self.cancels.remove(landing.unfinished());
        self.accepted.settle(&landing, &received);
        self.offers.values_mut().for_each(SeenOffer::place_may_be_free);
        let shown = safe_line(&who);
        let error = match received {
            Ok(received) => {
                let (is_first, is_direct) = self.finish(offer);
                if !is_first {
                    return Ok(GoesOn::Yes);
                }
                let path = safe_line(&received.path.to_string_lossy());
                let event = json!({
                    "type": "received", "name": who, "path": received.path, "bytes": received.bytes,
                });
                self.display.print(&path, &event)?;
                return match self.what.once {
                    true if is_direct => self.leave(offer, None),
                    true => Ok(GoesOn::No),
                    false => Ok(GoesOn::Yes),
                };
            }
            Err(error) => error,
        };
        if cancel.is_some_and(|cancel| cancel.is_cancelled()) {
            // Also one whose connection did not come about.
            self.accepted.forget(&landing);
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
            if seen.is_at(landing.unfinished()) {
                seen.retry_later();
            }
        }
        let event = json!({ "type": "failed", "name": who, "code": error.code(), "msg": error.to_string() });
        let when = match self.offers.contains_key(&offer) {
            true => "when both are connected".to_owned(),
            false => format!("when {shown} offers it again"),
        };
        self.display.tell(&format!("{shown}: {error}; it goes on {when}"), &event)?;
        Ok(GoesOn::Yes)
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
            if self.leaving.take().is_some() {
                return self.leave(offer, None);
            }
            return Ok(GoesOn::Yes);
        }
        if let Some(leaving) = self.leaving.take_if(|leaving| leaving.is_after(offer) && is_over) {
            return leaving.end();
        }
        if is_over {
            if let (Some(Code::Cancelled), Some(seen)) = (code, self.offers.get_mut(&offer)) {
                // A transfer that the sender cancels leaves nothing, whichever of its two connections tells first.
                let place = seen.landing.as_ref().map(|landing| landing.unfinished());
                if let Some(cancel) = place.and_then(|place| self.cancels.get(place)) {
                    cancel.cancel();
                }
                // Nobody will send the rest.
                seen.is_new = true;
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
}
