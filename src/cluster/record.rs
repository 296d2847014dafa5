//! The records of the log.

use serde::{Deserialize, Serialize};

/// A server of the chat, as its configuration numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u8);

/// One start of a node. A later start has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeRun {
    pub node: NodeId,
    pub start: u64,
}

/// A hash over all records that count so far: two logs that differ have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain(pub [u8; 16]);

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

/// A result of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its leader's.
    pub term: u64,
    /// Within the term, from 1.
    pub number: u64,
    /// Over the records before it.
    pub chain: Chain,
    /// How many batches of these nodes' runs the rules have taken, this turn included.
    pub taken: Vec<(NodeRun, u64)>,
    /// For the nodes to carry out.
    pub body: Vec<u8>,
}

/// A record that this version cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log has a record that this version cannot read; update lanchat on this machine")]
pub struct Unreadable;

impl LogRecord {
    /// # Errors
    ///
    /// If it is of a later version, or not of lanchat.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| Unreadable),
            _ => Err(Unreadable),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory cannot fail: no part of a record can't be serialised.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }
}

/// Of the records' form: their first byte.
const VERSION: u8 = 1;

impl Chain {
    /// After one more record.
    #[must_use]
    pub fn with(self, record: &[u8]) -> Self {
        let hash = blake3::Hasher::new().update(&self.0).update(record).finalize();
        let mut chain = [0; 16];
        chain.copy_from_slice(&hash.as_bytes()[..16]);
        Self(chain)
    }
}
