//! The wire: packets, framing, and the one table of commands.
//!
//! Knows what packets mean and how they are written, not who may send them or over which socket. PROTOCOL.md
//! in the project's root documents the wire for other programs.

pub mod binary;
pub mod code;
pub mod codec;
pub mod command;
mod decline_reason;
mod envelope;
pub mod event;
mod kinds;
mod moment;
mod nodes;
mod numbers;
pub mod packet;
pub mod record;
pub mod request;
mod since;
pub mod target;
pub mod term;
mod version;
mod web;
mod whole;

pub use code::Code;
pub use decline_reason::DeclineReason;
pub use event::{Event, Packet, ServerPacket};
pub use moment::{InvalidMoment, Moment};
pub use nodes::{InvalidNodes, NodePlace, Nodes, is_node_name};
pub use numbers::{NUMBERS, NumberKind, REFUSED, ServerNumber, ServerNumbers, TEXTS, size};
pub use request::Request;
pub use since::Since;
pub use target::Target;
pub use term::Term;
pub use version::{InvalidVersion, Version};
pub use web::{WebAccess, WebChallenge, WebIdentity, page_link, plain_page_link};

#[cfg(test)]
mod tests;
