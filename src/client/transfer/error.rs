//! Why a transfer ended early.

use crate::client::link::{LinkError, reason};
use crate::protocol::record::{BadRecord, StopCode, StopRecord};
use crate::protocol::{Code, DeclineReason};
use crate::text::{brief_line, safe_line};
use std::io;

/// Why a transfer ended early. The text is one line, safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The connection did not come about, or broke: the transfer can be resumed. The reason is a clause.
    #[error("the transfer was cut: {0}")]
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

    /// The error for a connection to the server that broke.
    pub(super) fn lost(error: &io::Error) -> Self {
        Self::Cut(format!("the connection to the server was lost ({})", reason(error)))
    }

    pub(super) fn cancelled() -> Self {
        Self::here(StopCode::Cancelled, "cancelled")
    }

    /// Whether what has come stays: the content is in order, only the way to it was not.
    pub fn keeps_content(&self) -> bool {
        matches!(self, Self::Cut(_) | Self::Refused { .. })
    }

    /// Whether a later attempt may succeed without anybody's doing, so that the client makes it by itself: the
    /// connection broke, or the server did not take it at that moment.
    pub fn may_resume(&self) -> bool {
        const FOR_NOW: [Code; 6] = [
            Code::BadToken,
            Code::RateLimited,
            Code::ServerFull,
            Code::TooManyTransfers,
            Code::HandshakeTimeout,
            Code::ShuttingDown,
        ];
        match self {
            Self::Cut(_) => true,
            Self::Refused { code, .. } => code.is_some_and(|code| FOR_NOW.contains(&code)),
            Self::ByPeer { .. } | Self::Here { .. } => false,
        }
    }

    /// The reason, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cut(_) => Code::Cut.as_str(),
            Self::Refused { code, .. } => code.map_or("refused", Code::as_str),
            Self::ByPeer { code, .. } | Self::Here { code, .. } => code.as_str(),
        }
    }

    /// The reason for the sender, if an offer cannot be taken.
    pub fn decline_reason(&self) -> DeclineReason {
        match self {
            Self::Here { code: StopCode::NoSpace, .. } => DeclineReason::NoSpace,
            Self::Here { code: StopCode::TooManyBytes, .. } => DeclineReason::TooBig,
            Self::Here { code: StopCode::Busy, .. } => DeclineReason::Busy,
            _ => DeclineReason::CannotStore,
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
        Self::ByPeer { code: stop.code, msg: brief_line(&stop.msg) }
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
            // The other side did not come in time, or went before both were there.
            LinkError::Refused { code: Some(Code::Cut), .. } => {
                Self::Cut("the other side did not connect".into())
            }
            LinkError::Refused { code, msg, .. } => Self::Refused { code, msg: brief_line(&msg) },
            LinkError::Connect(error) => {
                Self::Cut(format!("the server cannot be reached ({})", safe_line(&reason(&error))))
            }
            LinkError::Silent => Self::Cut("the server does not answer in time".into()),
            error => Self::Cut(safe_line(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_QUOTE_CHARS;

    fn refused(code: Code) -> TransferError {
        LinkError::Refused { code: Some(code), msg: "why".into(), free: None }.into()
    }

    #[test]
    fn the_other_side_that_does_not_connect_is_a_cut() {
        assert!(matches!(refused(Code::Cut), TransferError::Cut(_)));
        assert!(refused(Code::Cut).may_resume());
    }

    #[test]
    fn a_refusal_for_now_is_tried_again_and_any_other_is_told() {
        for code in [Code::BadToken, Code::RateLimited, Code::ServerFull, Code::ShuttingDown] {
            assert!(refused(code).may_resume() && refused(code).keeps_content(), "{code}");
        }
        for code in [Code::Cancelled, Code::Banned, Code::NoFiles, Code::FileTooBig] {
            assert!(!refused(code).may_resume() && refused(code).keeps_content(), "{code}");
        }
        let cancelled = TransferError::cancelled();
        assert!(!cancelled.may_resume() && !cancelled.keeps_content());
    }

    #[test]
    fn a_broken_connection_is_told_in_plain_words() {
        let eof = "peer closed connection without sending TLS close_notify: https://example.com";
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, eof);
        assert_eq!(
            TransferError::lost(&error).to_string(),
            "the transfer was cut: the connection to the server was lost (closed by the other side)"
        );
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            TransferError::from(LinkError::Connect(error)).to_string(),
            "the transfer was cut: the server cannot be reached (connection refused)"
        );
    }

    #[test]
    fn the_words_of_the_other_side_are_short() {
        let long = "A".repeat(65_000);
        let error = TransferError::from(StopRecord { code: StopCode::Io, msg: long.clone() });
        assert!(error.to_string().chars().count() < MAX_QUOTE_CHARS + 100);
        let error: TransferError = LinkError::Refused { code: None, msg: long, free: None }.into();
        assert!(error.to_string().chars().count() < MAX_QUOTE_CHARS + 100);
    }
}
