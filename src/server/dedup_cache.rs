//! Recognises repeats of messages that were sent but not stored: on a full disk, and on a server without a
//! history. If an author gets no receipt and sends such a message again, nobody sees it twice.
//!
//! Keeps two hashes per message, keyed because people choose what they hash: two messages share both only once
//! in 2^128. Bounded by [`MAX_PASSED`].

use crate::chat::{Entry, Kind, Message};
use crate::limits::{MAX_PASSED, MAX_PASSED_OF_AUTHOR};
use crate::store::Duplicate;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

type MessageHash = (u64, u64);

/// The author, hashed.
type Author = u64;

/// Identifies a message and its repeats; `None`: a repeat could not be recognised. Hashing costs more than all else
/// here, so it is done once for each message.
pub(super) type RepeatKey = Option<(Author, MessageHash)>;

/// A message that its author had sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeat {
    /// Its index in the batch.
    pub(super) entry: usize,
    /// As in the first receipt.
    pub(super) seq: Option<u64>,
    pub(super) at: Timestamp,
    pub(super) waits: bool,
    /// It would have changed the message of that number, which is gone.
    pub(super) gone: Option<u64>,
}

impl From<Duplicate> for Repeat {
    fn from(Duplicate { entry, seq, at, waits, gone }: Duplicate) -> Self {
        Self { entry, seq: Some(seq), at, waits, gone }
    }
}

#[derive(Debug, Default)]
pub(super) struct DedupCache {
    messages: HashMap<MessageHash, (Option<u64>, Timestamp)>,
    /// Each author's hashes, the oldest first. Invariant: none is empty, and together they are the keys of
    /// `messages`.
    authors: HashMap<Author, VecDeque<MessageHash>>,
    /// How many hashes each author has. Invariant: one row per author.
    heaviest: BTreeSet<(usize, Author)>,
    hashers: [RandomState; 2],
}

impl DedupCache {
    /// The key of each entry; none while there is nothing to compare them with.
    pub(super) fn keys(&self, entries: &[Entry]) -> Vec<RepeatKey> {
        if self.messages.is_empty() {
            return vec![None; entries.len()];
        }
        entries.iter().map(|entry| self.key(message(entry)?)).collect()
    }

    /// The messages that were sent in an earlier batch.
    pub(super) fn known(&self, keys: &[RepeatKey]) -> Vec<Repeat> {
        let places = keys.iter().enumerate();
        places.filter_map(|(place, key)| self.find(place, (*key)?.1)).collect()
    }

    /// Remembers a message that is sent but not stored. If it was sent before, returns that instead. `seq`: the
    /// number in its receipt.
    pub(super) fn note(
        &mut self,
        place: usize,
        (message, key): (&Message, RepeatKey),
        seq: Option<u64>,
    ) -> Option<Repeat> {
        let (author, hash) = key.or_else(|| self.key(message))?;
        let repeats = self.find(place, hash);
        if repeats.is_none() {
            self.add(author, hash, seq, message.at);
        }
        repeats
    }

    fn key(&self, message: &Message) -> RepeatKey {
        let author = message.author.as_ref().filter(|_| message.is_known_again())?;
        // `/me` and plain text are shown differently, but are the same message.
        let is_alert = message.kind == Kind::Alert;
        let whole = (author, &message.id, message.destination(), is_alert, &message.text);
        let [one, other] = &self.hashers;
        Some((one.hash_one(author), (one.hash_one(&whole), other.hash_one(&whole))))
    }

    fn find(&self, entry: usize, hash: MessageHash) -> Option<Repeat> {
        let (seq, at) = *self.messages.get(&hash)?;
        Some(Repeat { entry, seq, at, waits: false, gone: None })
    }

    fn add(&mut self, author: Author, hash: MessageHash, seq: Option<u64>, at: Timestamp) {
        if let Some(hashes) =
            self.authors.get_mut(&author).filter(|hashes| hashes.len() >= MAX_PASSED_OF_AUTHOR)
        {
            // Its count stays the same.
            if let Some(oldest) = hashes.pop_front() {
                self.messages.remove(&oldest);
            }
            hashes.push_back(hash);
            self.messages.insert(hash, (seq, at));
            return;
        }
        if self.messages.len() >= MAX_PASSED
            && let Some((_, most)) = self.heaviest.last().copied()
        {
            self.forget_oldest(most);
        }
        self.messages.insert(hash, (seq, at));
        let hashes = self.authors.entry(author).or_default();
        self.heaviest.remove(&(hashes.len(), author));
        hashes.push_back(hash);
        self.heaviest.insert((hashes.len(), author));
    }

    fn forget_oldest(&mut self, author: Author) {
        let Some(hashes) = self.authors.get_mut(&author) else { return };
        self.heaviest.remove(&(hashes.len(), author));
        if let Some(hash) = hashes.pop_front() {
            self.messages.remove(&hash);
        }
        match hashes.len() {
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
            reply: None,
            edited: false,
            mail: Vec::new(),
        }
    }

    fn is_known(cache: &DedupCache, message: Message) -> bool {
        !cache.known(&cache.keys(&[Entry::Passed(Box::new(message))])).is_empty()
    }

    fn note(cache: &mut DedupCache, message: &Message, seq: Option<u64>) -> Option<Repeat> {
        cache.note(0, (message, None), seq)
    }

    #[test]
    fn a_message_is_known_by_author_id_and_destination_and_not_by_names() {
        let mut cache = DedupCache::default();
        let room = |name: &str| Venue::Room(RoomName::new(name).unwrap());
        let direct = |to: &str, receiver| Message { venue: Venue::Direct(to.into()), receiver, ..said(1, 3) };
        let in_room = Message { venue: room("#Games"), ..said(1, 2) };
        for message in [said(1, 1), in_room.clone(), direct("Bob", Some(key(2))), direct("Eve", None)] {
            assert_eq!(note(&mut cache, &message, None), None);
            assert!(note(&mut cache, &message, Some(9)).is_some_and(|repeats| repeats.seq.is_none()));
        }
        let renamed = Message { from: Sender { name: "y".into(), ..said(1, 1).from }, ..said(1, 1) };
        let respelled = Message { venue: room("#gAMES"), ..in_room };
        let shown_otherwise = Message { kind: Kind::Action, ..said(1, 1) };
        for same in [renamed, respelled, shown_otherwise, direct("robert", Some(key(2))), direct("eve", None)]
        {
            assert!(is_known(&cache, same));
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
        assert!(others.into_iter().all(|other| !is_known(&cache, other)));
    }

    #[test]
    fn the_author_with_most_loses_the_oldest_and_others_lose_nothing() {
        let mut cache = DedupCache::default();
        note(&mut cache, &said(0, 0), None);
        for id in 0..2 * MAX_PASSED_OF_AUTHOR {
            note(&mut cache, &said(1, id), None);
        }
        assert_eq!(cache.messages.len(), MAX_PASSED_OF_AUTHOR + 1);
        assert!(is_known(&cache, said(1, 2 * MAX_PASSED_OF_AUTHOR - 1)) && !is_known(&cache, said(1, 0)));
        for author in 2..100 {
            for id in 0..MAX_PASSED_OF_AUTHOR {
                note(&mut cache, &said(author, id), None);
            }
        }
        assert_eq!(cache.messages.len(), MAX_PASSED);
        assert_eq!(cache.authors.values().map(VecDeque::len).sum::<usize>(), MAX_PASSED);
        assert_eq!(cache.heaviest.len(), cache.authors.len());
        assert!(is_known(&cache, said(0, 0)), "an author with one message keeps it");
    }
}
