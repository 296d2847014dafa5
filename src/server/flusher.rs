//! The fan-out: writes once per batch to each receiver, and wakes no task for it.
//!
//! Invariant: each session receives frames in the order of the hub's batches.

use super::backlog::Frames;
use super::connection::Connection;
use super::headed_buffer::HeadedBuffer;
use super::history::History;
use super::multicast::MulticastTests;
use super::output_batch::{BackgroundJob, OutputBatch, OutputStep, ReceiverList, StepKind};
use super::slots::Slots;
use super::vitals::Vitals;
use crate::chat::SessionId;
use crate::protocol::Event;
use bytes::Bytes;
use std::sync::Arc;

/// Steps for which to keep memory between batches.
const MAX_SPARE_STEPS: usize = 1024;

/// Bytes of `scratch` to keep between sessions.
const MAX_SCRATCH: usize = 64 * 1024;

/// Receivers to write before other tasks of this thread may run.
const WRITES_BEFORE_YIELD: usize = 256;

/// All open connections in one array.
#[derive(Debug)]
pub(super) struct Flusher {
    sessions: Slots<SessionRow>,
    /// `None`: the server keeps no history.
    history: Option<History>,
    multicast: MulticastTests,
    vitals: Vitals,
    /// The empty list of a batch's steps, for a later batch.
    pub(super) spare: Vec<OutputStep>,
    /// The frames of one session, while they are written.
    scratch: Vec<u8>,
    /// Number of the batch, to recognise sessions that were written singly.
    batch: u32,
}

#[derive(Debug)]
struct SessionRow {
    connection: Arc<Connection>,
    follows: bool,
    /// The number of the batch's list that it is in, [`SINGLY`], or 0; between batches it is 0.
    list: u16,
    written_in: u32,
}

/// Of a session that has steps of its own, or is in several lists.
const SINGLY: u16 = u16::MAX;

/// One per connection.
const _: () = assert!(size_of::<SessionRow>() <= 16);

impl Flusher {
    /// Of the server with that number.
    pub(super) fn new(node: u8, history: Option<History>, multicast: MulticastTests, vitals: Vitals) -> Self {
        let (sessions, spare, scratch) = (Slots::of(node), Vec::new(), Vec::new());
        Self { sessions, history, multicast, vitals, spare, scratch, batch: 0 }
    }

    /// The number of its server.
    pub(super) fn node(&self) -> u8 {
        self.sessions.node()
    }

