//! Why a connection failed or ended.

use super::loss::reason;
use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::Code;
use crate::text::safe_line;
use std::io;
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// Nobody answers at the address.
    #[error("{}", reason(.0))]
    Connect(#[source] io::Error),
    #[error("the connection was lost ({0})")]
    Lost(String),
    /// Nothing came in time.
    #[error("no answer in time")]
    Silent,
    /// The encrypted connection failed. The reason is for people.
    #[error("{0}")]
    Handshake(String),
    /// The server has an unexpected key.
    #[error("it has an unexpected key: {}", presented.spoken())]
    WrongKey { presented: Fingerprint, addr: SocketAddr },
    /// A lanchat server without encryption.
    #[error(
        "this server does not encrypt: it is older than this program; update it, or connect with --plaintext, \
         which lets anyone on the way read and change messages"
    )]
    NotEncrypted,
    /// The program that answers is not a lanchat server.
    #[error("the program that answers is not a lanchat server ({0})")]
    Protocol(String),
    /// The server uses a protocol version that this program did not offer.
    #[error(
        "this server speaks version {0} of the protocol, and this program only up to {PROTOCOL_VERSION}; \
         update this program"
    )]
    TooNew(u32),
    /// The server is closed, and no passphrase is at hand.
    #[error(
        "this server requires a passphrase; give it with --passphrase-file FILE, or join once at a terminal"
    )]
    PassphraseNeeded,
    /// The client or the server does not know the passphrase.
    #[error(
        "The passphrase was not accepted, or this server does not know it. If you are sure of the \
         passphrase, someone may be between you and the server. Nothing else was sent."
    )]
    WrongPassphrase,
    /// The server refused.
    #[error("{msg}")]
    Refused {
        /// The reason, for programs.
        code: Option<Code>,
        /// The reason, for people; not safe for a terminal.
        msg: String,
        /// A name that is free.
        free: Option<String>,
    },
}

impl LinkError {
    /// Whether another server of the same chat may let this client in.
    pub(crate) fn sends_elsewhere(&self) -> bool {
        match self {
            Self::Refused { code, .. } => {
                matches!(code, Some(Code::ServerFull | Code::ShuttingDown | Code::NotStored))
            }
            Self::Connect(_) | Self::Lost(_) | Self::Silent | Self::Handshake(_) => true,
            _ => false,
        }
    }

    /// The fate of a server that fails so, after "the server at 10.0.0.1:7667".
    pub(crate) fn fate(&self) -> String {
        match self {
            Self::Refused { msg, .. } => {
                // The rest is advice that this client follows by itself.
                let why = msg.split_once("; ").map_or(&**msg, |(why, _)| why);
                format!("turned you away ({})", safe_line(why))
            }
            Self::Connect(_) | Self::Silent => "does not answer".to_owned(),
            other => format!("cannot be joined ({})", safe_line(&other.to_string())),
        }
    }
}
