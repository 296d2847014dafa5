//! The fan-out: one task that writes each receiver once a turn.
//!
//! While it writes, readers gather the next turn, so a busy room is written in batches and an idle
//! one message by message, with no timer. It wakes no task of a receiver and owns the table it
//! walks, so it shares no lock with the readers but the swap of turns.
//!
//! Invariant: what a session gets, it gets in the order of the hub's turns.

use super::backlog::Frames;
use super::connection::Connection;
use super::history::History;
use super::hub::Hub;
use super::multicast::{Asked, Multicast};
use super::scribe::Scribe;
use super::slots::Slots;
use super::turn::{Errand, Step, Turn, What};
use bytes::Bytes;
use std::sync::Arc;

/// Receivers written before other tasks of the thread get their turn.
const WRITES_BEFORE_YIELD: usize = 256;

/// All open connections, side by side, so that the fan-out is a walk over an array.
#[derive(Debug, Default)]
struct Table {
    seats: Slots<Seat>,
    /// Whom errands are given to; `None`: nothing is kept, and there are none.
    history: Option<History>,
    /// Who does tests of multicast.
    multicast: Multicast,
    /// Number of the turn, so that seats written singly are skipped in the walk.
    turn: u32,
}

#[derive(Debug)]
struct Seat {
    connection: Arc<Connection>,
    follows: bool,
    written_in: u32,
}

/// Runs until the hub is closed and its last turn kept and written.
pub(super) async fn run(hub: Arc<Hub>, mut scribe: Scribe, history: Option<History>, multicast: Multicast) {
    let mut table = Table { history, multicast, ..Table::default() };
    loop {
        let turn = tokio::select! {
            turn = hub.next_turn() => turn,
            found = scribe.due() => {
                scribe.mend(found).await;
                continue;
            }
        };
        let Some(mut turn) = turn else { break };
        scribe.settle(&mut turn).await;
        table.flush(turn).await;
    }
    // Its tasks read the store.
    drop(table);
    scribe.close().await;
}

impl Table {
    async fn flush(&mut self, mut turn: Turn) {
        self.turn = self.turn.wrapping_add(1);
        let mut steps = turn.take_steps();
        let lobby = Frames::from(turn.lobby);
        // Stable: a session's steps stay in their order.
        steps.sort_by_key(|step| step.session);
        for steps in steps.chunk_by_mut(|one, other| one.session == other.session) {
            self.write_singly(steps, &lobby);
        }
        if lobby.is_empty() {
            return;
        }
        // The table can't change meanwhile: only this task touches it.
        for (n, (_, seat)) in (1..).zip(self.seats.iter()) {
            if seat.follows && seat.written_in != self.turn {
                seat.connection.send(&lobby);
            }
            if n % WRITES_BEFORE_YIELD == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes what is for a session that has steps of its own, in one go.
    fn write_singly(&mut self, steps: &mut [Step], lobby: &Bytes) {
        let Some(session) = steps.first().map(|step| step.session) else { return };
        if let Some(Step { what: What::Open(connection), .. }) = steps.first() {
            self.open(Arc::clone(connection));
        }
        let Some(seat) = self.seats.get_mut(session) else { return };
        seat.written_in = self.turn;
        let (frames, fate) = assemble(steps, lobby, &mut seat.follows);
        seat.connection.send(&frames.into());
        steps.iter_mut().for_each(tell_written);
        // After what was sent, so that it comes behind the welcome.
        for errand in steps.iter_mut().filter_map(errand) {
            if let Some(history) = &self.history {
                history.run(Arc::clone(&seat.connection), errand);
            }
        }
        for asked in steps.iter_mut().filter_map(asked) {
            self.multicast.run(Arc::clone(&seat.connection), asked);
        }
        if fate != Fate::Stays {
            seat.follows = false;
            seat.connection.finish();
            if let Some(history) = &self.history {
                history.gone(&seat.connection);
            }
        }
        if fate == Fate::IsGone {
            self.seats.remove(session);
        }
    }

    fn open(&mut self, connection: Arc<Connection>) {
        let seat = Seat { follows: false, written_in: self.turn, connection };
        self.seats.insert(seat.connection.id(), seat);
    }
}

fn tell_written(step: &mut Step) {
    if let What::Seam(seam) = &mut step.what
        && let Some(written) = seam.written.take()
    {
        // Nobody waits any more if the session is gone.
        let _ = written.send(seam.rest);
    }
}

fn errand(step: &mut Step) -> Option<Errand> {
    match &mut step.what {
        What::Errand(errand) => errand.take().map(|errand| *errand),
        _ => None,
    }
}

fn asked(step: &mut Step) -> Option<Asked> {
    match &mut step.what {
        What::Multicast(asked) => asked.take().map(|asked| *asked),
        _ => None,
    }
}

/// What becomes of a session in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// It ends from this side.
    Ends,
    /// Its peer has ended it. A peer that only closed its sending half (`... | nc`) still reads.
    IsGone,
}

/// What is for one session, in order.
fn assemble(steps: &mut [Step], lobby: &Bytes, follows: &mut bool) -> (Bytes, Fate) {
    if let [Step { what: What::Frame(frame), .. }] = steps
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
        match &mut step.what {
            What::Open(_) | What::Errand(_) | What::Multicast(_) | What::Nothing => {}
            What::Follow => {
                *follows = true;
                from = step.at;
            }
            What::Answer(answer) if fate == Fate::Stays => {
                answer.take().into_iter().for_each(|answer| answer.into_packet().write_to(&mut frames));
            }
            What::Seam(seam) if fate == Fate::Stays => {
                frames.extend_from_slice(&seam.frames);
                *follows = seam.rest.is_none();
                from = step.at;
            }
            What::Skip(end) => from = *end,
            What::Frame(frame) if fate == Fate::Stays => frames.extend_from_slice(frame),
            What::Live(frame, _) if fate == Fate::Stays && *follows => frames.extend_from_slice(frame),
            What::Receipt(receipt, _) if fate == Fate::Stays => receipt.to_packet().write_to(&mut frames),
            What::Answer(_) | What::Seam(_) | What::Frame(_) | What::Live(..) | What::Receipt(..) => {}
            What::Close => fate = Fate::Ends,
            What::Gone => fate = Fate::IsGone,
        }
        // Nothing comes after the end.
        *follows &= fate == Fate::Stays;
    }
    if *follows {
        frames.extend_from_slice(&lobby[from..]);
    }
    (frames.into(), fate)
}

