//! Why a transfer ended early.

use crate::client::link::LinkError;
use crate::protocol::Code;
use crate::protocol::record::{BadRecord, StopCode, StopRecord};
use crate::text::safe_line;
use std::io;

/// Why a transfer ended early. The text is one line, safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The connection did not come about, or broke: the transfer can be resumed.
    #[error("the connection was cut ({0})")]
    Cut(String),
    /// The server refused the connection.
    #[error("the server refused: {msg}")]
    Refused { code: Option<Code>, msg: String },
    /// The other side ended it.
    #[error("the other side ended it: {msg}")]
    ByPeer { code: StopCode, msg: String },
    /// This side ended it.
    #[error("{msg}")]
    Here { code: StopCode, msg: String },
}

impl TransferError {
    pub(super) fn here(code: StopCode, msg: impl AsRef<str>) -> Self {
        Self::Here { code, msg: safe_line(msg.as_ref()) }
    }

    /// The error for a file that could not be used. A full disk has a code of its own.
    pub(super) fn io(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::here(StopCode::NoSpace, format!("{what}: {error}; free some space and accept again"))
            }
            _ => Self::here(StopCode::Io, format!("{what}: {error}")),
        }
    }

    pub(super) fn cancelled() -> Self {
        Self::here(StopCode::Cancelled, "cancelled")
    }

    /// Whether the transfer can be resumed over a new connection.
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Cut(_))
    }

    /// The reason, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cut(_) => Code::Cut.as_str(),
            Self::Refused { code, .. } => code.map_or("refused", Code::as_str),
            Self::ByPeer { code, .. } | Self::Here { code, .. } => code.as_str(),
        }
    }

    /// The last words to the other side, which does not know yet.
    pub(super) fn last_words(&self) -> Option<StopRecord> {
        match self {
            Self::Here { code, msg } => Some(StopRecord { code: *code, msg: msg.clone() }),
            _ => None,
        }
    }
}

impl From<StopRecord> for TransferError {
    fn from(stop: StopRecord) -> Self {
        Self::ByPeer { code: stop.code, msg: safe_line(&stop.msg) }
    }
}

impl From<BadRecord> for TransferError {
    fn from(error: BadRecord) -> Self {
        Self::here(StopCode::BadRecord, format!("the other side sent {error}"))
    }
}

impl From<LinkError> for TransferError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused { code, msg, .. } => Self::Refused { code, msg: safe_line(&msg) },
            error => Self::Cut(safe_line(&error.to_string())),
        }
    }
}
