//! Files from person to person: what is offered, the connection that carries it, and where it goes. Knows no chat
//! and no screen: callers offer and accept, and get the tokens.
//!
//! A transfer reads, hashes and writes files on a thread of its own, with the bounded queues of a wire (`wire.rs`)
//! between it and the connection, so that neither a slow disk nor a slow network holds up anything else.

mod accepted;
mod cancel;
mod door;
mod earlier;
mod error;
mod journal;
mod landing;
mod parcel;
mod part;
mod pipe;
mod progress;
mod receiving;
mod sending;
mod site;
mod wire;

#[cfg(test)]
mod tests;

pub use accepted::{Accepted, OfferOrigin};
pub use cancel::Cancel;
pub use door::Door;
pub use error::TransferError;
pub use landing::{Landing, Received, check_folder, download_folder, no_folder};
pub use parcel::{Parcel, ParcelError};
pub use pipe::Pipe;
pub use progress::{FilePhase, FileProgress, ProgressNow, TransferRate};
pub use receiving::receive;
pub use sending::{Sent, send};
pub use wire::checking_time;
