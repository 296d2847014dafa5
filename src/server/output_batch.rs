//! The output of the rules since the last flush, in order.
//!
//! Frames for everyone lie one after another in one buffer, so that most receivers get the whole buffer in one
//! write. Things that concern single sessions are a list of steps, each with its position in that buffer.
//!
//! Entries for the store travel with the batch, which is sent only after the store has committed them (see
//! [`persister`](super::persister)). A message that the store already had is then cut out of the batch.

use super::connection::Connection;
use super::frames;
use crate::chat::{Answer, CatchUp, Entry, Question, Receipt, SessionId, View};
use crate::limits::ENTRY_BYTES;
use crate::protocol::event::HistoryEnd;
use crate::protocol::request::TestToken;
use crate::protocol::{Event, Packet};
use crate::store::{Page, ViewRange};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(super) struct OutputBatch {
    /// Frames for all sessions that follow the lobby.
    pub(super) lobby: Vec<u8>,
    /// In order.
    steps: Vec<OutputStep>,
    /// Frames for several sessions; they belong between the steps.
    groups: Vec<Group>,
    /// For the store, in order.
    pub(super) entries: Vec<Entry>,
    /// The latest message's number when the batch was taken.
    pub(super) seq: u64,
    /// Entries that the store may already have, with the ranges of their frames in the lobby.
    doubtful: Vec<(usize, Range<usize>)>,
    /// Size of the frames in `steps`, and of the entries.
    other_bytes: usize,
}

/// Work for one session that takes time: a task of its own does it, after the batch is written.
#[derive(Debug)]
pub(super) enum BackgroundJob {
    /// Sends the session what it missed, then lets it follow the lobby.
    CatchUp {
        since: CatchUp,
        /// The latest message's number when the session joined.
        latest: u64,
    },
    /// Answers a question about the history.
    Answer { echo: Option<String>, question: Question },
    /// Tests multicast with the client's machine.
    Multicast { echo: Option<String>, token: TestToken },
    /// Sends the server's own numbers to an operator.
    Status { echo: Option<String> },
}

/// One thing for one session.
#[derive(Debug)]
pub(super) struct OutputStep {
    pub(super) session: SessionId,
    /// Position in the lobby's buffer.
    pub(super) at: usize,
    pub(super) kind: StepKind,
}

#[derive(Debug)]
pub(super) enum StepKind {
    /// The session begins.
    Open(Arc<Connection>),
    /// It follows the lobby from here on.
    Follow,
    /// It gets the messages that it missed up to here, then follows the lobby.
    Cutover(Box<Cutover>),
    /// It does not get the lobby's frame from here to that position.
    Skip(usize),
    /// A frame.
    Frame(Bytes),
    /// A message that was cut out.
    Nothing,
    /// A message's frame, and its entry. Sessions that do not follow yet get the message from the store.
    Live(Bytes, Option<usize>),
    /// A message's receipt, and its entry.
    Receipt(Box<Receipt>, Option<usize>),
    /// An answer. It is serialised when it is sent, as a list may be long.
    Answer(Option<Box<Answer>>),
    /// Work that takes time.
    Background(Option<Box<BackgroundJob>>),
    /// The session ends after reading all of the above.
    Close,
    /// The socket is closed.
    Gone,
}

/// A frame for several sessions. It becomes a step for each when the batch is written, outside the hub's lock.
#[derive(Debug)]
struct Group {
    /// How many of the steps come before it.
    before: usize,
    /// As in [`OutputStep`].
    at: usize,
    sessions: Arc<Vec<SessionId>>,
    except: Option<SessionId>,
    frame: Bytes,
    liveness: Liveness,
}

/// Whether a frame is part of the live stream, as messages are; if so, with its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    Own,
    Live(Option<usize>),
}

/// Sessions that get a frame.
#[derive(Debug)]
pub(super) enum Receivers {
    These(Vec<SessionId>),
    /// All of a shared list but one.
    Shared(Arc<Vec<SessionId>>, Option<SessionId>),
}