#[cfg(test)]
mod tests {
    use super::super::turn::{Receivers, Seam};
    use super::*;
    use crate::chat::{Receipt, SessionId, View};
    use crate::protocol::{Event, Packet};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SESSION: SessionId = SessionId(7);

    fn step(at: usize, what: What) -> Step {
        Step { session: SESSION, at, what }
    }

    fn assembled(follows: bool, steps: &mut [Step]) -> (String, Fate) {
        let (frames, fate) = assemble(steps, &Bytes::from_static(b"abcdef"), &mut { follows });
        (String::from_utf8_lossy(&frames).into_owned(), fate)
    }

    fn stays(text: &str) -> (String, Fate) {
        (text.into(), Fate::Stays)
    }

    fn frame(text: &'static str) -> What {
        What::Frame(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn own_frames_stand_where_they_happened() {
        assert_eq!(assembled(true, &mut [step(2, frame("1")), step(4, frame("2"))]), stays("ab1cd2ef"));
    }

    #[test]
    fn a_sender_gets_its_receipt_in_the_place_of_its_message() {
        assert_eq!(assembled(true, &mut [step(2, frame("!")), step(2, What::Skip(4))]), stays("ab!ef"));
    }

    #[test]
    fn who_follows_late_gets_only_what_comes_after() {
        assert_eq!(assembled(false, &mut [step(1, frame("!")), step(3, What::Follow)]), stays("!def"));
        assert_eq!(assembled(false, &mut [step(1, frame("!"))]), stays("!"));
        assert_eq!(assembled(false, &mut [step(1, frame("!")), step(1, What::Skip(3))]), stays("!"));
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let mut steps = [step(2, frame("!")), step(3, What::Close), step(4, frame("?")), step(5, What::Gone)];
        assert_eq!(assembled(true, &mut steps[..3]), ("ab!c".into(), Fate::Ends));
        assert_eq!(assembled(true, &mut steps), ("ab!c".into(), Fate::IsGone));
    }

    #[test]
    fn a_peer_that_closed_its_sending_half_still_gets_its_answers() {
        assert_eq!(
            assembled(false, &mut [step(0, frame("!")), step(0, What::Gone)]),
            ("!".into(), Fate::IsGone)
        );
    }

    fn packet(text: &str) -> Packet {
        Event::Notice(text.into()).to_packet("", None)
    }

    fn receipt(n: usize) -> Receipt {
        let session = SessionId(u64::try_from(n % 3).expect("small"));
        let (to, id, ts) = (String::new(), n.to_string(), String::new());
        Receipt { session, to, id, seq: Some(9), ts, waits: None, stored: true, refusal: None }
    }

    /// A turn of that many messages of three sessions, every other to the lobby, but for those of `without`.
    fn turn(count: usize, without: &[usize]) -> Turn {
        let mut turn = Turn::default();
        for n in 0..count {
            let (receipt, known) = (receipt(n), without.contains(&n));
            let sender = receipt.session;
            turn.step(sender, What::Receipt(Box::new(receipt), Some(n)));
            match n % 4 {
                _ if known => {}
                0 | 2 => turn.lobby(&packet(&n.to_string()), &[sender], Some(n)),
                1 => {
                    let sessions = Arc::new((0..3).map(SessionId).collect());
                    turn.live(&packet(&n.to_string()), Receivers::Shared(sessions, Some(sender)), Some(n));
                }
                _ => turn.live(
                    &packet(&n.to_string()),
                    Receivers::These(vec![SessionId((sender.0 + 1) % 3)]),
                    Some(n),
                ),
            }
        }
        turn
    }

    fn written(mut turn: Turn) -> Vec<String> {
        let mut steps = turn.take_steps();
        let lobby = Bytes::from(turn.lobby);
        steps.sort_by_key(|step| step.session);
        let of = |steps: &mut [Step]| assemble(steps, &lobby, &mut true).0;
        steps
            .chunk_by_mut(|one, other| one.session == other.session)
            .map(|steps| String::from_utf8(of(steps).to_vec()).expect("text"))
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_cut_out_of_a_turn_was_never_in_it(count in 1..24_usize, known in proptest::collection::vec(0..24_usize, 0..9)) {
            let known: Vec<usize> = known.into_iter().filter(|n| *n < count).collect::<BTreeSet<_>>().into_iter().collect();
            let mut whole = turn(count, &[]);
            whole.cut(&known, |_, receipt| receipt.stored = true);
            prop_assert_eq!(written(whole), written(turn(count, &known)));
        }
    }

    #[test]
    fn what_many_get_stands_where_it_happened_and_one_of_them_gets_nothing() {
        let sessions = Arc::new((0..3).map(SessionId).collect::<Vec<_>>());
        let mut turn = Turn::default();
        let one = |text: &str| (packet(text), Receivers::These(vec![SESSION]));
        let (before, to) = one("before");
        turn.direct(&before, to);
        let sessions = Arc::new([sessions.as_slice(), &[SESSION]].concat());
        turn.live(&packet("many"), Receivers::Shared(Arc::clone(&sessions), Some(SessionId(1))), None);
        let (after, to) = one("after");
        turn.direct(&after, to);
        turn.direct(&packet("last"), Receivers::Shared(sessions, None));
        let all = written(turn);
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
    fn a_seam_is_what_was_missed_and_then_the_live_stream() {
        let seam = Seam {
            view: View::default(),
            after: 1,
            upto: 2,
            mark: None,
            frames: b"missed".to_vec(),
            rest: None,
            written: None,
        };
        let live = |text: &'static str| What::Live(Bytes::from_static(text.as_bytes()), None);
        let mut steps = [
            step(1, live("1")),
            step(2, frame("!")),
            step(3, What::Seam(Box::new(seam))),
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
    fn receipts_and_seams_are_written_until_the_end() {
        let receipt = || What::Receipt(Box::new(receipt(1)), None);
        let (text, fate) =
            assembled(false, &mut [step(0, receipt()), step(0, What::Close), step(0, receipt())]);
        assert_eq!(fate, Fate::Ends);
        assert_eq!(text.matches(r#""type":"sent""#).count(), 1, "{text}");
        let seam = || {
            let frames = b"missed".to_vec();
            let view = View::default();
            What::Seam(Box::new(Seam {
                view,
                after: 0,
                upto: 1,
                mark: None,
                frames,
                rest: None,
                written: None,
            }))
        };
        assert_eq!(assembled(false, &mut [step(4, seam())]), stays("missedef"));
        assert_eq!(
            assembled(false, &mut [step(4, What::Close), step(4, seam())]),
            (String::new(), Fate::Ends)
        );
    }
}
