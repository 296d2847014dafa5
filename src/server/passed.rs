//! What was passed on and is stored nowhere, so that it is not shown twice when its author has no receipt and
//! sends it again: on a full disk, and on a server that keeps no history.
//!
//! Of a message only two hashes are kept, keyed as people choose what they hash: two that share both would be
//! taken for one, once in 2^128. Bounded; see [`MAX_PASSED`].

use crate::chat::{Entry, Kind, Message};
use crate::limits::{MAX_PASSED, MAX_PASSED_OF_AUTHOR};
use crate::store::Duplicate;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// A message by which it is known again.
type Mark = (u64, u64);

/// Its author, hashed.
type Author = u64;

/// A message that its author had sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Its place in the turn.
    pub(super) entry: usize,
    /// What the first one's receipt said.
    pub(super) seq: Option<u64>,
    pub(super) at: Timestamp,
    pub(super) waits: bool,
}

impl From<Duplicate> for Known {
    fn from(Duplicate { entry, seq, at, waits }: Duplicate) -> Self {
        Self { entry, seq: Some(seq), at, waits }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Passed {
    messages: HashMap<Mark, (Option<u64>, Timestamp)>,
    /// The marks of each, the oldest first. Invariant: none is empty, and together they are those above.
    authors: HashMap<Author, VecDeque<Mark>>,
    /// How many of whom. Invariant: one for each author.
    heaviest: BTreeSet<(usize, Author)>,
    hashers: [RandomState; 2],
}

impl Passed {
    /// Those of the entries' messages that were passed on in an earlier turn.
    pub(super) fn known(&self, entries: &[Entry]) -> Vec<Known> {
        if self.messages.is_empty() {
            return Vec::new();
        }
        let messages = entries.iter().enumerate().filter_map(|(place, entry)| Some((place, message(entry)?)));
        messages.filter_map(|(place, message)| self.find(place, self.mark(message)?.1)).collect()
    }

    /// Notes that the message of that place is passed on and not stored; what there is of it if it was passed on
    /// before. `seq`: the number that its receipt tells.
    pub(super) fn note(&mut self, place: usize, message: &Message, seq: Option<u64>) -> Option<Known> {
        let (author, mark) = self.mark(message)?;
        let known = self.find(place, mark);
        if known.is_none() {
            self.add(author, mark, seq, message.at);
        }
        known
    }

    fn mark(&self, message: &Message) -> Option<(Author, Mark)> {
        let author = message.author.as_ref().filter(|_| message.is_known_again())?;
        // Whether it is shown as something said or done makes no other message of it.
        let is_alert = message.kind == Kind::Alert;
        let whole = (author, &message.id, message.destination(), is_alert, &message.text);
        let [one, other] = &self.hashers;
        Some((one.hash_one(author), (one.hash_one(&whole), other.hash_one(&whole))))
    }

    fn find(&self, entry: usize, mark: Mark) -> Option<Known> {
        self.messages.get(&mark).map(|(seq, at)| Known { entry, seq: *seq, at: *at, waits: false })
    }

    fn add(&mut self, author: Author, mark: Mark, seq: Option<u64>, at: Timestamp) {
        let count = self.authors.get(&author).map_or(0, VecDeque::len);
        if count >= MAX_PASSED_OF_AUTHOR {
            self.forget_oldest(author);
        } else if self.messages.len() >= MAX_PASSED
            && let Some((_, most)) = self.heaviest.last().copied()
        {
            self.forget_oldest(most);
        }
        self.messages.insert(mark, (seq, at));
        let marks = self.authors.entry(author).or_default();
        self.heaviest.remove(&(marks.len(), author));
        marks.push_back(mark);
        self.heaviest.insert((marks.len(), author));
    }

    fn forget_oldest(&mut self, author: Author) {
        let Some(marks) = self.authors.get_mut(&author) else { return };
        self.heaviest.remove(&(marks.len(), author));
        if let Some(mark) = marks.pop_front() {
            self.messages.remove(&mark);
        }
        match marks.len() {
            0 => drop(self.authors.remove(&author)),
            left => drop(self.heaviest.insert((left, author))),
        }
    }
}

fn message(entry: &Entry) -> Option<&Message> {
    match entry {
        Entry::Message(message) | Entry::Passed(message) | Entry::Refused(message) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Account, Venue};
    use crate::fingerprint::Fingerprint;
    use crate::name::RoomName;
    use crate::protocol::packet::Sender;

    fn key(number: usize) -> Account {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Account::Key(Fingerprint::new(bytes))
    }

    fn said(author: usize, id: usize) -> Message {
        Message {
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            kind: Kind::Chat,
            venue: Venue::Room(RoomName::lobby()),
            receiver: None,
            from: Sender { name: "x".into(), ip: String::new(), key: None },
            author: Some(key(author)),
            id: Some(id.to_string()),
            text: "hello".into(),
            mail: Vec::new(),
        }
    }

    fn is_known(passed: &Passed, message: Message) -> bool {
        !passed.known(&[Entry::Passed(Box::new(message))]).is_empty()
    }

    #[test]
    fn a_message_is_known_by_author_id_and_destination_and_not_by_names() {
        let mut passed = Passed::default();
        let room = |name: &str| Venue::Room(RoomName::new(name).unwrap());
        let direct = |to: &str, receiver| Message { venue: Venue::Direct(to.into()), receiver, ..said(1, 3) };
        let in_room = Message { venue: room("#Games"), ..said(1, 2) };
        for message in [said(1, 1), in_room.clone(), direct("Bob", Some(key(2))), direct("Eve", None)] {
            assert_eq!(passed.note(0, &message, None), None);
            assert!(passed.note(1, &message, Some(9)).is_some_and(|known| known.seq.is_none()));
        }
        let renamed = Message { from: Sender { name: "y".into(), ..said(1, 1).from }, ..said(1, 1) };
        let respelled = Message { venue: room("#gAMES"), ..in_room };
        let shown_otherwise = Message { kind: Kind::Action, ..said(1, 1) };
        for same in [renamed, respelled, shown_otherwise, direct("robert", Some(key(2))), direct("eve", None)]
        {
            assert!(is_known(&passed, same));
        }
        let others = [
            said(2, 1),
            said(1, 2),
            Message { author: None, ..said(1, 1) },
            Message { text: "other".into(), ..said(1, 1) },
            Message { kind: Kind::Alert, ..said(1, 1) },
            direct("Bob", Some(key(3))),
            direct("Bob", None),
        ];
        assert!(others.into_iter().all(|other| !is_known(&passed, other)));
    }

    #[test]
    fn whoever_has_most_loses_the_oldest_and_others_lose_nothing() {
        let mut passed = Passed::default();
        passed.note(0, &said(0, 0), None);
        for id in 0..2 * MAX_PASSED_OF_AUTHOR {
            passed.note(0, &said(1, id), None);
        }
        assert_eq!(passed.messages.len(), MAX_PASSED_OF_AUTHOR + 1);
        assert!(is_known(&passed, said(1, 2 * MAX_PASSED_OF_AUTHOR - 1)) && !is_known(&passed, said(1, 0)));
        for author in 2..100 {
            for id in 0..MAX_PASSED_OF_AUTHOR {
                passed.note(0, &said(author, id), None);
            }
        }
        assert_eq!(passed.messages.len(), MAX_PASSED);
        assert_eq!(passed.authors.values().map(VecDeque::len).sum::<usize>(), MAX_PASSED);
        assert_eq!(passed.heaviest.len(), passed.authors.len());
        assert!(is_known(&passed, said(0, 0)), "whoever has one keeps it");
    }
}
