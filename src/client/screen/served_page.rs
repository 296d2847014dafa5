//! `lanchat invite --web`: asks a server how browsers join it, and leaves.

use crate::client::error::Error;
use crate::client::link::LinkError;
use crate::client::options::ClientOptions;
use crate::client::screen::operator_question::question;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::Operate;
use crate::protocol::{Event, WebAccess};

/// The page that a server serves.
#[derive(Debug, Clone)]
pub struct ServedPage {
    pub server: ServerInfo,
    /// The server's name within its chat; `None`: the chat has no other server.
    pub node: Option<String>,
    pub access: WebAccess,
    /// Lets one browser into a closed server.
    pub ticket: Option<String>,
}

/// Asks for the page, and for a ticket if the server is closed. `None`: it serves no page.
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there and needs a ticket.
pub async fn served_page(options: ClientOptions) -> Result<Option<ServedPage>, Error> {
    let what = "cannot get a link for browsers";
    question(&options, what, async |link, welcome| {
        let Some(access) = welcome.web else { return Ok(None) };
        let ticket = match welcome.closed {
            true => match link.ask(Operate::Ticket).await? {
                Event::Ticket { ticket } => ticket,
                _ => return Err(LinkError::Protocol("its answer does not match the request".into())),
            },
            false => None,
        };
        let node = welcome.nodes.map(|nodes| nodes.node().to_owned());
        Ok(Some(ServedPage { server: welcome.server, node, access, ticket }))
    })
    .await
}
