//! Content that its sender has cancelled while it came: the user is asked before it is taken again.

use super::MAX_OFFERS;
use crate::fingerprint::Fingerprint;

/// The sender's key, and the sender's token for the content.
type CancelledKey = (Option<Fingerprint>, String);

/// The latest of it.
#[derive(Debug, Default)]
pub(super) struct CancelledContent(Vec<CancelledKey>);

impl CancelledContent {
    pub(super) fn add(&mut self, content: CancelledKey) {
        if self.0.len() >= MAX_OFFERS {
            self.0.remove(0);
        }
        self.0.push(content);
    }

    /// Whether it was in here. It no longer is.
    pub(super) fn take(&mut self, content: &CancelledKey) -> bool {
        let before = self.0.len();
        self.0.retain(|other| other != content);
        self.0.len() < before
    }
}
