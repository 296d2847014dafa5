//! A small chat for the nodes: people come, say things, and go.

use super::super::record::NodeRun;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A session: where it is, whose, and its number there.
pub(super) type Person = (NodeRun, usize, u64);

/// The sum of the turns.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// Author, its number for it, and the server's.
    pub(super) messages: Vec<(usize, u64, u64)>,
    pub(super) known: BTreeMap<(usize, u64), u64>,
    pub(super) people: BTreeSet<Person>,
    /// The latest number that the rules gave.
    seq: u64,
}

/// The state of the rules at the leader.
pub(super) struct Rules {
    seq: u64,
    pub(super) people: BTreeSet<Person>,
    next: Option<Body>,
}

#[derive(Default)]
pub(super) struct Client {
    pub(super) said: u64,
    /// Without a receipt yet, each with the time when it was last said.
    pub(super) pending: Vec<(u64, Duration)>,
    pub(super) session: u64,
    pub(super) receipts: Vec<(u64, u64)>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Packet {
    Comes { client: usize, session: u64 },
    Goes { client: usize, session: u64 },
    Says { client: usize, session: u64, id: u64 },
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Body {
    said: Vec<Said>,
    pub(super) changes: Vec<Change>,
    /// The latest number after this turn.
    seq: u64,
    /// Batches whose result it is.
    pub(super) of: Vec<(NodeRun, u64)>,
    pub(super) filler: Bytes,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Change {
    Comes(Person),
    Goes(Person),
}

#[derive(Serialize, Deserialize)]
struct Said {
    client: usize,
    session: u64,
    id: u64,
    seq: u64,
}

/// The number of a message, for the session that said it.
pub(super) struct Receipt {
    pub(super) client: usize,
    pub(super) session: u64,
    pub(super) id: u64,
    pub(super) seq: u64,
}

pub(super) fn to_bytes(what: &impl Serialize) -> Bytes {
    rmp_serde::to_vec(what).unwrap().into()
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> T {
    rmp_serde::from_slice(bytes).unwrap()
}

impl State {
    pub(super) fn carry_out(&mut self, body: Body) -> Vec<Receipt> {
        self.seq = body.seq;
        for change in body.changes {
            match change {
                Change::Comes(person) => self.people.insert(person),
                Change::Goes(person) => self.people.remove(&person),
            };
        }
        let receipts = body.said.into_iter().map(|Said { client, session, id, seq }| {
            let kept = *self.known.entry((client, id)).or_insert(seq);
            if kept == seq {
                self.messages.push((client, id, seq));
            }
            // The receipt is that of the first copy.
            Receipt { client, session, id, seq: kept }
        });
        receipts.collect()
    }
}

impl Rules {
    /// Those of a new leader, who says something at once.
    pub(super) fn of(state: &State) -> Self {
        Self { seq: state.seq, people: state.people.clone(), next: Some(Body::default()) }
    }

    pub(super) fn process(&mut self, run: NodeRun, number: u64, batch: &[u8]) {
        if number == 1 {
            self.end(|there| there.node == run.node && there.start < run.start);
        }
        for packet in from_bytes::<Vec<Packet>>(batch) {
            match packet {
                Packet::Comes { client, session } => {
                    self.people.insert((run, client, session));
                    self.body().changes.push(Change::Comes((run, client, session)));
                }
                Packet::Goes { client, session } => {
                    self.people.remove(&(run, client, session));
                    self.body().changes.push(Change::Goes((run, client, session)));
                }
                // That of a session that the rules do not know is dropped.
                Packet::Says { client, session, id } if self.people.contains(&(run, client, session)) => {
                    self.seq += 1;
                    let seq = self.seq;
                    self.body().said.push(Said { client, session, id, seq });
                }
                Packet::Says { .. } => {}
            }
        }
        self.body().of.push((run, number));
    }

    pub(super) fn gone(&mut self, run: NodeRun) {
        self.end(|there| there == run);
        // The turn says that the run is over, also if nobody was there.
        self.body();
    }

    fn end(&mut self, is_gone: impl Fn(NodeRun) -> bool) {
        let gone: Vec<Person> = self.people.iter().filter(|(run, ..)| is_gone(*run)).copied().collect();
        for person in gone {
            self.people.remove(&person);
            self.body().changes.push(Change::Goes(person));
        }
    }

    fn body(&mut self) -> &mut Body {
        self.next.get_or_insert_default()
    }

    pub(super) fn is_due(&self) -> bool {
        self.next.is_some()
    }

    /// The body of the next turn.
    pub(super) fn take(&mut self) -> Option<Body> {
        self.next.take().map(|body| Body { seq: self.seq, ..body })
    }
}
