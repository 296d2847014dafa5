//! The output of the rules since the last flush, in order.
//!
//! Frames for everyone lie one after another in one buffer, so that most receivers get the whole buffer in one
//! write. Things that concern single sessions are a list of steps, each with its position in that buffer.
//!
//! Entries for the store travel with the batch, which is sent only after the store has committed them (see
//! [`persister`](super::persister)). A message that the store already had is then cut out of the batch.

mod several_turns;
mod turn_body;

use super::connection::Connection;
use super::cutover::Cutover;
use super::frame_arena::FrameArena;
use super::headed_buffer::HeadedBuffer;
use crate::chat::{Answer, CatchUp, Entry, Question, Receipt, SessionId, TransferId};
use crate::limits::{ENTRY_BYTES, SMALL_BATCH_BYTES, SMALL_BATCH_STEPS};
use crate::protocol::request::TestToken;
use crate::protocol::{Code, Packet};
use bytes::Bytes;
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
pub(super) use turn_body::{RulesAnswer, Seam, TurnNews};

#[derive(Debug, Default)]
pub(super) struct OutputBatch {
    /// Frames for all sessions that follow the lobby.
    pub(super) lobby: HeadedBuffer,
    /// In order.
    steps: Vec<OutputStep>,
    /// Frames for several sessions, in order; their places are between those of the steps.
    groups: Vec<Group>,
    /// The place of the next step or group.
    next: u32,
    arena: FrameArena,
    /// For the store, in order.
    pub(super) entries: Vec<Entry>,
    /// The latest message's number when the batch was taken.
    pub(super) seq: u64,
    /// Entries that the store may already have, with the ranges of their frames in the lobby.
    doubtful: Vec<(usize, Range<usize>)>,
    /// Size of the frames in `steps`, and of the entries.
    other_bytes: usize,
    /// Whether a step needs the store or a task.
    has_jobs: bool,
}

/// Work for one session that takes time: a task of its own does it, after the batch is written.
#[derive(Debug, Serialize, Deserialize)]
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
    /// Place among the steps and groups.
    pub(super) place: u32,
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
    /// On a server that shares its chat, the answer to its question with that number; `None`: the session is gone.
    Told(u64, Option<RulesAnswer>),
    /// There, the rules have ended a transfer whose sides meet at the session's server.
    EndTransfer(TransferId, Code),
    /// There, the session's latest packet costs so many messages more.
    Charge(u64),
    /// The frames of the [list](ReceiverList) with that index, at their places.
    List(usize),
    /// The session ends after reading all of the above.
    Close,
    /// The socket is closed.
    Gone,
}

/// A frame for several sessions.
#[derive(Debug)]
struct Group {
    sessions: Arc<Vec<SessionId>>,
    frame: SharedFrame,
}

/// A frame for the sessions of a list. Nothing is made for each receiver here, under the hub's lock.
#[derive(Debug)]
pub(super) struct SharedFrame {
    /// As in [`OutputStep`].
    place: u32,
    at: usize,
    /// Does not get it.
    pub(super) except: Option<SessionId>,
    bytes: Bytes,
    liveness: Liveness,
}

/// Sessions that share frames, such as those of a room.
#[derive(Debug)]
pub(super) struct ReceiverList {
    pub(super) sessions: Arc<Vec<SessionId>>,
    pub(super) frames: Vec<SharedFrame>,
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

impl OutputBatch {
    /// Takes it, and starts the next one with the empty list of steps that `spare` has.
    pub(super) fn take(&mut self, spare: &mut Vec<OutputStep>) -> Self {
        let mut taken = std::mem::take(self);
        self.steps = std::mem::take(spare);
        self.arena = std::mem::take(&mut taken.arena);
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lobby.is_empty() && self.steps.is_empty() && self.groups.is_empty() && self.entries.is_empty()
    }

