//! An offer as `lanchat receive` knows it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::conversation::described;
use crate::client::transfer::Landing;
use crate::fingerprint::Fingerprint;
use crate::protocol::Target;
use crate::protocol::packet::{FileInfo, Sender};
use crate::text::safe_line;

/// The shortest and the longest time until a transfer that was cut is tried again.
const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(10);

pub(super) struct SeenOffer {
    pub(super) from: Sender,
    pub(super) to: String,
    pub(super) file: FileInfo,
    /// The sender's.
    pub(super) key: Option<Fingerprint>,
    pub(super) is_verified: bool,
    /// Where it goes, once it is accepted.
    pub(super) landing: Option<Landing>,
    /// Whether that place was made for this offer, and nothing has come yet.
    pub(super) is_new: bool,
    /// When to accept it again.
    retry_at: Option<Instant>,
    /// Whether another transfer writes to its place, or is about to.
    is_place_busy: bool,
    /// Whether the server has been asked to let it begin, or it runs.
    holds_place: bool,
    /// How often it was cut.
    cuts: u32,
    /// Whether a transfer of it has ended well.
    is_done: bool,
}

impl SeenOffer {
    pub(super) fn new(from: Sender, key: Option<Fingerprint>, to: String, file: FileInfo) -> Self {
        Self {
            from,
            to,
            file,
            key,
            is_verified: false,
            landing: None,
            is_new: false,
            retry_at: None,
            is_place_busy: false,
            holds_place: false,
            cuts: 0,
            is_done: false,
        }
    }

    /// Whether it goes to this user alone.
    pub(super) fn is_direct(&self) -> bool {
        matches!(Target::parse(&self.to), Target::User(_))
    }

    /// The sender and the file in words.
    pub(super) fn described(&self) -> String {
        let who = match (self.is_verified, &self.key) {
            (true, _) => "verified",
            (false, Some(_)) => "not verified",
            (false, None) => "not verified: no key proves who this is",
        };
        let place = match self.is_direct() {
            true => String::new(),
            false => format!(" to {}", safe_line(&self.to)),
        };
        format!("{} ({who}) offers{place} {}", safe_line(&self.from.name), described(&self.file))
    }

    pub(super) fn event(&self, offer: u64) -> Value {
        json!({
            "type": "offer", "offer": offer, "from": self.from, "to": self.to, "file": self.file,
            "key": self.key.map(|key| key.to_string()), "verified": self.is_verified,
        })
    }

    /// Accepts it again after a pause, which grows.
    pub(super) fn retry_later(&mut self) {
        self.holds_place = false;
        let pause = SOON.saturating_mul(1 << self.cuts.min(10)).min(LATE);
        self.cuts += 1;
        self.retry_at.get_or_insert(Instant::now() + pause);
    }

    /// This user accepts it now, or once no other transfer writes to its place.
    pub(super) fn waits_for_place(&mut self, is_busy: bool) {
        (self.is_place_busy, self.holds_place) = (is_busy, !is_busy);
        self.retry_at = is_busy.then(|| Instant::now() + LATE);
    }

    /// An earlier transfer has ended, perhaps the one that this waits for.
    pub(super) fn place_may_be_free(&mut self) {
        if std::mem::take(&mut self.is_place_busy) {
            self.retry_at = Some(Instant::now());
        }
    }

    /// Whether it has that place, perhaps with others.
    pub(super) fn is_at(&self, place: &Path) -> bool {
        self.landing.as_ref().is_some_and(|landing| landing.unfinished() == place)
    }

    /// Whether nothing else may write to that place.
    pub(super) fn holds(&self, place: &Path) -> bool {
        self.holds_place && self.is_at(place)
    }

    /// Notes that it is received.
    pub(super) fn finish(&mut self, landing: Landing) {
        (self.holds_place, self.is_done, self.landing) = (false, true, Some(landing));
    }

    /// Its place, if it is received.
    pub(super) fn received(&self) -> Option<&Landing> {
        self.landing.as_ref().filter(|_| self.is_done)
    }

    /// Whether it is to be accepted again: the sender may have missed that it is received.
    pub(super) fn is_to_be_confirmed(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Whether it is time to accept it again.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| at <= now)
    }
}
