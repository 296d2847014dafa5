//! What a connection sent, on its way to the rules.

use crate::chat::Parsed;
use crate::protocol::Code;
use crate::protocol::request::ClientPacket;

/// What a reader found.
#[derive(Debug)]
pub(in crate::server) enum Incoming {
    /// A packet.
    Packet(Box<ClientPacket>),
    /// Something else of that many bytes, and why it is no packet.
    Garbage(String, usize),
    /// What ends the connection, and why.
    Fatal(Code, String),
}

impl Incoming {
    /// How many messages it counts as.
    pub(in crate::server) fn cost(&self) -> u64 {
        match self {
            Self::Packet(packet) => crate::chat::cost(packet),
            Self::Garbage(_, bytes) => crate::chat::garbage_cost(*bytes),
            Self::Fatal(..) => 1,
        }
    }
}

/// The same, read as far as it can be without the lock.
#[derive(Debug)]
pub(in crate::server) enum Taken {
    Packet(Parsed),
    Garbage(String, usize),
    Fatal(Code, String),
}

impl Taken {
    /// Reads it. `is_first`: its connection has no name yet.
    pub(in crate::server) fn new(incoming: Incoming, is_first: bool) -> Self {
        match incoming {
            Incoming::Packet(packet) => Self::Packet(Parsed::new(packet, is_first)),
            Incoming::Garbage(why, bytes) => Self::Garbage(why, bytes),
            Incoming::Fatal(code, why) => Self::Fatal(code, why),
        }
    }
}
