//! Which messages have come already, so that none is shown twice: neither when missed messages end and live
//! ones begin, nor where two connections overlap.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::client::connection::{HistoryPosition, Resumption};
use crate::protocol::event::{HistoryEnd, Welcome};
use crate::protocol::request::Act;
use crate::protocol::{Event, Request, Target};

/// Direct messages whose numbers are remembered: many more than wait for one user.
const MAX_DIRECTS: usize = 4096;

/// The messages that have come.
#[derive(Debug)]
pub(crate) struct SeenMessages {
    /// All up to there, except direct messages that waited.
    position: HistoryPosition,
    /// Numbers of direct messages: those that waited may be older than what was seen of rooms.
    directs: BTreeSet<u64>,
    /// Missed messages are coming.
    missed: Option<MissedMessages>,
}

/// Missed messages that are coming.
#[derive(Debug, Default)]
pub(crate) struct MissedMessages {
    /// Whether the user has been here before, and whether the server went back since.
    pub(crate) back: Resumption,
    /// How many are to be shown.
    pub(crate) shown: usize,
    /// Whether the server waits to hear that they have come, because of direct messages among them.
    wants_receipt: bool,
}

/// The parts of a message that matter here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingMessage {
    /// Its number. A message without one was not stored, and does not come again.
    pub(crate) seq: Option<u64>,
    pub(crate) is_direct: bool,
    /// Whether it was said before this connection began.
    pub(crate) history: bool,
}

impl IncomingMessage {
    /// The parts of an event that has a message's number; `None` for all other events.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (to, seq, history) = match event {
            Event::Chat { to, seq, history, .. }
            | Event::Edited { to, seq, history, .. }
            | Event::Deleted { to, seq, history, .. } => (Some(to), *seq, *history),
            Event::Alert { seq, history, .. } => (None, *seq, *history),
            Event::Delivered { seq, history, .. } => {
                return Some(Self { seq: *seq, is_direct: true, history: *history });
            }
            _ => return None,
        };
        let is_direct = to.is_some_and(|to| !matches!(Target::parse(to), Target::All | Target::Room(_)));
        Some(Self { seq, is_direct, history })
    }
}

/// Whether a message is new to this client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// It had come before.
    Known,
    /// It was missed: the first of these, the second ...
    Missed(usize),
    Live,
}

impl SeenMessages {
    /// Goes on from there.
    pub(crate) fn new(position: HistoryPosition) -> Self {
        Self { position, directs: BTreeSet::new(), missed: None }
    }

    /// A server has let this client in: see [`HistoryPosition::welcomed`]. Numbers above what both have in
    /// common are those of other messages now.
    pub(crate) fn welcomed(&mut self, welcome: &Welcome, resumes: bool) -> Resumption {
        let back = self.position.welcomed(welcome, resumes);
        self.directs.split_off(&self.position.seq().saturating_add(1));
        let is_coming = resumes && welcome.log.is_some();
        self.missed = is_coming.then(|| MissedMessages { back, ..MissedMessages::default() });
        back
    }

    /// Whether missed messages are still coming.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.missed.is_some()
    }

    /// The missed messages, while they come.
    pub(crate) fn missed(&self) -> Option<&MissedMessages> {
        self.missed.as_ref()
    }

    /// The link broke: what was missed and has not come will come over another one.
    pub(crate) fn interrupt(&mut self) {
        self.missed = None;
    }

    /// All that was missed has come. Also gives the receipt that the server waits for.
    pub(crate) fn caught_up(&mut self, end: &HistoryEnd) -> Option<(MissedMessages, Option<Request>)> {
        let missed = self.missed.take()?;
        self.position.caught_up(end.seq);
        let receipt = missed.wants_receipt.then_some(Request::Act(Act::Received { seq: end.seq }));
        Some((missed, receipt))
    }

    /// A message of this user's has reached the server under that number.
    pub(crate) fn reach(&self, seq: u64) {
        if self.missed.is_none() {
            self.position.reach(seq);
        }
    }

    /// Takes in a message. `is_received` says whether a direct message reaches the user by that.
    pub(crate) fn take(&mut self, message: IncomingMessage, is_received: bool) -> Novelty {
        if let Some(missed) = self.missed.as_mut().filter(|_| message.history) {
            missed.wants_receipt |= message.is_direct && is_received;
        }
        if !self.is_new(message) {
            return Novelty::Known;
        }
        match self.missed.as_mut().filter(|_| message.history) {
            Some(missed) => {
                missed.shown += 1;
                Novelty::Missed(missed.shown)
            }
            None => Novelty::Live,
        }
    }

    /// Takes in a missed message that this user sent from here, and so has not missed; false if it had come
    /// before.
    pub(crate) fn take_own(&mut self, message: IncomingMessage) -> bool {
        self.is_new(message)
    }

    /// Notes that a message has come; false if it had come before.
    fn is_new(&mut self, IncomingMessage { seq, is_direct, history }: IncomingMessage) -> bool {
        let Some(seq) = seq else { return true };
        let is_behind = seq <= self.position.seq();
        let is_known = is_direct && !self.directs.insert(seq);
        if self.directs.len() > MAX_DIRECTS {
            self.directs.pop_first();
        }
        if is_known || (is_behind && !(is_direct && history)) {
            return false;
        }
        self.position.reach(seq);
        true
    }
}
