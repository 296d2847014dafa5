//! Joins a server, asks it as an operator, and leaves.

use crate::client::connection::{HistoryPosition, JoinTerms, StartFrom, prepare};
use crate::client::error::Error;
use crate::client::find;
use crate::client::link::{LinkError, LinkReader, PacketWriter};
use crate::client::options::ClientOptions;
use crate::client::terminal;
use crate::protocol::event::Welcome;
use crate::protocol::request::{Mode, Operate};
use crate::protocol::{Code, Event, Request};
use std::time::Duration;
use tokio::time::timeout;

/// How long the answers may take: a disk may be slow.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// The `id` of the question.
const ID: &str = "question";

/// How a user who is not an operator can ask.
const AS_OPERATOR: &str =
    "; the user who runs the server may ask on the server's machine, without --host and --server";

/// A server that answers an operator.
pub(super) struct Answering {
    reader: LinkReader,
    writer: PacketWriter,
}

/// Joins and has `ask` use the link. The user owns no name by that, and nobody sees them in the chat. `failure` begins
/// the error, such as "cannot get the server's status".
///
/// # Errors
/// See [`Error`]; [`Error::Refused`] if the user is not an operator there.
pub(super) async fn question<T>(
    options: &ClientOptions,
    failure: &str,
    ask: impl AsyncFnOnce(&mut Answering, Welcome) -> Result<T, LinkError>,
) -> Result<T, Error> {
    let (locator, credentials) = prepare(options, HistoryPosition::new(StartFrom::Now, None))?;
    let reached = find::find(&locator, options.quiet).await?;
    locator.remember(&reached.addrs);
    let terms = JoinTerms { may_ask: true, guest: true, ..JoinTerms::returning(Mode::Send) };
    let tell = |line: String| {
        if !options.quiet {
            terminal::tell(&line);
        }
    };
    let registered = credentials.join(reached, terms, tell).await?;
    let (reader, writer) = registered.link.split();
    let mut answering = Answering { reader, writer };
    let answer = timeout(ANSWER_WAIT, ask(&mut answering, registered.welcome)).await;
    let answer = answer.unwrap_or(Err(LinkError::Silent)).map_err(|error| {
        let is_for_operators = matches!(error, LinkError::Refused { code: Some(Code::NotAllowed), .. });
        match credentials.trust.lock().explain(failure, &error) {
            Error::Refused(text, code) if is_for_operators => Error::Refused(text + AS_OPERATOR, code),
            other => other,
        }
    })?;
    answering.writer.finish().await;
    Ok(answer)
}

impl Answering {
    /// Returns the answer, which is not an error.
    pub(super) async fn ask(&mut self, question: Operate) -> Result<Event, LinkError> {
        self.writer.send(&Request::from(question).to_frame(Some(ID))).await?;
        loop {
            let packet = self.reader.next().await?;
            let is_answer = packet.id.as_deref() == Some(ID);
            match Event::from_packet(packet) {
                Event::Bye { code, msg, .. } => return Err(LinkError::Refused { code, msg, free: None }),
                Event::Error { code, msg, name } if is_answer => {
                    return Err(LinkError::Refused { code, msg, free: name });
                }
                answer if is_answer => return Ok(answer),
                _ => {}
            }
        }
    }
}
