//! The answer to a question about what is kept.

use super::{History, frames};
use crate::chat::Question;
use crate::limits::{ANSWER_BYTES, MAX_ASKED, SEAM_BYTES};
use crate::protocol::event::HistoryEnd;
use crate::protocol::{Code, Event};
use crate::server::connection::{Connection, Intake};
use crate::store::StoreError;
use std::sync::Arc;

/// Reads and sends it; who asked may have gone meanwhile.
pub(super) async fn run(
    history: &History,
    connection: &Arc<Connection>,
    echo: Option<String>,
    question: Question,
) {
    let Some(permit) = history.answer_permit().await else { return };
    // Who is gone is not read for.
    if connection.intake() != Intake::Counts {
        return;
    }
    let read = match question {
        Question::History(wanted) => history.store.history(wanted, ANSWER_BYTES).await,
        Question::Search(search) => history.store.search(search, ANSWER_BYTES).await,
    };
    drop(permit);
    let mut out = Vec::new();
    match read {
        Ok(listing) => {
            for message in &listing.messages {
                frames::write(std::slice::from_ref(message), echo.as_deref(), &mut out);
                if out.len() >= SEAM_BYTES {
                    connection.send(&std::mem::take(&mut out).into());
                    if !connection.drained().await {
                        return;
                    }
                }
            }
            let end = HistoryEnd {
                count: listing.messages.len(),
                seq: listing.messages.first().map_or(0, |oldest| oldest.seq),
                gap: false,
                more: listing.more,
            };
            Event::History(end).to_packet("", echo).write_to(&mut out);
        }
        Err(error @ StoreError::TooSlow) => {
            Event::error(Code::RateLimited, error.to_string()).to_packet("", echo).write_to(&mut out);
        }
        Err(error) => {
            tracing::warn!("the history can't be read: {error}");
            let why = "the server can't read its history at the moment; try again later";
            Event::error(Code::NotStored, why).to_packet("", echo).write_to(&mut out);
        }
    }
    connection.send(&out.into());
}

/// Tells somebody who asks too much at a time.
pub(super) fn refuse(connection: &Arc<Connection>, echo: Option<String>) {
    let why = format!("{MAX_ASKED} of your questions wait for their answers; ask again when you have those");
    let error = Event::error(Code::RateLimited, why);
    connection.send(&error.to_packet("", echo).to_frame().into());
}
