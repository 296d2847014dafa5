//! `lanchat status`: asks a server for its own numbers, and leaves.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::connection::{HistoryPosition, JoinTerms, StartFrom, prepare};
use crate::client::error::Error;
use crate::client::find;
use crate::client::link::{LinkError, ServerLink};
use crate::client::options::ClientOptions;
use crate::client::terminal;
use crate::protocol::request::{Mode, Operate};
use crate::protocol::{Code, Event, Request, ServerNumbers};

/// How long the answer may take: a disk may be slow.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// The `id` of the question.
const ID: &str = "status";

/// How a user who is not an operator can ask.
const AS_OPERATOR: &str =
    "; the user who runs the server may ask on the server's machine, without --host and --server";

/// Asks for a server's own numbers. The user owns no name by that, and nobody sees them in the chat.
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there.
pub async fn status(options: ClientOptions) -> Result<ServerNumbers, Error> {
    let (locator, credentials) = prepare(&options, HistoryPosition::new(StartFrom::Now, None))?;
    let reached = find::find(&locator, options.quiet).await?;
    locator.remember(&reached.addrs);
    let terms = JoinTerms { may_ask: true, guest: true, ..JoinTerms::returning(Mode::Send) };
    let tell = |line: String| {
        if !options.quiet {
            terminal::tell(&line);
        }
    };
    let registered = credentials.join(reached, terms, tell).await?;
    let answer = timeout(ANSWER_WAIT, ask(registered.link)).await;
    answer.unwrap_or(Err(LinkError::Silent)).map_err(|error| {
        let is_for_operators = matches!(error, LinkError::Refused { code: Some(Code::NotAllowed), .. });
        match credentials.trust.lock().explain("cannot get the server's status", &error) {
            Error::Refused(text, code) if is_for_operators => Error::Refused(text + AS_OPERATOR, code),
            other => other,
        }
    })
}

async fn ask(link: ServerLink) -> Result<ServerNumbers, LinkError> {
    let (mut reader, mut writer) = link.split();
    writer.send(&Request::from(Operate::Status).to_frame(Some(ID))).await?;
    let numbers = loop {
        let packet = reader.next().await?;
        let is_answer = packet.id.as_deref() == Some(ID);
        match Event::from_packet(packet) {
            Event::Status { status } if is_answer => break *status,
            Event::Bye { code, msg, .. } => return Err(LinkError::Refused { code, msg, free: None }),
            Event::Error { code, msg, name } if is_answer => {
                return Err(LinkError::Refused { code, msg, free: name });
            }
            _ if is_answer => {
                return Err(LinkError::Protocol("its answer does not match the request".into()));
            }
            _ => {}
        }
    };
    writer.finish().await;
    Ok(numbers)
}
