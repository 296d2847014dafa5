//! `lanchat status`: asks a server for its own numbers, and leaves.

use crate::client::error::Error;
use crate::client::link::LinkError;
use crate::client::options::ClientOptions;
use crate::client::screen::operator_question::question;
use crate::protocol::request::Operate;
use crate::protocol::{Event, ServerNumbers};

/// Asks for a server's own numbers. The user owns no name by that, and nobody sees them in the chat.
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there.
pub async fn status(options: ClientOptions) -> Result<ServerNumbers, Error> {
    question(&options, "cannot get the server's status", async |link, _| {
        match link.ask(Operate::Status).await? {
            Event::Status { status } => Ok(*status),
            _ => Err(LinkError::Protocol("its answer does not match the request".into())),
        }
    })
    .await
}
