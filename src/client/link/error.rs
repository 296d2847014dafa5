//! Why a connection could not be had, or is over.

use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::Code;
use std::io;
use std::net::SocketAddr;

/// Why a connection could not be had, or is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// There is nobody at the address.
    #[error("{0}")]
    Connect(#[source] io::Error),
    /// It was there and is gone.
    #[error("the connection was lost ({0})")]
    Lost(String),
    /// Nothing came for too long.
    #[error("no answer in time")]
    Silent,
    /// There is no encrypted connection; the reason is one for people.
    #[error("{0}")]
    Handshake(String),
    /// The server has another key than it should.
    #[error("it has an unexpected key: {}", presented.spoken())]
    WrongKey {
        /// What it presented.
        presented: Fingerprint,
        /// Where.
        addr: SocketAddr,
    },
    /// A lanchat server that knows no encryption.
    #[error(
        "this server does not encrypt: it is older than this program; update it, or connect with --plaintext, \
         which lets anyone on the way read and change messages"
    )]
    NotEncrypted,
    /// What answers is no lanchat server.
    #[error("the program that answers is not a lanchat server ({0})")]
    Protocol(String),
    /// It goes on in a version of the wire that this program did not offer.
    #[error(
        "this server speaks version {0} of the protocol, and this program only up to {PROTOCOL_VERSION}; \
         update this program"
    )]
    TooNew(u32),
    /// The server is closed, and there is no passphrase at hand.
    #[error(
        "this server requires a passphrase; give it with --passphrase-file FILE, or join once at a terminal"
    )]
    PassphraseNeeded,
    /// One of the two sides does not know the passphrase.
    #[error(
        "The passphrase was not accepted, or this server does not know it. If you are sure of the \
         passphrase, someone may be between you and the server. Nothing else was sent."
    )]
    WrongPassphrase,
    /// The server says no.
    #[error("{msg}")]
    Refused {
        /// Why, for programs.
        code: Option<Code>,
        /// Why, for people; not safe for a terminal yet.
        msg: String,
        /// A name that is free.
        free: Option<String>,
    },
}
