//! One connection to a server: the channel that carries it, the packets on it, and how it fails. It knows
//! neither whether the server's key is the right one, nor what to do when the connection ends.

mod channel;
mod error;
mod loss;
mod reached;
mod server_link;

#[cfg(test)]
mod tests;

pub(crate) use channel::Channel;
pub(crate) use error::LinkError;
pub(crate) use loss::reason;
pub(crate) use reached::Reached;
pub(crate) use server_link::{LinkReader, PacketWriter, PassphraseProof, ServerLink, ServerStatus};
