//! What a member said and heard, from its first connection to its last.

use serde_json::Value;
use std::collections::BTreeMap;

/// Something said.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: String,
    pub to: String,
    pub text: String,
    /// How often it went out.
    pub times: usize,
    /// The number that the server gave it, from the receipt or the history.
    pub seq: Option<u64>,
    /// The receipt said that it waits for somebody who is away.
    pub waits: bool,
    /// The receipt is there, and it is not to be sent again.
    pub is_done: bool,
}

/// Something heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub seq: u64,
    pub from: String,
    pub to: String,
    pub text: String,
    pub history: bool,
}

/// Waiting mail that has arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub name: String,
    pub count: u64,
    pub last: u64,
    pub seq: u64,
}

/// Between which messages something happened that has no number: after `asked`, not after `done`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// The highest number known when it was asked for.
    pub asked: Option<u64>,
    /// How often it was asked for.
    pub times: usize,
    /// The answer is there.
    pub is_answered: bool,
    /// The first number learned after the answer.
    pub done: Option<u64>,
}

#[derive(Debug, Clone, Default)]
pub struct Record {
    pub name: String,
    pub said: Vec<Said>,
    /// Messages of others, and own ones that came another way than by a receipt, in the order in which
    /// they came.
    pub heard: Vec<Heard>,
    pub arrivals: Vec<Arrival>,
    /// The highest number known.
    pub since: u64,
    /// After which number it should have all of the lobby.
    pub lobby_from: Option<u64>,
    pub log: Option<String>,
    pub joined: Moment,
    pub parted: Moment,
    /// How often it was connected, and how often it went on where it had been.
    pub connections: usize,
    pub resumes: usize,
    /// Messages that came as history.
    pub caught_up: usize,
    pub resends: usize,
    /// Receipts for a message that the server had from an earlier connection.
    pub duplicates: usize,
    /// Codes of errors, with how often they came.
    pub errors: BTreeMap<String, usize>,
    /// What should not have happened.
    pub faults: Vec<String>,
    /// The connection is there and has caught up.
    pub is_live: bool,
    /// To which server it last went.
    pub at: Option<std::net::SocketAddr>,
}

impl Record {
    pub fn unsent(&self) -> usize {
        self.said.iter().filter(|said| !said.is_done).count()
    }

    /// How it stands, for whoever looks for a fault.
    pub fn summary(&self) -> String {
        let open = self.said.iter().find(|said| !said.is_done);
        format!(
            "{} at {:?} is live: {}, knows {}, came {} times, has {} of {} unsent (first: {:?}), errors {:?}",
            self.name,
            self.at,
            self.is_live,
            self.since,
            self.connections,
            self.unsent(),
            self.said.len(),
            open.map(|said| (&said.id, &said.to, said.times, said.seq)),
            self.errors
        )
    }

    pub fn fault(&mut self, what: impl std::fmt::Display, packet: &Value) {
        // The first ones tell; a server that is wrong all the time would fill the memory.
        if self.faults.len() < 20 {
            self.faults.push(format!("{}: {what}: {packet}", self.name));
        }
    }

    /// Notes a number; in the order of the stream they only rise, but for receipts of duplicates.
    pub fn learn(&mut self, seq: u64) {
        // The receipt of a duplicate has a number from before the answer, whenever it comes.
        let is_new = seq > self.since;
        self.since = self.since.max(seq);
        for moment in [&mut self.joined, &mut self.parted] {
            if moment.is_answered && is_new {
                moment.done.get_or_insert(seq);
            }
        }
    }
}
