//! A batch as bytes, for all servers of a chat.
//!
//! The server that leads writes its batch; each server reads it, and leaves out the steps of other servers' sessions.
//! Steps of this process alone, such as new connections, are never part of it.

use super::{BackgroundJob, Group, Liveness, OutputBatch, OutputStep, SharedFrame, StepKind};
use crate::chat::{Chat, Entry, FileTicket, OtherNames, Receipt, SessionId, TransferId, View};
use crate::protocol::Code;
use crate::protocol::request::Refusal;
use crate::server::cutover::{CatchUpSummary, Cutover, Remainder};
use crate::server::headed_buffer::HeadedBuffer;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The part of the history that a session may read, as of a place in a batch. The session's server asks for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::server) struct Seam {
    pub(in crate::server) view: View,
    /// The latest message's number.
    pub(in crate::server) upto: u64,
    /// Other names of its key, whose messages it does not get.
    pub(in crate::server) others: OtherNames,
}

impl TurnNews {
    /// Checks that the turn belongs behind a history with messages up to `own`.
    ///
    /// # Errors
    /// The difference and the remedy.
    pub(in crate::server) fn check(self, own: u64) -> Result<(), String> {
        let theirs = self.before;
        if own == theirs {
            return Ok(());
        }
        Err(format!(
            "the histories of the chat's servers differ: this one has messages up to {own}, the others had them up to \
             {theirs}; copy the history of another server here (lanchat backup there, lanchat restore here)"
        ))
    }
}

impl Seam {
    /// `None`: the session is gone.
    pub(in crate::server) fn of(chat: &Chat, id: SessionId) -> Option<Self> {
        let (view, upto) = chat.view(id)?;
        Some(Self { view, upto, others: chat.other_names(id) })
    }

    /// The cutover of a session that has the messages up to `after`, and had those up to `known` when it came.
    pub(in crate::server) fn into_cutover(
        self,
        (after, known): (u64, u64),
        summary: Option<CatchUpSummary>,
        written: oneshot::Sender<Option<Remainder>>,
    ) -> StepKind {
        let Self { view, upto, others } = self;
        let (after, written) = (after.min(upto), Some(written));
        let (frames, remainder) = (Vec::new(), None);
        StepKind::Cutover(Box::new(Cutover {
            view,
            others,
            after,
            upto,
            known,
            summary,
            frames,
            remainder,
            written,
        }))
    }
}

/// The rules' answer to a question of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::server) enum RulesAnswer {
    Seam(Box<Seam>),
    /// The transfer that a token admits to.
    Claim(Box<Result<FileTicket, Refusal>>),
    /// Whether a ticket lets a browser's key in.
    Ticket(bool),
    /// For a console: an event as a frame.
    Console(Result<Bytes, Refusal>),
}

/// A batch, and the numbers that all servers learn.
#[derive(Debug, Serialize, Deserialize)]
struct TurnBody {
    lobby: Bytes,
    steps: Vec<TurnStep>,
    /// Receivers of the groups, each list once.
    lists: Vec<Vec<SessionId>>,
    groups: Vec<TurnGroup>,
    entries: Vec<Entry>,
    seq: u64,
    doubtful: Vec<(usize, Range<usize>)>,
    news: TurnNews,
}

/// The state of the chat around a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct TurnNews {
    /// The latest message's number before the turn.
    pub(in crate::server) before: u64,
    /// Users who are present after it.
    pub(in crate::server) present: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct TurnStep {
    session: SessionId,
    place: u32,
    at: usize,
    kind: TurnStepKind,
}

#[derive(Debug, Serialize, Deserialize)]
enum TurnStepKind {
    Follow,
    Skip(usize),
    Frame(Bytes),
    Live(Bytes, Option<usize>),
    Receipt(Box<Receipt>, Option<usize>),
    Background(Box<BackgroundJob>),
    Told(u64, Option<RulesAnswer>),
    EndTransfer(TransferId, Code),
    Charge(u64),
    Close,
    Gone,
}

#[derive(Debug, Serialize, Deserialize)]
struct TurnGroup {
    /// Index of its list.
    list: usize,
    place: u32,
    at: usize,
    except: Option<SessionId>,
    bytes: Bytes,
    /// Whether it is part of the live stream.
    live: bool,
    entry: Option<usize>,
}

/// A turn that this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error(
    "a server of this chat has another version, and this one cannot read what it wrote; update lanchat here: {0}"
)]
pub(in crate::server) struct UnreadableTurn(rmp_serde::decode::Error);

