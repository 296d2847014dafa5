//! The codes of `error` and `bye` packets.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// A reason for programs. The packet's `msg` explains it to people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// All codes, in the order of PROTOCOL.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// Input that is not a packet: not JSON, not UTF-8, or a member of the wrong type.
    BadPacket = "bad_packet",
    /// A frame, text, id or token over its limit.
    TooLong = "too_long",
    UnknownType = "unknown_type",
    /// A command in words that does not exist or lacks an argument.
    BadCommand = "bad_command",
    BadName = "bad_name",
    NameTaken = "name_taken",
    /// Nobody with that name or address is online.
    NoSuchUser = "no_such_user",
    NoSuchRoom = "no_such_room",
    /// No message with that number, or not for the asking user.
    NoSuchMessage = "no_such_message",
    BadRoom = "bad_room",
    /// The limit on rooms, for the user or in all.
    TooManyRooms = "too_many_rooms",
    NoHistory = "no_history",
    /// The request needs the store, which fails at the moment.
    NotStored = "not_stored",
    /// The limit on waiting messages.
    MailboxFull = "mailbox_full",
    NotAllowed = "not_allowed",
    Muted = "muted",
    /// Too often; try again later.
    RateLimited = "rate_limited",
    /// The server does not use multicast on that network.
    NoMulticast = "no_multicast",
    /// The server passes no files on.
    NoFiles = "no_files",
    /// No offer with that number, or not for the asking user.
    NoSuchOffer = "no_such_offer",
    /// The limit on open offers, for the user or in all.
    TooManyOffers = "too_many_offers",
    /// The limit on transfers at a time, for the user or in all.
    TooManyTransfers = "too_many_transfers",
    /// The limit on the size of a file.
    FileTooBig = "file_too_big",
    /// A `file` connection with a token that was not given to its key, or that is used up.
    BadToken = "bad_token",
    /// The receiver does not want the file.
    Declined = "declined",
    /// The sender has taken the offer back, or is gone.
    Withdrawn = "withdrawn",
    /// One side has ended the transfer.
    Cancelled = "cancelled",
    /// The receiver has everything, but its confirmation may not have reached the sender.
    Received = "received",
    /// Another session of the receiver has accepted.
    Taken = "taken",
    /// A transfer's connection broke, or did not come; the receiver may accept again.
    Cut = "cut",
    /// Only for clients with a key.
    KeyRequired = "key_required",
    /// Plaintext to a server that accepts only TLS.
    TlsRequired = "tls_required",
    /// Input that is neither TLS nor a packet, or violates TLS.
    BadProtocol = "bad_protocol",
    /// The client has not proven a closed server's passphrase.
    BadPassphrase = "bad_passphrase",
    /// A browser's signature is not over this connection's challenge.
    BadProof = "bad_proof",
    /// A ticket to a closed server that is wrong, used or expired.
    BadTicket = "bad_ticket",
    Banned = "banned",
    /// The server has no room for more clients, or for more data from them.
    ServerFull = "server_full",
    /// No first packet came in time.
    HandshakeTimeout = "handshake_timeout",
    /// A frame was not finished in time.
    FrameTimeout = "frame_timeout",
    /// The client did not read what the server sent.
    SlowConsumer = "slow_consumer",
    Kicked = "kicked",
    Quit = "quit",
    ShuttingDown = "shutting_down",
}

impl Code {
    /// `None` for a code that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("an unknown code"))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
