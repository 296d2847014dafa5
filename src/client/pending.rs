//! Messages that the server has not acknowledged yet: none of them is ever dropped in silence.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::Target;

/// After this long without any receipt the user is told. A LAN's round trip is a thousandth of it;
/// but a server that paces its users takes what came at once bit by bit.
const OVERDUE: Duration = Duration::from_secs(1);

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Whom it is for.
    pub(super) to: Target,
    /// The text.
    pub(super) msg: String,
    /// Whether it tells what the user does.
    pub(super) action: bool,
}

#[derive(Debug)]
struct Entry {
    id: String,
    message: Message,
    sent: Instant,
    told: bool,
}

/// The messages on their way, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Pending {
    entries: VecDeque<Entry>,
    /// When one was taken out last: the server is at work on the others.
    progress: Option<Instant>,
}

impl Pending {
    /// Notes a message that was handed to the connection.
    pub(super) fn add(&mut self, id: String, message: Message, sent: Instant) {
        self.entries.push_back(Entry { id, message, sent, told: false });
    }

    /// Takes out the message with that id, which the server has answered.
    pub(super) fn take(&mut self, id: &str, now: Instant) -> Option<Message> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        self.progress = Some(now);
        self.entries.remove(at).map(|entry| entry.message)
    }

    /// Takes out all of them: the connection is gone.
    pub(super) fn take_all(&mut self) -> Vec<Message> {
        self.entries.drain(..).map(|entry| entry.message).collect()
    }

    /// The messages that have become overdue since the last call.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Message> {
        let progress = self.progress;
        let since = |sent: Instant| progress.map_or(sent, |progress| sent.max(progress));
        let late = |entry: &&mut Entry| !entry.told && now.duration_since(since(entry.sent)) >= OVERDUE;
        let mut messages = Vec::new();
        for entry in self.entries.iter_mut().filter(late) {
            entry.told = true;
            messages.push(entry.message.clone());
        }
        messages
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(msg: &str) -> Message {
        Message { to: Target::All, msg: msg.into(), action: false }
    }

    #[test]
    fn a_message_is_overdue_once_and_stays_until_it_is_taken() {
        let start = Instant::now();
        let mut pending = Pending::default();
        pending.add("1".into(), message("a"), start);
        pending.add("2".into(), message("b"), start + OVERDUE);
        assert!(pending.overdue(start).is_empty());
        assert_eq!(pending.overdue(start + OVERDUE), [message("a")]);
        assert!(pending.overdue(start + OVERDUE).is_empty());
        assert_eq!(pending.take("1", start), Some(message("a")));
        assert_eq!(pending.take("1", start), None);
        assert_eq!(pending.take_all(), [message("b")]);
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn nothing_is_overdue_while_the_server_takes_one_after_the_other() {
        let start = Instant::now();
        let mut pending = Pending::default();
        for id in ["1", "2", "3"] {
            pending.add(id.into(), message(id), start);
        }
        let soon = OVERDUE * 9 / 10;
        assert!(pending.take("1", start + soon).is_some());
        assert!(pending.overdue(start + OVERDUE).is_empty());
        assert!(pending.take("2", start + 2 * soon).is_some());
        assert!(pending.overdue(start + 2 * OVERDUE).is_empty());
        assert_eq!(pending.overdue(start + 2 * soon + OVERDUE), [message("3")]);
    }
}
