//! The records of the log.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A server of the chat, as its configuration numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u8);

/// The time from one start of a node to the next, or until the others take it for gone. A later one has a
/// higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeRun {
    pub node: NodeId,
    pub start: u64,
}

/// How much of a run the rules have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// Its batches up to this number.
    Upto(u64),
    /// All that they ever will: its people are gone.
    Ended,
}

/// A hash over all records that count so far: two logs that differ have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain(pub u128);

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogRecord {
    Lead(Lead),
    Turn(Turn),
}

/// From here on, this run leads, unless another one began to lead first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    pub by: NodeRun,
    /// One more than that of the leader before.
    pub term: u64,
    /// Over the records before it.
    pub chain: Chain,
}

/// A result of the rules, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its leader's.
    pub term: u64,
    /// Within the term, from 1; parts count.
    pub number: u64,
    /// Over the records before it.
    pub chain: Chain,
    /// Whether the next one continues it.
    pub more: bool,
    /// Each node's latest run, and how much of it the rules have taken, this result included. Only the last
    /// part says it.
    pub taken: Vec<(NodeRun, Taken)>,
    /// For the nodes to carry out.
    pub body: Bytes,
}

/// A record that this version cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log has a record that this version cannot read; update lanchat on this machine")]
pub struct UnreadableRecord;

impl LogRecord {
    /// # Errors
    ///
    /// If it is of a later version, or not of lanchat.
    pub fn read(bytes: &[u8]) -> Result<Self, UnreadableRecord> {
        let Some((&VERSION, mut rest)) = bytes.split_first() else { return Err(UnreadableRecord) };
        let record = Self::deserialize(&mut rmp_serde::Deserializer::new(&mut rest));
        record.ok().filter(|_| rest.is_empty()).ok_or(UnreadableRecord)
    }

    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = vec![VERSION];
        // Writing to memory cannot fail: each part of a record can be serialised.
        let _ = rmp_serde::encode::write(&mut bytes, self);
        bytes.into()
    }
}

/// Of the records' form: their first byte.
const VERSION: u8 = 1;

impl Chain {
    /// After one more record.
    #[must_use]
    pub fn with(self, record: &[u8]) -> Self {
        let hash = blake3::Hasher::new().update(&self.0.to_be_bytes()).update(record).finalize();
        let mut chain = [0; 16];
        chain.copy_from_slice(&hash.as_bytes()[..16]);
        Self(u128::from_be_bytes(chain))
    }
}
