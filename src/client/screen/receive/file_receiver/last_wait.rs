//! Ends for which `lanchat receive` waits: with `--once`, the program ends only when the server has its last packet, and
//! the sender knows the outcome.

use std::time::{Duration, Instant};

use super::FileReceiver;
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::protocol::DeclineReason;
use crate::protocol::request::Act;

/// How long to wait for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// The start of the `id` of a packet that declines an offer.
const DECLINE_ID: &str = "decline-";

/// The wait before the program ends.
pub(super) struct LastWait {
    /// The last offer.
    offer: u64,
    until: Instant,
    /// Why it ends; `None`: it has received the files.
    error: Option<Error>,
}

impl LastWait {
    fn new(offer: u64, error: Option<Error>) -> Self {
        Self { offer, until: Instant::now() + PATIENCE, error }
    }

    pub(super) fn is_after(&self, offer: u64) -> bool {
        self.offer == offer
    }

    pub(super) fn is_due(&self) -> bool {
        self.until <= Instant::now()
    }

    /// Ends the program.
    pub(super) fn end(self) -> Result<GoesOn, Error> {
        self.error.map_or(Ok(GoesOn::No), Err)
    }
}

/// Whether that is the `id` of a packet that declines an offer.
pub(super) fn is_decline(id: &str) -> bool {
    id.starts_with(DECLINE_ID)
}

impl FileReceiver {
    pub(super) fn decline(&self, offer: u64, reason: DeclineReason) {
        self.send(Act::Decline { offer, reason: Some(reason) }, Some(&format!("{DECLINE_ID}{offer}")));
    }

    /// Ends the program once the server has answered.
    pub(super) fn leave(&mut self, offer: u64, error: Option<Error>) -> Result<GoesOn, Error> {
        let leaving = LastWait::new(offer, error);
        if self.up.is_none() {
            return leaving.end();
        }
        self.leaving = Some(leaving);
        Ok(GoesOn::Yes)
    }

    /// Notes that an offer is received. Returns whether that is new, and whether the offer is to this user alone.
    pub(super) fn finish(&mut self, offer: u64) -> (bool, bool) {
        let Some(seen) = self.offers.get_mut(&offer) else { return (true, false) };
        let found = (!seen.finish(), seen.is_direct());
        if !seen.is_to_be_confirmed()
            && let Some(seen) = self.offers.remove(&offer)
        {
            self.done.insert(offer, seen);
        }
        found
    }
}
