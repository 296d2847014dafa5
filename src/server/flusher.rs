//! The fan-out: one task that writes once per batch to each receiver.
//!
//! While it writes, the next batch fills. So a busy room is written in batches and an idle one message by
//! message, without a timer. It wakes no task per receiver and owns its table, so all that it shares with the
//! reactor is the swap of batches.
//!
//! Invariant: each session receives frames in the order of the hub's batches.

use super::backlog::Frames;
use super::connection::Connection;
use super::history::History;
use super::hub::Hub;
use super::multicast::MulticastTests;
use super::output_batch::{BackgroundJob, OutputBatch, OutputStep, StepKind};
use super::persister::Persister;
use super::slots::Slots;
use super::vitals::Vitals;
use crate::protocol::Event;
use bytes::Bytes;
use std::sync::Arc;

/// Receivers to write before other tasks of this thread may run.
const WRITES_BEFORE_YIELD: usize = 256;

/// All open connections in one array.
#[derive(Debug)]
struct Flusher {
    sessions: Slots<SessionRow>,
    /// `None`: the server keeps no history.
    history: Option<History>,
    multicast: MulticastTests,
    vitals: Vitals,
    /// Number of the batch, to recognise sessions that were written singly.
    batch: u32,
}

#[derive(Debug)]
struct SessionRow {
    connection: Arc<Connection>,
    follows: bool,
    written_in: u32,
}

/// Runs until the hub is closed and its last batch is stored and written.
pub(super) async fn run(
    hub: Arc<Hub>,
    mut persister: Persister,
    history: Option<History>,
    multicast: MulticastTests,
    vitals: Vitals,
) {
    let (sessions, batch) = (Slots::default(), 0);
    let mut flusher = Flusher { sessions, history, multicast, vitals, batch };
    loop {
        let batch = tokio::select! {
            batch = hub.next_batch() => batch,
            found = persister.next_retry() => {
                persister.retry(found).await;
                continue;
            }
        };
        let Some(mut batch) = batch else { break };
        persister.persist(&mut batch).await;
        flusher.flush(batch).await;
    }
    // Its tasks read the store.
    drop(flusher);
    persister.close().await;
}

