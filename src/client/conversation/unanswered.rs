//! Commands without an answer: the user learns once that it is late, and if the connection is lost before it comes.
//! A server of several passes commands on, and answers nothing while it is cut off from the one that leads.

use std::time::{Duration, Instant};

use super::{CallTime, Conversation, Effect};

/// How long an answer may take before the user learns that it is late. Longer than a search, or a server that paces.
const LATE: Duration = Duration::from_secs(3);

/// Commands of the user that the server has got.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    /// The ids of their requests, the oldest first.
    ids: Vec<String>,
    /// When the oldest one was first seen to wait; its place is then told, or not.
    since: Option<(Instant, bool)>,
}

impl Conversation {
    /// The server has got a command.
    pub(super) fn note_asked(&mut self, id: &str) {
        self.forget_answered();
        self.unanswered.ids.push(id.to_owned());
    }

    /// Whether an answer is due that may be late.
    pub(super) fn waits_for_answer(&self) -> bool {
        let is_told = self.unanswered.since.is_some_and(|(_, is_told)| is_told);
        !is_told && self.unanswered.ids.iter().any(|id| self.requests.contains_key(id))
    }

    /// Tells about an answer that is late.
    pub(super) fn late_answers(&mut self, now: CallTime) -> Vec<Effect> {
        self.forget_answered();
        if self.unanswered.ids.is_empty() {
            return Vec::new();
        }
        let (since, is_told) = self.unanswered.since.get_or_insert((now.instant, false));
        if *is_told || now.instant.saturating_duration_since(*since) < LATE {
            return Vec::new();
        }
        *is_told = true;
        self.note("the server has not answered your command yet")
    }

    /// The connection is lost, and with it the answers.
    pub(super) fn lose_answers(&mut self) -> Vec<Effect> {
        self.forget_answered();
        self.requests.clear();
        let count = std::mem::take(&mut self.unanswered).ids.len();
        match count {
            0 => Vec::new(),
            1 => self.failure("your last command got no answer; enter it again"),
            count => self.failure(&format!("your last {count} commands got no answer; enter them again")),
        }
    }

    fn forget_answered(&mut self) {
        let Self { unanswered, requests, .. } = self;
        let oldest = unanswered.ids.first().cloned();
        unanswered.ids.retain(|id| requests.contains_key(id));
        if unanswered.ids.first() != oldest.as_ref() {
            unanswered.since = None;
        }
    }
}
