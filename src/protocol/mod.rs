//! The wire: packets, framing, and the one table of commands.
//!
//! Knows what is said and how it is written, not who may say it nor over which socket.
//! PROTOCOL.md in the project's root documents it for other programs.

pub mod binary;
pub mod code;
pub mod codec;
pub mod command;
mod envelope;
pub mod event;
mod kinds;
mod moment;
pub mod packet;
pub mod request;
mod since;
pub mod target;
pub mod term;
mod version;
mod whole;

pub use code::Code;
pub use event::{Event, Packet, ServerPacket};
pub use moment::{Moment, NoMoment};
pub use request::Request;
pub use since::Since;
pub use target::Target;
pub use term::Term;
pub use version::{NoVersion, Version};

#[cfg(test)]
mod tests;