impl Flusher {
    async fn flush(&mut self, mut batch: OutputBatch) {
        self.batch = self.batch.wrapping_add(1);
        let mut steps = batch.take_steps();
        let lobby = Frames::from(batch.lobby);
        // A stable sort: each session's steps stay in order.
        steps.sort_by_key(|step| step.session);
        for steps in steps.chunk_by_mut(|one, other| one.session == other.session) {
            self.write_singly(steps, &lobby);
        }
        if lobby.is_empty() {
            return;
        }
        // Only this task changes the table.
        for (n, (_, row)) in (1..).zip(self.sessions.iter()) {
            if row.follows && row.written_in != self.batch {
                row.connection.send(&lobby);
            }
            if n % WRITES_BEFORE_YIELD == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes to a session that has steps of its own, in one go.
    fn write_singly(&mut self, steps: &mut [OutputStep], lobby: &Bytes) {
        let Some(session) = steps.first().map(|step| step.session) else { return };
        if let Some(OutputStep { kind: StepKind::Open(connection), .. }) = steps.first() {
            let row =
                SessionRow { follows: false, written_in: self.batch, connection: Arc::clone(connection) };
            self.sessions.insert(session, row);
        }
        let Some(row) = self.sessions.get_mut(session) else { return };
        row.written_in = self.batch;
        let (frames, fate) = assemble(steps, lobby, &mut row.follows);
        row.connection.send(&frames.into());
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
            row.connection.finish();
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

/// Joins all frames for one session, in order.
fn assemble(steps: &mut [OutputStep], lobby: &Bytes, follows: &mut bool) -> (Bytes, Fate) {
    if let [OutputStep { kind: StepKind::Frame(frame), .. }] = steps
        && (lobby.is_empty() || !*follows)
    {
        return (frame.clone(), Fate::Stays);
    }
    let mut frames = Vec::new();
    let mut from = 0;
    let mut fate = Fate::Stays;
    for step in steps {
        if *follows {
            frames.extend_from_slice(&lobby[from..step.at]);
            from = step.at;
        }
        match &mut step.kind {
            StepKind::Open(_) | StepKind::Background(_) | StepKind::Nothing => {}
            StepKind::Follow => {
                *follows = true;
                from = step.at;
            }
            StepKind::Answer(answer) if fate == Fate::Stays => {
                answer.take().into_iter().for_each(|answer| answer.into_packet().write_to(&mut frames));
            }
            StepKind::Cutover(cutover) if fate == Fate::Stays => {
                frames.extend_from_slice(&cutover.frames);
                *follows = cutover.remainder.is_none();
                from = step.at;
            }
            StepKind::Skip(end) => from = *end,
            StepKind::Frame(frame) if fate == Fate::Stays => frames.extend_from_slice(frame),
            StepKind::Live(frame, _) if fate == Fate::Stays && *follows => frames.extend_from_slice(frame),
            StepKind::Receipt(receipt, _) if fate == Fate::Stays => receipt.to_packet().write_to(&mut frames),
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
    (frames.into(), fate)
}

#[cfg(test)]
mod tests {
    use super::super::output_batch::{Cutover, Liveness, Receivers};
    use super::*;
    use crate::chat::{Receipt, SessionId, View};
    use crate::protocol::{Event, Packet};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SESSION: SessionId = SessionId(7);

    fn step(at: usize, kind: StepKind) -> OutputStep {
        OutputStep { session: SESSION, at, kind }
    }

    fn assembled(follows: bool, steps: &mut [OutputStep]) -> (String, Fate) {
        let (frames, fate) = assemble(steps, &Bytes::from_static(b"abcdef"), &mut { follows });
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

    /// A batch of that many messages of three sessions, every other to the lobby, but for those of `without`.
    fn batch(count: usize, without: &[usize]) -> OutputBatch {
        let mut batch = OutputBatch::default();
        for n in 0..count {
            let (receipt, known) = (receipt(n), without.contains(&n));
            let sender = receipt.session;
            batch.step(sender, StepKind::Receipt(Box::new(receipt), Some(n)));
            match n % 4 {
                _ if known => {}
                0 | 2 => batch.lobby(&packet(&n.to_string()), &[sender], Some(n)),
                1 => {
                    let sessions = Arc::new((0..3).map(SessionId).collect());
                    batch.send(
                        &packet(&n.to_string()),
                        Receivers::Shared(sessions, Some(sender)),
                        Liveness::Live(Some(n)),
                    );
                }
                _ => batch.send(
                    &packet(&n.to_string()),
                    Receivers::These(vec![SessionId((sender.0 + 1) % 3)]),
                    Liveness::Live(Some(n)),
                ),
            }
        }
        batch
    }

    fn written(mut batch: OutputBatch) -> Vec<String> {
        let mut steps = batch.take_steps();
        let lobby = Bytes::from(batch.lobby);
        steps.sort_by_key(|step| step.session);
        let of = |steps: &mut [OutputStep]| assemble(steps, &lobby, &mut true).0;
        steps
            .chunk_by_mut(|one, other| one.session == other.session)
            .map(|steps| String::from_utf8(of(steps).to_vec()).expect("text"))
            .collect()
    }

    proptest! {
        #[test]
        fn a_message_cut_out_of_a_batch_was_never_in_it(count in 1..24_usize, known in proptest::collection::vec(0..24_usize, 0..9)) {
            let known: Vec<usize> = known.into_iter().filter(|n| *n < count).collect::<BTreeSet<_>>().into_iter().collect();
            let mut whole = batch(count, &[]);
            whole.cut(&known, |_, receipt| receipt.stored = true);
            prop_assert_eq!(written(whole), written(batch(count, &known)));
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
