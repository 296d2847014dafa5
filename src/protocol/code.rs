//! The codes of `error` and `bye` packets.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// What went wrong, for programs. The packet's `msg` says it to people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code there is, in the order of PROTOCOL.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as the wire has it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// A frame that is no packet: not JSON, not UTF-8, or a member of the wrong type.
    BadPacket = "bad_packet",
    /// A frame, text, id or token over its bound.
    TooLong = "too_long",
    /// A `type` that this server does not know.
    UnknownType = "unknown_type",
    /// A command in words that does not exist or lacks an argument.
    BadCommand = "bad_command",
    /// A name that can't be one.
    BadName = "bad_name",
    /// A name that somebody else has.
    NameTaken = "name_taken",
    /// Nobody of that name or address is here.
    NoSuchUser = "no_such_user",
    /// No room of that name.
    NoSuchRoom = "no_such_room",
    /// A name that no room can have.
    BadRoom = "bad_room",
    /// One is in as many rooms as one may be, or there are as many as there may be.
    TooManyRooms = "too_many_rooms",
    /// The server keeps no history.
    NoHistory = "no_history",
    /// Nothing can be stored at the moment, and this needs it.
    NotStored = "not_stored",
    /// As many messages wait for somebody as may.
    MailboxFull = "mailbox_full",
    /// Only operators may do that.
    NotAllowed = "not_allowed",
    /// An operator has silenced the sender for a while.
    Muted = "muted",
    /// Too often: to be tried again later.
    RateLimited = "rate_limited",
    /// The server sends and hears no multicast there.
    NoMulticast = "no_multicast",
    /// Only for clients with a key.
    KeyRequired = "key_required",
    /// Plaintext at a server that takes only TLS.
    TlsRequired = "tls_required",
    /// What came is neither TLS nor a packet, or breaks a rule of TLS.
    BadProtocol = "bad_protocol",
    /// The passphrase of a closed server was not proved.
    BadPassphrase = "bad_passphrase",
    /// An operator has banned the key or the address.
    Banned = "banned",
    /// The server has as many clients as it takes, or keeps as much for them as it can.
    ServerFull = "server_full",
    /// No first packet came in time.
    HandshakeTimeout = "handshake_timeout",
    /// A frame was begun and not finished in time.
    FrameTimeout = "frame_timeout",
    /// The client did not read what was sent to it.
    SlowConsumer = "slow_consumer",
    /// An operator ended the connection.
    Kicked = "kicked",
    /// The client said that it leaves.
    Quit = "quit",
    /// The server is going away.
    ShuttingDown = "shutting_down",
}

impl Code {
    /// The code of that text, if this version knows it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
