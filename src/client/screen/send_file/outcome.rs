//! The server's news about receivers: some decline, and some have everything although the connection broke at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::FileSender;
use crate::client::conversation::described;
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::client::transfer::{FilePhase, FileProgress, TransferError};
use crate::name::Name;
use crate::protocol::{Code, DeclineReason, Target};
use crate::text::safe_line;

/// How long the server may take to say that a stream has arrived, after its connection broke at the end.
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
        let sent = self.sent(&name, bytes);
        if !self.running.is_empty() {
            self.confirmed.insert(name);
        }
        sent
    }

    pub(super) fn sent(&mut self, name: &str, bytes: u64) -> Result<GoesOn, Error> {
        self.received += 1;
        let line = format!("{} has {}, whole and checked", safe_line(name), described(&self.info));
        self.display.tell(&line, &json!({ "type": "sent", "name": name, "bytes": bytes }))?;
        Ok(if self.is_direct() { GoesOn::No } else { GoesOn::Yes })
    }

    /// Nobody has said that a stream arrived.
    pub(super) fn settle_doubt(&mut self) -> Result<GoesOn, Error> {
        self.doubt.take().map_or(Ok(GoesOn::Yes), |(error, _)| Err(error))
    }

    /// Whether a stream, which cannot be sent again, may have arrived: the server knows, and says so soon.
    pub(super) fn is_doubtful(&self, progress: &Arc<FileProgress>, error: &TransferError) -> bool {
        let is_all_sent = progress.now().phase == FilePhase::Finishing;
        self.is_direct() && self.parcel.is_begun() && matches!(error, TransferError::Cut(_)) && is_all_sent
    }

    /// Waits for the server's word before it fails.
    pub(super) fn doubt(&mut self, error: Error) -> GoesOn {
        self.doubt = Some((error, Instant::now() + DOUBT));
        GoesOn::Yes
    }

    pub(super) fn is_doubt_over(&self) -> bool {
        self.doubt.as_ref().is_some_and(|(_, until)| *until <= Instant::now())
    }

    /// Whether the offer is to this user's own name.
    pub(super) fn is_to_oneself(&self) -> bool {
        let (Some(up), Target::User(to)) = (&self.up, &self.to) else { return false };
        Name::new(&up.welcome.name).is_ok_and(|own| Name::new(to).is_ok_and(|to| own.key() == to.key()))
    }
}
