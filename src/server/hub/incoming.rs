//! What a connection sent, on its way to the rules.

use crate::chat::{Garbage, Parsed};
use crate::protocol::request::{ClientPacket, Refusal};

/// What a reader found.
#[derive(Debug)]
pub(in crate::server) enum Incoming {
    /// A packet.
    Packet(Box<ClientPacket>),
    /// Something else.
    Garbage(Garbage),
    /// Why the connection ends, and the `id` of what ends it.
    Fatal(Refusal, Option<String>),
}

impl Incoming {
    /// How many messages it counts as.
    pub(in crate::server) fn cost(&self) -> u64 {
        match self {
            Self::Packet(packet) => crate::chat::cost(packet),
            Self::Garbage(garbage) => crate::chat::garbage_cost(garbage.bytes),
            Self::Fatal(..) => 1,
        }
    }
}

/// The same, read as far as it can be without the lock.
#[derive(Debug)]
pub(in crate::server) enum Taken {
    Packet(Parsed),
    Garbage(Garbage),
    Fatal(Refusal, Option<String>),
}

impl Taken {
    /// Reads it. `is_first`: its connection has no name yet.
    pub(in crate::server) fn new(incoming: Incoming, is_first: bool) -> Self {
        match incoming {
            Incoming::Packet(packet) => Self::Packet(Parsed::new(packet, is_first)),
            Incoming::Garbage(garbage) => Self::Garbage(garbage),
            Incoming::Fatal(refusal, echo) => Self::Fatal(refusal, echo),
        }
    }
}