    /// Whether writing it costs about as much as waking a task to do so.
    pub(super) fn is_small(&self) -> bool {
        self.lobby.is_empty()
            && self.groups.is_empty()
            && !self.has_jobs
            && self.steps.len() <= SMALL_BATCH_STEPS
            && self.other_bytes <= SMALL_BATCH_BYTES
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
        packet.write_to(self.lobby.end());
        let end = self.lobby.len();
        for session in except {
            let place = self.place();
            self.steps.push(OutputStep { session: *session, place, at, kind: StepKind::Skip(end) });
        }
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
        let (place, at) = (self.place(), self.lobby.len());
        self.has_jobs |= matches!(kind, StepKind::Background(_) | StepKind::Cutover(_));
        self.steps.push(OutputStep { session, place, at, kind });
    }

    fn place(&mut self) -> u32 {
        self.next += 1;
        self.next
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
        self.groups.retain(
            |group| !matches!(group.frame.liveness, Liveness::Live(Some(entry)) if place(entry).is_some()),
        );
        for step in &mut self.steps {
            match &mut step.kind {
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
        let (mut kept, mut from) = (HeadedBuffer::with_capacity(self.lobby.len()), 0);
        // Their positions in what remains.
        let mut places = Vec::with_capacity(gone.len());
        for range in gone {
            kept.end().extend_from_slice(&self.lobby[from..range.start]);
            places.push(kept.len());
            from = range.end;
        }
        kept.end().extend_from_slice(&self.lobby[from..]);
        self.lobby = kept;
        let moved = |at: usize| match gone.partition_point(|range| range.start < at).checked_sub(1) {
            Some(last) => places[last] + at.saturating_sub(gone[last].end),
            None => at,
        };
        for group in &mut self.groups {
            group.frame.at = moved(group.frame.at);
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

    /// Takes the steps of single sessions in order, and leaves the lobby.
    pub(super) fn take_steps(&mut self) -> Vec<OutputStep> {
        std::mem::take(&mut self.steps)
    }

    /// Takes the frames for several sessions, by their receivers and in order.
    pub(super) fn take_lists(&mut self) -> Vec<ReceiverList> {
        let mut lists: Vec<ReceiverList> = Vec::new();
        let mut known = HashMap::with_hasher(RandomState::default());
        for Group { sessions, frame } in std::mem::take(&mut self.groups) {
            let index = *known.entry(Arc::as_ptr(&sessions)).or_insert(lists.len());
            match lists.get_mut(index) {
                Some(list) => list.frames.push(frame),
                None => lists.push(ReceiverList { sessions, frames: vec![frame] }),
            }
        }
        lists
    }

    /// Adds a packet for some sessions, serialised once.
    pub(super) fn send(&mut self, packet: &Packet, to: Receivers, liveness: Liveness) {
        if to.is_nobody() {
            return;
        }
        let bytes = self.arena.frame(packet);
        self.other_bytes += bytes.len();
        let (sessions, except) = match to {
            Receivers::These(sessions) if sessions.len() <= 1 => {
                sessions.into_iter().for_each(|session| self.step(session, liveness.kind(bytes.clone())));
                return;
            }
            Receivers::These(sessions) => {
                // The list is this frame's alone.
                self.other_bytes += sessions.len() * size_of::<OutputStep>();
                (Arc::new(sessions), None)
            }
            Receivers::Shared(sessions, except) => (sessions, except),
        };
        let (place, at) = (self.place(), self.lobby.len());
        self.groups.push(Group { sessions, frame: SharedFrame { place, at, except, bytes, liveness } });
    }
}

impl SharedFrame {
    /// The frame as a step of one of its receivers.
    pub(super) fn step(&self, session: SessionId) -> OutputStep {
        let kind = self.liveness.kind(self.bytes.clone());
        OutputStep { session, place: self.place, at: self.at, kind }
    }
}

impl Receivers {
    fn is_nobody(&self) -> bool {
        match self {
            Self::These(sessions) => sessions.is_empty(),
            Self::Shared(sessions, _) => sessions.is_empty(),
        }
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