impl OutputBatch {
    /// Writes a batch of the rules.
    pub(in crate::server) fn into_turn(self, news: TurnNews) -> Vec<u8> {
        let Self { lobby, steps, groups, entries, seq, doubtful, .. } = self;
        let steps = steps.into_iter().filter_map(TurnStep::of).collect();
        let mut known = HashMap::new();
        let mut lists = Vec::new();
        let groups = groups.into_iter().map(|Group { sessions, frame }| {
            let list = *known.entry(Arc::as_ptr(&sessions)).or_insert(lists.len());
            if list == lists.len() {
                lists.push(sessions);
            }
            let SharedFrame { place, at, except, bytes, liveness } = frame;
            let (live, entry) = match liveness {
                Liveness::Own => (false, None),
                Liveness::Live(entry) => (true, entry),
            };
            TurnGroup { list, place, at, except, bytes, live, entry }
        });
        let groups = groups.collect();
        let lists = lists.into_iter().map(Arc::unwrap_or_clone).collect();
        let lobby = Bytes::copy_from_slice(&lobby);
        let body = TurnBody { lobby, steps, lists, groups, entries, seq, doubtful, news };
        // Cannot fail: memory takes everything, and each part can be serialised.
        rmp_serde::to_vec_named(&body).unwrap_or_default()
    }

    /// Reads a batch of the rules, for the sessions of the server with that number.
    ///
    /// # Errors
    /// If another version wrote it.
    pub(in crate::server) fn from_turn(body: &[u8], node: u8) -> Result<(Self, TurnNews), UnreadableTurn> {
        let TurnBody { lobby, steps, lists, groups, entries, seq, doubtful, news } =
            rmp_serde::from_slice(body).map_err(UnreadableTurn)?;
        let mut batch = Self { entries, seq, doubtful, ..Self::default() };
        if !lobby.is_empty() {
            batch.lobby = HeadedBuffer::with_capacity(lobby.len());
            batch.lobby.end().extend_from_slice(&lobby);
        }
        let own = |list: Vec<SessionId>| {
            Arc::new(list.into_iter().filter(|session| session.node() == node).collect::<Vec<_>>())
        };
        let lists: Vec<_> = lists.into_iter().map(own).collect();
        let latest_step = steps.last().map_or(0, |step| step.place);
        batch.next = latest_step.max(groups.last().map_or(0, |group| group.place));
        let steps = steps.into_iter().filter(|step| step.session.node() == node);
        batch.steps = steps.map(TurnStep::into_step).collect();
        for TurnGroup { list, place, at, except, bytes, live, entry } in groups {
            let Some(sessions) = lists.get(list).filter(|sessions| !sessions.is_empty()) else { continue };
            let liveness = if live { Liveness::Live(entry) } else { Liveness::Own };
            let frame = SharedFrame { place, at, except, bytes, liveness };
            batch.groups.push(Group { sessions: Arc::clone(sessions), frame });
        }
        Ok((batch, news))
    }

    /// The answers to this server's questions, and ends of its transfers, which the caller replaces.
    pub(in crate::server) fn for_node(&mut self) -> impl Iterator<Item = &mut OutputStep> {
        self.steps.iter_mut().filter(|step| {
            matches!(step.kind, StepKind::Told(..) | StepKind::EndTransfer(..) | StepKind::Charge(_))
        })
    }
}

impl TurnStep {
    /// `None`: it means nothing to others.
    fn of(step: OutputStep) -> Option<Self> {
        let OutputStep { session, place, at, kind } = step;
        let kind = match kind {
            StepKind::Follow => TurnStepKind::Follow,
            StepKind::Skip(end) => TurnStepKind::Skip(end),
            StepKind::Frame(frame) => TurnStepKind::Frame(frame),
            StepKind::Live(frame, entry) => TurnStepKind::Live(frame, entry),
            StepKind::Receipt(receipt, entry) => TurnStepKind::Receipt(receipt, entry),
            StepKind::Answer(answer) => TurnStepKind::Frame(answer?.into_packet().to_frame().into()),
            StepKind::Background(job) => TurnStepKind::Background(job?),
            StepKind::Told(number, answer) => TurnStepKind::Told(number, answer),
            StepKind::EndTransfer(transfer, code) => TurnStepKind::EndTransfer(transfer, code),
            StepKind::Charge(cost) => TurnStepKind::Charge(cost),
            StepKind::Close => TurnStepKind::Close,
            StepKind::Gone => TurnStepKind::Gone,
            StepKind::Open(_) | StepKind::Cutover(_) | StepKind::Nothing | StepKind::List(_) => return None,
        };
        Some(Self { session, place, at, kind })
    }

    fn into_step(self) -> OutputStep {
        let Self { session, place, at, kind } = self;
        let kind = match kind {
            TurnStepKind::Follow => StepKind::Follow,
            TurnStepKind::Skip(end) => StepKind::Skip(end),
            TurnStepKind::Frame(frame) => StepKind::Frame(frame),
            TurnStepKind::Live(frame, entry) => StepKind::Live(frame, entry),
            TurnStepKind::Receipt(receipt, entry) => StepKind::Receipt(receipt, entry),
            TurnStepKind::Background(job) => StepKind::Background(Some(job)),
            TurnStepKind::Told(number, answer) => StepKind::Told(number, answer),
            TurnStepKind::EndTransfer(transfer, code) => StepKind::EndTransfer(transfer, code),
            TurnStepKind::Charge(cost) => StepKind::Charge(cost),
            TurnStepKind::Close => StepKind::Close,
            TurnStepKind::Gone => StepKind::Gone,
        };
        OutputStep { session, place, at, kind }
    }
}
