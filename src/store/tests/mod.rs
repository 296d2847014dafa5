//! The store as its callers see it.

mod basics;
mod bookkeeping;
mod changes;
#[cfg(unix)]
mod cut;
#[cfg(unix)]
mod damage;
mod date_correction;
mod duplicates;
mod files;
mod files_beside;
mod forget;
mod incarnations;
mod index_tail;
mod listing;
mod model;
mod records;
mod retention;
mod retention_fair;
mod said;
mod search;
mod shared;
#[cfg(unix)]
mod whole;

use super::{CommitOutcome, ResumeFrom, Retention, StartPoint, Store, ViewRange, WriteBatch};
use crate::chat::{Account, Archive, Entry, Kind, Mail, MailView, Member, Message, Venue, View, Waits};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use jiff::Timestamp;
use std::path::PathBuf;
use tempfile::TempDir;

/// The first instant of the tests.
const NOON: i64 = 1_770_000_000_000;

/// A history in a directory of its own.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("history.db")
    }

    fn open(&self) -> (Store, Archive) {
        Store::open(&self.path(), Retention::default()).unwrap()
    }

    /// The files that a crash at this moment would leave.
    fn crash(&self) -> Self {
        let left = Self::new();
        for name in ["history.db", "history.db-wal"] {
            let from = self.dir.path().join(name);
            if from.exists() {
                std::fs::copy(from, left.dir.path().join(name)).unwrap();
            }
        }
        left
    }
}

fn key(number: u8) -> Account {
    Account::Key(Fingerprint::new([number; 32]))
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn at(seq: u64) -> Timestamp {
    Timestamp::from_millisecond(NOON + i64::try_from(seq).unwrap() * 1000).unwrap()
}

/// An archive's entry for messages that wait for `account`.
fn waits(account: u8, author: impl Into<Option<u8>>, count: u32) -> Waits {
    Waits { account: key(account), author: author.into().map(key), is_said: true, count }
}

/// A message to the lobby.
fn said(seq: u64, author: u8, text: &str) -> Message {
    Message {
        seq,
        at: at(seq),
        kind: Kind::Chat,
        venue: Venue::Room(RoomName::lobby()),
        receiver: None,
        from: Sender { name: format!("user{author}"), ip: "10.0.0.1".into(), key: Some("tag".into()) },
        author: Some(key(author)),
        id: Some(format!("id-{seq}")),
        text: text.into(),
        reply: None,
        edited: false,
        mail: Vec::new(),
    }
}

/// A message from one to the other, who is away or not.
fn whispered(seq: u64, author: u8, to: u8, waits: bool) -> Message {
    Message {
        venue: Venue::Direct(format!("user{to}")),
        receiver: Some(key(to)),
        mail: vec![Mail { account: key(to), waits }, Mail { account: key(author), waits: false }],
        ..said(seq, author, &format!("psst {seq}"))
    }
}

fn entries(messages: impl IntoIterator<Item = Message>) -> Vec<Entry> {
    messages.into_iter().map(|message| Entry::Message(Box::new(message))).collect()
}

fn batch(messages: impl IntoIterator<Item = Message>) -> WriteBatch {
    let messages: Vec<_> = messages.into_iter().collect();
    let seq = messages.iter().map(|message| message.seq).max().unwrap_or(0);
    WriteBatch { entries: entries(messages), seq, ..WriteBatch::default() }
}

async fn commit(store: &Store, messages: impl IntoIterator<Item = Message>) -> CommitOutcome {
    store.commit(batch(messages)).await.unwrap()
}

async fn keep(store: &Store, seq: u64, entry: Entry) -> CommitOutcome {
    store.commit(WriteBatch { entries: vec![entry], seq, ..WriteBatch::default() }).await.unwrap()
}

fn joined(name: &str, account: u8, since: u64) -> Entry {
    let member = Member { account: key(account), name: format!("user{account}"), since };
    Entry::Joined { room: room(name), member }
}

/// The view of a user: mail and the lobby.
fn view(account: u8) -> View {
    View { account: Some(key(account)), mail: MailView::All, rooms: vec![(RoomName::lobby(), 0)] }
}

fn span(view: View, after: u64, upto: u64) -> ViewRange {
    ViewRange { view, after, upto, known: after }
}

fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}
