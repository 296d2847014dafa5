//! Whoever asks for the history all the time holds up nobody else who does.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use lanchat::chat::{Account, Entry, Kind, Message, Venue};
use lanchat::fingerprint::Fingerprint;
use lanchat::name::RoomName;
use lanchat::protocol::packet::Sender;
use lanchat::server::HISTORY_FILE;
use lanchat::store::{Retention, Store, WriteBatch};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const MESSAGES: u64 = 300;
const WORDS: u64 = 300;

/// How often each question is asked.
const ATTEMPTS: usize = 5;

/// Sessions that search all the time, each with two searches that wait.
const GREEDY: usize = 8;

/// A search for what all messages may have and none has: as slow as one can be.
const WORST: &str = "\"a b c\"";

/// A history in which such a search takes longer than an answer is on its way.
fn fill(dir: &Path) {
    let message = |seq: u64| {
        // Different ones in each message, so that the index has many pieces.
        let word = |n: u64| {
            let letter = char::from(b'a' + (n % 16) as u8);
            format!("{letter}{:x}", (seq * WORDS + n).wrapping_mul(0x9e37_79b9) & 0xffff)
        };
        let text = (0..WORDS).map(word).collect::<Vec<_>>().join(" ");
        Entry::Message(Box::new(Message {
            seq,
            at: jiff::Timestamp::now(),
            kind: Kind::Chat,
            venue: Venue::Room(RoomName::lobby()),
            receiver: None,
            from: Sender { name: "author".into(), ip: "127.0.0.1".into(), key: None },
            author: Some(Account::Key(Fingerprint::new([1; 32]))),
            id: None,
            text,
            reply: None,
            edited: false,
            mail: Vec::new(),
        }))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (store, archive) = Store::open(&dir.join(HISTORY_FILE), Retention::default()).unwrap();
        let entries = (archive.seq + 1..=archive.seq + MESSAGES).map(message).collect();
        let batch = WriteBatch { entries, seq: archive.seq + MESSAGES, ..WriteBatch::default() };
        store.commit(batch).await.unwrap();
        store.close().await;
    });
}

/// What the greedy have had answered, and whether they have enough.
#[derive(Default)]
struct Greed {
    answers: AtomicUsize,
    is_over: AtomicBool,
}

impl Greed {
    fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Somebody has two of the worst searches wait all the time.
    fn search_all_the_time(&self, mut peer: Peer) {
        let search = || json!({"type": "search", "to": "server", "msg": WORST, "id": "w"});
        peer.send(search());
        while !self.is_over.load(Ordering::Relaxed) {
            peer.send(search());
            peer.wait_until(|packet| packet["id"] == "w" && packet["history"].is_null());
            self.answers.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Ends the greed also when the test fails.
struct End<'a>(&'a Greed);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Asks the server, and waits for the end of the answer.
fn ask(peer: &mut Peer, mut question: Value) {
    question["to"] = "server".into();
    question["id"] = "q".into();
    peer.send(question);
    let answer = peer.wait_until(|packet| packet["id"] == "q" && packet["history"].is_null());
    assert_eq!(answer["type"], "history", "{answer}");
}

#[test]
fn who_searches_all_the_time_holds_up_neither_the_history_nor_the_searches_of_others() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let server = TestServer::in_dir(dir.path());
    let greed = Greed::default();
    let mut honest = Peer::join(server.address, "honest");
    let greedy: Vec<Peer> = (0..GREEDY).map(|n| Peer::join(server.address, &format!("greedy{n}"))).collect();
    std::thread::scope(|scope| {
        let _end = End(&greed);
        for peer in greedy {
            scope.spawn(|| greed.search_all_the_time(peer));
        }
        for _ in 0..2 {
            for question in
                [json!({"type": "history", "limit": 5}), json!({"type": "search", "msg": "a0001"})]
            {
                let mut answered_before = || {
                    let begun = greed.answers();
                    until(|| (greed.answers() > begun).then_some(()));
                    let before = greed.answers();
                    ask(&mut honest, question.clone());
                    greed.answers() - before
                };
                // The one that ran, and what was answered while the question was on its way: not all that wait.
                // A busy machine may hold up the reading of one answer, a queue without turns all of them.
                let counts: Vec<usize> = (0..ATTEMPTS).map(|_| answered_before()).collect();
                assert!(
                    counts.iter().any(|count| *count < GREEDY),
                    "{counts:?} of others were answered before"
                );
            }
        }
    });
}
