//! The point where a session that catches up changes to the live stream.

use super::frames;
use crate::chat::{OtherNames, View};
use crate::protocol::Event;
use crate::protocol::event::HistoryEnd;
use crate::store::{Page, ViewRange};
use tokio::sync::oneshot;

/// The point where a session that catches up changes to the live stream.
#[derive(Debug)]
pub(super) struct Cutover {
    /// The messages that the session may read.
    pub(super) view: View,
    /// Other names of its key, whose messages it does not get.
    pub(super) others: OtherNames,
    /// The session already has the messages up to this number.
    pub(super) after: u64,
    /// The latest message's number at this point.
    pub(super) upto: u64,
    /// The session had the messages up to this number when it came.
    pub(super) known: u64,
    /// Sent to the session after the last message.
    pub(super) summary: Option<CatchUpSummary>,
    /// The missing messages, once the store has returned them.
    pub(super) frames: Vec<u8>,
    /// Set if they exceed a batch: the session does not follow yet.
    pub(super) remainder: Option<Remainder>,
    /// Receives the remainder once the frames are written.
    pub(super) written: Option<oneshot::Sender<Option<Remainder>>>,
}

/// A catch-up's result before the cutover.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatchUpSummary {
    pub(super) count: usize,
    /// Whether messages are missing.
    pub(super) gap: bool,
    /// The last number that could be read, if it is not the cutover's.
    pub(super) seq: Option<u64>,
}

/// How far a cutover came that did not reach its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remainder {
    /// The session has the messages up to this number.
    pub(super) after: u64,
    /// Messages sent.
    pub(super) count: usize,
}

impl Cutover {
    /// The messages to read from the store.
    pub(super) fn span(&self) -> ViewRange {
        let (after, upto, known) = (self.after, self.upto, self.known);
        ViewRange { view: self.view.clone(), after, upto, known }
    }

    /// Sets the frames; `None`: the store cannot be read.
    pub(super) fn close(&mut self, page: Option<Page>) {
        let is_lost = page.is_none() && self.after < self.upto;
        let Page { mut messages, reached } =
            page.unwrap_or_else(|| Page { messages: Vec::new(), reached: self.upto });
        let is_empty = messages.is_empty();
        messages.retain(|message| !self.others.concerns(message));
        frames::write(&messages, None, &mut self.frames);
        // If nothing could be read, there is nothing to continue with: the store fails, or the rest is not
        // theirs.
        if reached < self.upto && !is_empty {
            self.remainder = Some(Remainder { after: reached, count: messages.len() });
            return;
        }
        let Some(CatchUpSummary { count, gap, seq }) = self.summary else { return };
        let seq = seq.or(is_lost.then_some(self.after)).unwrap_or(self.upto);
        let end = HistoryEnd {
            count: count + messages.len(),
            seq,
            gap: gap || is_lost,
            more: false,
            partial: false,
        };
        Event::History(end).into_packet("", None).write_to(&mut self.frames);
    }
}
