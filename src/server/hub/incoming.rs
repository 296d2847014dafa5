//! A connection's input on its way to the rules.

use crate::chat::{Garbage, Parsed};
use crate::limits::MAX_FRAME_BYTES;
use crate::protocol::Code;
use crate::protocol::codec::Decoded;
use crate::protocol::request::{ClientPacket, Refusal};

/// Whether the packet needs no passphrase at a closed server. A client that cannot find a server uses these to find out why.
pub(in crate::server) fn needs_no_passphrase(packet: &ClientPacket) -> bool {
    matches!(packet.kind.as_deref(), Some("ping" | "multicast"))
}

#[derive(Debug)]
pub(in crate::server) enum Incoming {
    Packet(Box<ClientPacket>),
    /// Something that is not a packet.
    Garbage(Garbage),
    /// The reason to end the connection, and the `id` to answer.
    Fatal(Refusal, Option<String>),
}

impl Incoming {
    /// The meaning of what a decoder has found.
    pub(in crate::server) fn of(decoded: Decoded<'_>) -> Self {
        match decoded {
            Decoded::Frame(frame) => match ClientPacket::parse(frame) {
                Ok(packet) => Self::Packet(Box::new(packet)),
                Err(error) => Self::Garbage(Garbage::of(frame, &error)),
            },
            Decoded::Garbage => Self::Garbage(Garbage::unframed()),
            Decoded::TooLong => {
                let why = format!(
                    "the frame has more than {MAX_FRAME_BYTES} bytes; split the text, and connect again"
                );
                Self::Fatal(Refusal::new(Code::TooLong, why), None)
            }
        }
    }

    /// Whether it begins a connection that carries a file.
    pub(in crate::server) fn is_for_file(&self) -> bool {
        matches!(self, Self::Packet(packet) if packet.file_token().is_some())
    }

    /// How many messages it counts as.
    pub(in crate::server) fn cost(&self) -> u64 {
        match self {
            Self::Packet(packet) => crate::chat::cost(packet),
            Self::Garbage(garbage) => crate::chat::garbage_cost(garbage.bytes),
            Self::Fatal(..) => 1,
        }
    }
}

/// The same, with everything parsed that needs no lock.
#[derive(Debug)]
pub(in crate::server) enum ParsedIncoming {
    Packet(Parsed),
    Garbage(Garbage),
    Fatal(Refusal, Option<String>),
}

impl ParsedIncoming {
    /// `is_first`: its connection has no name yet.
    pub(in crate::server) fn new(incoming: Incoming, is_first: bool) -> Self {
        match incoming {
            Incoming::Packet(packet) => Self::Packet(Parsed::new(packet, is_first)),
            Incoming::Garbage(garbage) => Self::Garbage(garbage),
            Incoming::Fatal(refusal, echo) => Self::Fatal(refusal, echo),
        }
    }
}
