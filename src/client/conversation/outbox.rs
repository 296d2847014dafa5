//! Messages that the server has not confirmed yet. They wait for a connection, go out in order, and go out
//! again over the next connection under the same id. The client never drops one silently.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::Target;

/// The most messages that may wait. A person notices an outage long before.
const MAX_MESSAGES: usize = 1000;

/// The most bytes of text that may wait.
const MAX_BYTES: usize = 1024 * 1024;

/// How long to wait for any receipt before telling the user. A LAN answers in a thousandth of that, but a
/// server paces messages that come at once.
const OVERDUE: Duration = Duration::from_secs(1);

/// How long to wait for a receipt before showing that the message is on its way: shorter than anyone wonders.
const SLOW: Duration = Duration::from_millis(200);

/// Random bytes at the start of each id: two runs collide once in 2^40.
const PREFIX_BYTES: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutgoingMessage {
    pub(crate) to: Target,
    pub(crate) msg: String,
    /// Whether it describes an action (`/me`).
    pub(crate) action: bool,
    /// The number of the message that it answers.
    pub(crate) reply: Option<u64>,
}

#[derive(Debug)]
struct Queued {
    id: String,
    message: OutgoingMessage,
    /// When the present connection took it.
    sent: Option<Instant>,
    /// Whether the user knows that its receipt is overdue.
    told: bool,
}

/// Messages on their way, in the order in which they were typed: those that the connection has taken, then
/// those that wait.
#[derive(Debug)]
pub(crate) struct Outbox {
    entries: VecDeque<Queued>,
    /// The length of their texts.
    bytes: usize,
    /// How many the present connection has taken.
    sent: usize,
    ids: PacketIds,
    /// When the latest receipt came: the server is busy with the others.
    progress: Option<Instant>,
}

/// Ids for packets, unique across all runs of all clients, because the server recognises repeated messages by
/// them.
#[derive(Debug)]
pub(crate) struct PacketIds {
    prefix: String,
    counter: u64,
}

impl PacketIds {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; PREFIX_BYTES];
        if getrandom::fill(&mut bytes).is_err() {
            // Without randomness, the clock is unique enough.
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let nanos = now.unwrap_or_default().as_nanos().to_le_bytes();
            bytes.copy_from_slice(&nanos[..PREFIX_BYTES]);
        }
        Self { prefix: bytes.iter().map(|byte| format!("{byte:02x}")).collect(), counter: 0 }
    }

    pub(crate) fn next(&mut self) -> String {
        self.counter += 1;
        format!("{}-{}", self.prefix, self.counter)
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, sent: 0, ids: PacketIds::new(), progress: None }
    }
}

impl Outbox {
    /// Appends a message; returns it if too many wait.
    pub(crate) fn add(&mut self, message: OutgoingMessage) -> Result<(), OutgoingMessage> {
        let bytes = self.bytes + message.msg.len();
        if self.entries.len() >= MAX_MESSAGES || bytes > MAX_BYTES {
            return Err(message);
        }
        self.bytes = bytes;
        self.entries.push_back(Queued { id: self.ids.next(), message, sent: None, told: false });
        Ok(())
    }

    /// An id for a packet that is not a message.
    pub(crate) fn next_id(&mut self) -> String {
        self.ids.next()
    }

    /// The first waiting message and its id.
    pub(crate) fn first_waiting(&self) -> Option<(&str, &OutgoingMessage)> {
        self.entries.get(self.sent).map(|entry| (entry.id.as_str(), &entry.message))
    }

    /// Records that the connection has taken that message.
    pub(crate) fn note_sent(&mut self, now: Instant) {
        if let Some(entry) = self.entries.get_mut(self.sent) {
            entry.sent = Some(now);
            self.sent += 1;
        }
    }

