//! The server's news about receivers: some decline, and some have everything although the connection broke at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::FileSender;
use crate::client::conversation::described;
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::client::transfer::{FilePhase, FileProgress, Sent, TransferError};
use crate::name::Name;
use crate::protocol::request::Act;
use crate::protocol::{Code, DeclineReason, Request, Target};
use crate::text::safe_line;

/// The `id` of the packet that takes an offer back in the end.
const END_ID: &str = "end";

/// How long the server may take to answer at the end, for example to say that a stream has arrived, after its connection broke at the end.
const DOUBT: Duration = Duration::from_secs(3);

impl FileSender {
    /// Takes the answer of a receiver who does not take it.
    pub(super) fn declined(&self, name: &str, reason: Option<DeclineReason>) -> Result<GoesOn, Error> {
        let who = safe_line(name);
        let why = match DeclineReason::suffix(reason) {
            none if none.is_empty() => format!("{who} does not want the file"),
            why => format!("{who} declines the file{why}"),
        };
        if self.is_direct() {
            return Err(Error::Refused(why, Some(Code::Declined)));
        }
        let event = json!({ "type": "declined", "name": name, "reason": reason.map(DeclineReason::as_str) });
        self.display.tell(&why, &event)?;
        Ok(GoesOn::Yes)
    }

    /// The server has seen that a receiver has everything, which this side may have missed.
    pub(super) fn confirmed(&mut self, name: String) -> Result<GoesOn, Error> {
        self.doubt = None;
        let bytes = self.info.size.unwrap_or(self.moved);
        let sent = self.sent(&name, Sent { bytes, is_already: false });
        if !self.running.is_empty() {
            self.confirmed.insert(name);
        }
        sent
    }

    pub(super) fn sent(&mut self, name: &str, sent: Sent) -> Result<GoesOn, Error> {
        self.received += 1;
        let (who, what) = (safe_line(name), described(&self.info));
        let mut event = json!({ "type": "sent", "name": name, "bytes": sent.bytes });
        let line = match sent.is_already && !self.is_in_doubt {
            true => {
                event["already"] = true.into();
                format!("{who} has {what} already, whole and checked")
            }
            false => format!("{who} has {what}, whole and checked"),
        };
        self.display.tell(&line, &event)?;
        Ok(if self.is_direct() { self.take_back() } else { GoesOn::Yes })
    }

    /// Takes an offer back that is over, and waits for the answer: so the receiver knows that this side knows the end.
    fn take_back(&mut self) -> GoesOn {
        let (Some(up), Some(offer)) = (&self.up, self.offer) else { return GoesOn::No };
        let request = Request::Act(Act::Cancel { offer, name: None });
        match up.outgoing.try_send(request.to_frame(Some(END_ID))) {
            Ok(()) => {
                self.taken_back_until = Some(Instant::now() + DOUBT);
                GoesOn::Yes
            }
            Err(_) => GoesOn::No,
        }
    }

    /// Ends the program with the server's answer to that.
    pub(super) fn after_end(&self, id: Option<&str>) -> GoesOn {
        if id == Some(END_ID) { GoesOn::No } else { GoesOn::Yes }
    }

    /// Nobody has said that a stream arrived.
    pub(super) fn settle_doubt(&mut self) -> Result<GoesOn, Error> {
        self.doubt.take().map_or(Ok(GoesOn::Yes), |(error, _)| Err(error))
    }

    /// Whether a stream, which cannot be sent again, may have arrived: the server knows, and says so soon.
    pub(super) fn is_doubtful(&self, progress: &Arc<FileProgress>, error: &TransferError) -> bool {
        self.is_direct() && self.parcel.is_begun() && is_unsure(progress, error)
    }

    /// Why it gives up after so many seconds.
    pub(super) fn not_taken(&self, seconds: u64) -> String {
        let to = self.receiver();
        match self.is_in_doubt {
            true => format!(
                "{to} has everything, or lacks only the end: the connection broke before {to} said so, and {to} has not \
                 come back within {seconds} s; ask {to}"
            ),
            false => format!("{to} has not taken the file within {seconds} s"),
        }
    }

    /// Waits for the server's word before it fails.
    pub(super) fn doubt(&mut self, error: Error) -> GoesOn {
        self.doubt = Some((error, Instant::now() + DOUBT));
        GoesOn::Yes
    }

    pub(super) fn is_doubt_over(&self) -> bool {
        self.doubt.as_ref().is_some_and(|(_, until)| *until <= Instant::now())
    }

    /// The error for a transfer to a user that is over.
    pub(super) fn failure(&self, name: &str, error: &TransferError) -> Error {
        if self.is_in_doubt && self.parcel.is_begun() {
            return Error::Disconnected(format!(
                "the connection broke at the end, so {name} may have the whole stream; ask {name} before you send it \
                 again"
            ));
        }
        let text = format!("{name}: {error}");
        match error {
            TransferError::Cut(_) => {
                Error::Disconnected(format!("{text}; a stream cannot be resumed, so send it again"))
            }
            TransferError::Refused { code, .. } => Error::Refused(text, *code),
            TransferError::ByPeer { .. } => Error::Refused(text, None),
            TransferError::Here { .. } => Error::Local(text),
        }
    }

    /// Whether the offer is to this user's own name.
    pub(super) fn is_to_oneself(&self) -> bool {
        let (Some(up), Target::User(to)) = (&self.up, &self.to) else { return false };
        Name::new(&up.welcome.name).is_ok_and(|own| Name::new(to).is_ok_and(|to| own.key() == to.key()))
    }
}

/// Whether a transfer broke after its last byte: the receiver may have everything.
pub(super) fn is_unsure(progress: &FileProgress, error: &TransferError) -> bool {
    matches!(error, TransferError::Cut(_)) && progress.now().phase == FilePhase::Finishing
}
