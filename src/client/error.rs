//! Why the client failed: one kind for each exit status.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::link::LinkError;
use super::local_time::localized;
use crate::protocol::Code;
use crate::text::safe_line;

/// Why the client failed. The text is one line for the user, safe for the terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The options contradict each other, or a value is invalid.
    #[error("{0}")]
    Usage(String),
    /// No server was found, or several were found and none was chosen.
    #[error("{0}")]
    NoServer(String),
    /// The server cannot be reached, or the connection is lost.
    #[error("{0}")]
    Disconnected(String),
    /// The server accepted the connection and did not answer.
    #[error("no answer in time")]
    NoAnswer,
    /// The server refused; with its code, if it gave one.
    #[error("{0}")]
    Refused(String, Option<Code>),
    /// The server's key is not the expected one. Several lines.
    #[error("{}", .0.join("\n"))]
    Untrusted(Vec<String>),
    /// The program that answers does not speak the protocol.
    #[error("{0}")]
    Protocol(String),
    /// Something on this machine failed.
    #[error("{0}")]
    Local(String),
}

impl Error {
    /// The error's code, for programs: the server's own, or the kind of failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::NoServer(_) => "no_server",
            Self::Disconnected(_) => "disconnected",
            Self::NoAnswer => "no_answer",
            Self::Refused(_, Some(code)) => code.as_str(),
            Self::Refused(_, None) => "refused",
            Self::Untrusted(_) => "untrusted",
            Self::Protocol(_) => "protocol",
            Self::Local(_) => "failure",
        }
    }

    /// Explains a link's error to a user who wanted to do `what`.
    pub(super) fn from_link(what: &str, error: &LinkError) -> Self {
        let is_whole = matches!(
            error,
            LinkError::Refused { code: Some(Code::Kicked | Code::Banned), .. } | LinkError::WrongPassphrase
        );
        match Self::from(error) {
            // The text is already complete.
            Self::Refused(text, code) if is_whole => Self::Refused(text, code),
            Self::Refused(text, code) => Self::Refused(format!("the server refused: {text}"), code),
            Self::Protocol(text) => Self::Protocol(format!(
                "{}: {text}; check the port, or run `lanchat doctor` with the same options",
                safe_line(what)
            )),
            reason @ (Self::Disconnected(_) | Self::NoAnswer) => Self::Disconnected(format!(
                "{}: {reason}; to find out why, run `lanchat doctor` with the same options",
                safe_line(what)
            )),
            other => other,
        }
    }
}

/// The reason alone.
impl From<&LinkError> for Error {
    fn from(error: &LinkError) -> Self {
        let text = safe_line(&error.to_string());
        match error {
            LinkError::Refused { code, .. } => {
                Self::Refused(localized(&text, &TimeZone::system(), Timestamp::now()), *code)
            }
            LinkError::WrongPassphrase | LinkError::PassphraseNeeded => {
                Self::Refused(text, Some(Code::BadPassphrase))
            }
            LinkError::WrongKey { .. } => Self::Refused(text, None),
            LinkError::Protocol(_) | LinkError::NotEncrypted | LinkError::TooNew(_) => Self::Protocol(text),
            LinkError::Connect(_) | LinkError::Handshake(_) | LinkError::Lost(_) => Self::Disconnected(text),
            LinkError::Silent => Self::NoAnswer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_and_an_end_are_told_apart() {
        let refused = |code| {
            let error = LinkError::Refused { code: Some(code), msg: "as I say".into(), free: None };
            Error::from_link("cannot join", &error).to_string()
        };
        assert_eq!(refused(Code::NameTaken), "the server refused: as I say");
        assert_eq!(refused(Code::Kicked), "as I say");
        let wrong = Error::from_link("cannot join", &LinkError::WrongPassphrase);
        assert!(
            matches!(&wrong, Error::Refused(text, _) if text.starts_with("The passphrase was not")),
            "{wrong}"
        );
    }
}