/// The point where a session that catches up changes to the live stream.
#[derive(Debug)]
pub(super) struct Cutover {
    /// The messages that the session may read.
    pub(super) view: View,
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
        let Page { messages, reached } =
            page.unwrap_or_else(|| Page { messages: Vec::new(), reached: self.upto });
        frames::write(&messages, None, &mut self.frames);
        // If nothing could be read, there is nothing to continue with: the store fails, or the rest is not
        // theirs.
        if reached < self.upto && !messages.is_empty() {
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

impl OutputBatch {
    pub(super) fn is_empty(&self) -> bool {
        self.lobby.is_empty() && self.steps.is_empty() && self.groups.is_empty() && self.entries.is_empty()
    }

    /// Bytes to send or store, each counted once.
    pub(super) fn bytes(&self) -> usize {
        self.lobby.len() + self.other_bytes
    }

    /// Adds something to store; returns its index.
    pub(super) fn keep(&mut self, entry: Entry) -> usize {
        self.other_bytes += ENTRY_BYTES;
        if let Entry::Message(message) | Entry::Passed(message) | Entry::Refused(message) = &entry {
            self.other_bytes += message.text.len();
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Adds a packet for all sessions that follow the lobby, except these. `entry`: set if it may be a
    /// duplicate.
    pub(super) fn lobby(&mut self, packet: &Packet, except: &[SessionId], entry: Option<usize>) {
        let at = self.lobby.len();
        packet.write_to(&mut self.lobby);
        let end = self.lobby.len();
        let skip = |session: &SessionId| OutputStep { session: *session, at, kind: StepKind::Skip(end) };
        self.steps.extend(except.iter().map(skip));
        if let Some(entry) = entry {
            self.doubtful.push((entry, at..end));
        }
    }

    pub(super) fn answer(&mut self, answer: Box<Answer>) {
        self.other_bytes += answer.bytes();
        self.step(answer.session, StepKind::Answer(Some(answer)));
    }

    pub(super) fn background(&mut self, session: SessionId, job: BackgroundJob) {
        self.step(session, StepKind::Background(Some(Box::new(job))));
    }

    pub(super) fn step(&mut self, session: SessionId, kind: StepKind) {
        self.steps.push(OutputStep { session, at: self.lobby.len(), kind });
    }

    /// The cutovers in this batch.
    pub(super) fn cutovers(&mut self) -> impl Iterator<Item = &mut Cutover> {
        self.steps.iter_mut().filter_map(|step| match &mut step.kind {
            StepKind::Cutover(cutover) => Some(cutover.as_mut()),
            _ => None,
        })
    }

    /// Cuts out the messages of these entries, because the store had them before. `known` is in ascending
    /// order; `change` corrects the receipt of the n-th of them. Called at most once per batch.
    pub(super) fn cut(&mut self, known: &[usize], mut change: impl FnMut(usize, &mut Receipt)) {
        let place = |entry: usize| known.binary_search(&entry).ok();
        self.groups
            .retain(|group| !matches!(group.liveness, Liveness::Live(Some(entry)) if place(entry).is_some()));
        for step in &mut self.steps {
            match &mut step.kind {
                // Replaced, not removed, so that groups keep their position among the steps.
                StepKind::Live(_, Some(entry)) if place(*entry).is_some() => step.kind = StepKind::Nothing,
                StepKind::Receipt(receipt, Some(entry)) => {
                    if let Some(place) = place(*entry) {
                        change(place, receipt);
                    }
                }
                _ => {}
            }
        }
        let doubtful = std::mem::take(&mut self.doubtful);
        let gone = doubtful.into_iter().filter(|(entry, _)| place(*entry).is_some()).map(|(_, range)| range);
        self.cut_lobby(&gone.collect::<Vec<_>>());
    }

    /// Cuts these ranges out of the lobby. They are in order.
    fn cut_lobby(&mut self, gone: &[Range<usize>]) {
        let (mut kept, mut from) = (Vec::with_capacity(self.lobby.len()), 0);
        // Their positions in what remains.
        let mut places = Vec::with_capacity(gone.len());
        for range in gone {
            kept.extend_from_slice(&self.lobby[from..range.start]);
            places.push(kept.len());
            from = range.end;
        }
        kept.extend_from_slice(&self.lobby[from..]);
        self.lobby = kept;
        let moved = |at: usize| match gone.partition_point(|range| range.start < at).checked_sub(1) {
            Some(last) => places[last] + at.saturating_sub(gone[last].end),
            None => at,
        };
        for group in &mut self.groups {
            group.at = moved(group.at);
        }
        for step in &mut self.steps {
            step.at = moved(step.at);
            if let StepKind::Skip(end) = &mut step.kind {
                *end = moved(*end);
            }
        }
    }

    /// Corrects the receipts of entries that could not be stored.
    pub(super) fn not_kept(&mut self, is_one: impl Fn(usize) -> bool) {
        for step in &mut self.steps {
            if let StepKind::Receipt(receipt, Some(entry)) = &mut step.kind
                && is_one(*entry)
            {
                (receipt.seq, receipt.stored, receipt.waits) = (None, false, None);
            }
        }
    }

    /// Takes all steps in order, and leaves the lobby.
    pub(super) fn take_steps(&mut self) -> Vec<OutputStep> {
        let steps = std::mem::take(&mut self.steps);
        let mut groups = std::mem::take(&mut self.groups).into_iter().peekable();
        if groups.peek().is_none() {
            return steps;
        }
        let mut all = Vec::with_capacity(steps.len());
        for (place, step) in steps.into_iter().enumerate() {
            while let Some(group) = groups.next_if(|group| group.before <= place) {
                all.extend(group.steps());
            }
            all.push(step);
        }
        all.extend(groups.flat_map(|group| group.steps().collect::<Vec<_>>()));
        all
    }

    /// Adds a packet for some sessions, serialised once.
    pub(super) fn send(&mut self, packet: &Packet, to: Receivers, liveness: Liveness) {
        let frame = Bytes::from(packet.to_frame());
        let (sessions, except) = match to {
            Receivers::These(sessions) if sessions.len() <= 1 => {
                for session in sessions {
                    self.other_bytes += frame.len();
                    self.step(session, liveness.kind(frame.clone()));
                }
                return;
            }
            Receivers::These(sessions) => (Arc::new(sessions), None),
            Receivers::Shared(sessions, except) => (sessions, except),
        };
        if !sessions.is_empty() {
            // The frame exists once; each receiver adds only a step.
            self.other_bytes += frame.len() + sessions.len() * size_of::<OutputStep>();
            let (before, at) = (self.steps.len(), self.lobby.len());
            self.groups.push(Group { before, at, sessions, except, frame, liveness });
        }
    }
}

impl Group {
    fn steps(&self) -> impl Iterator<Item = OutputStep> {
        let sessions = self.sessions.iter().copied().filter(|session| Some(*session) != self.except);
        sessions.map(|session| OutputStep {
            session,
            at: self.at,
            kind: self.liveness.kind(self.frame.clone()),
        })
    }
}

impl Liveness {
    fn kind(self, frame: Bytes) -> StepKind {
        match self {
            Self::Own => StepKind::Frame(frame),
            Self::Live(entry) => StepKind::Live(frame, entry),
        }
    }
}

#[cfg(test)]
mod tests;
