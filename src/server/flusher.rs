//! The fan-out: one task that writes each receiver once a turn.
//!
//! While it writes, readers gather the next turn, so a busy room is written in batches and an idle
//! one message by message, with no timer. It wakes no task of a receiver and owns the table it
//! walks, so it shares no lock with the readers but the swap of turns.
//!
//! Invariant: what a session gets, it gets in the order of the hub's turns.

use super::connection::Connection;
use super::hub::Hub;
use super::turn::{Step, Turn, What};
use crate::chat::SessionId;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// Receivers written before other tasks of the thread get their turn.
const WRITES_BEFORE_YIELD: usize = 256;

/// All open connections, densely, so that the fan-out is a walk over an array.
#[derive(Debug, Default)]
struct Table {
    seats: Vec<Seat>,
    places: HashMap<SessionId, usize>,
    /// Number of the turn, so that seats written singly are skipped in the walk.
    turn: u64,
}

#[derive(Debug)]
struct Seat {
    connection: Arc<Connection>,
    follows: bool,
    written_in: u64,
}

/// Runs until the hub is closed and its last turn written.
pub(super) async fn run(hub: Arc<Hub>) {
    let mut table = Table::default();
    while let Some(turn) = hub.next_turn().await {
        table.flush(turn).await;
    }
}

impl Table {
    async fn flush(&mut self, turn: Turn) {
        self.turn += 1;
        let lobby = Bytes::from(turn.lobby);
        let mut steps = turn.steps;
        // Stable: a session's steps stay in their order.
        steps.sort_by_key(|step| step.session);
        for steps in steps.chunk_by(|one, other| one.session == other.session) {
            self.write_singly(steps, &lobby);
        }
        if lobby.is_empty() {
            return;
        }
        // The table can't change meanwhile: only this task touches it.
        for seats in self.seats.chunks(WRITES_BEFORE_YIELD) {
            for seat in seats {
                if seat.follows && seat.written_in != self.turn {
                    seat.connection.send(&lobby);
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Writes what is for a session that has steps of its own, in one go.
    fn write_singly(&mut self, steps: &[Step], lobby: &Bytes) {
        let Some(session) = steps.first().map(|step| step.session) else { return };
        if let Some(Step { what: What::Open(connection), .. }) = steps.first() {
            self.open(Arc::clone(connection));
        }
        let Some(seat) = self.places.get(&session).and_then(|place| self.seats.get_mut(*place)) else {
            return;
        };
        seat.written_in = self.turn;
        let (frames, fate) = assemble(steps, lobby, &mut seat.follows);
        seat.connection.send(&frames);
        if fate != Fate::Stays {
            seat.follows = false;
            seat.connection.finish();
        }
        if fate == Fate::IsGone {
            self.remove(session);
        }
    }

    fn open(&mut self, connection: Arc<Connection>) {
        self.places.insert(connection.id, self.seats.len());
        self.seats.push(Seat { connection, follows: false, written_in: self.turn });
    }

    fn remove(&mut self, session: SessionId) {
        let Some(place) = self.places.remove(&session) else { return };
        self.seats.swap_remove(place);
        if let Some(moved) = self.seats.get(place) {
            self.places.insert(moved.connection.id, place);
        }
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
fn assemble(steps: &[Step], lobby: &Bytes, follows: &mut bool) -> (Bytes, Fate) {
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
        match &step.what {
            What::Open(_) => {}
            What::Follow => {
                *follows = true;
                from = step.at;
            }
            What::Skip(end) => from = *end,
            What::Frame(frame) if fate == Fate::Stays => frames.extend_from_slice(frame),
            What::Frame(_) => {}
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
    use super::*;

    const SESSION: SessionId = SessionId(7);

    fn step(at: usize, what: What) -> Step {
        Step { session: SESSION, at, what }
    }

    fn assembled(follows: bool, steps: &[Step]) -> (String, Fate) {
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
        assert_eq!(assembled(true, &[step(2, frame("1")), step(4, frame("2"))]), stays("ab1cd2ef"));
    }

    #[test]
    fn a_sender_gets_its_receipt_in_the_place_of_its_message() {
        assert_eq!(assembled(true, &[step(2, frame("!")), step(2, What::Skip(4))]), stays("ab!ef"));
    }

    #[test]
    fn who_follows_late_gets_only_what_comes_after() {
        assert_eq!(assembled(false, &[step(1, frame("!")), step(3, What::Follow)]), stays("!def"));
        assert_eq!(assembled(false, &[step(1, frame("!"))]), stays("!"));
        assert_eq!(assembled(false, &[step(1, frame("!")), step(1, What::Skip(3))]), stays("!"));
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let steps = [step(2, frame("!")), step(3, What::Close), step(4, frame("?")), step(5, What::Gone)];
        assert_eq!(assembled(true, &steps[..3]), ("ab!c".into(), Fate::Ends));
        assert_eq!(assembled(true, &steps), ("ab!c".into(), Fate::IsGone));
    }

    #[test]
    fn a_peer_that_closed_its_sending_half_still_gets_its_answers() {
        assert_eq!(assembled(false, &[step(0, frame("!")), step(0, What::Gone)]), ("!".into(), Fate::IsGone));
    }
}
