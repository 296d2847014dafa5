//! `lanchat status` and `lanchat invite --web`: ask a server for its own numbers or a ticket, and leave.

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
const ID: &str = "question";

/// How a user who is not an operator can ask.
const AS_OPERATOR: &str =
    "; the user who runs the server may ask on the server's machine, without --host and --server";

/// Asks for a server's own numbers. The user owns no name by that, and nobody sees them in the chat.
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there.
pub async fn status(options: ClientOptions) -> Result<ServerNumbers, Error> {
    let read = |event| if let Event::Status { status } = event { Some(*status) } else { None };
    ask_alone(options, Operate::Status, "cannot get the server's status", read).await
}

/// Asks for a ticket that lets a browser into a closed server; `None`: the server is open.
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there, or the server does not serve browsers.
pub async fn ticket(options: ClientOptions) -> Result<Option<String>, Error> {
    let read = |event| if let Event::Ticket { ticket } = event { Some(ticket) } else { None };
    ask_alone(options, Operate::Ticket, "cannot invite browsers", read).await
}

/// Asks one question as an operator. `read`: `None` for an event that is not the answer.
async fn ask_alone<T>(
    options: ClientOptions,
    question: Operate,
    failure: &str,
    read: fn(Event) -> Option<T>,
) -> Result<T, Error> {
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
    let answer = timeout(ANSWER_WAIT, ask(registered.link, question.clone(), read)).await;
    answer.unwrap_or(Err(LinkError::Silent)).map_err(|error| {
        let is_refused = matches!(error, LinkError::Refused { code: Some(Code::NotAllowed), .. });
        let is_for_operators = is_refused && question == Operate::Status;
        match credentials.trust.lock().explain(failure, &error) {
            Error::Refused(text, code) if is_for_operators => Error::Refused(text + AS_OPERATOR, code),
            other => other,
        }
    })
}

async fn ask<T>(link: ServerLink, question: Operate, read: fn(Event) -> Option<T>) -> Result<T, LinkError> {
    let (mut reader, mut writer) = link.split();
    writer.send(&Request::from(question).to_frame(Some(ID))).await?;
    let answer = loop {
        let packet = reader.next().await?;
        let is_answer = packet.id.as_deref() == Some(ID);
        match Event::from_packet(packet) {
            Event::Bye { code, msg, .. } => return Err(LinkError::Refused { code, msg, free: None }),
            Event::Error { code, msg, name } if is_answer => {
                return Err(LinkError::Refused { code, msg, free: name });
            }
            event if is_answer => {
                let mismatch = || LinkError::Protocol("its answer does not match the request".into());
                break read(event).ok_or_else(mismatch)?;
            }
            _ => {}
        }
    };
    writer.finish().await;
    Ok(answer)
}
