//! Ends for which `lanchat receive` waits: with `--once`, the program ends only when the server has its last packet, and
//! the sender knows the outcome.

use std::time::{Duration, Instant};

use super::FileReceiver;
use super::confirmations::OfferedContent;
use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;
use crate::protocol::DeclineReason;
use crate::protocol::request::Act;

/// How long to wait for the server's answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long to wait for a server that is away, or for a sender who is: for a restart, and a new connection.
const RETURN: Duration = Duration::from_secs(20);

/// How long the sender may take to offer it again, once this side is back: its pauses grow, too.
const AGAIN: Duration = Duration::from_secs(10);

/// The start of the `id` of a packet that declines an offer.
const DECLINE_ID: &str = "decline-";

/// The wait before the program ends.
pub(super) struct LastWait {
    content: OfferedContent,
    /// The number of the last offer on this connection.
    offer: Option<u64>,
    /// Whether a connection of the sender's broke, so that the sender may not know.
    is_doubtful: bool,
    until: Instant,
    /// Why it ends; `None`: it has received the files.
    error: Option<Error>,
}

impl LastWait {
    /// Whether that offer is the last one.
    pub(super) fn is_after(&self, offer: u64) -> bool {
        self.offer == Some(offer)
    }

    /// Whether that content is the last one, offered again.
    pub(super) fn is_about(&self, content: &OfferedContent) -> bool {
        self.content == *content
    }

    pub(super) fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn is_due(&self) -> bool {
        self.until <= Instant::now()
    }

    /// The server is away, or the sender.
    pub(super) fn wait_for_return(&mut self) {
        (self.offer, self.until) = (None, Instant::now() + RETURN);
    }

    /// The server is there again.
    pub(super) fn wait_for_offer(&mut self) {
        self.until = Instant::now() + AGAIN;
    }

    /// A connection of the sender's has broken. The next attempt to tell the sender comes by itself.
    pub(super) fn doubt(&mut self, offer: u64) {
        if self.is_after(offer) && !self.is_doubtful {
            (self.is_doubtful, self.until) = (true, Instant::now() + RETURN);
        }
    }

    /// The sender asks about the offer with this number now.
    pub(super) fn confirms(&mut self, offer: u64) {
        (self.offer, self.is_doubtful) = (Some(offer), false);
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
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

    /// Ends the program once the server has answered, or the sender has come back and knows.
    pub(super) fn leave(&mut self, content: OfferedContent, offer: u64, error: Option<Error>) {
        let (offer, until) = (Some(offer), Instant::now() + PATIENCE);
        let mut leaving = LastWait { content, offer, is_doubtful: false, until, error };
        if self.up.is_none() {
            leaving.wait_for_return();
        }
        self.leaving = Some(leaving);
    }

    /// The connection does not come back. A file that is received stays so.
    ///
    /// # Errors
    /// This one, unless the program was about to end with another outcome.
    pub(in super::super) fn gone(&mut self, error: Error) -> Result<GoesOn, Error> {
        self.leaving.take().map_or(Err(error), LastWait::end)
    }
}
