//! Why the server does not let a connection in, as its log and its metrics name it.

use crate::protocol::Code;

/// Part of the log's format and of the metrics: a reason may be added, and never gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalReason {
    Full,
    Share,
    Penalized,
    Memory,
    BadProtocol,
    BadHandshake,
    TlsRequired,
    Timeout,
    Rate,
    WrongPassphrase,
    KeyRequired,
    Banned,
    NameTaken,
    BadName,
    Other,
}

impl RefusalReason {
    pub(super) const ALL: [Self; 15] = [
        Self::Full,
        Self::Share,
        Self::Penalized,
        Self::Memory,
        Self::BadProtocol,
        Self::BadHandshake,
        Self::TlsRequired,
        Self::Timeout,
        Self::Rate,
        Self::WrongPassphrase,
        Self::KeyRequired,
        Self::Banned,
        Self::NameTaken,
        Self::BadName,
        Self::Other,
    ];

    /// Its name in the log, in `lanchat status --json` and in the metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Share => "share",
            Self::Penalized => "penalized",
            Self::Memory => "memory",
            Self::BadProtocol => "bad_protocol",
            Self::BadHandshake => "bad_handshake",
            Self::TlsRequired => "tls_required",
            Self::Timeout => "timeout",
            Self::Rate => "rate",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::KeyRequired => "key_required",
            Self::Banned => "banned",
            Self::NameTaken => "name_taken",
            Self::BadName => "bad_name",
            Self::Other => "other",
        }
    }

    /// The reason in words, with the option that decides it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Full => "the server is full (--max-clients)",
            Self::Share => "its address or network has its share (--max-per-ip)",
            Self::Penalized => "its address has misbehaved, and pauses for some minutes",
            Self::Memory => "memory is short (--memory)",
            Self::BadProtocol => "it does not speak this protocol",
            Self::BadHandshake => "its TLS handshake failed",
            Self::TlsRequired => "it is not encrypted (--allow-plaintext)",
            Self::Timeout => "it sent too little in time",
            Self::Rate => "too many attempts came from its address or network",
            Self::WrongPassphrase => "wrong passphrase",
            Self::KeyRequired => "a closed server takes only encrypted connections with a key",
            Self::Banned => "banned",
            Self::NameTaken => "its name belongs to someone else",
            Self::BadName => "its name is invalid",
            Self::Other => "its first packet was refused",
        }
    }

    /// Whether the administrator has to do something, or people cannot chat.
    pub(super) fn is_warning(self) -> bool {
        matches!(self, Self::Full | Self::Share | Self::Memory)
    }
}

impl From<Code> for RefusalReason {
    fn from(code: Code) -> Self {
        match code {
            Code::ServerFull => Self::Full,
            Code::BadProtocol => Self::BadProtocol,
            Code::TlsRequired => Self::TlsRequired,
            Code::HandshakeTimeout | Code::FrameTimeout => Self::Timeout,
            Code::RateLimited => Self::Rate,
            Code::BadPassphrase => Self::WrongPassphrase,
            Code::KeyRequired => Self::KeyRequired,
            Code::Banned => Self::Banned,
            Code::NameTaken => Self::NameTaken,
            Code::BadName => Self::BadName,
            _ => Self::Other,
        }
    }
}
