//! Why an encrypted connection must end.

use rustls::Error;

/// Why a connection must end. What is to be sent before that lies in `out`.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer has broken the rules of TLS, or speaks none that is accepted here.
    #[error("{0}")]
    Tls(String),
    /// The peer has given up, with an alert.
    #[error("the peer gave up: {0}")]
    GivenUp(String),
    /// Something unfinished is longer than it may be.
    #[error("over {0} bytes of something unfinished")]
    TooLong(usize),
    /// The handshake is not done, or the channel has been closed or has failed before.
    #[error("the channel is not open")]
    NotOpen,
}

impl From<Error> for ChannelError {
    fn from(error: Error) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::GivenUp(format!("{alert:?}")),
            error => Self::Tls(error.to_string()),
        }
    }
}