    /// Removes the message with that id, which the server has answered.
    pub(crate) fn take(&mut self, id: &str, now: Instant) -> Option<OutgoingMessage> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        self.progress = Some(now);
        self.remove(at)
    }

    /// Marks all messages for sending again, to a server that recognises repeated ids.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
        self.entries.iter_mut().for_each(|entry| entry.sent = None);
    }

    /// Removes the messages that the lost connection had taken, because the server would not recognise them.
    pub(crate) fn take_sent(&mut self) -> Vec<OutgoingMessage> {
        (0..self.sent).filter_map(|_| self.remove(0)).collect()
    }

    pub(crate) fn take_all(&mut self) -> Vec<OutgoingMessage> {
        (self.bytes, self.sent) = (0, 0);
        self.entries.drain(..).map(|entry| entry.message).collect()
    }

    /// Messages that became overdue since the last call; each is returned once.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<OutgoingMessage> {
        let progress = self.progress;
        let since = |sent: Instant| progress.map_or(sent, |progress| sent.max(progress));
        let late = |entry: &Queued| entry.sent.is_some_and(|sent| now.duration_since(since(sent)) >= OVERDUE);
        let mut messages = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| !entry.told && late(entry)) {
            entry.told = true;
            messages.push(entry.message.clone());
        }
        messages
    }

    /// Messages that the connection took a while ago, of which the user does not know yet that they are
    /// overdue.
    pub(crate) fn slow(&self, now: Instant) -> impl Iterator<Item = &OutgoingMessage> {
        let is_slow = move |sent: Instant| now.duration_since(sent) >= SLOW;
        let slow = self.entries.iter().filter(move |entry| !entry.told && entry.sent.is_some_and(is_slow));
        slow.map(|entry| &entry.message)
    }

    /// Where the latest message goes.
    pub(crate) fn last_target(&self) -> Option<&Target> {
        self.entries.back().map(|entry| &entry.message.to)
    }

    /// Where the messages go.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.entries.iter().map(|entry| &entry.message.to)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many wait for longer than a server takes: for a connection or a receipt.
    pub(crate) fn stuck(&self) -> usize {
        self.entries.iter().filter(|entry| entry.sent.is_none() || entry.told).count()
    }

    fn remove(&mut self, at: usize) -> Option<OutgoingMessage> {
        let entry = self.entries.remove(at)?;
        self.bytes -= entry.message.msg.len();
        self.sent -= usize::from(at < self.sent);
        Some(entry.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(msg: &str) -> OutgoingMessage {
        OutgoingMessage { to: Target::All, msg: msg.into(), action: false, reply: None }
    }

    /// Hands all that wait to a connection; their ids.
    fn send_all(outbox: &mut Outbox, now: Instant) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some(id) = outbox.first_waiting().map(|(id, _)| id.to_owned()) {
            outbox.note_sent(now);
            ids.push(id);
        }
        ids
    }

    #[test]
    fn a_message_is_overdue_once_and_stays_until_it_is_taken() {
        let start = Instant::now();
        let mut outbox = Outbox::default();
        outbox.add(message("a")).unwrap();
        let first = send_all(&mut outbox, start);
        outbox.add(message("b")).unwrap();
        let second = send_all(&mut outbox, start + OVERDUE);
        assert!(outbox.overdue(start).is_empty() && outbox.slow(start).next().is_none());
        assert_eq!(outbox.slow(start + SLOW).collect::<Vec<_>>(), [&message("a")]);
        assert_eq!(outbox.overdue(start + OVERDUE), [message("a")]);
        assert_eq!(outbox.slow(start + OVERDUE).collect::<Vec<_>>(), Vec::<&OutgoingMessage>::new());
        assert!(outbox.overdue(start + OVERDUE).is_empty());
        assert_eq!((outbox.len(), outbox.stuck()), (2, 1));
        assert_eq!(outbox.take(&first[0], start), Some(message("a")));
        assert_eq!(outbox.take(&first[0], start), None);
        assert_eq!(outbox.take(&second[0], start), Some(message("b")));
        assert_eq!((outbox.len(), outbox.stuck(), outbox.bytes), (0, 0, 0));
    }

    #[test]
    fn nothing_is_overdue_while_the_server_takes_one_after_the_other() {
        let start = Instant::now();
        let mut outbox = Outbox::default();
        for text in ["1", "2", "3"] {
            outbox.add(message(text)).unwrap();
        }
        let ids = send_all(&mut outbox, start);
        let soon = OVERDUE * 9 / 10;
        assert!(outbox.take(&ids[0], start + soon).is_some());
        assert!(outbox.overdue(start + OVERDUE).is_empty());
        assert!(outbox.take(&ids[1], start + 2 * soon).is_some());
        assert!(outbox.overdue(start + 2 * OVERDUE).is_empty());
        assert_eq!(outbox.overdue(start + 2 * soon + OVERDUE), [message("3")]);
    }

    #[test]
    fn over_the_next_connection_all_go_again_in_order_under_the_same_ids() {
        let start = Instant::now();
        let mut outbox = Outbox::default();
        for text in ["1", "2", "3"] {
            outbox.add(message(text)).unwrap();
        }
        let ids = send_all(&mut outbox, start);
        outbox.take(&ids[1], start);
        outbox.rewind();
        outbox.add(message("4")).unwrap();
        let again = send_all(&mut outbox, start);
        assert_eq!(again[..2], [ids[0].clone(), ids[2].clone()]);
        assert_eq!(again.len(), 3);
        outbox.rewind();
        outbox.note_sent(start);
        assert_eq!(outbox.take_sent(), [message("1")]);
        assert_eq!(outbox.take_all(), [message("3"), message("4")]);
        assert!(outbox.first_waiting().is_none() && outbox.bytes == 0);
    }

    #[test]
    fn what_is_over_the_bounds_is_given_back() {
        let mut outbox = Outbox::default();
        for _ in 0..MAX_MESSAGES {
            outbox.add(message("x")).unwrap();
        }
        assert_eq!(outbox.add(message("one more")), Err(message("one more")));
        let mut outbox = Outbox::default();
        let long = message(&"x".repeat(MAX_BYTES));
        outbox.add(long.clone()).unwrap();
        assert!(outbox.add(message("x")).is_err());
        outbox.take_all();
        assert_eq!(outbox.add(long), Ok(()));
    }

    #[test]
    fn no_two_runs_use_the_same_ids() {
        let (mut one, mut other) = (PacketIds::new(), PacketIds::new());
        let ids = [one.next(), one.next(), other.next(), other.next()];
        assert_eq!(std::collections::HashSet::from(ids.clone()).len(), 4);
        assert!(ids.iter().all(|id| id.len() < 40), "{ids:?}");
    }
}
