//! The messages between the servers of a chat, beside their log. Any of them may get lost.

use crate::cluster::{NodeId, NodeRun};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum NodeMessage {
    /// To the server that leads: inputs of the sender's people.
    Batch { run: NodeRun, number: u64, bytes: Bytes },
    /// To the server that leads: the sender is there.
    Alive { run: NodeRun },
    /// To all: the sender leads.
    Beat { from: NodeId, term: u64 },
    /// To all: the sender leads, and is about to end.
    Retires { from: NodeId, term: u64 },
}

impl NodeMessage {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(bytes).ok()
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        // Memory takes everything, and each part can be serialised.
        rmp_serde::to_vec(self).unwrap_or_default().into()
    }
}
