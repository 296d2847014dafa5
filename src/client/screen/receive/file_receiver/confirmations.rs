//! Files that this run has received: a sender that missed the end of one offers it again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::client::transfer::{Landing, OfferOrigin};
use crate::limits::{FINISHED_KNOWN, MAX_ACCEPTED_FILES};
use crate::protocol::packet::FileInfo;

/// The content of an offer, whatever its number is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferedContent {
    pub(super) origin: OfferOrigin,
    pub(super) file: FileInfo,
}

/// The latest of it.
#[derive(Default)]
pub(super) struct Confirmations {
    /// Content whose sender may not know, its place, and until when the sender may come for it.
    open: Vec<(OfferedContent, Landing, Instant)>,
    /// The places of what the user has been told.
    told: Vec<PathBuf>,
    /// The places of running transfers whose senders have taken the offer back: they know.
    over: Vec<PathBuf>,
}

impl Confirmations {
    /// The sender may miss that this is here.
    pub(super) fn await_sender(&mut self, content: OfferedContent, landing: Landing) {
        self.confirmed(&content);
        let until = Instant::now() + FINISHED_KNOWN;
        push(&mut self.open, (content, landing, until));
    }

    /// The sender knows, or asks for it now.
    pub(super) fn confirmed(&mut self, content: &OfferedContent) {
        self.open.retain(|(known, ..)| known != content);
    }

    /// The place of content that this run has received, although its sender may not know: even if the user has moved the
    /// file, it is not to come again.
    pub(super) fn find(&self, content: &OfferedContent) -> Option<Landing> {
        let now = Instant::now();
        let found = self.open.iter().find(|(known, _, until)| known == content && now < *until);
        found.map(|(_, landing, _)| landing.clone())
    }

    pub(super) fn is_told(&self, place: &Path) -> bool {
        self.told.iter().any(|told| told == place)
    }

    pub(super) fn tell(&mut self, place: &Path) {
        push(&mut self.told, place.to_owned());
    }

    /// The sender of a running transfer has taken the offer back.
    pub(super) fn note_over(&mut self, place: &Path) {
        push(&mut self.over, place.to_owned());
    }

    /// Whether the sender of that transfer had done so when it ended.
    pub(super) fn take_over(&mut self, place: &Path) -> bool {
        let before = self.over.len();
        self.over.retain(|over| over != place);
        self.over.len() < before
    }
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= MAX_ACCEPTED_FILES {
        list.remove(0);
    }
    list.push(item);
}
