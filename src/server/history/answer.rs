//! The answer to a question about what is kept.

use super::History;
use super::asked::Waiting;
use crate::chat::Question;
use crate::limits::ANSWER_BYTES;
use crate::protocol::event::HistoryEnd;
use crate::protocol::{Code, Event};
use crate::server::connection::{Connection, Intake};
use crate::server::frames;
use crate::store::StoreError;
use std::sync::Arc;

/// What somebody asks.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) connection: Arc<Connection>,
    pub(super) echo: Option<String>,
    pub(super) question: Question,
    pub(super) waiting: Waiting,
}

/// Reads and sends it; who asked may have gone meanwhile.
pub(super) async fn run(history: History, asking: Asking) {
    // Who is gone is not read for.
    if asking.connection.intake() != Intake::Counts {
        return;
    }
    // Nothing is read that could not be sent: so answers take memory in a backlog only, which is bounded.
    if asking.connection.is_behind() {
        tokio::spawn(async move {
            if asking.connection.drained().await {
                history.answer(asking);
            }
        });
        return;
    }
    let Asking { connection, echo, question, waiting } = asking;
    let bytes = ANSWER_BYTES.min(connection.max_backlog() / 2);
    let read = match question {
        Question::History(wanted) => history.store.history(wanted, bytes).await,
        Question::Search(search) => history.store.search(search, bytes).await,
    };
    let mut out = Vec::new();
    match read {
        Ok(listing) => {
            history.trouble.ends();
            frames::write(&listing.messages, echo.as_deref(), &mut out);
            let oldest = listing.messages.first().map(|oldest| oldest.seq);
            let end = HistoryEnd {
                count: listing.messages.len(),
                seq: listing.reached.or(oldest).unwrap_or_default(),
                gap: false,
                more: listing.more,
                partial: listing.partial,
            };
            Event::History(end).into_packet("", echo).write_to(&mut out);
        }
        Err(error @ StoreError::TooSlow) => {
            Event::error(Code::RateLimited, error.to_string()).into_packet("", echo).write_to(&mut out);
        }
        Err(error) => {
            history.trouble.begins(&error);
            let why = "the server can't read its history at the moment; try again later";
            Event::error(Code::NotStored, why).into_packet("", echo).write_to(&mut out);
        }
    }
    // Before the answer is there, so that who has it may ask again.
    drop(waiting);
    connection.send(&out.into());
}

/// Tells somebody who asks too much at a time.
pub(super) fn refuse(connection: &Arc<Connection>, echo: Option<String>, why: String) {
    let error = Event::error(Code::RateLimited, why);
    connection.send(&error.into_packet("", echo).to_frame().into());
}
