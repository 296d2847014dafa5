//! Answers questions about the history, and finds messages for the rules.

use super::History;
use super::query_limits::QueryPermit;
use crate::chat::Question;
use crate::limits::ANSWER_BYTES;
use crate::protocol::event::HistoryEnd;
use crate::protocol::{Code, Event};
use crate::server::connection::Connection;
use crate::server::connection_end::InputPolicy;
use crate::server::frames;
use crate::store::StoreError;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct HistoryQuery {
    pub(super) connection: Arc<Connection>,
    pub(super) echo: Option<String>,
    pub(super) question: Question,
    pub(super) permit: QueryPermit,
}

/// Reads and sends the answer, unless the client has left.
pub(super) async fn run(history: History, query: HistoryQuery) {
    if query.connection.input_policy() != InputPolicy::Counts {
        return;
    }
    // Waits until earlier output is written, so an answer takes memory only in the backlog, which is bounded.
    if query.connection.is_behind() {
        tokio::spawn(async move {
            if query.connection.drained().await {
                history.answer(query);
            }
        });
        return;
    }
    let HistoryQuery { connection, echo, question, permit } = query;
    let bytes = ANSWER_BYTES.min(connection.max_backlog() / 2);
    let read = match question {
        Question::History(wanted) => history.store.history(wanted, bytes).await,
        Question::Search(search) => history.store.search(search, bytes).await,
        Question::Change(change) => match history.store.message(change.seq).await {
            Ok(found) => {
                drop(permit);
                history.hub.change(connection.id(), echo, (change, found));
                return;
            }
            Err(error) => Err(error),
        },
    };
    let mut out = Vec::new();
    match read {
        Ok(listing) => {
            history.failures.ends();
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
            history.failures.begins(&error);
            let why = "the server cannot read its history at the moment; try again later";
            Event::error(Code::NotStored, why).into_packet("", echo).write_to(&mut out);
        }
    }
    // Before the client has the answer and may ask again.
    drop(permit);
    connection.send(&out.into());
}

/// Tells a client that it has too many questions waiting.
pub(super) fn refuse(connection: &Arc<Connection>, echo: Option<String>, why: String) {
    let error = Event::error(Code::RateLimited, why);
    connection.send(&error.into_packet("", echo).to_frame().into());
}
