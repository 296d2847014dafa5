//! Why an encrypted connection must end.

use rustls::Error;

/// Why a connection must end. The caller sends what is in `out` first.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer has violated TLS, or offers no accepted version.
    #[error("{0}")]
    Tls(String),
    /// The peer has sent an alert.
    #[error("the peer gave up: {0}")]
    GivenUp(String),
    /// The peer speaks other protocols over TLS.
    #[error("the peer does not offer this protocol")]
    OtherProtocol,
    /// An unfinished record or message exceeds its limit.
    #[error("a record or message exceeds {0} bytes")]
    TooLong(usize),
    /// The handshake is not complete, or the channel was closed or has failed.
    #[error("the channel is not open")]
    NotOpen,
}

impl From<Error> for ChannelError {
    fn from(error: Error) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::GivenUp(format!("{alert:?}")),
            Error::NoApplicationProtocol => Self::OtherProtocol,
            error => Self::Tls(error.to_string()),
        }
    }
}
