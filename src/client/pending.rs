//! Messages that the server has not acknowledged yet: none of them is ever dropped in silence.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::Target;

/// After this long without a receipt the user is told. A LAN's round trip is a thousandth of it.
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
pub(super) struct Pending(VecDeque<Entry>);

impl Pending {
    /// Notes a message that was handed to the connection.
    pub(super) fn add(&mut self, id: String, message: Message, sent: Instant) {
        self.0.push_back(Entry { id, message, sent, told: false });
    }

    /// Takes out the message with that id.
    pub(super) fn take(&mut self, id: &str) -> Option<Message> {
        let at = self.0.iter().position(|entry| entry.id == id)?;
        self.0.remove(at).map(|entry| entry.message)
    }

    /// Takes out all of them: the connection is gone.
    pub(super) fn take_all(&mut self) -> Vec<Message> {
        self.0.drain(..).map(|entry| entry.message).collect()
    }

    /// The messages that have become overdue since the last call.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Message> {
        let late = |entry: &&mut Entry| !entry.told && now.duration_since(entry.sent) >= OVERDUE;
        let mut messages = Vec::new();
        for entry in self.0.iter_mut().filter(late) {
            entry.told = true;
            messages.push(entry.message.clone());
        }
        messages
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
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
        assert_eq!(pending.take("1"), Some(message("a")));
        assert_eq!(pending.take("1"), None);
        assert_eq!(pending.take_all(), [message("b")]);
        assert_eq!(pending.len(), 0);
    }
}
