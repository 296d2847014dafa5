//! Why a join failed.

use std::fmt;

use crate::client::error::Error;
use crate::client::link::LinkError;
use crate::client::trust::TrustPolicy;
use crate::protocol::Code;

/// See the module.
#[derive(Debug)]
pub(crate) enum JoinError {
    /// The server refused, or there is no connection.
    Link(LinkError),
    /// The reason is on this side.
    Here(Error),
}

impl From<LinkError> for JoinError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Error> for JoinError {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

impl JoinError {
    /// Explains the error to a user who wanted to do `what`.
    pub(crate) fn explain(self, what: &str, trust: &TrustPolicy) -> Error {
        match self {
            Self::Link(error) => trust.explain(what, &error),
            Self::Here(error) => error,
        }
    }

    /// Whether another attempt would end in the same way.
    pub(super) fn is_final(&self) -> bool {
        use Code::{BadName, Banned, KeyRequired, NotAllowed, TlsRequired};
        match self {
            Self::Here(_) | Self::Link(LinkError::PassphraseNeeded | LinkError::WrongPassphrase) => true,
            Self::Link(LinkError::Refused { code, .. }) => {
                matches!(code, Some(Banned | BadName | KeyRequired | NotAllowed | TlsRequired))
            }
            Self::Link(_) => false,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => write!(f, "{error}"),
            Self::Here(error) => write!(f, "{error}"),
        }
    }
}
