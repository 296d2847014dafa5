//! The messages between the servers of a chat, beside their log. Any of them may get lost.

use crate::cluster::{NodeId, NodeRun};
use crate::server::chat_settings::ChatSettings;
use crate::server::node_report::NodeReport;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The context of a sealed message, which is not that of a record.
pub(in crate::server) const SEALED_MESSAGE: &[u8] = b"message";

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::server) enum NodeMessage {
    /// To the server that leads: inputs of the sender's people.
    Batch { run: NodeRun, number: u64, bytes: Bytes },
    /// To the server that leads: the sender is there.
    Alive { run: NodeRun, clock: i64 },
    /// To all: the sender leads. `clock`, here as above: its machine's, in milliseconds of Unix time.
    Beat { from: NodeId, term: u64, clock: i64 },
    /// To all: the sender leads, and is about to end.
    Retires { from: NodeId, term: u64 },
    /// To all: a program with the chat's key asks how they are doing.
    Ask { number: u64 },
    /// To the program that asks.
    Answer { number: u64, report: Bytes },
    /// To all: the sender's settings of the chat, as JSON.
    Settings { from: NodeId, settings: Bytes },
}

impl NodeMessage {
    /// Answers a question.
    pub(super) fn answer(number: u64, report: &NodeReport) -> Self {
        // Servers of other versions understand JSON, which names its members.
        Self::Answer { number, report: serde_json::to_vec(report).unwrap_or_default().into() }
    }

    /// Tells the settings of the chat.
    pub(super) fn settings(from: NodeId, settings: &ChatSettings) -> Self {
        Self::Settings { from, settings: serde_json::to_vec(settings).unwrap_or_default().into() }
    }

    pub(in crate::server) fn read(bytes: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(bytes).ok()
    }

    pub(in crate::server) fn to_bytes(&self) -> Bytes {
        // Memory takes everything, and each part can be serialised.
        rmp_serde::to_vec(self).unwrap_or_default().into()
    }
}
