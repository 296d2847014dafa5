//! The log that the servers of one chat share, and the messages between them: bytes only. It knows neither the chat
//! nor which node leads.
//!
//! Two engines implement it: [`nats`] on NATS JetStream, and [`memory`] within a process, for tests.
//!
//! Calls of an [`EngineHandle`] neither wait nor fail. Everything comes back as an [`EngineEvent`]. An append has no
//! event for success: its author reads the record in the log, as all other nodes do.

pub mod memory;
#[cfg(feature = "nats")]
pub mod nats;
mod nats_version;

pub use nats_version::NatsVersion;

use bytes::Bytes;
use tokio::sync::mpsc;

/// The number of a program that asks the nodes, and is not one of them.
pub const ASKER: u8 = u8::MAX;

/// Events that wait for a slow reader.
const EVENTS_WAITING: usize = 256;

/// Where an engine's events arrive. While it is full, records wait in the log, and other events get lost.
pub type EngineEvents = mpsc::Receiver<EngineEvent>;

/// A node's end of the engine.
#[derive(Debug, Clone)]
pub struct EngineHandle(Engine);

#[derive(Debug, Clone)]
enum Engine {
    Memory(memory::MemoryNode),
    #[cfg(feature = "nats")]
    Nats(nats::NatsNode),
}

/// Something that an engine tells its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEvent {
    /// The next record of the log. Positions start at 1 and leave none out. `is_heard`: another client of the engine may have
    /// forged it. To read it from the log itself, the node follows from there again.
    Record { position: u64, bytes: Bytes, is_heard: bool },
    /// The log has refused this append: its last record had another position.
    ///
    /// If the caller has appended the same before, an earlier attempt may be in the log.
    Refused { after: u64 },
    /// Nobody knows whether this append is in the log, or will be.
    Unanswered { after: u64 },
    /// From another node, or from this one to itself.
    Message { bytes: Bytes },
    /// The log takes records again.
    Reachable,
    /// The log takes no records: a sentence with the reason, and what to do.
    Unreachable(String),
    /// The log does not continue what the node has read: it was recreated, or lost records, or has deleted what the
    /// node needs next. It has the records from `first` to `last`; if `last` is 0, it has never had any. No record
    /// follows until the node calls [`EngineHandle::follow`] again.
    Lost { first: u64, last: u64 },
}

impl EngineHandle {
    /// Appends a record if the log's last record has the position `after` (0: if the log is empty).
    pub fn append(&self, after: u64, bytes: Bytes) {
        match &self.0 {
            Engine::Memory(node) => node.append(after, bytes),
            #[cfg(feature = "nats")]
            Engine::Nats(node) => node.append(after, bytes),
        }
    }

    /// Reads the log after this position, in order, without a gap and without an end. A node calls this once, and
    /// again after [`EngineEvent::Lost`] and for a record that it doubts. The first record is then that of the log itself;
    /// later ones from before the call may still come first.
    pub fn follow(&self, after: u64) {
        match &self.0 {
            Engine::Memory(node) => node.follow(after),
            #[cfg(feature = "nats")]
            Engine::Nats(node) => node.follow(after),
        }
    }

    /// Sends a message to one node. It may get lost.
    pub fn send(&self, to: u8, bytes: Bytes) {
        match &self.0 {
            Engine::Memory(node) => node.send(to, bytes),
            #[cfg(feature = "nats")]
            Engine::Nats(node) => node.send(to, bytes),
        }
    }

    /// Sends a message to all other nodes. It may get lost.
    pub fn broadcast(&self, bytes: Bytes) {
        match &self.0 {
            Engine::Memory(node) => node.broadcast(bytes),
            #[cfg(feature = "nats")]
            Engine::Nats(node) => node.broadcast(bytes),
        }
    }
}
