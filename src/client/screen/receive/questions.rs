//! The questions of `lanchat receive`: one at a time, so that an answer belongs to the question above it, and to no
//! other offer, whatever its number.

use std::collections::VecDeque;

use tokio::task::JoinSet;

use super::seen_offer::SeenOffer;
use crate::client::conversation::described;
use crate::client::terminal;
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::FileInfo;
use crate::text::safe_line;

/// An offer about which the user is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileQuestion {
    key: Option<Fingerprint>,
    name: String,
    to: String,
    file: FileInfo,
}

#[derive(Default)]
pub(super) struct Questions {
    waiting: VecDeque<(FileQuestion, String)>,
    asked: Option<FileQuestion>,
    open: JoinSet<bool>,
}

impl FileQuestion {
    pub(super) fn about(seen: &SeenOffer) -> Self {
        let (name, to, file) = (seen.from.name.clone(), seen.to.clone(), seen.file.clone());
        Self { key: seen.key, name, to, file }
    }

    /// The offer in words.
    pub(super) fn described(&self) -> String {
        format!("{} from {}", described(&self.file), safe_line(&self.name))
    }
}

impl Questions {
    /// Asks, after the questions before. One answer counts for an offer and for the same offer made again.
    pub(super) fn ask(&mut self, question: FileQuestion, text: String) {
        let is_known = self.asked.as_ref() == Some(&question);
        if !is_known && self.waiting.iter().all(|(other, _)| *other != question) {
            self.waiting.push_back((question, text));
        }
        self.go_on(|_| true);
    }

    /// Asks the next question about an offer that is still there, if none is open.
    pub(super) fn go_on(&mut self, is_there: impl Fn(&FileQuestion) -> bool) {
        while self.asked.is_none()
            && let Some((question, text)) = self.waiting.pop_front()
        {
            if is_there(&question) {
                self.asked = Some(question);
                self.open.spawn(async move { terminal::says_yes(&text).await });
            }
        }
    }

    /// The answer to the open question; `None`: no question is open. Safe to cancel.
    pub(super) async fn answer(&mut self) -> Option<(FileQuestion, bool)> {
        let is_yes = self.open.join_next().await?.unwrap_or(false);
        Some((self.asked.take()?, is_yes))
    }
}