    /// Writes a batch.
    pub(super) async fn flush(&mut self, batch: OutputBatch) {
        let (lists, lobby) = self.write_steps(batch);
        for (number, list) in (1..).zip(&lists) {
            self.write_list(number, list, &lobby).await;
        }
        if lobby.is_empty() {
            return;
        }
        // Only this call changes the table.
        for (n, (_, row)) in (1..).zip(self.sessions.iter()) {
            if row.follows && row.written_in != self.batch {
                row.connection.send(&lobby);
            }
            if n % WRITES_BEFORE_YIELD == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes a [small](OutputBatch::is_small) batch.
    pub(super) fn flush_small(&mut self, batch: OutputBatch) {
        let (lists, lobby) = self.write_steps(batch);
        debug_assert!(lists.is_empty() && lobby.is_empty(), "the batch is not small");
    }

    /// Writes to the sessions that have steps. Returns what is left for the others.
    fn write_steps(&mut self, mut batch: OutputBatch) -> (Vec<ReceiverList>, Frames) {
        self.batch = self.batch.wrapping_add(1);
        let mut steps = batch.take_steps();
        let lists = batch.take_lists();
        let lobby = Frames::with_headroom(batch.lobby.into_bytes());
        claim(&mut self.sessions, &mut steps, &lists);
        steps.sort_unstable_by_key(|step| (step.session, step.place));
        for steps in steps.chunk_by_mut(|one, other| one.session == other.session) {
            self.write_singly(steps, &lists, &lobby);
        }
        steps.clear();
        steps.shrink_to(MAX_SPARE_STEPS);
        self.spare = steps;
        (lists, lobby)
    }

    /// Writes to those sessions of a list who get the same: what follows the lobby, or what does not.
    async fn write_list(&mut self, number: usize, list: &ReceiverList, lobby: &Bytes) {
        let mut same: [Option<Frames>; 2] = [None, None];
        for (n, session) in (1..).zip(&*list.sessions) {
            let row = self.sessions.get_mut(*session).filter(|row| usize::from(row.list) == number);
            if let Some(row) = row {
                (row.list, row.written_in) = (0, self.batch);
                let frames = same[usize::from(row.follows)].get_or_insert_with(|| {
                    let mut steps: Vec<_> = list.frames.iter().map(|frame| frame.step(*session)).collect();
                    let mut frames = HeadedBuffer::default();
                    assemble(&mut steps, lobby, &mut row.follows, frames.end());
                    Frames::with_headroom(frames.into_bytes())
                });
                row.connection.send(frames);
            }
            if n % WRITES_BEFORE_YIELD == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes to a session that has steps of its own, in one go.
    fn write_singly(&mut self, steps: &mut [OutputStep], lists: &[ReceiverList], lobby: &Bytes) {
        let Some(session) = steps.first().map(|step| step.session) else { return };
        if let Some(OutputStep { kind: StepKind::Open(connection), .. }) = steps.first() {
            let row = SessionRow {
                follows: false,
                list: 0,
                written_in: self.batch,
                connection: Arc::clone(connection),
            };
            self.sessions.insert(session, row);
        }
        let Some(row) = self.sessions.get_mut(session) else { return };
        (row.list, row.written_in) = (0, self.batch);
        let mut merged = Vec::new();
        let steps = with_lists(steps, lists, &mut merged);
        self.scratch.clear();
        let fate = assemble(steps, lobby, &mut row.follows, &mut self.scratch);
        row.connection.send_own(&self.scratch);
        self.scratch.shrink_to(MAX_SCRATCH);
        steps.iter_mut().for_each(tell_written);
        // After the write, so that the answer follows the welcome.
        for job in steps.iter_mut().filter_map(background_job) {
            let connection = Arc::clone(&row.connection);
            match (job, &self.history) {
                (BackgroundJob::Multicast { echo, token }, _) => self.multicast.run(connection, echo, token),
                (BackgroundJob::Status { echo }, _) => send_status(connection, echo, self.vitals.clone()),
                (BackgroundJob::CatchUp { since, latest }, Some(history)) => {
                    history.catch_up(connection, since, latest);
                }
                (BackgroundJob::Answer { echo, question }, Some(history)) => {
                    history.ask(connection, echo, question);
                }
                (_, None) => {}
            }
        }
        if fate != Fate::Stays {
            row.follows = false;
            row.connection.finish_after(&self.scratch);
            if let Some(history) = &self.history {
                history.gone(&row.connection);
            }
        }
        if fate == Fate::IsGone {
            self.sessions.remove(session);
        }
    }
}

/// Sends an operator the server's numbers. In a task, as the disk may take time.
fn send_status(connection: Arc<Connection>, echo: Option<String>, vitals: Vitals) {
    tokio::spawn(async move {
        let event = Event::Status { status: Box::new(vitals.numbers().await) };
        // An operator who has left gets nothing.
        connection.send(&event.into_packet("", echo).to_frame().into());
    });
}

/// Finds the sessions that get the same as others of their list, and adds a step for each list of others.
fn claim(sessions: &mut Slots<SessionRow>, steps: &mut Vec<OutputStep>, lists: &[ReceiverList]) {
    if lists.is_empty() {
        return;
    }
    for step in &*steps {
        sessions.get_mut(step.session).into_iter().for_each(|row| row.list = SINGLY);
    }
    let numbered = || (1..).map(|number: usize| u16::try_from(number).unwrap_or(SINGLY)).zip(lists);
    for (number, list) in numbered() {
        for session in &*list.sessions {
            let Some(row) = sessions.get_mut(*session) else { continue };
            row.list = if row.list == 0 { number } else { SINGLY };
        }
        for except in list.frames.iter().filter_map(|frame| frame.except) {
            let row = sessions.get_mut(except).filter(|row| row.list == number);
            row.into_iter().for_each(|row| row.list = SINGLY);
        }
    }
    for (index, (number, list)) in numbered().enumerate() {
        let shares = |session: &&SessionId| {
            sessions.get(**session).is_some_and(|row| row.list == number && number != SINGLY)
        };
        let others = list.sessions.iter().filter(|session| !shares(session));
        // Behind the others, as what a list holds has places of its own.
        let step = |session: &SessionId| OutputStep {
            session: *session,
            place: u32::MAX,
            at: 0,
            kind: StepKind::List(index),
        };
        steps.extend(others.map(step));
    }
}

/// A session's steps with the frames of its lists in their places.
fn with_lists<'a>(
    steps: &'a mut [OutputStep],
    lists: &[ReceiverList],
    merged: &'a mut Vec<OutputStep>,
) -> &'a mut [OutputStep] {
    if !steps.iter().any(|step| matches!(step.kind, StepKind::List(_))) {
        return steps;
    }
    for step in steps {
        let OutputStep { session, place, at, .. } = *step;
        match std::mem::replace(&mut step.kind, StepKind::Nothing) {
            StepKind::List(list) => {
                let frames = lists[list].frames.iter().filter(|frame| frame.except != Some(session));
                merged.extend(frames.map(|frame| frame.step(session)));
            }
            kind => merged.push(OutputStep { session, place, at, kind }),
        }
    }
    merged.sort_unstable_by_key(|step| step.place);
    merged
}

fn tell_written(step: &mut OutputStep) {
    if let StepKind::Cutover(cutover) = &mut step.kind
        && let Some(written) = cutover.written.take()
    {
        // If the session is gone, nobody waits.
        let _ = written.send(cutover.remainder);
    }
}

fn background_job(step: &mut OutputStep) -> Option<BackgroundJob> {
    match &mut step.kind {
        StepKind::Background(job) => job.take().map(|job| *job),
        _ => None,
    }
}

/// The state of a session after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// The server ends it.
    Ends,
    /// The peer has ended it. A peer that only closed its sending half (`... | nc`) still reads.
    IsGone,
}

/// Appends all frames for one session, in order.
fn assemble(steps: &mut [OutputStep], lobby: &Bytes, follows: &mut bool, frames: &mut Vec<u8>) -> Fate {
    let mut from = 0;
    let mut fate = Fate::Stays;
    for step in steps {
        if *follows {
            frames.extend_from_slice(&lobby[from..step.at]);
            from = step.at;
        }
        match &mut step.kind {
            StepKind::Open(_)
            | StepKind::Background(_)
            | StepKind::Nothing
            | StepKind::Told(..)
            | StepKind::EndTransfer(..)
            | StepKind::Charge(_)
            | StepKind::List(_) => {}
            StepKind::Follow => {
                *follows = true;
                from = step.at;
            }
            StepKind::Answer(answer) if fate == Fate::Stays => {
                answer.take().into_iter().for_each(|answer| answer.into_packet().write_to(frames));
            }
            StepKind::Cutover(cutover) if fate == Fate::Stays => {
                frames.extend_from_slice(&cutover.frames);
                *follows = cutover.remainder.is_none();
                from = step.at;
            }
            StepKind::Skip(end) => from = *end,
            StepKind::Frame(frame) if fate == Fate::Stays => frames.extend_from_slice(frame),
            StepKind::Live(frame, _) if fate == Fate::Stays && *follows => frames.extend_from_slice(frame),
            StepKind::Receipt(receipt, _) if fate == Fate::Stays => receipt.take_packet().write_to(frames),
            StepKind::Answer(_)
            | StepKind::Cutover(_)
            | StepKind::Frame(_)
            | StepKind::Live(..)
            | StepKind::Receipt(..) => {}
            StepKind::Close => fate = Fate::Ends,
            StepKind::Gone => fate = Fate::IsGone,
        }
        // Nothing follows the end.
        *follows &= fate == Fate::Stays;
    }
    if *follows {
        frames.extend_from_slice(&lobby[from..]);
    }
    fate
}

#[cfg(test)]
mod tests {
    use super::super::cutover::Cutover;
    use super::super::output_batch::{Liveness, Receivers, TurnNews};
    use super::*;
    use crate::chat::{Entry, Receipt, View};
    use crate::protocol::{Event, Packet};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::ops::Range;

