//! What `lanchat receive --once` waits for before it ends: the server has its last packet, and the sender knows the
//! outcome.

use std::time::{Duration, Instant};

use crate::client::error::Error;
use crate::client::screen::file_display::GoesOn;

/// How long to wait for that.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) struct Leaving {
    /// The last offer.
    offer: u64,
    until: Instant,
    /// Why it ends; `None`: it has received the files.
    error: Option<Error>,
}

impl Leaving {
    pub(super) fn new(offer: u64, error: Option<Error>) -> Self {
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