    const SESSION: SessionId = SessionId(7);

    fn step(at: usize, kind: StepKind) -> OutputStep {
        OutputStep { session: SESSION, place: 0, at, kind }
    }

    fn assembled(follows: bool, steps: &mut [OutputStep]) -> (String, Fate) {
        let mut frames = Vec::new();
        let fate = assemble(steps, &Bytes::from_static(b"abcdef"), &mut { follows }, &mut frames);
        (String::from_utf8_lossy(&frames).into_owned(), fate)
    }

    fn stays(text: &str) -> (String, Fate) {
        (text.into(), Fate::Stays)
    }

    fn frame(text: &'static str) -> StepKind {
        StepKind::Frame(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn own_frames_stand_where_they_happened() {
        assert_eq!(assembled(true, &mut [step(2, frame("1")), step(4, frame("2"))]), stays("ab1cd2ef"));
    }

    #[test]
    fn a_sender_gets_its_receipt_in_the_place_of_its_message() {
        assert_eq!(assembled(true, &mut [step(2, frame("!")), step(2, StepKind::Skip(4))]), stays("ab!ef"));
    }

    #[test]
    fn a_late_follower_gets_only_later_frames() {
        assert_eq!(assembled(false, &mut [step(1, frame("!")), step(3, StepKind::Follow)]), stays("!def"));
        assert_eq!(assembled(false, &mut [step(1, frame("!"))]), stays("!"));
        assert_eq!(assembled(false, &mut [step(1, frame("!")), step(1, StepKind::Skip(3))]), stays("!"));
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let mut steps =
            [step(2, frame("!")), step(3, StepKind::Close), step(4, frame("?")), step(5, StepKind::Gone)];
        assert_eq!(assembled(true, &mut steps[..3]), ("ab!c".into(), Fate::Ends));
        assert_eq!(assembled(true, &mut steps), ("ab!c".into(), Fate::IsGone));
    }

    #[test]
    fn a_peer_that_closed_its_sending_half_still_gets_its_answers() {
        assert_eq!(
            assembled(false, &mut [step(0, frame("!")), step(0, StepKind::Gone)]),
            ("!".into(), Fate::IsGone)
        );
    }

    fn packet(text: &str) -> Packet {
        Event::Notice(text.into()).to_packet("", None)
    }

    fn receipt(n: usize) -> Receipt {
        let session = SessionId(u64::try_from(n % 3).expect("small"));
        let (to, id, ts) = (String::new(), n.to_string(), String::new());
        Receipt { session, to, id, seq: Some(9), ts, waits: None, away: None, stored: true, refusal: None }
    }

    /// A batch of these messages of three sessions, every other to the lobby, but for those of `without`.
    fn batch(messages: Range<usize>, without: &[usize]) -> OutputBatch {
        let mut batch = OutputBatch::default();
        for n in messages {
            let (receipt, known) = (receipt(n), without.contains(&n));
            let sender = receipt.session;
            let entry = batch.keep(Entry::Offer(0, None));
            batch.step(sender, StepKind::Receipt(Box::new(receipt), Some(entry)));
            let everyone = || Arc::new((0..3).map(SessionId).collect());
            match n % 6 {
                // Those who came, and an answer for many: no message.
                3 => batch.send(&packet("x"), Receivers::Shared(everyone(), None), Liveness::Live(None)),
                4 => batch.send(&packet("y"), Receivers::Shared(everyone(), None), Liveness::Own),
                _ if known => {}
                0 | 2 => batch.lobby(&packet(&n.to_string()), &[sender], Some(entry)),
                1 => {
                    batch.send(
                        &packet(&n.to_string()),
                        Receivers::Shared(everyone(), Some(sender)),
                        Liveness::Live(Some(entry)),
                    );
                }
                _ => batch.send(
                    &packet(&n.to_string()),
                    Receivers::These(vec![SessionId((sender.0 + 1) % 3)]),
                    Liveness::Live(Some(entry)),
                ),
            }
        }
        batch
    }

    /// The frames of each session, if it follows the lobby or not.
    fn written_to(mut batch: OutputBatch, follows: bool) -> Vec<String> {
        let (mut steps, lists) = (batch.take_steps(), batch.take_lists());
        let lobby = Bytes::copy_from_slice(&batch.lobby);
        claim(&mut Slots::default(), &mut steps, &lists);
        steps.sort_unstable_by_key(|step| (step.session, step.place));
        let of = |steps: &mut [OutputStep]| {
            let mut frames = Vec::new();
            let mut merged = Vec::new();
            assemble(with_lists(steps, &lists, &mut merged), &lobby, &mut { follows }, &mut frames);
            frames
        };
        steps
            .chunk_by_mut(|one, other| one.session == other.session)
            .map(|steps| String::from_utf8(of(steps)).expect("text"))
            .collect()
    }

    fn written(batch: OutputBatch) -> Vec<String> {
        written_to(batch, true)
    }

    proptest! {
        #[test]
        fn a_message_cut_out_of_a_batch_was_never_in_it(count in 1..24_usize, known in proptest::collection::vec(0..24_usize, 0..9)) {
            let known: Vec<usize> = known.into_iter().filter(|n| *n < count).collect::<BTreeSet<_>>().into_iter().collect();
            let mut whole = batch(0..count, &[]);
            whole.cut(&known, |_, receipt| receipt.stored = true);
            prop_assert_eq!(written(whole), written(batch(0..count, &known)));
        }

        #[test]
        fn several_turns_that_are_written_as_one_batch_read_as_if_the_rules_had_made_one(
            count in 1..24_usize,
            cuts in proptest::collection::vec(0..24_usize, 0..5),
            known in proptest::collection::btree_set(0..24_usize, 0..9),
            follows: bool,
        ) {
            let known: Vec<usize> = known.into_iter().filter(|n| *n < count).collect();
            let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(count)).chain([count]).collect();
            ends.sort_unstable();
            let mut start = 0;
            let turns = ends.into_iter().map(|end| {
                let news = TurnNews { before: 0, present: 0 };
                let body = batch(std::mem::replace(&mut start, end)..end, &[]).into_turn(news);
                OutputBatch::from_turn(&body, 0).expect("a turn").0
            });
            let mut whole = turns.reduce(|mut whole, turn| {
                whole.append(turn);
                whole
            }).expect("a turn");
            whole.cut(&known, |_, _| {});
            prop_assert_eq!(whole.entries.len(), count);
            prop_assert_eq!(written_to(whole, follows), written_to(batch(0..count, &known), follows));
        }
    }

    #[test]
    fn a_frame_for_many_keeps_its_position_and_skips_one_receiver() {
        let sessions = Arc::new((0..3).map(SessionId).collect::<Vec<_>>());
        let mut batch = OutputBatch::default();
        let one = |text: &str| (packet(text), Receivers::These(vec![SESSION]));
        let (before, to) = one("before");
        batch.send(&before, to, Liveness::Own);
        let sessions = Arc::new([sessions.as_slice(), &[SESSION]].concat());
        let shared = Receivers::Shared(Arc::clone(&sessions), Some(SessionId(1)));
        batch.send(&packet("many"), shared, Liveness::Live(None));
        let (after, to) = one("after");
        batch.send(&after, to, Liveness::Own);
        batch.send(&packet("last"), Receivers::Shared(sessions, None), Liveness::Own);
        let all = written(batch);
        let texts: Vec<Vec<&str>> = all
            .iter()
            .map(|frames| {
                let known = ["before", "many", "after", "last"].into_iter();
                let mut found: Vec<_> = known.filter_map(|text| Some((frames.find(text)?, text))).collect();
                found.sort_unstable();
                found.into_iter().map(|(_, text)| text).collect()
            })
            .collect();
        assert_eq!(
            texts,
            [
                vec!["many", "last"],
                vec!["last"],
                vec!["many", "last"],
                vec!["before", "many", "after", "last"]
            ]
        );
    }

    #[test]
    fn a_cutover_sends_the_missed_messages_and_then_the_live_stream() {
        let cutover = Cutover {
            others: Default::default(),
            view: View::default(),
            after: 1,
            upto: 2,
            known: 1,
            summary: None,
            frames: b"missed".to_vec(),
            remainder: None,
            written: None,
        };
        let live = |text: &'static str| StepKind::Live(Bytes::from_static(text.as_bytes()), None);
        let mut steps = [
            step(1, live("1")),
            step(2, frame("!")),
            step(3, StepKind::Cutover(Box::new(cutover))),
            step(4, live("2")),
        ];
        assert_eq!(assembled(false, &mut steps), stays("!missedd2ef"));
    }

    #[test]
    fn a_single_frame_of_its_own_hides_nothing_of_the_lobby() {
        assert_eq!(assembled(true, &mut [step(2, frame("!"))]), stays("ab!cdef"));
        assert_eq!(assembled(false, &mut [step(2, frame("!"))]), stays("!"));
    }

    #[test]
    fn receipts_and_cutovers_are_written_until_the_end() {
        let receipt = || StepKind::Receipt(Box::new(receipt(1)), None);
        let (text, fate) =
            assembled(false, &mut [step(0, receipt()), step(0, StepKind::Close), step(0, receipt())]);
        assert_eq!(fate, Fate::Ends);
        assert_eq!(text.matches(r#""type":"sent""#).count(), 1, "{text}");
        let cutover = || {
            let frames = b"missed".to_vec();
            let view = View::default();
            StepKind::Cutover(Box::new(Cutover {
                view,
                others: Default::default(),
                after: 0,
                upto: 1,
                known: 0,
                summary: None,
                frames,
                remainder: None,
                written: None,
            }))
        };
        assert_eq!(assembled(false, &mut [step(4, cutover())]), stays("missedef"));
        assert_eq!(
            assembled(false, &mut [step(4, StepKind::Close), step(4, cutover())]),
            (String::new(), Fate::Ends)
        );
    }
}
